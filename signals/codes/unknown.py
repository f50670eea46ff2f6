"""How many codes of the tables the dated lists can't read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from signals.codes.industries import with_section
from signals.codes.regions import district_on, has_five_digits, list_kostat_only, list_regions, region_on

COLUMNS = {
    "borrowers": ("region_code", "district_code", "industry_code"),
    "businesses": ("region_code", "district_code", "industry_code"),
    "programme_status": ("region_code",),
}
WHOLE_COUNTRY = "00"  # where an operator reports for all regions at once
COUNTS = ("unknown", "kostat", "unreadable")


def count_unknown_codes(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.DataFrame:
    """Count what the dated lists can't read: one row per table and column of codes in which there is any.

    `unknown`: rows whose code is not listed (no code at all is not counted); `kostat`: those of them that look like the
    statistics office's own numbers, a sign that a source sends the wrong list; `unreadable`: rows whose code is listed, but
    what it reads on `as_of` is not known (districts of a merged region). All are read as null.

    >>> borrowers = pl.LazyFrame({"region_code": ["11", "21", None], "industry_code": ["I56", "X1", "56111"]})
    >>> count_unknown_codes({"borrowers": borrowers}, date(2026, 9, 30)).rows()
    [('borrowers', 'region_code', 1, 1, 0), ('borrowers', 'industry_code', 1, 0, 0)]
    """
    schema = {"table": pl.String, "column": pl.String, **dict.fromkeys(COUNTS, pl.Int64)}
    rows = [row for name in COLUMNS if name in tables for row in _count_table(name, tables[name], as_of)]
    return pl.DataFrame(rows, schema=schema).filter((pl.col("unknown") > 0) | (pl.col("unreadable") > 0))


def _count_table(name: str, table: pl.LazyFrame, as_of: date) -> list[dict[str, object]]:
    names = table.collect_schema().names()
    columns = [column for column in COLUMNS[name] if column in names]
    if not columns:
        return []
    codes = table.group_by(columns).agg(rows=pl.len().cast(pl.Int64)).collect(engine="streaming")  # few, whatever the number of rows
    counts = {f"{column} {kind}": found for column in columns for kind, found in _find_in_column(column, as_of).items()}
    found = codes.select((found * pl.col("rows")).sum().alias(name) for name, found in counts.items()).row(0, named=True)
    return [{"table": name, "column": column, **{kind: found[f"{column} {kind}"] for kind in COUNTS}} for column in columns]


def _find_in_column(column: str, as_of: date) -> dict[str, pl.Expr]:
    code = pl.col(column)
    head = code.str.head(2)
    is_listed = head.is_in(list(list_regions()))
    if column == "industry_code":
        read = with_section(code, as_of)
        is_listed = read.is_not_null()
    elif column == "district_code":
        read = district_on(code, as_of)
        is_listed &= has_five_digits(code)
    else:
        read = region_on(code, as_of)
        is_listed = code.is_in([*list_regions(), WHOLE_COUNTRY])
    is_kostat = pl.lit(column != "industry_code") & head.is_in(list(list_kostat_only()))
    is_unknown, is_readable = code.is_not_null() & ~is_listed, read.is_not_null() | (code == WHOLE_COUNTRY)
    return dict(zip(COUNTS, (is_unknown, is_unknown & is_kostat, code.is_not_null() & is_listed & ~is_readable), strict=True))
