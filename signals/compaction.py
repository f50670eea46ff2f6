"""The files of a lake table: told, sorted bucket by bucket, and written anew without what may go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import polars as pl
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from signals.delta import open_table, scan_stored
from signals.errors import NightError
from signals.home import Home
from signals.known import PROVENANCE
from signals.objects import is_url, measure_file
from signals.tables import TABLES
from signals.tables.contract import Table

# A file of this name holds its bucket sorted; only this module names files so, and whatever else writes names them otherwise.
_SORTED = "sorted-"
_ROWS_PER_GROUP = 250_000

Keep = Callable[[pl.LazyFrame], pl.LazyFrame]


def list_data_files(table: DeltaTable) -> pl.DataFrame:
    """List the files a reader of the table opens: one row per file, with path, bytes, rows and bucket (null: it has none)."""
    files = pl.DataFrame(table.get_add_actions(flatten=True))
    bucket = pl.col("partition.bucket") if "partition.bucket" in files.columns else pl.lit(None, dtype=pl.Int32)
    return files.select("path", bytes="size_bytes", rows="num_records", bucket=bucket).sort("bucket", "path")


def is_sorted(home: Home, table: str, bucket: int | None = None) -> bool:
    """Say whether a bucket (None: a table without buckets) is exactly one file, sorted by borrower, key, known_on and provenance.

    Only then may a reader `set_sorted`. Any append since it was sorted makes it False; so does a bucket without a row.
    """
    found = open_table(home.table(table))
    if found is None:
        return False
    names = list_data_files(found).filter(pl.col("bucket").eq_missing(pl.lit(bucket)))["path"].to_list()
    return len(names) == 1 and _is_sorted_file(names[0])


def order_of(table: Table, columns: list[str]) -> list[str]:
    """Name the columns by which a bucket of a table is sorted: the borrower, the key, then what orders its versions.

    >>> order_of(TABLES["loans"], ["loan_id", "borrower_id", "known_on", "pulled_for", "line"])
    ['borrower_id', 'loan_id', 'known_on', 'pulled_for', 'line']
    """
    first = ["borrower_id"] if table.has_borrower else []
    return list(dict.fromkeys([*first, *table.key, "known_on", *(name for name in PROVENANCE if name in columns)]))


def find_scattered(home: Home, table: str, fewest: int) -> dict[int | None, int]:
    """Find the buckets of a lake table (None: the whole of one without) that are `fewest` files or more, and how many they are."""
    found = open_table(home.table(table))
    if found is None:
        return {}
    many = list_data_files(found).group_by("bucket").len().filter(pl.col("len") >= fewest).sort("bucket")
    return dict(many.iter_rows())


def compact_table(home: Home, table: str, fewest: int = 2) -> dict[int | None, int]:
    """Write each bucket of a lake table that is `fewest` files or more anew as one sorted file; say which, and of how many files.

    Not a row changes, and earlier versions stay readable until they are vacuumed. One commit for the table, which says that no
    data changed; one bucket at a time is in memory. Raises `NightError` where somebody else committed meanwhile: then nothing
    is changed or lost.
    """
    found, buckets = open_table(home.table(table)), find_scattered(home, table, fewest)
    if found is None or not buckets:
        return {}
    _replace_files(home, found, table, [(bucket, None) for bucket in buckets], "compact")
    return buckets


def count_past(home: Home, table: str, keep: Keep) -> dict[int | None, int]:
    """Count, bucket by bucket, the rows of a lake table that `keep` would let go; buckets without such rows are left out."""
    found = open_table(home.table(table))
    if found is None:
        return {}
    files = list_data_files(found)
    past = {}
    for bucket in files["bucket"].unique().sort():
        rows = _scan(home, table, found, bucket)
        counts = [part.select(pl.len()).collect(engine="streaming").item() for part in (rows, keep(rows))]
        past[bucket] = int(counts[0] - counts[1])
    return {bucket: rows for bucket, rows in past.items() if rows}


def drop_rows(home: Home, table: str, keep: Keep) -> int:
    """Delete from a lake table the rows that `keep` lets go, in one commit; say how many. What is left of a bucket is sorted.

    Earlier versions stay readable until they are vacuumed. One bucket at a time is in memory. Raises `NightError` where
    somebody else committed meanwhile: then nothing is changed or lost.
    """
    found, past = open_table(home.table(table)), count_past(home, table, keep)
    if found is None or not past:
        return 0
    _replace_files(home, found, table, [(bucket, keep) for bucket in past], "expire")
    return sum(past.values())


def _replace_files(home: Home, found: DeltaTable, table: str, wanted: list[tuple[int | None, Keep | None]], why: str) -> None:
    changes = why != "compact"
    actions = [action for bucket, keep in wanted for action in _rewrite_bucket(home, found, table, bucket, keep, changes=changes)]
    # Delta itself lets two writers replace the same file: without this it would be doubled. Any other commit refuses ours.
    properties = CommitProperties(custom_metadata={"maintenance": why}, max_commit_retries=0)
    by = ["bucket"] if TABLES[table].has_borrower else None
    try:
        found.create_write_transaction(actions, "append", found.schema(), by, commit_properties=properties)
    except CommitFailedError as error:
        raise NightError(
            f"{table} changed while it was being maintained",
            home.table(table),
            "two writers must not replace the same file; nothing was changed and nothing is lost",
            "run the maintenance again when nothing else writes to this HOME",
        ) from error


def _rewrite_bucket(
    home: Home, found: DeltaTable, table: str, bucket: int | None, keep: Keep | None, *, changes: bool
) -> Iterator[AddAction | RemoveAction]:
    """Write one bucket's rows as one sorted file, and say what of it replaces what; no file where no row is left."""
    rows = _scan(home, table, found, bucket)
    rows = rows if keep is None else keep(rows)
    place = {} if bucket is None else {"bucket": str(bucket)}
    name = "/".join([*(f"{key}={value}" for key, value in place.items()), f"{_SORTED}{uuid4().hex}.parquet"])
    file = f"{home.table(table)}/{name}"
    order = order_of(TABLES[table], rows.collect_schema().names())
    rows.sort(order).sink_parquet(
        file,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROWS_PER_GROUP,
        sync_on_close=None if is_url(file) else "all",
        engine="streaming",
    )
    stats, moment = _describe_file(file), time.time_ns() // 1_000_000
    if stats["numRecords"]:
        yield AddAction(name, measure_file(file), place, moment, changes, json.dumps(stats))
    for path, size in list_data_files(found).filter(pl.col("bucket").eq_missing(pl.lit(bucket))).select("path", "bytes").iter_rows():
        yield RemoveAction(path, changes, moment, size, place)


def _describe_file(file: str) -> dict[str, Any]:
    """What Delta tells of a file, so that readers of a few nights need not open it: its rows, and the span of its days."""
    rows = pl.scan_parquet(file, hive_partitioning=False)
    days = [name for name, kind in rows.collect_schema().items() if kind == pl.Date]
    told = rows.select(
        pl.len(),
        pl.col(days).min().name.prefix("min "),
        pl.col(days).max().name.prefix("max "),
        pl.col(days).null_count().name.prefix("null "),
    )
    (found,) = told.collect(engine="streaming").to_dicts()
    spans = {part: {name: str(found[f"{part} {name}"]) for name in days if found[f"{part} {name}"]} for part in ("min", "max")}
    nulls = {name: found[f"null {name}"] for name in days}
    return {"numRecords": found["len"], "minValues": spans["min"], "maxValues": spans["max"], "nullCount": nulls}


def _scan(home: Home, table: str, found: DeltaTable, bucket: int | None) -> pl.LazyFrame:
    """Read one bucket as it stood when the table was opened, with provenance and moved rows."""
    rows = scan_stored(home.table(table), found.version())
    return rows if bucket is None else rows.filter(pl.col("bucket") == bucket).drop("bucket")


def _is_sorted_file(path: str) -> bool:
    return path.rpartition("/")[2].startswith(_SORTED)
