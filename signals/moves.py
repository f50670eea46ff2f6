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
    versions = _list_versions(marked, key, lake)
    owners = versions.select(*key, "borrower_id", "bucket").unique()
    shared = owners.filter(pl.len().over(key) > 1).rename({"borrower_id": "other", "bucket": "other_bucket"})
    if shared.is_empty():
        return marked
    ended = versions.join(shared, on=key).filter((pl.col("other") != pl.col("borrower_id")) & (pl.col("other_bucket") != pl.col("bucket")))
    moved = ended.with_columns(
        borrower_id=pl.col("other"),
        bucket=pl.col("other_bucket"),
        is_retracted=pl.lit(value=True),
        is_moved=pl.lit(value=True),
        pulled_for=pl.lit(as_of),
    )
    return (
        pl.concat([marked, moved.select(marked.columns)])
        if lake is None
        else pl.concat([marked, _drop_known(moved, lake, key).select(marked.columns)])
    )


def _list_versions(marked: pl.DataFrame, key: list[str], lake: pl.LazyFrame | None) -> pl.DataFrame:
    if lake is None:
        return marked
    earlier = lake.filter(~pl.col("is_moved")).join(marked.select(key).unique().lazy(), on=key, how="semi").collect()
    return pl.concat([marked, earlier.select(marked.columns)])


def _drop_known(moved: pl.DataFrame, lake: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    place = [*key, "known_on", "borrower_id", "pulled_from", "file", "line"]
    return moved.join(lake.filter("is_moved").select(place).collect(), on=place, how="anti", nulls_equal=True)
