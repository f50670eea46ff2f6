"""The lake and the products: Delta tables, written once per night, read bucket by bucket."""

from __future__ import annotations

import json
import shutil
import time
import zlib
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from signals.corrections import apply_corrections
from signals.errors import NightError
from signals.home import Home
from signals.known import as_known
from signals.moves import add_moves
from signals.products import PRODUCTS, conform_product
from signals.receipts import Receipt, hash_content
from signals.tables import TABLES

BORROWERS_PER_BUCKET, FEWEST_BUCKETS = 125_000, 4
# what a night pins must stay readable: Delta would forget its own log after thirty days
KEEP_LOG = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
_ZSTD = WriterProperties(compression="ZSTD", compression_level=1)


def choose_buckets(home: Home, borrowers: int) -> int:
    """Say into how many buckets this HOME divides its borrowers; chosen when the first are taken in and never changed."""
    layout = home.lake / "layout.json"
    if borrowers and not layout.exists():
        home.lake.mkdir(parents=True, exist_ok=True)
        draft = layout.with_suffix(".draft")
        draft.write_text(json.dumps({"buckets": max(FEWEST_BUCKETS, borrowers // BORROWERS_PER_BUCKET)}), encoding="utf-8")
        draft.replace(layout)
    return count_buckets(home)


def count_buckets(home: Home) -> int:
    """Say into how many buckets this HOME's lake is divided; the fewest while no borrower has been taken in."""
    layout = home.lake / "layout.json"
    return int(json.loads(layout.read_text(encoding="utf-8"))["buckets"]) if layout.exists() else FEWEST_BUCKETS


def add_bucket(frame: pl.DataFrame, buckets: int) -> pl.DataFrame:
    """Add each row's bucket: CRC-32 of the borrower's id, modulo the number of buckets; the same on any machine and engine.

    >>> add_bucket(pl.DataFrame({"borrower_id": ["B1", "B2"]}), 4)["bucket"].to_list()
    [2, 0]
    """
    ids = frame["borrower_id"].unique()
    numbers = pl.Series("bucket", [zlib.crc32(identity.encode()) % buckets for identity in ids], dtype=pl.Int32)
    return frame.join(pl.DataFrame([ids, numbers]), on="borrower_id", how="left", maintain_order="left")


def append_rows(home: Home, table: str, rows: pl.DataFrame, as_of: date, source_id: str) -> None:
    """Append a source's accepted rows to a lake table, in one commit, unless this very append was made before.

    `arrival` numbers the deliveries of one source in one night: what is sent again, corrected, counts after what it corrects.
    """
    contract = TABLES[table]
    key = [*contract.key, "known_on", "line"]
    content = hash_content(rows.drop("file", "line", "pulled_from", strict=False), [*contract.key, "known_on"])
    append_id = f"{source_id}/{table}/{as_of}/{content}"
    path, lake = home.lake / table, _scan(home, table)
    if lake is not None and DeltaTable(path).transaction_version(append_id) is not None:
        return
    stamped = rows.with_columns(
        pulled_for=pl.lit(as_of), pulled_from=pl.lit(source_id), arrival=pl.lit(_number_arrival(lake, as_of, source_id))
    )
    if contract.has_borrower:
        whole = add_moves(add_bucket(stamped, count_buckets(home)), table, lake, as_of)
        stamped = whole.sort("bucket", "borrower_id", *key)
    write_deltalake(
        path,
        stamped.to_arrow(),
        mode="append",
        partition_by=["bucket"] if contract.has_borrower else None,
        writer_properties=_ZSTD,
        configuration=None if lake is not None else KEEP_LOG,
        commit_properties=CommitProperties(custom_metadata={"as_of": str(as_of)}, app_transactions=[Transaction(append_id, 1)]),
    )


def scan_lake(home: Home, table: str, bucket: int | None = None) -> pl.LazyFrame | None:
    """Read a lake table with all its versions and provenance, whole or one bucket of it; None before its first row."""
    frame = _scan(home, table)
    if frame is None or not TABLES[table].has_borrower:
        return frame
    read = frame.filter(~pl.col("is_moved")) if bucket is None else frame.filter(pl.col("bucket") == bucket)
    return read.drop("bucket", "is_moved")


def _scan(home: Home, table: str) -> pl.LazyFrame | None:
    path = home.lake / table
    return pl.scan_delta(str(path)) if _is_table(path) else None


def _number_arrival(lake: pl.LazyFrame | None, as_of: date, source_id: str) -> int:
    if lake is None:
        return 0
    mine = lake.filter((pl.col("pulled_for") == as_of) & (pl.col("pulled_from") == source_id))
    newest = mine.select(pl.col("arrival").max()).collect().item()
    return 0 if newest is None else int(newest) + 1


def read_known(home: Home, as_of: date, bucket: int | None = None, objections: pl.DataFrame | None = None) -> dict[str, pl.LazyFrame]:
    """Read what was known at the end of `as_of`, table by table; a table that never arrived is not in the mapping.

    `objections` (`read_objections`): what people dispute or have corrected stands over it; None: what the sources say.
    """
    found = {name: scan_lake(home, name, bucket) for name in TABLES}
    known = {name: as_known(frame, name, as_of) for name, frame in found.items() if frame is not None}
    return known if objections is None else {name: apply_corrections(frame, name, objections, as_of) for name, frame in known.items()}


def refuse_before_first_night(home: Home, as_of: date) -> None:
    """Refuse a night before anything was pulled: raises `NightError`, for of that day this HOME never knew a thing."""
    loans = _scan(home, "loans")
    first = None if loans is None else loans.select(pl.col("pulled_for").min()).collect().item()
    if first and as_of < first:
        raise NightError(
            f"nothing was known here on {as_of}",
            str(home.lake),
            f"the first night of this HOME is {first}",
            "use a HOME of its own to look further back",
        )


def write_product(home: Home, name: str, chunks: Iterable[pl.DataFrame], as_of: date) -> Receipt:
    """Replace one night's rows of a product by the given chunks (of disjoint keys), in one commit.

    Where the very same content already stands, nothing is written and the receipt speaks of what stands. Chunks are kept on
    disk until all are there, so that memory is bounded by a chunk and a night that breaks leaves nothing half-written.
    """
    started = time.perf_counter()
    waiting = home.nights / ".waiting" / f"{name}-{as_of}"
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    rows, digest = _stage_chunks(name, chunks, as_of, waiting)
    kept = find_receipt(home, name, as_of)
    version = (
        kept.version
        if kept and (kept.rows, kept.content_hash) == (rows, digest)
        else _replace_night(home, name, as_of, waiting, rows, digest)
    )
    shutil.rmtree(waiting)
    return Receipt(name, as_of, rows, digest, version, time.perf_counter() - started)


def read_product(home: Home, name: str, as_of: date, version: int | None = None) -> pl.LazyFrame:
    """Read one night's rows of a product, at a pinned Delta version or the newest; raises `NightError` where there are none."""
    path = home.nights / name
    if not _is_table(path):
        raise NightError(f"no {name} of {as_of}", str(path), "a later stage needs them", "run the night's stages in order")
    return pl.scan_delta(str(path), version=version).filter(pl.col("as_of") == as_of).drop("as_of")


def find_receipt(home: Home, name: str, as_of: date) -> Receipt | None:
    """Find the receipt of a product as it now stands for one night; None where it was never written."""
    path = home.nights / name
    for entry in DeltaTable(path).history() if _is_table(path) else ():
        if entry.get("as_of") == str(as_of):
            return Receipt(name, as_of, int(entry["rows"]), entry["content_hash"], int(entry["version"]))
    return None


def receipt_of_arrivals(home: Home, table: str, as_of: date) -> Receipt | None:
    """Say what a source table took in for one night: all rows `pulled_for` it; None where the table never had a row."""
    path = home.lake / table
    frame = scan_lake(home, table)
    if frame is None:
        return None
    rows = frame.filter(pl.col("pulled_for") == as_of).collect()
    versions = [int(entry["version"]) for entry in DeltaTable(path).history() if entry.get("as_of", "9999") <= str(as_of)]
    key = [*TABLES[table].key, "known_on", "pulled_from", "file", "line"]
    return Receipt(table, as_of, rows.height, hash_content(rows.drop("pulled_for", "arrival"), key), max(versions, default=None))


def _stage_chunks(name: str, chunks: Iterable[pl.DataFrame], as_of: date, waiting: Path) -> tuple[int, str]:
    rows, hashes = 0, []
    for number, chunk in enumerate(chunks):
        frame = conform_product(name, chunk)
        hashes.append(hash_content(frame, PRODUCTS[name].key))
        rows += frame.height
        frame.with_columns(as_of=pl.lit(as_of)).write_parquet(waiting / f"{number:05}.parquet", compression="zstd", compression_level=1)
    return rows, sha256("".join(hashes).encode()).hexdigest()[:32]


def _replace_night(home: Home, name: str, as_of: date, waiting: Path, rows: int, digest: str) -> int:
    path = home.nights / name
    metadata = {"as_of": str(as_of), "rows": str(rows), "content_hash": digest}
    stands = _is_table(path)
    write_deltalake(
        path,
        _stream(waiting),
        mode="overwrite",
        schema_mode="merge" if stands else None,
        writer_properties=_ZSTD,
        configuration=None if stands else KEEP_LOG,
        predicate=f"as_of = '{as_of}'" if stands else None,
        commit_properties=CommitProperties(custom_metadata=metadata),
    )
    return int(DeltaTable(path).version())


def _stream(waiting: Path) -> object:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(waiting.glob("*.parquet"))
    schema = pq.read_schema(files[0])

    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            yield from pq.ParquetFile(file).iter_batches(batch_size=65_536)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _is_table(path: Path) -> bool:
    return bool(DeltaTable.is_deltatable(str(path)))
