"""What a source brought for a night, landed beside the lake until it is checked."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine

from signals.errors import DeungdaeError, InputError
from signals.forgotten import Forgotten, without_forgotten
from signals.hashes import hash_columns
from signals.home import Home
from signals.receipts import Receipt
from signals.records.reading import Reading, read_what_was_read
from signals.retention import is_past
from signals.sources import list_unread, open_source
from signals.sources.rights import refuse_without_basis
from signals.sources.source import Piece, Source
from signals.tables import TABLES

_AT_ONCE = 2  # files of one source; more would only wait for each other


@dataclass(frozen=True)
class Landed:
    """One piece of a source as it lies beside the lake: its rows, and the newest `known_on` among them.

    `digest` empty: it came from a database. `is_whole`: none of its rows becomes known only later. `past`: rows that lie
    further back than the lake keeps them, and did not land.
    """

    table: str
    file: str
    digest: str
    stamp: str
    content_hash: str
    path: str
    rows: int
    newest_known_on: str | None
    is_whole: bool
    past: int


@dataclass(frozen=True)
class Delivery:
    """How one source's pull went: what landed, or why it failed.

    `unchanged`: tables some of whose files earlier nights have read whole. `unread`: files that are no table of ours.
    """

    source_id: str
    priority: int = 0
    landed: tuple[Landed, ...] = ()
    unchanged: tuple[str, ...] = ()
    failure: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def read(self) -> dict[str, int]:
        """Rows that came, table by table, in the order of the tables."""
        tables = [table for table in TABLES if table in {*self.unchanged, *(one.table for one in self.landed)}]
        return {table: sum(one.rows for one in self.landed if one.table == table) for table in tables}

    @property
    def past(self) -> dict[str, int]:
        """Rows that lie further back than the lake keeps them, table by table."""
        found = Counter[str]()
        for one in self.landed:
            found[one.table] += one.past
        return dict(+found)

    def newest_known_on(self, table: str) -> str | None:
        """The newest `known_on` that came of a table tonight; None: no row came."""
        return max((one.newest_known_on for one in self.landed if one.table == table and one.newest_known_on), default=None)

    def list_files(self) -> list[dict[str, Any]]:
        """The files that were read, as they are noted: file, digest, stamp, and whether no row of it is left for later."""
        kept = ("file", "digest", "stamp", "is_whole")
        return [{name: getattr(one, name) for name in kept} for one in self.landed if one.digest]

    def to_json(self) -> dict[str, Any]:
        """The delivery as plain values."""
        return asdict(self)


def pull_source(
    home: Home, records: Engine, source: Source, as_of: date, forgotten: Forgotten, *, needs_basis: bool = False
) -> list[Receipt]:
    """Land what a source knows at the end of `as_of`, and no other night has read.

    A source that can't be used is recorded as failed, leaves nothing behind and has no receipts; the others go on. Pulling
    again brings the same and gives equal receipts: only what other nights read is left out. Rows of the `forgotten` are
    not let in. `needs_basis`: a source that names no legal basis can't be used.
    """
    waiting = home.arrivals / f".{as_of}-{source.source_id}"
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    with records.begin() as connection:
        reading = read_what_was_read(connection, source, as_of)
    try:
        refuse_without_basis([source] if needs_basis else [])
        landed, unchanged = _land_pieces(source, reading, forgotten, waiting)
        delivery = Delivery(source.source_id, source.priority, landed, unchanged, unread=tuple(list_unread(source)))
    except (DeungdaeError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        shutil.rmtree(waiting)
        waiting.mkdir()
        delivery = Delivery(source.source_id, source.priority, failure=str(_as_input_error(error, source)))
    (waiting / "delivery.json").write_text(json.dumps(delivery.to_json()), encoding="utf-8")
    place = home.arrivals / str(as_of) / source.source_id
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting.rename(place)
    return _write_receipts(delivery, as_of)


def read_deliveries(home: Home, as_of: date) -> list[Delivery]:
    """Read how each source's pull for this night went, in the order of their names."""
    files = sorted((home.arrivals / str(as_of)).glob("*/delivery.json"))
    return [_read_delivery(json.loads(file.read_text(encoding="utf-8"))) for file in files]


def scan_arrivals(home: Home, as_of: date, deliveries: list[Delivery], table: str) -> pl.LazyFrame | None:
    """Read the rows of one table that the given deliveries brought, with `pulled_from`, `priority`, `file` and `line`; None: none came.

    In the order of sources, files and lines.
    """
    frames = [
        pl.scan_parquet(home.arrivals / str(as_of) / delivery.source_id / one.path).with_columns(
            pulled_from=pl.lit(delivery.source_id), priority=pl.lit(delivery.priority, dtype=pl.Int64)
        )
        for delivery in deliveries
        for one in sorted(delivery.landed, key=lambda one: one.file)
        if one.table == table
    ]
    return pl.concat(frames, how="diagonal") if frames else None


def forget_arrivals(home: Home, but: date) -> None:
    """Remove what waited for other nights than `but`; what was accepted is in the lake, the rest in quarantine."""
    for place in home.arrivals.glob("*"):
        if but.isoformat() not in place.name:
            shutil.rmtree(place, ignore_errors=True)


def _land_pieces(source: Source, reading: Reading, forgotten: Forgotten, waiting: Path) -> tuple[tuple[Landed, ...], tuple[str, ...]]:
    """Land the pieces of which anything is left for tonight, a few at once; name the tables of the others."""
    fetched = waiting / ".fetched"
    pieces = [without_forgotten(opened, forgotten) for opened in open_source(source, reading.since, fetched)]

    def land(number: int, piece: Piece) -> Landed | None:
        digest = reading.find_digest(piece)
        after = reading.read_from(piece.file, digest)
        place = waiting / f"{piece.table}-{number:05}.parquet"
        landed = None if after is None else _land_piece(piece, digest, after, reading.as_of, place)
        (fetched / piece.file).unlink(missing_ok=True)  # what came from afar lies here only while it is read
        return landed

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            landed = list(threads.map(land, range(len(pieces)), pieces))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    shutil.rmtree(fetched, ignore_errors=True)
    unchanged = {piece.table for piece, one in zip(pieces, landed, strict=True) if one is None}
    return tuple(one for one in landed if one is not None), tuple(sorted(unchanged))


def _land_piece(piece: Piece, digest: str, after: date, as_of: date, place: Path) -> Landed:
    """Write what became known later than `after` and by `as_of`; rows that don't say when, with what is read for the first time."""
    known_on, rows = pl.col("known_on"), piece.read()
    tonight = known_on.is_between(after, as_of, closed="right")
    if after == date.min:  # read for the first time: what was known on the very first day too, and what does not say when
        tonight = (known_on <= as_of) | known_on.is_null()
    past = is_past(TABLES[piece.table], as_of)
    lands = tonight & ~past
    said = pl.lit(0) if digest else hash_columns(rows.collect_schema().names()).filter(lands).sum()
    later = (known_on > as_of).any().fill_null(value=False)
    _, counted = pl.collect_all(
        [
            rows.filter(lands).sink_parquet(place, compression="zstd", compression_level=1, lazy=True),
            rows.select(lands.sum(), newest=known_on.filter(lands).max(), said=said, later=later, past=(tonight & past).sum()),
        ],
        engine="streaming",
    )
    count, newest, content, is_part, let_go = counted.row(0)
    content = f"{digest}/{after}" if digest else str(content)
    return Landed(
        piece.table, piece.file, digest, piece.stamp or "", content, place.name, count, newest and str(newest), not is_part, let_go
    )


def _read_delivery(values: Mapping[str, Any]) -> Delivery:
    landed = tuple(Landed(**one) for one in values["landed"])
    return Delivery(**{**values, "landed": landed, "unchanged": tuple(values["unchanged"]), "unread": tuple(values["unread"])})


def _write_receipts(delivery: Delivery, as_of: date) -> list[Receipt]:
    receipts = []
    for table, rows in delivery.read.items():
        said = sorted(f"{one.file}:{one.content_hash}" for one in delivery.landed if one.table == table)
        content = sha256("\n".join(said).encode()).hexdigest()[:32]
        receipts.append(Receipt(f"{delivery.source_id}/{table}", as_of, rows, content, None))
    return receipts


def _as_input_error(error: BaseException, source: Source) -> DeungdaeError:
    """Word any failure to read a source, without a value of it."""
    if isinstance(error, DeungdaeError):
        return error
    what = f"the source can't be read ({type(error).__name__})"
    return InputError(what, source.where, "a file of it is broken inside or out of reach", "send it again, or check that it can be reached")
