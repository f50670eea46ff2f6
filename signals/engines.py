"""What makes the large frames of a night: polars here, bucket by bucket, or Apache Spark on its executors. Nobody else asks which."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import polars as pl

from signals.night import Night


def make_by_engine(night: Night, make: Callable[[dict[str, Any]], Any], tables: Collection[str]) -> Iterator[pl.DataFrame]:
    """Make one frame from what was known of all borrowers, in chunks of disjoint borrowers that may each be held in memory.

    `make` turns lazy frames of those of `tables` that ever arrived into one of the same engine, so that any subset of borrowers gives
    the same rows as all of them. Without a borrower_id it is narrow: Spark's comes whole.
    """
    if night.settings.engine == "spark":
        from signals.spark_night import make_on_spark

        return make_on_spark(night, make, tables)
    return night.by_bucket(lambda known: make(known).collect(engine="in-memory"), tables=tables)


def map_by_engine(
    night: Night, product: str, wanted: Collection[str], make: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Map a product of this night, read with its key and the wanted columns, to a narrow frame part by part.

    `make` takes any part of the rows, each row for itself; Spark hands it, with the model it holds, to every executor once.
    """
    if night.settings.engine == "spark":
        from signals.spark_night import map_on_spark

        return map_on_spark(night, product, wanted, make)
    return night.abreast(make, night.read_parts(product, wanted))
