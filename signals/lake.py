"""The lake: the source tables, append-only, one commit per table and delivery, read bucket by bucket."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import uuid4

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction

from signals.buckets import add_bucket, count_buckets
from signals.corrections import apply_corrections
from signals.delta import CONFIGURATION, is_table, list_commits, scan_table
from signals.errors import NightError
from signals.home import Home
from signals.known import PROVENANCE, as_known
from signals.moves import add_moves
from signals.objects import remove_file, write_parquet
from signals.receipts import Receipt, hash_rows
from signals.settled import settle_known
from signals.tables import TABLES

_AT_ONCE = 2  # files that are written
_COMMITS = 5  # tried, before others are said to keep writing


@dataclass(frozen=True)
class Staged:
    """One file of a lake table that is written but not yet part of it: nobody reads it before it is committed.

    `arrived`: its rows without those that only end a fact in another bucket.
    """

    path: str
    bucket: int | None
    rows: int
    arrived: int
    size: int
    content_hash: str
    oldest_known_on: date | None
    newest_known_on: date | None


def stage_rows(home: Home, table: str, rows: pl.DataFrame, as_of: date) -> list[Staged]:
    """Write accepted rows as files of a lake table, one per bucket, without yet making them part of it.

    `rows`: the table's columns, with `pulled_from`, `priority`, `file` and `line`, in the order of those. `arrival` numbers
    the deliveries of one night: what is sent again, corrected, counts after what it corrects.
    """
    if rows.is_empty():
        return []
    arrival = sum(1 for _ in list_commits(home.table(table), as_of))
    stamped = rows.with_columns(pulled_for=pl.lit(as_of), arrival=pl.lit(arrival, dtype=pl.Int64)).select(
        *TABLES[table].columns, *PROVENANCE
    )
    if not TABLES[table].has_borrower:
        return [_write(home, table, stamped, None, as_of)]
    whole = add_moves(add_bucket(stamped, count_buckets(home)), table, scan_table(home.table(table)))
    buckets = whole["bucket"].unique().sort()
    if len(buckets) == 1:
        return [_write(home, table, whole.drop("bucket"), buckets[0], as_of)]

    def write(bucket: int) -> Staged:
        return _write(home, table, whole.filter(pl.col("bucket") == bucket).drop("bucket"), bucket, as_of)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(write, buckets))


def without_sources(home: Home, table: str, staged: Sequence[Staged], source_ids: Collection[str], as_of: date) -> list[Staged]:
    """Give staged files without the rows of some sources: what the gate refused is taken in by nobody."""
    if not source_ids:
        return list(staged)
    kept = []
    for one in staged:
        rows = pl.read_parquet(f"{home.table(table)}/{one.path}", hive_partitioning=False)
        kept.append(_write(home, table, rows.filter(~pl.col("pulled_from").is_in(list(source_ids))), one.bucket, as_of))
    discard_files(home, table, [*staged, *(one for one in kept if not one.rows)])
    return [one for one in kept if one.rows]


def discard_files(home: Home, table: str, staged: Iterable[Staged]) -> None:
    """Remove staged files that become part of nothing."""
    for one in staged:
        remove_file(f"{home.table(table)}/{one.path}")


def scan_staged(home: Home, table: str, staged: Iterable[Staged]) -> list[pl.LazyFrame]:
    """Read staged files, which are not yet part of the table."""
    return [pl.scan_parquet(f"{home.table(table)}/{one.path}", hive_partitioning=False) for one in staged]


def commit_rows(home: Home, table: str, staged: Sequence[Staged], as_of: date) -> None:
    """Make staged files part of a lake table in one commit, unless this very append was made before, or is at this moment by another."""
    if not any(_commit_once(home, table, staged, as_of) for _ in range(_COMMITS)):
        said, next_step = f"others kept writing to {table}", "let one night run at a time, then run this one again"
        raise NightError(said, home.table(table), "nothing was taken in twice", next_step)


def lake_schema(table: str) -> dict[str, pl.DataType]:
    """The columns of a lake table: the table's own, what each row carries along, and where it lies."""
    kinds: Mapping[str, pl.DataType] = {
        "pulled_for": pl.Date(), "priority": pl.Int64(), "arrival": pl.Int64(), "pulled_from": pl.String(), "file": pl.String(), "line": pl.Int64(),
    }  # fmt: skip
    where = {"is_moved": pl.Boolean(), "bucket": pl.Int32()} if TABLES[table].has_borrower else {}
    return {**TABLES[table].polars_schema, **kinds, **where}


def open_tables(home: Home, tables: Collection[str] = tuple(TABLES)) -> dict[str, pl.LazyFrame]:
    """Open lake tables as they now stand, by name, once for all their buckets: to open one reads its whole log. None that never arrived."""
    opened = {name: scan_table(home.table(name)) for name in TABLES if name in tables}
    return {name: frame for name, frame in opened.items() if frame is not None}


def take_bucket(opened: pl.LazyFrame, table: str, bucket: int | None) -> pl.LazyFrame:
    """Take, of an opened lake table, one bucket (None: all) with all versions and provenance."""
    if not TABLES[table].has_borrower:
        return opened
    read = opened.filter(~pl.col("is_moved")) if bucket is None else opened.filter(pl.col("bucket") == bucket)
    return read.drop("bucket", "is_moved")


def scan_lake(home: Home, table: str, bucket: int | None = None) -> pl.LazyFrame | None:
    """Read a lake table with all its versions and provenance, whole or one bucket of it; None before its first row."""
    frame = scan_table(home.table(table))
    return None if frame is None else take_bucket(frame, table, bucket)


def scan_lake_buckets(home: Home, table: str, buckets: Collection[int]) -> pl.LazyFrame | None:
    """Read a lake table with all its versions in some buckets; None where there is nothing to read."""
    frame = scan_table(home.table(table)) if buckets else None
    return None if frame is None else frame.filter(pl.col("bucket").is_in(sorted(buckets)) & ~pl.col("is_moved")).drop("bucket", "is_moved")


def read_known(
    home: Home,
    as_of: date,
    bucket: int | None = None,
    objections: pl.DataFrame | None = None,
    *,
    tables: Collection[str] = tuple(TABLES),
) -> dict[str, pl.LazyFrame]:
    """Read what was known at the end of `as_of`, table by table; a table that never arrived is not in the mapping.

    `objections` (`read_objections`): what people dispute or have corrected stands over it; None: what the sources say. `tables`:
    which to open, all unless said. Lazy: of a bucket only the columns and the months that are asked for are read.
    """
    return know_opened(open_tables(home, tables), as_of, bucket, objections)


def know_opened(
    opened: Mapping[str, pl.LazyFrame],
    as_of: date,
    bucket: int | None = None,
    objections: pl.DataFrame | None = None,
) -> dict[str, pl.LazyFrame]:
    """Say what was known of tables opened before (`open_tables`), as `read_known` does: so all buckets are read as of one moment."""
    know = as_known if bucket is None else settle_known
    known = {name: know(take_bucket(frame, name, bucket), name, as_of) for name, frame in opened.items()}
    return known if objections is None else {name: apply_corrections(frame, name, objections, as_of) for name, frame in known.items()}


def receipt_of_arrivals(home: Home, table: str, as_of: date) -> Receipt | None:
    """Say what a source table took in for one night: all rows `pulled_for` it; None where the table never had a row."""
    commits = [entry for entry in list_commits(home.table(table)) if "as_of" in entry]
    if not commits:
        return None
    mine = [entry for entry in commits if entry["as_of"] == str(as_of)][::-1]
    versions = [int(entry["version"]) for entry in commits if entry["as_of"] <= str(as_of)]
    content = "".join(entry["content_hash"] for entry in mine)
    digest = content if len(mine) == 1 else sha256(content.encode()).hexdigest()[:32]
    return Receipt(table, as_of, sum(int(entry["rows"]) for entry in mine), digest, max(versions, default=None))


def refuse_before_first_night(home: Home, as_of: date) -> None:
    """Refuse a night before anything was pulled: raises `NightError`, for of that day this HOME never knew a thing."""
    first = min((entry["as_of"] for entry in list_commits(home.table("loans")) if "as_of" in entry), default=None)
    if first and str(as_of) < first:
        raise NightError(
            f"nothing was known here on {as_of}",
            home.table("loans"),
            f"the first night of this HOME is {first}",
            "use a HOME of its own to look further back",
        )


def _commit_once(home: Home, table: str, staged: Sequence[Staged], as_of: date) -> bool:
    schema = pl.DataFrame(schema=lake_schema(table)).to_arrow().schema
    partitions = ["bucket"] if TABLES[table].has_borrower else []
    lake = _open_table(home.table(table), schema, partitions)
    content = sha256("".join(one.content_hash for one in staged).encode()).hexdigest()[:32]
    append_id, rows = f"{table}/{as_of}/{content}", sum(one.arrived for one in staged)
    if lake.transaction_version(append_id) is not None:
        return True
    _add_new_columns(lake, table)
    metadata = {"as_of": str(as_of), "rows": str(rows), "content_hash": content}
    properties = CommitProperties(custom_metadata=metadata, app_transactions=[Transaction(append_id, 1)])
    try:
        lake.create_write_transaction([_as_action(one) for one in staged], "append", schema, partitions, commit_properties=properties)
    except CommitFailedError:  # another made the table, or wrote to it, at this very moment: look again
        return False
    return True


def _open_table(place: str, schema: Any, partitions: list[str]) -> DeltaTable:
    if not is_table(place):
        with suppress(DeltaError):  # another may make it at this very moment
            return DeltaTable.create(place, schema, partition_by=partitions, configuration=dict(CONFIGURATION))
    return DeltaTable(place)


def _write(home: Home, table: str, rows: pl.DataFrame, bucket: int | None, as_of: date) -> Staged:
    folder = "" if bucket is None else f"bucket={bucket}/"
    path = f"{folder}{as_of}-{uuid4().hex[:12]}.parquet"
    oldest, newest = rows.select(oldest=pl.col("known_on").min(), newest=pl.col("known_on").max()).row(0)
    said = hash_rows(rows.drop("pulled_for", "arrival"))
    arrived = rows.height if bucket is None else int((~rows["is_moved"]).sum())
    return Staged(path, bucket, rows.height, arrived, write_parquet(rows, f"{home.table(table)}/{path}"), said, oldest, newest)


def _as_action(staged: Staged) -> AddAction:
    days = {"minValues": staged.oldest_known_on, "maxValues": staged.newest_known_on}
    known = {name: {"known_on": str(day)} for name, day in days.items() if day}
    return AddAction(
        path=staged.path,
        size=staged.size,
        partition_values={} if staged.bucket is None else {"bucket": str(staged.bucket)},
        modification_time=0,
        data_change=True,
        stats=json.dumps({"numRecords": staged.rows, **known, "nullCount": {}}),
    )


def _add_new_columns(lake: DeltaTable, table: str) -> None:
    """Give a table of an earlier release the columns it did not have; in its old rows they are null."""
    there = {field.name for field in lake.schema().fields}
    declared = Schema.from_arrow(pl.DataFrame(schema=lake_schema(table)).to_arrow().schema)
    new = [field for field in declared.fields if field.name not in there]
    if new:
        lake.alter.add_columns(new)
