"""The products: Delta tables under `nights/`, written once per night."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake

from signals.delta import CONFIGURATION, ZSTD, is_table, list_commits, scan_stored
from signals.errors import NightError
from signals.home import Home
from signals.products import PRODUCTS, conform_product
from signals.receipts import Receipt, hash_content


def write_product(home: Home, name: str, chunks: Iterable[pl.DataFrame], as_of: date) -> Receipt:
    """Replace one night's rows of a product by the given chunks (of disjoint keys), in one commit.

    Where the very same content already stands, nothing is written and the receipt speaks of what stands. Chunks are kept on
    disk until all are there, so that memory is bounded by a chunk and a night that breaks leaves nothing half-written.
    """
    started = time.perf_counter()
    waiting = home.staging / f"{name}-{as_of}"
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


def refuse_older_layout(home: Home) -> None:
    """Refuse a HOME whose products lie as an earlier version laid them: raises `NightError` before anything is taken in."""
    for name in PRODUCTS:
        place = home.product(name)
        if is_table(place) and DeltaTable(place).metadata().partition_columns != ["as_of"]:
            raise NightError(
                "HOME was laid out by an earlier version",
                place,
                "its nights can't be continued, and a night half-written into them would be lost",
                "move HOME away, keep it for reading, and run the nights again from the sources into a new one",
            )


def read_product(home: Home, name: str, as_of: date, version: int | None = None) -> pl.LazyFrame:
    """Read one night's rows of a product, at a pinned Delta version or the newest; raises `NightError` where there are none."""
    place = home.product(name)
    if not is_table(place):
        raise NightError(f"no {name} of {as_of}", place, "a later stage needs them", "run the night's stages in order")
    return scan_stored(place, version).filter(pl.col("as_of") == as_of).drop("as_of")


def find_receipt(home: Home, name: str, as_of: date) -> Receipt | None:
    """Find the receipt of a product as it now stands for one night; None where it was never written."""
    entry = next(list_commits(home.product(name), as_of), None)
    return Receipt(name, as_of, int(entry["rows"]), entry["content_hash"], int(entry["version"])) if entry else None


def _stage_chunks(name: str, chunks: Iterable[pl.DataFrame], as_of: date, waiting: Path) -> tuple[int, str]:
    rows, hashes = 0, []
    for number, chunk in enumerate(chunks):
        frame = conform_product(name, chunk)
        hashes.append(hash_content(frame, PRODUCTS[name].key))
        rows += frame.height
        frame.with_columns(as_of=pl.lit(as_of)).write_parquet(waiting / f"{number:05}.parquet", compression="zstd", compression_level=1)
    return rows, sha256("".join(hashes).encode()).hexdigest()[:32]


def _replace_night(home: Home, name: str, as_of: date, waiting: Path, rows: int, digest: str) -> int:
    place = home.product(name)
    metadata = {"as_of": str(as_of), "rows": str(rows), "content_hash": digest}
    stands = is_table(place)
    write_deltalake(
        place,
        _stream(waiting),
        mode="overwrite",
        partition_by=["as_of"],
        schema_mode="merge" if stands else None,
        writer_properties=ZSTD,
        configuration=None if stands else CONFIGURATION,
        predicate=f"as_of = '{as_of}'" if stands else None,
        commit_properties=CommitProperties(custom_metadata=metadata),
    )
    return int(DeltaTable(place).version())


def _stream(waiting: Path) -> object:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(waiting.glob("*.parquet"))
    schema = pq.read_schema(files[0])

    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            yield from pq.ParquetFile(file).iter_batches(batch_size=65_536)

    return pa.RecordBatchReader.from_batches(schema, batches())
