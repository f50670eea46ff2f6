"""From aggregates to features: arithmetic within each row, so that any part of the rows is worked out alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from features.feature import Feature
from features.formula import Aggregate

Rows = nw.LazyFrame[Any]


def work_out(rows: Rows, features: Sequence[Feature]) -> Rows:
    """Work the features out: one row per row of aggregates, borrower_id and one Float64 column per feature."""
    return rows.select("borrower_id", *(feature.value.expr().cast(nw.Float64).alias(feature.name) for feature in features))


def is_spark(rows: Rows) -> bool:
    """Say whether rows lie on Spark."""
    return rows.implementation.is_pyspark() or rows.implementation.is_pyspark_connect()


def work_by_rows(wide: Rows, needed: Sequence[Aggregate], work: Callable[[Rows], Rows]) -> Rows:
    """Work on filled aggregates, each row for itself: on Spark its executors do it with polars on what they hold (decision 0029).

    `wide` holds those of the `needed` aggregates whose tables are there; all others are null. They are whole numbers, the same on
    every engine; what is worked out of them is then the same to the last bit.
    """
    if not is_spark(wide):
        return work(_add_absent(wide, needed))
    from signals.spark_rows import map_rows

    present = set(wide.collect_schema().names())
    # engines sum into types of their own
    kinds: dict[str, pl.DataType] = {
        leaf.name: pl.Int32() if leaf.how == "count" else pl.Int64() for leaf in needed if leaf.name in present
    }

    def work_in_polars(rows: pl.DataFrame) -> pl.DataFrame:
        typed = rows.lazy().with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
        built: pl.LazyFrame = work(_add_absent(nw.from_native(typed), needed)).to_native()
        return built.collect()

    worked: Rows = nw.from_native(map_rows(wide.to_native(), work_in_polars, {"borrower_id": pl.String(), **kinds}))
    return worked


def _add_absent(rows: Rows, needed: Sequence[Aggregate]) -> Rows:
    present = set(rows.collect_schema().names())
    absent = [nw.lit(None, nw.Int32).alias(leaf.name) for leaf in needed if leaf.name not in present]
    return rows.with_columns(*absent) if absent else rows
