"""What a column of a source table may hold, in words: its unit, its allowed values, and what null means."""

from __future__ import annotations

import re
from typing import Any

import dataframely as dy

from signals.tables.contract import KnownCode

_BY_ENDING = {
    "_krw": "won",
    "_on": "day",
    "_month": "month",
    "_pct": "per cent a year",
    "_count": "number",
    "_year": "year",
    "_id": "id",
    "_code": "code",
}
_BY_START = {"is_": "yes or no", "has_": "yes or no", "days_": "days"}
_SAID = {
    "credit_score": "points",
    "employees": "people",
    "fact": "name",
    "legal_basis": "text",
    "product": "text",
    "remaining_places": "places",
    "subject": "name",
    "value": "text",
    "kind": "code",
}
_LISTED = {
    "region_code": "a code of [codes.md](codes.md); any other reads as unknown",
    "district_code": "five digits whose region is in [codes.md](codes.md); any other reads as unknown",
    "industry_code": "a code whose section is in [codes.md](codes.md); any other reads as unknown",
}
_NULL = re.compile(r"^(?P<meaning>.*?)[;,]? null: (?P<null>.*?)\.?$")


def find_unit(name: str, column: dy.Column) -> str:
    """Say what a column is counted in, by its name, its declared codes or as said here; raises `KeyError` where nothing says it.

    >>> find_unit("balance_krw", dy.Int64()), find_unit("days_past_due", dy.Int64())
    ('won', 'days')
    """
    for part, unit in _BY_START.items():
        if name.startswith(part):
            return unit
    for part, unit in _BY_ENDING.items():
        if name.endswith(part):
            return unit
    return "code" if list_codes(column) else _SAID[name]


def list_codes(column: dy.Column) -> tuple[str, ...]:
    """List the codes that a column's own declaration allows; empty: it declares none."""
    checks = column.check.values() if isinstance(column.check, dict) else ()
    return tuple(code for check in checks if isinstance(check, KnownCode) for code in check.codes)


def say_allowed(name: str, column: dy.Column) -> str:
    """Say which values a column may hold, from its declaration alone.

    >>> say_allowed("annual_rate_pct", dy.Float64(min=0, max=100))
    '0 to 100'
    >>> say_allowed("due_month", dy.Date())
    'the first day of a month'
    """
    codes, least, most = list_codes(column), getattr(column, "min", None), getattr(column, "max", None)
    if codes:
        return ", ".join(f"`{code}`" for code in codes)
    if least is not None or most is not None:
        return _say_range(least, most, separator="" if name.endswith("_year") else ",")
    if isinstance(column, dy.Date):
        return "the first day of a month" if name.endswith("_month") else "any day"
    if isinstance(column, dy.Bool):
        return "true, false"
    if isinstance(column, dy.String):
        listed = _LISTED.get(name) if column.nullable else None
        return listed or ("any text but an empty one" if column.min_length else "any text")
    return "any"


def _say_range(least: Any, most: Any, separator: str) -> str:
    low, high = ("" if bound is None else f"{bound:{separator}}" for bound in (least, most))
    if not high:
        return f"{low} or more"
    return f"{low} to {high}" if low else f"{high} or less"


def part_description(column: dy.Column) -> tuple[str, str]:
    """Part a column's description into its meaning and what null means; never null where it must be filled.

    >>> part_description(dy.Int64(nullable=True, description="What was paid, won; null: unknown."))
    ('What was paid, won.', 'unknown')
    >>> part_description(dy.Int64(description="Days overdue."))
    ('Days overdue.', 'never null')
    """
    text = column.description or ""
    found = _NULL.match(text)
    if not column.nullable:
        return text, "never null"
    if found is None:
        raise ValueError(f"the description does not say what null means: {text}")
    return f"{found['meaning']}.", found["null"]
