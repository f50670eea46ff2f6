"""Rows between polars and Spark: they travel as Arrow, so that no plan that Spark logs or shows holds a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

_KINDS: dict[pl.DataType, str] = {
    pl.String(): "string", pl.Int64(): "bigint", pl.Int32(): "int", pl.Float64(): "double", pl.Date(): "date", pl.Boolean(): "boolean",
}  # fmt: skip


def spell_schema(schema: Mapping[str, pl.DataType]) -> str:
    """Spell columns as Spark's SQL does.

    >>> spell_schema({"borrower_id": pl.String(), "raw_score": pl.Float64()})
    '`borrower_id` string, `raw_score` double'
    """
    return ", ".join(f"`{name}` {_KINDS[kind]}" for name, kind in schema.items())


def send_rows(spark: Any, rows: pl.DataFrame) -> Any:
    """Make a few rows of polars a Spark frame."""
    return spark.createDataFrame(rows.to_arrow())


def bring_rows(frame: Any) -> pl.DataFrame:
    """Bring a Spark frame's rows here."""
    return pl.DataFrame(frame.toArrow())


def map_rows(frame: Any, make: Callable[[pl.DataFrame], pl.DataFrame], read: Mapping[str, pl.DataType]) -> Any:
    """Make a Spark frame by polars, on the executors: `make` takes any part of the rows of a Spark frame, each row for itself.

    `read`: the columns of `frame`. What `make` gives of no rows says the columns it makes; so what it refuses, it refuses here.
    """
    made = make(pl.DataFrame(schema=dict(read))).schema

    def map_batches(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield from make(pl.DataFrame(batch)).to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()

    return frame.mapInArrow(map_batches, spell_schema(made))


def share_value(spark: Any, value: Any) -> Callable[[], Any]:
    """Hand a value to all executors, once each: what is called there to have it. By Connect it travels with the function that calls it."""
    if is_remote(spark):
        return lambda: value
    broadcast = spark.sparkContext.broadcast(value)
    return lambda: broadcast.value


def is_remote(spark: Any) -> bool:
    """Say whether a session is one of Spark Connect."""
    return "connect" in type(spark).__module__
