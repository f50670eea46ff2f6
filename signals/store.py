"""The products: Delta tables under `nights/`, written once per night."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from signals.delta import CONFIGURATION, is_table, list_commits, list_files_of, scan_stored
from signals.errors import NightError
from signals.home import Home
from signals.objects import move_file
from signals.products import PRODUCTS, conform_product
from signals.receipts import Receipt, hash_content

ROWS_AT_ONCE = 150_000  # of a product that is read part by part: a bucket or two


def write_product(home: Home, name: str, chunks: Iterable[pl.DataFrame], as_of: date) -> Receipt:
    """Replace one night's rows of a product by the given chunks, as of `write_products`."""
    return write_products(home, (name,), ({name: chunk} for chunk in chunks), as_of)[0]


def write_products(home: Home, names: Sequence[str], chunks: Iterable[Mapping[str, pl.DataFrame]], as_of: date) -> list[Receipt]:
    """Replace one night's rows of products that are made together by the given chunks (of disjoint keys), each in one commit.

    Where the very same content already stands, nothing is written and the receipt speaks of what stands. Chunks are kept on
    disk until all are there, so that memory is bounded by a chunk and a night that breaks leaves nothing half-written.
    """
    started, staged = time.perf_counter(), [_Staged(name, home.staging / f"{name}-{as_of}") for name in names]
    for number, made in enumerate(chunks):
        for one in staged:
            one.add(number, made[one.name])
    return [_keep(home, as_of, one, started) for one in staged]


def _keep(home: Home, as_of: date, staged: _Staged, started: float) -> Receipt:
    name, rows, digest = staged.name, staged.rows, sha256("".join(staged.hashes).encode()).hexdigest()[:32]
    kept = find_receipt(home, name, as_of)
    stands = kept is not None and (kept.rows, kept.content_hash) == (rows, digest)
    version = kept.version if kept and stands else _replace_night(home, name, as_of, staged.waiting, rows, digest)
    shutil.rmtree(staged.waiting)
    return Receipt(name, as_of, rows, digest, version, time.perf_counter() - started)


class _Staged:
    """What waits on disk of one product until all its chunks are there."""

    def __init__(self, name: str, waiting: Path) -> None:
        self.name, self.waiting, self.rows = name, waiting, 0
        self.hashes: list[str] = []
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(parents=True)

    def add(self, number: int, chunk: pl.DataFrame) -> None:
        frame = conform_product(self.name, chunk)
        self.hashes.append(hash_content(frame, PRODUCTS[self.name].key))
        self.rows += frame.height
        frame.write_parquet(self.waiting / f"{number:05}.parquet", compression="zstd", compression_level=1)


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


def read_product_parts(home: Home, name: str, as_of: date, wanted: Collection[str]) -> Iterator[pl.DataFrame]:
    """Read of one night's product its key and, where they are there, the wanted columns, part by part: never empty.

    File by file and slice by slice, so that memory is bounded by one: an iterator of polars' own reads ahead of whoever is slower
    than it. Raises `NightError` where there is no such product.
    """
    schema = read_product(home, name, as_of).collect_schema()
    there = [column for column in schema.names() if column in {*PRODUCTS[name].key, *wanted}]
    parts = _slice_files(sorted(list_files_of(home.product(name), as_of)), schema, there)
    yield next(parts, pl.DataFrame(schema={column: schema[column] for column in there}))
    yield from parts


def _slice_files(files: Iterable[str], schema: pl.Schema, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    for file in files:
        whole = pl.scan_parquet(file, glob=False, hive_partitioning=False, schema=schema, missing_columns="insert", extra_columns="ignore")
        rows = whole.select(pl.len()).collect().item()
        yield from (whole.select(columns).slice(start, ROWS_AT_ONCE).collect() for start in range(0, rows, ROWS_AT_ONCE))


def find_receipt(home: Home, name: str, as_of: date) -> Receipt | None:
    """Find the receipt of a product as it now stands for one night; None where it was never written."""
    entry = next(list_commits(home.product(name), as_of), None)
    return Receipt(name, as_of, int(entry["rows"]), entry["content_hash"], int(entry["version"])) if entry else None


def _replace_night(home: Home, name: str, as_of: date, waiting: Path, rows: int, digest: str) -> int:
    """Put the files that wait into the table as they are, in place of that night's: to write them anew took 3 GB at three million."""
    place, files = home.product(name), sorted(waiting.glob("*.parquet"))
    frame = pl.read_parquet_schema(files[0]) | {"as_of": pl.Date}
    schema = Schema.from_arrow(pl.DataFrame(schema=frame).to_arrow(compat_level=pl.CompatLevel.oldest()).schema)
    actions = [_put_in_place(file, place, as_of) for file in files]
    said = CommitProperties(custom_metadata={"as_of": str(as_of), "rows": str(rows), "content_hash": digest})
    if not is_table(place):
        create_table_with_add_actions(place, schema, actions, partition_by=["as_of"], configuration=CONFIGURATION, commit_properties=said)
    else:
        table = DeltaTable(place)
        night, known = [("as_of", "=", str(as_of))], {field.name for field in table.schema().fields}
        merged = Schema([*table.schema().fields, *(field for field in schema.fields if field.name not in known)])
        table.create_write_transaction(actions, "overwrite", merged, ["as_of"], night, commit_properties=said)
    return int(DeltaTable(place).version())


def _put_in_place(file: Path, place: str, as_of: date) -> AddAction:
    path = f"as_of={as_of}/{file.stem}-{uuid4().hex}.parquet"
    rows, size = pl.scan_parquet(file).select(pl.len()).collect().item(), move_file(file, f"{place}/{path}")
    stats = json.dumps({"numRecords": rows, "minValues": {}, "maxValues": {}, "nullCount": {}})
    return AddAction(path, size, {"as_of": str(as_of)}, time.time_ns() // 1_000_000, data_change=True, stats=stats)
