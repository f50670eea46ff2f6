"""From aggregates to features: arithmetic within each row, so that any part of the rows is worked out alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from features.feature import Feature
from features.formula import Aggregate


def work_out(wide: nw.LazyFrame[Any], needed: Sequence[Aggregate], features: Sequence[Feature]) -> nw.LazyFrame[Any]:
    """Work the features out: one row per row of `wide`, borrower_id and one Float64 column per feature.

    `wide` holds those of the `needed` aggregates whose tables are there; all others are null.
    """
    present = set(wide.collect_schema().names())
    absent = [nw.lit(None, nw.Int32).alias(leaf.name) for leaf in needed if leaf.name not in present]
    values = (feature.value.expr().cast(nw.Float64).alias(feature.name) for feature in features)
    wide = wide.with_columns(*absent) if absent else wide
    return wide.select("borrower_id", *values)


def work_out_on_spark(wide: nw.LazyFrame[Any], needed: Sequence[Aggregate], features: Sequence[Feature]) -> nw.LazyFrame[Any]:
    """Work the features out on Spark's executors, each with polars on what it holds, through Arrow (decision 0029).

    The aggregates are whole numbers, the same on every engine; what is worked out from them is then the same to the last bit.
    """

    def work_out_batches(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        schema = pa.schema([("borrower_id", pa.string()), *((feature.name, pa.float64()) for feature in features)])
        for batch in batches:
            built = work_out(nw.from_native(_conform(pl.DataFrame(batch), needed)), needed, features).to_native()
            yield from built.collect().to_arrow().cast(schema).to_batches()

    columns = ", ".join(["borrower_id string", *(f"`{feature.name}` double" for feature in features)])
    built: nw.LazyFrame[Any] = nw.from_native(wide.to_native().mapInArrow(work_out_batches, columns))
    return built


def _conform(rows: pl.DataFrame, needed: Sequence[Aggregate]) -> pl.LazyFrame:
    """Give aggregates the types that polars has them in: engines sum into types of their own."""
    kinds = {leaf.name: pl.Int32 if leaf.how == "count" else pl.Int64 for leaf in needed if leaf.name in rows.columns}
    return rows.lazy().with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
