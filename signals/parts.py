"""A table's arrivals of one night in parts that fit into memory, each with all rows of its keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from signals.buckets import number_buckets
from signals.checks import hash_columns
from signals.tables import TABLES

ROWS_AT_ONCE = 8_000_000


def split_arrivals(rows: pl.LazyFrame, table: str, buckets: int, waiting: Path, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[pl.DataFrame]:
    """Give a table's arrivals whole where they are few, else bucket of borrowers by bucket.

    Rows of one key lie in one part, in the order in which they came. Where a key names several borrowers, all its rows are in a part of
    their own, the last. `waiting` is a folder for what does not fit into memory; it is removed afterwards.
    """
    count = rows.select(pl.len()).collect(engine="streaming").item()
    if count <= rows_at_once or not TABLES[table].has_borrower:
        yield rows.collect(engine="streaming")
        return
    shutil.rmtree(waiting, ignore_errors=True)  # what a killed check left would be read once more
    strays = _find_strays(rows, table)
    numbered = rows.with_columns(
        bucket=pl.when(pl.col(TABLES[table].key[0]).hash().is_in(strays.to_list()))
        .then(pl.lit(buckets, dtype=pl.Int32))
        .otherwise(pl.col("borrower_id").map_batches(lambda ids: number_buckets(ids, buckets), return_dtype=pl.Int32, is_elementwise=True))
    )
    numbered.sink_parquet(pl.PartitionBy(waiting, key="bucket", include_key=False), compression="zstd", compression_level=1, mkdir=True)
    for bucket in range(buckets + 1):
        files = sorted((waiting / f"bucket={bucket}").glob("*.parquet"))
        if files:
            yield pl.concat([pl.read_parquet(file) for file in files])
    shutil.rmtree(waiting)


def _find_strays(rows: pl.LazyFrame, table: str) -> pl.Series:
    """Find, by the hash of the key's first column, the facts that came with more than one borrower: their rows lie in several buckets."""
    key = TABLES[table].key[0]
    if key == "borrower_id":
        return pl.Series(dtype=pl.UInt64)
    owner = hash_columns(["borrower_id"])
    owners = rows.group_by(pl.col(key).hash().alias("fact")).agg(first=owner.min(), last=owner.max())
    return owners.filter(pl.col("first") != pl.col("last")).select("fact").collect(engine="streaming").to_series()
