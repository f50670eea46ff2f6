"""Facts that turn out to be somebody else's: a loan whose correction names another borrower lies in another bucket.

Each bucket is read alone, so the bucket of the borrower who lost the fact must hold a row that ends it there.
"""

from __future__ import annotations

import polars as pl

from signals.hashes import hash_columns
from signals.known import PROVENANCE
from signals.tables import TABLES


def add_moves(rows: pl.DataFrame, table: str, lake: pl.LazyFrame | None) -> pl.DataFrame:
    """Mark the rows with `is_moved` false and add, for each version of a fact that changed its borrower, a row that ends it elsewhere.

    `rows` are tonight's new rows of `table` with their bucket and provenance; `lake` is the table so far, None before its
    first row. An added row repeats the version's key and provenance in the other borrower's bucket, retracted, with
    `is_moved` true: there too the version counts from its own night on and in its own turn. Only readers of one bucket see
    it. Tables whose key names the borrower have none.
    """
    marked = rows.with_columns(is_moved=pl.lit(value=False))
    key = list(TABLES[table].key)
    if "borrower_id" in key or rows.is_empty():
        return marked
    near = None if lake is None else lake.filter(_within_reach(marked, key))
    keys = _find_moved(marked, key, near)
    if keys.is_empty():
        return marked
    versions = _list_versions(marked, keys, near)
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
        )
    )
    new = moved if near is None else _drop_known(moved, near, key)
    return pl.concat([marked, new.select(marked.columns).sort(*key, "borrower_id", "known_on", *PROVENANCE)])  # in one order: it is hashed


def _within_reach(marked: pl.DataFrame, key: list[str]) -> pl.Expr:
    """Keep to the months that tonight's rows speak of, where the key names one: the history before them is not read."""
    days = [name for name in key if marked.schema[name] == pl.Date]
    return pl.all_horizontal([pl.lit(value=True), *(pl.col(name).is_between(marked[name].min(), marked[name].max()) for name in days)])


def _find_moved(marked: pl.DataFrame, key: list[str], lake: pl.LazyFrame | None) -> pl.DataFrame:
    """Find the keys of tonight's rows that stand in more than one bucket, tonight's and those of the lake together."""
    new = marked.select(*key, "bucket")
    within = new.clear().select(key)
    if new.select(hash_columns(key).n_unique() != hash_columns([*key, "bucket"]).n_unique()).item():
        within = new.unique().group_by(key).len().filter(pl.col("len") > 1).select(key)
    if lake is None:
        return within
    old = lake.filter(~pl.col("is_moved")).select(*key, other="bucket")
    across = new.lazy().unique().join(old, on=key).filter(pl.col("other") != pl.col("bucket")).select(key)
    return pl.concat([within, across.collect(engine="streaming")]).unique()


def _list_versions(marked: pl.DataFrame, keys: pl.DataFrame, lake: pl.LazyFrame | None) -> pl.DataFrame:
    """List all versions of the few facts that had more than one borrower."""
    tonight = marked.join(keys, on=keys.columns, how="semi")
    if lake is None:
        return tonight
    earlier = lake.filter(~pl.col("is_moved")).join(keys.lazy(), on=keys.columns, how="semi").select(marked.columns).collect()
    return pl.concat([tonight, earlier])


def _drop_known(moved: pl.DataFrame, lake: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    place = [*key, "known_on", "borrower_id", *PROVENANCE]
    return moved.join(lake.filter("is_moved").select(place).collect(), on=place, how="anti", nulls_equal=True)
