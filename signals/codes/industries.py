"""Industries: the section of a code, what programmes leave out, and how large a small business may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from signals.codes.dated import is_row_in_force, read_list

_HEAD = "^([A-Z]?[0-9]{2}|[A-Z]$)"  # a division, with or without its letter, or a letter alone


def list_sections(as_of: date) -> dict[str, range]:
    """List the sections of the classification in force on a day, each with its divisions."""
    revision = next(row["number"] for row in read_list("industries")["revision"] if is_row_in_force(row, as_of))
    rows = (row for row in read_list("industries")["section"] if revision in row["revisions"])
    return {row["letter"]: range(row["divisions"][0], row["divisions"][1] + 1) for row in rows}


def list_divisions(as_of: date) -> dict[str, str]:
    """List how a code of the classification in force on a day may begin, with and without its letter, each with its division.

    >>> divisions = list_divisions(date(2026, 9, 30))
    >>> divisions["56"], divisions["I56"], "C56" in divisions
    ('I56', 'I56', False)
    """
    listed = [(letter, f"{letter}{number:02}") for letter, numbers in list_sections(as_of).items() for number in numbers]
    return {head: division for letter, division in listed for head in (division, division.removeprefix(letter))}


def with_section(industry: pl.Expr, as_of: date) -> pl.Expr:
    """Write an industry code with its section letter first, however it came; null: no code of the classification.

    A code is a letter, or two to five digits with or without their letter. A letter that is not that of its division makes
    the code unknown, and so does a division that is not listed.

    >>> codes = pl.DataFrame({"industry_code": ["I56111", "56111", "i", "C56111", "43", "525101"]})
    >>> codes.select(with_section(pl.col("industry_code"), date(2026, 9, 30))).to_series().to_list()
    ['I56111', 'I56111', 'I', None, None, None]
    """
    heads = {letter: letter for letter in list_sections(as_of)} | list_divisions(as_of)
    code = industry.str.strip_chars().str.to_uppercase()
    head, tail = code.str.extract(_HEAD), code.str.replace(_HEAD, "").str.extract("^([0-9]{0,3})$")
    return head.replace_strict(heads, default=None, return_dtype=pl.String) + tail


def section_of(industry: pl.Expr, as_of: date) -> pl.Expr:
    """Give the section letter of an industry code; null: unknown.

    >>> codes = pl.DataFrame({"industry_code": ["56111", "C10", "99", "44"]})
    >>> codes.select(section_of(pl.col("industry_code"), date(2026, 9, 30))).to_series().to_list()
    ['I', 'C', 'U', None]
    """
    return with_section(industry, as_of).str.head(1)


def left_out(industry: pl.Expr, name: str, as_of: date) -> pl.Expr:
    """Say whether an industry code falls under a list of `excluded.toml`.

    True when the code lies at or below an entry in force; null when the code is unknown, or coarser than an entry so that
    only part of it falls under the list; false otherwise.

    >>> codes = pl.DataFrame({"industry_code": ["I56211", "56211", "I56", "I56111", None]})
    >>> codes.select(left_out(pl.col("industry_code"), "policy_funds", date(2026, 9, 30))).to_series().to_list()
    [True, True, None, False, None]
    """
    return falls_under(with_section(industry, as_of), name, as_of)


def falls_under(known: pl.Expr, name: str, as_of: date) -> pl.Expr:
    """Say what `left_out` says of a code that `with_section` has written: cheaper where a frame keeps it as a column."""
    lists = {row["name"]: row["entries"] for row in read_list("excluded")["list"]}
    codes = [row["code"] for row in lists[name] if is_row_in_force(row, as_of)]
    coarser = sorted({code[:end] for code in codes for end in range(1, len(code))})
    is_left_out = known.str.contains(f"^({'|'.join(codes)})") if codes else pl.lit(value=False)
    return pl.when(is_left_out).then(True).when(~known.is_in(coarser)).then(False)


def is_small_business(industry: pl.Expr, employees: pl.Expr, annual_sales_krw: pl.Expr, as_of: date) -> pl.Expr:
    """Say whether a business is small (소상공인) on a day: few regular workers, and yearly sales (won) within its industry's cap.

    Null: unknown, because a number is missing that would decide, or because the cap was not found and the sales lie where it
    could be (`sizes.toml`). What decides whatever the rest may be, decides: ten workers are too many in any industry.

    >>> shops = pl.DataFrame({"industry_code": ["I56111", "I56111", "C10", None, None], "employees": [4, 5, 9, 4, 10],
    ...     "annual_sales_krw": [1_000_000_000, 1, 1, 1, None]})
    >>> small = is_small_business(pl.col("industry_code"), pl.col("employees"), pl.col("annual_sales_krw"), date(2025, 8, 31))
    >>> shops.select(small).to_series().to_list()
    [True, False, True, True, False]
    """
    return is_small_in(section_of(industry, as_of), employees, annual_sales_krw, as_of)


def is_small_in(section: pl.Expr, employees: pl.Expr, annual_sales_krw: pl.Expr, as_of: date) -> pl.Expr:
    """Say what `is_small_business` says where the section is a column already: a quarter of the work."""
    workers, caps = (_rows_by_section(name, as_of) for name in ("workers", "cap"))
    has_few = pl.when(employees < _read_limit(section, workers, "below", min)).then(True).when(
        employees >= _read_limit(section, workers, "below", max)
    ).then(False)  # fmt: skip
    is_modest = pl.when(annual_sales_krw <= _read_limit(section, caps, "least_krw", min)).then(True).when(
        annual_sales_krw > _read_limit(section, caps, "most_krw", max)
    ).then(False)  # fmt: skip
    return has_few & is_modest


def _rows_by_section(name: str, as_of: date) -> dict[str, Mapping[str, Any]]:
    rows = [row for row in read_list("sizes")[name] if is_row_in_force(row, as_of)]
    return {section: row for row in rows for section in row["sections"]}


def _read_limit(section: pl.Expr, rows: Mapping[str, Mapping[str, Any]], column: str, bound: Callable[[list[int]], int]) -> pl.Expr:
    """Read a limit by section; where the section is unknown, the lowest or highest it could be."""
    limits = {letter: int(row[column]) for letter, row in rows.items()}
    return section.replace_strict(limits, default=bound(list(limits.values())), return_dtype=pl.Int64)
