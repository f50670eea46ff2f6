"""The files that lie below a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from signals.errors import InputError


@dataclass(frozen=True)
class StoredFile:
    """One file of a folder, and its name inside it (parts joined by /)."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / self.name

    def open(self) -> BinaryIO:
        """Open it to be read."""
        return self.path.open("rb")


def list_stored_files(folder: Path) -> Iterator[StoredFile]:
    """List the files below a folder by name; what begins with a dot is still being written and left out.

    Raises `InputError` where there is no such folder.
    """
    if not folder.is_dir():
        raise InputError("no such source folder", str(folder), "there is nothing to read", "name an existing folder")
    for name in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()):
        if not any(part.startswith(".") for part in name.split("/")):
            yield StoredFile(folder, name)
