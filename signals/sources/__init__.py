"""Where facts come from: one adapter per kind of source, one way to read them all."""

from __future__ import annotations

import atexit
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import polars as pl

from signals.errors import InputError, SettingsError
from signals.forgotten import NOBODY, Forgotten, without_forgotten
from signals.objects import is_url
from signals.sources.folder import open_folder, unknown_files
from signals.sources.places import say_place
from signals.sources.rights import may_serve
from signals.sources.source import Piece, Since, Source
from signals.tables import TABLES

__all__ = ["Source", "list_sources", "list_unread", "name_sources", "open_source", "read_sources"]


def list_sources(locations: Sequence[str], purpose: str = "score") -> list[Source]:
    """Name the sources at the given places that may serve `purpose` (score, train); raises as `name_sources` does."""
    return [source for source in name_sources(locations) if may_serve(source, purpose)]


def name_sources(locations: Sequence[str]) -> list[Source]:
    """Name all sources at the given places, whatever they may serve.

    A place is a folder of canonical tables, a database's URL, an object store's URL, or a TOML file that describes one source or several. What
    has no name of its own is named by the last part of its place; two of one name are told apart by their place in the list.
    Raises `SettingsError` when two described sources have one name.

    >>> [source.source_id for source in name_sources(["/data/a/town", "/data/b/town"])]
    ['town', 'town-2']
    """
    found: list[Source] = []
    for location in locations:
        for source in _read_location(location):
            names = [other.source_id for other in found]
            if source.source_id in names and source.legal_basis is not None:
                raise SettingsError(f"two sources are called {source.source_id}", location, "nobody could tell who said what", "rename one")
            found.append(replace(source, source_id=_tell_apart(source.source_id, names)))
    return found


def _tell_apart(name: str, names: Collection[str]) -> str:
    """Name a source by its place in the list where another has its name, or by the next number that is free."""
    numbered = (f"{name}-{number}" for number in count(len(names) + 1))
    return next(one for one in chain([name], numbered) if one not in names)


def open_source(source: Source, since: Since, into: Path) -> Iterator[Piece]:
    """Open a source: give its pieces, none of them read yet. What lies in an object store comes to the folder `into` once it is read.

    Raises `InputError` when the place can't be reached.
    """
    if source.kind == "database":
        from signals.sources.database import open_database_source

        return open_database_source(source, since)
    if source.kind == "drop":
        from signals.sources.drop import open_drop

        return open_drop(source, into)
    return open_folder(source.place, into)


def list_unread(source: Source) -> Iterator[str]:
    """Name the files of a folder or a drop that belong to no table and are not read."""
    if source.kind == "drop":
        from signals.sources.drop import list_unread_files

        yield from list_unread_files(source)
    elif source.kind == "folder":
        yield from unknown_files(source.place)


def read_sources(locations: Sequence[str], forgotten: Forgotten = NOBODY) -> dict[str, pl.LazyFrame]:
    """Read the canonical tables of several sources together, all versions, as training and backtests need them.

    With `pulled_from`, `priority`, `file` and `line` on each row, and without rows of the `forgotten`. Raises `InputError` when a file can't be used as it is, or
    when no source has one of the required tables.
    """
    frames: dict[str, list[pl.LazyFrame]] = {}
    named = list_sources(locations, purpose="train")
    if not named:
        raise InputError(
            "no named source may serve training",
            ", ".join(map(say_place, locations)),
            "there is nothing to learn from or to test on",
            "name a source whose purposes name train",
        )
    for source in named:
        for opened in open_source(source, {}, _make_passing_folder(source)):
            piece = without_forgotten(opened, forgotten)
            rows = piece.read().with_columns(pulled_from=pl.lit(source.source_id), priority=pl.lit(source.priority, dtype=pl.Int64))
            frames.setdefault(piece.table, []).append(rows)
    missing = [name for name, table in TABLES.items() if table.is_required and name not in frames]
    if missing:
        raise InputError(
            f"missing required table {', '.join(missing)}",
            ", ".join(map(say_place, locations)),
            "without borrowers, loans and repayments nobody can be scored",
            f"put {missing[0]}.parquet there",
        )
    return {name: pl.concat(frames[name], how="diagonal") for name in TABLES if name in frames}


def _make_passing_folder(source: Source) -> Path:
    """A folder for what is fetched from afar, gone when the process ends: the frames are read until then."""
    if not is_url(source.place) or source.kind == "database":
        return Path()
    folder = mkdtemp(prefix="deungdae-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _read_location(location: str) -> list[Source]:
    if location.endswith(".toml"):
        from signals.sources.source_file import read_source_file

        return read_source_file(Path(location))
    is_database = location.startswith(("postgres", "sqlite:", "airflow:"))
    name = _name_place(location) if is_url(location) or is_database else Path(location).resolve().name
    return [Source(re.sub(r"[^\w-]", "_", name) or "source", location, kind="database" if is_database else "folder")]


def _name_place(url: str) -> str:
    """Name a source after the last part of its URL's path, or after its host; never after anything secret in it."""
    parts = urlsplit(url)
    return parts.path.rstrip("/").rpartition("/")[2].removesuffix(".db") or parts.hostname or "source"
