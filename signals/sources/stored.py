"""The files that lie below a folder, of this machine or of an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from signals.errors import InputError
from signals.objects import fetch_file, is_url, list_files
from signals.sources.source import Piece


@dataclass(frozen=True)
class StoredFile:
    """One file of a folder, and its name inside it (parts joined by /).

    `stamp`: its size and the moment it was written. `url`: where it lies in an object store; it comes to `folder` once it is opened.
    """

    folder: Path
    name: str
    stamp: str = ""
    url: str | None = None

    @property
    def where(self) -> str:
        """Where people find it."""
        return self.url or str(self.folder / self.name)

    @property
    def path(self) -> Path:
        """Where it lies on this machine."""
        path = self.folder / self.name
        if self.url and not path.exists():
            fetch_file(self.url, path)
        return path

    def open(self) -> BinaryIO:
        """Open it to be read."""
        return self.path.open("rb")

    def as_piece(self, table: str, read: Callable[[], pl.LazyFrame]) -> Piece:
        """Make it a piece of its source, whose rows `read` gives."""
        return Piece(table, self.name, self.stamp, read, self._digest)

    def _digest(self) -> str:
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def list_stored_files(place: str, into: Path = Path()) -> Iterator[StoredFile]:
    """List the files below a folder by name; what begins with a dot is still being written and left out.

    `into`: where files of an object store come once they are opened. Raises `InputError` where there is no such folder, and where
    an object store holds nothing by that name.
    """
    is_remote = is_url(place)
    files = list(list_files(place)) if is_remote or Path(place).is_dir() else []
    if not files and (is_remote or not Path(place).is_dir()):
        raise InputError("no such source folder", place, "there is nothing to read", "name an existing folder")
    for file in files:
        if not any(part.startswith(".") for part in file.name.split("/")):
            url = f"{place.rstrip('/')}/{file.name}" if is_remote else None
            yield StoredFile(into if is_remote else Path(place), file.name, file.stamp, url)
