"""A night's work on Spark: what of it is large is made there, and brought here a bucket at a time, or as a few columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import polars as pl

from signals.buckets import count_buckets
from signals.delta import list_files_of
from signals.night import Night
from signals.products import PRODUCTS
from signals.silence import list_ended
from signals.spark_lake import bring_by_bucket, read_known_on_spark, scan_files
from signals.spark_rows import bring_rows, map_rows, share_value
from signals.spark_session import open_spark, worded_spark


def make_on_spark(night: Night, make: Callable[[dict[str, Any]], Any], tables: Collection[str]) -> Iterator[pl.DataFrame]:
    """Make one Spark frame from what was known of all borrowers, and bring it here bucket by bucket.

    `make` gets the Spark frames of those of `tables` that ever arrived, as `Night.by_bucket` gives them of one bucket in polars.
    """
    ended = list_ended(night.find_silences(), night.as_of)
    spark = open_spark(night.settings)
    with worded_spark():
        known = read_known_on_spark(spark, night.home, night.as_of, tables, night.objections, ended)
        made = make(known)
        yield from bring_by_bucket(made, count_buckets(night.home)) if "borrower_id" in made.columns else [bring_rows(made)]


def map_on_spark(
    night: Night, product: str, wanted: Collection[str], make: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Map a product's key and wanted columns to a narrow frame on Spark, through Arrow, and bring that here whole, sorted by its key.

    `make` travels to each executor once.
    """
    spark, there, key = open_spark(night.settings), night.read(product).collect_schema(), PRODUCTS[product].key
    read = {name: kind for name, kind in there.items() if name in {*key, *wanted}}
    with worded_spark():
        rows, shared = scan_files(spark, list_files_of(night.home.product(product), night.as_of), read), share_value(spark, make)
        yield bring_rows(map_rows(rows, lambda part: shared()(part), read)).sort(key)  # noqa: PLW0108, called there
