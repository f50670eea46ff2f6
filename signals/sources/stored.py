"""The files of a place, be it a folder or an object store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from signals.errors import InputError


@dataclass(frozen=True)
class StoredFile:
    """One file of a place: its name inside it (parts joined by /), and its size in bytes."""

    place: str
    name: str
    size: int

    @property
    def where(self) -> str:
        """The whole address, for people."""
        return f"{self.place.rstrip('/')}/{self.name}"

    def open(self) -> BufferedReader | BytesIO:
        """Open it to be read: a file of an object store is fetched whole."""
        if "://" not in self.place:
            return Path(self.where).open("rb")
        from pyarrow import fs

        system, path = fs.FileSystem.from_uri(self.where)
        with system.open_input_stream(path, compression=None) as stream:
            return BytesIO(stream.read())


def list_stored_files(place: str) -> Iterator[StoredFile]:
    """List the files of a place by name, those in subfolders too; what begins with a dot is still being written and left out.

    Raises `InputError` where there is no such place.
    """
    from pyarrow import fs

    system, path = fs.FileSystem.from_uri(place) if "://" in place else (fs.LocalFileSystem(), place)
    if system.get_file_info(path).type != fs.FileType.Directory:
        raise InputError("no such source folder", place, "there is nothing to read", "name an existing folder")
    for info in sorted(system.get_file_info(fs.FileSelector(path, recursive=True)), key=lambda info: str(info.path)):
        name = str(info.path)[len(path) :].lstrip("/")
        if info.type == fs.FileType.File and not any(part.startswith(".") for part in name.split("/")):
            yield StoredFile(place, name, int(info.size))
