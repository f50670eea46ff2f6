"""A night's work on Spark: what of it is large is made there, and brought here a bucket at a time, or as a few columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import polars as pl

from signals.buckets import count_buckets
from signals.delta import list_files_of
from signals.night import Night
from signals.silence import list_ended
from signals.spark_lake import bring_by_bucket, read_known_on_spark, scan_files
from signals.spark_session import bring_rows, open_spark, share_value, worded_spark

Share = Callable[[Any], Callable[[], Any]]


def build_on_spark(night: Night, make: Callable[[dict[str, Any]], Any], tables: Collection[str]) -> Iterator[pl.DataFrame]:
    """Make one Spark frame from what was known of all borrowers, and bring it here bucket by bucket.

    `make` gets the Spark frames of those of `tables` that ever arrived, as `Night.by_bucket` gives them of one bucket in polars.
    """
    ended = list_ended(night.find_silences(), night.as_of)
    spark = open_spark(night.settings)
    with worded_spark():
        known = read_known_on_spark(spark, night.home, night.as_of, tables, night.objections, ended)
        yield from bring_by_bucket(make(known), count_buckets(night.home))


def map_on_spark(night: Night, product: str, wanted: Collection[str], make: Callable[[Any, Share], Any]) -> pl.DataFrame:
    """Make a narrow frame from the key and the wanted numbers of a product of this night, on Spark, and bring it here whole.

    `make` gets the Spark frame and what shares a value with all executors (`share_value`).
    """
    spark, there = open_spark(night.settings), night.read(product).collect_schema()
    schema = {name: kind for name, kind in there.items() if name == "borrower_id" or name in wanted}
    with worded_spark():
        frame = scan_files(spark, list_files_of(night.home.product(product), night.as_of), schema)
        return bring_rows(make(frame, lambda value: share_value(spark, value))).sort("borrower_id")
