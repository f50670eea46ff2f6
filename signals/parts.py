"""A table's arrivals of one night in parts that fit into memory, each with all rows of its keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from signals.buckets import number_buckets
from signals.tables import TABLES

ROWS_AT_ONCE, ROWS_IN_MEMORY = 1_000_000, 6_000_000
_ROWS_WAITING = 50_000  # of each part on its way to the disk
_LAST = 2**31 - 1


def split_arrivals(
    rows: pl.LazyFrame,
    table: str,
    buckets: int,
    waiting: Path,
    rows_at_once: int = ROWS_AT_ONCE,
    rows_in_memory: int = ROWS_IN_MEMORY,
) -> Iterator[pl.DataFrame]:
    """Give a table's arrivals whole where they are few, else some buckets of borrowers, or a share of one, at a time.

    Rows of one key lie in one part, in the order in which they came. Where a key's rows would lie in several parts, they are all in a
    part of their own, the last. What is more than `rows_in_memory` goes first, as it is divided, to the folder `waiting`, which is
    removed afterwards.
    """
    count = rows.select(pl.len()).collect(engine="streaming").item()
    parts = -(-count // rows_at_once)
    if parts <= 1 or not TABLES[table].has_borrower:
        yield rows.collect(engine="streaming").rechunk()
        return
    if count <= rows_in_memory:
        yield from _divide(_number_rows(rows.collect(engine="streaming").lazy(), table, buckets, parts).collect())
        return
    shutil.rmtree(waiting, ignore_errors=True)  # what a killed check left would be read once more
    numbered = _number_rows(rows, table, buckets, parts)
    together = max(1, rows_in_memory // (2 * rows_at_once))
    divided = pl.PartitionBy(waiting, key=pl.col("part").floordiv(together).alias("group"), include_key=False)
    numbered.sink_parquet(divided, compression="zstd", compression_level=1, row_group_size=_ROWS_WAITING, mkdir=True)
    for folder in sorted(waiting.glob("group=*"), key=lambda folder: int(folder.name.removeprefix("group="))):
        group = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in sorted(folder.glob("*.parquet"))])
        yield from _divide(group)
    shutil.rmtree(waiting)


def _divide(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Give the parts one by one, each in one piece: all that follows is several times as fast on one."""
    for part in rows["part"].unique().sort():
        yield rows.lazy().filter(pl.col("part") == part).drop("part").collect(engine="streaming").rechunk()


def _number_rows(rows: pl.LazyFrame, table: str, buckets: int, parts: int) -> pl.LazyFrame:
    """Number the part of each row: by its borrower, or the last where its fact came with borrowers of several parts."""
    number = pl.col("borrower_id").map_batches(lambda ids: _number_parts(ids, buckets, parts), return_dtype=pl.Int32, is_elementwise=True)
    numbered, key = rows.with_columns(part=number), TABLES[table].key[0]
    if key == "borrower_id":
        return numbered
    spread = numbered.group_by(pl.col(key).hash().alias("fact")).agg(first=pl.col("part").min(), last=pl.col("part").max())
    strays = spread.filter(pl.col("first") != pl.col("last")).select("fact").collect(engine="streaming").to_series()
    return numbered.with_columns(
        pl.when(~pl.col(key).hash().is_in(strays.to_list())).then("part").otherwise(pl.lit(_LAST, dtype=pl.Int32)).alias("part")
    )


def _number_parts(ids: pl.Series, buckets: int, parts: int) -> pl.Series:
    """Number the part of each id: some neighbouring buckets are one, or each bucket is divided by the rest of its code."""
    if parts <= buckets:
        return (number_buckets(ids, buckets).cast(pl.Int64) * parts // buckets).cast(pl.Int32)
    shares = -(-parts // buckets)
    fine = number_buckets(ids, buckets * shares)
    return fine % buckets * shares + fine // buckets
