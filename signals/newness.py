"""What of tonight's rows is new: not said twice by its source, not said by another night, not yet taken in by this one."""

from __future__ import annotations

from datetime import date

import polars as pl

from signals.checks import UNREADABLE, conflict_key, find_duplicates
from signals.tables import TABLES


def collapse_rows(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Keep the first of the rows in which one source says the very same; what can't be read says nothing, and each line of it stays."""
    is_twice = find_duplicates(rows, conflict_key(table))
    if UNREADABLE in rows.columns:
        is_twice &= rows[UNREADABLE].is_null()
    if not is_twice.any():
        return rows
    content = ["pulled_from", *TABLES[table].columns]
    firsts = rows.with_row_index("place").filter(is_twice).unique(content, keep="first").get_column("place")
    return rows.filter(~is_twice.scatter(firsts, values=False))


def drop_known(rows: pl.DataFrame, table: str, lake: pl.LazyFrame | None) -> pl.DataFrame:
    """Drop the rows that the given rows of the lake say already, whoever said them; never one in which something can't be read.

    Of the lake, only the days that the rows speak of are read, and only what has their keys is compared.
    """
    if lake is None or rows.is_empty():
        return rows
    content = list(TABLES[table].columns)
    key = [*TABLES[table].key, "known_on"]
    days = rows["known_on"].min(), rows["known_on"].max()
    there = lake.filter(pl.col("known_on").is_between(*days)).select(content)
    if not there.select(pl.len()).collect(engine="streaming").item():
        return rows
    same_key = there.join(rows.lazy().select(key).unique(), on=key, how="semi").collect(engine="streaming")
    if same_key.is_empty():
        return rows
    if UNREADABLE in rows.columns:
        same_key = same_key.with_columns(pl.lit(None, dtype=pl.String).alias(UNREADABLE))
    return rows.join(same_key, on=same_key.columns, how="anti", nulls_equal=True, maintain_order="left")


def of_other_nights(lake: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame | None:
    """The rows that other nights took in, later ones too: what was first seen on a later night is never brought into an earlier one."""
    return None if lake is None else lake.filter(pl.col("pulled_for") != as_of)


def of_this_night(lake: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame | None:
    """The rows that an earlier try of this very night took in."""
    return None if lake is None else lake.filter(pl.col("pulled_for") == as_of)
