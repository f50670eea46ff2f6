"""The lake on Spark: its files by the paths Delta lists, and what was known of them, as `as_known` says it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from signals.corrections import apply_corrections, settle_objections
from signals.delta import is_table, list_files_of
from signals.home import Home
from signals.known import PROVENANCE
from signals.lake import lake_schema
from signals.silence import name_reporting_table
from signals.spark_rows import bring_rows, send_rows, spell_schema
from signals.tables import TABLES


def scan_files(spark: Any, files: Collection[str], schema: Mapping[str, pl.DataType]) -> Any:
    """Read Parquet files as one Spark frame of the given columns; a column that a file lacks is null in its rows."""
    declared = spell_schema(schema)
    if not files:
        return spark.createDataFrame([], declared)
    # without it Spark would take columns from the names of folders
    return spark.read.schema(declared).option("recursiveFileLookup", "true").parquet(*map(_spell, files))


def scan_lake_on_spark(spark: Any, home: Home, table: str) -> Any:
    """Read a lake table whole, with all its versions and provenance, as of this moment; None before its first row."""
    place = home.table(table)
    if not is_table(place):
        return None
    stored = {name: kind for name, kind in lake_schema(table).items() if name != "bucket"}
    rows = scan_files(spark, list_files_of(place), stored)
    return rows.where("NOT is_moved").drop("is_moved") if TABLES[table].has_borrower else rows


def as_known_on_spark(frame: Any, table: str, as_of: date) -> Any:
    """Keep of a lake table with all its versions what was known at the end of `as_of`: as `signals.known.as_known` does.

    One row per key of `table`; `frame` has the lake's provenance, by which ties break.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as fn

    day = fn.lit(as_of)
    seen = frame.where((fn.col("known_on") <= day) & (fn.col("pulled_for") <= day))
    newest_first = [fn.col(name).desc_nulls_last() for name in ("known_on", *PROVENANCE)]
    versions = Window.partitionBy(*TABLES[table].key).orderBy(*newest_first)
    newest = seen.withColumn("turn", fn.row_number().over(versions)).where("turn = 1 AND NOT coalesce(is_retracted, false)")
    return newest.select(*(name for name in TABLES[table].columns if name != "is_retracted"))


def read_known_on_spark(
    spark: Any, home: Home, as_of: date, tables: Collection[str], objections: pl.DataFrame, ended: pl.DataFrame
) -> dict[str, Any]:
    """Read what was known at the end of `as_of` as Spark frames, table by table; a table that never arrived is not in the mapping.

    `objections` (`read_objections`): what people dispute or have corrected stands over it. `ended` (`list_ended`): the sources
    whose silence ends the coverage they reported.
    """
    found = {name: scan_lake_on_spark(spark, home, name) for name in TABLES if name in tables}
    known = {}
    for name, frame in found.items():
        if frame is not None:
            told = _end_coverage(spark, frame, ended) if name == "coverage" and not ended.is_empty() else frame
            known[name] = correct_on_spark(spark, as_known_on_spark(told, name, as_of), name, objections, as_of)
    return known


def correct_on_spark(spark: Any, known: Any, table: str, objections: pl.DataFrame, as_of: date) -> Any:
    """Put over what was known what people said of it: as `signals.corrections.apply_corrections` does, which is given their rows."""
    who = settle_objections(objections, table, as_of).select("borrower_id").unique()
    if who.is_empty():
        return known
    few = send_rows(spark, who).hint("broadcast")
    theirs = bring_rows(known.join(few, "borrower_id", "left_semi")).lazy()
    told = apply_corrections(theirs, table, objections, as_of).select(known.columns).collect()
    return known.join(few, "borrower_id", "left_anti").unionByName(send_rows(spark, told))


def bring_by_bucket(frame: Any, buckets: int) -> Iterator[pl.DataFrame]:
    """Bring a Spark frame with a borrower_id here one bucket of borrowers after the other, so that one at a time is in memory.

    The frame is worked out once and kept by the executors, in memory or on their disks, until the last bucket is had.
    """
    from pyspark.sql import functions as fn

    bucket = fn.crc32(fn.coalesce(fn.col("borrower_id"), fn.lit("")).cast("binary")) % buckets
    kept = frame.withColumn("bucket", bucket.cast("int")).repartition(buckets, "bucket").persist()
    try:
        for number in range(buckets):
            yield bring_rows(kept.where(f"bucket = {number}").drop("bucket"))
    finally:
        kept.unpersist()


def _end_coverage(spark: Any, told: Any, ended: pl.DataFrame) -> Any:
    """End the coverage by sources that no longer report at their last word: as `signals.silence.end_silent_coverage` does."""
    from pyspark.sql import functions as fn

    subjects = bring_rows(told.select("subject").distinct())
    last = name_reporting_table(subjects).join(ended, left_on="reported_in", right_on="table_name").drop("reported_in")
    few = send_rows(spark, last.rename({"source_id": "pulled_from"})).hint("broadcast")
    joined = told.join(few, ["pulled_from", "subject"], "left")
    return joined.withColumn("until_on", fn.least("until_on", "last_word_on")).select(*told.columns)


def _spell(file: str) -> str:
    """Spell a file's place as Spark takes it literally: what would be a pattern escaped, an object store by Hadoop's name for it."""
    return re.sub(r"([\\{}\[\]*?,])", r"\\\1", re.sub(r"^s3://", "s3a://", file))
