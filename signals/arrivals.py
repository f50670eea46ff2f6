"""What a source brought for a night, kept beside the lake until it is checked."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from signals.errors import InputError
from signals.home import Home
from signals.known import PROVENANCE
from signals.receipts import Receipt, hash_content
from signals.sources import Source, read_source
from signals.sources.folder import unknown_files
from signals.store import scan_lake
from signals.tables import TABLES


@dataclass(frozen=True)
class Delivery:
    """How one source's pull went: rows per table read and new, or why it failed; `unread` files are no table of ours."""

    source_id: str
    read: dict[str, int]
    new: dict[str, int]
    failure: str | None = None
    unread: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The delivery as plain values."""
        return dict(self.__dict__)


def pull_source(home: Home, source: Source, as_of: date) -> list[Receipt]:
    """Bring what a source knows at the end of `as_of` and the lake did not know before this night.

    A source that can't be used is recorded as failed, leaves nothing behind and has no receipts; the others go on. Pulling
    again brings the same and gives equal receipts: rows are compared with the other nights only.
    """
    waiting = home.arrivals / f".{as_of}-{source.source_id}"
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    receipts: list[Receipt] = []
    try:
        delivery = _write_tables(home, source, as_of, waiting, receipts)
    except (InputError, pl.exceptions.PolarsError, OSError) as error:
        shutil.rmtree(waiting)
        waiting.mkdir()
        receipts.clear()
        delivery = Delivery(source.source_id, {}, {}, str(_as_input_error(error, source)))
    (waiting / "delivery.json").write_text(json.dumps(delivery.to_json()), encoding="utf-8")
    place = home.arrivals / str(as_of) / source.source_id
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting.rename(place)
    return receipts


def read_deliveries(home: Home, as_of: date) -> list[Delivery]:
    """Read how each source's pull for this night went, in the order of their names."""
    return [
        Delivery(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted((home.arrivals / str(as_of)).glob("*/delivery.json"))
    ]


def read_arrival(home: Home, as_of: date, source_id: str, table: str) -> pl.DataFrame:
    """Read the rows of one table that one source brought for this night, with `file` and `line`."""
    return pl.read_parquet(home.arrivals / str(as_of) / source_id / f"{table}.parquet")


def forget_arrivals(home: Home, but: date) -> None:
    """Remove what waited for other nights than `but`; what was accepted is in the lake, the rest in quarantine."""
    for place in home.arrivals.glob("*"):
        if but.isoformat() not in place.name:
            shutil.rmtree(place, ignore_errors=True)


def _as_input_error(error: Exception, source: Source) -> InputError:
    """Word any failure to read a source, without a value of it."""
    if isinstance(error, InputError):
        return error
    what = f"the source can't be read ({type(error).__name__})"
    return InputError(
        what, source.location, "a file of it is broken inside or out of reach", "send it again, or check that it can be reached"
    )


def _write_tables(home: Home, source: Source, as_of: date, waiting: Path, receipts: list[Receipt]) -> Delivery:
    read, new = {}, {}
    for name, frame in read_source(source).items():
        rows = frame.filter(pl.col("known_on").is_null() | (pl.col("known_on") <= as_of)).collect()
        fresh = find_new(rows, name, scan_lake(home, name), as_of)
        read[name], new[name] = rows.height, fresh.height
        content = hash_content(fresh, [*TABLES[name].key, "known_on", "file", "line"])
        receipts.append(Receipt(f"{source.source_id}/{name}", as_of, fresh.height, content, None))
        fresh.write_parquet(waiting / f"{name}.parquet", compression="zstd", compression_level=1)
    return Delivery(source.source_id, read, new, unread=tuple(unknown_files(Path(source.location))))


def find_new(rows: pl.DataFrame, table: str, lake: pl.LazyFrame | None, as_of: date) -> pl.DataFrame:
    """Keep the rows that say something no other night brought into the lake; identical rows collapse into one.

    Other nights, later ones too: what was first seen on a later night is never brought into an earlier one.
    """
    content = list(TABLES[table].columns)
    fresh = rows.unique(content, keep="first", maintain_order=True)
    if lake is None or fresh.is_empty():
        return fresh
    earlier = lake.filter(pl.col("pulled_for") != as_of).drop(PROVENANCE).select(content)
    return fresh.lazy().join(earlier, on=content, how="anti", nulls_equal=True, maintain_order="left").collect()
