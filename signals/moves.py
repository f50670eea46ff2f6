"""Facts that turn out to be somebody else's: a loan whose correction names another borrower lies in another bucket.

Each bucket is read alone, so the bucket of the borrower who lost the fact must hold a row that ends it there.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from signals.tables import TABLES


def add_moves(rows: pl.DataFrame, table: str, lake: pl.LazyFrame | None, as_of: date) -> pl.DataFrame:
    """Mark the rows with `is_moved` false and add, for each version of a fact that changed its borrower, a row that ends it elsewhere.

    `rows` are tonight's new rows of `table` with their bucket and provenance; `lake` is the table so far, None before its
    first row. An added row repeats the version's key and provenance in the other borrower's bucket, retracted, with
    `is_moved` true; only readers of one bucket see it. Tables whose key names the borrower have none.
    """
    marked = rows.with_columns(is_moved=pl.lit(value=False))
    key = list(TABLES[table].key)
    if "borrower_id" in key or rows.is_empty():
        return marked
    versions = _list_versions(marked, key[0], lake)
    shared = versions.select(*key, other="borrower_id", other_bucket="bucket").unique()
    is_elsewhere = (pl.col("other") != pl.col("borrower_id")) & (pl.col("other_bucket") != pl.col("bucket"))
    moved = (
        versions.join(shared, on=key)
        .filter(is_elsewhere)
        .with_columns(
            borrower_id="other",
            bucket="other_bucket",
            is_retracted=pl.lit(value=True),
            is_moved=pl.lit(value=True),
            pulled_for=pl.lit(as_of),
        )
    )
    new = moved if lake is None or moved.is_empty() else _drop_known(moved, lake, key)
    return pl.concat([marked, new.select(marked.columns)])


def _list_versions(marked: pl.DataFrame, first: str, lake: pl.LazyFrame | None) -> pl.DataFrame:
    """List all versions of the few facts that had more than one borrower; found by the key's first column, which is cheap."""
    new = marked.lazy().select(first, "borrower_id")
    owners = new if lake is None else pl.concat([new, lake.select(first, "borrower_id").join(new, on=first, how="semi")])
    many = owners.unique().group_by(first).len().filter(pl.col("len") > 1).select(first).collect()
    parts = (
        [marked]
        if lake is None or many.is_empty()
        else [marked, lake.filter(~pl.col("is_moved")).join(many.lazy(), on=first, how="semi").select(marked.columns).collect()]
    )
    return pl.concat(part.join(many, on=first, how="semi") for part in parts)


def _drop_known(moved: pl.DataFrame, lake: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    place = [*key, "known_on", "borrower_id", "pulled_from", "file", "line"]
    return moved.join(lake.filter("is_moved").select(place).collect(), on=place, how="anti", nulls_equal=True)
