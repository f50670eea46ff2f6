"""What Delta tables of the lake and of the nights have in common: how they are made, found, opened and read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable, WriterProperties

from signals.home import Home
from signals.objects import is_url
from signals.products import PRODUCTS
from signals.tables import TABLES

# What a night pins must stay readable: Delta would forget its own log after thirty days. Statistics only of dates: a log
# must not hold anybody's id.
CONFIGURATION: dict[str, str | None] = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.dataSkippingStatsColumns": "known_on,pulled_for,as_of",
}
# By place in an object store: the newest version that was read of a table. What is opened here is only ever read.
_OPENED: dict[str, DeltaTable] = {}
ZSTD = WriterProperties(compression="ZSTD", compression_level=1)


def is_table(place: str) -> bool:
    """Say whether there is a Delta table."""
    return place in _OPENED or bool(DeltaTable.is_deltatable(place))


def open_table(place: str) -> DeltaTable | None:
    """Open a table as it now stands, to be written to; None where there is none."""
    return DeltaTable(place) if is_table(place) else None


def list_stored(home: Home) -> dict[str, str]:
    """List the Delta tables that are there, source tables and products, by name."""
    places = {**{name: home.table(name) for name in TABLES}, **{name: home.product(name) for name in PRODUCTS}}
    return {name: place for name, place in places.items() if is_table(place)}


def scan_table(place: str, version: int | None = None) -> pl.LazyFrame | None:
    """Read a table, at a version or the newest; None where there is none."""
    return scan_stored(place, version) if is_table(place) else None


def scan_stored(place: str, version: int | None = None) -> pl.LazyFrame:
    """Read a table that is there, at a version or the newest."""
    return pl.scan_delta(_open_remote(place, version) if is_url(place) else _LocalTable(place, version=version))


def _open_remote(place: str, version: int | None) -> DeltaTable:
    """Open a table of an object store: the newest anew only when it has moved on, for each opening asks for every commit."""
    if version is not None:
        return DeltaTable(place, version=version)
    opened = _OPENED.get(place)
    if opened is None or opened.version() != opened._table.get_latest_version():  # noqa: SLF001
        opened = _OPENED[place] = DeltaTable(place)
    return opened


def list_files_of(place: str, as_of: date | None = None) -> list[str]:
    """List the files that a reader of a table that is there opens, all or those of one night, by their whole places."""
    opened = _open_remote(place, None) if is_url(place) else _LocalTable(place)
    return [str(uri) for uri in opened.file_uris(file_pruning_predicate=None if as_of is None else [("as_of", "=", str(as_of))])]


class _LocalTable(DeltaTable):  # type: ignore[misc]
    """A table in a folder: its files by their names, which Delta gives percent-encoded and polars would look for as such."""

    def file_uris(self, *args: Any, **settings: Any) -> list[str]:
        """The files a reader opens."""
        return [unquote(uri) for uri in super().file_uris(*args, **settings)]


def read_histories(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Read the commits of every Delta table that is there, by name."""
    return {name: DeltaTable(place).history() for name, place in list_stored(home).items()}


def list_commits(place: str, as_of: date | None = None) -> Iterator[dict[str, Any]]:
    """List a table's commits, the newest first, or those made for one night."""
    for entry in DeltaTable(place).history() if is_table(place) else ():
        if as_of is None or entry.get("as_of") == str(as_of):
            yield entry
