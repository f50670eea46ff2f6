"""Files that may lie in a folder or in an object store, by the same words.

What an object store refuses is an `InputError` that says why; what a folder refuses is the `OSError` it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from signals.errors import InputError
from signals.object_store import is_url, open_store, split_url, worded

_PART_BYTES = 16 << 20  # so much of a large file comes in one request

__all__ = [
    "FileInfo",
    "StoredText",
    "fetch_file",
    "is_url",
    "list_files",
    "measure_file",
    "move_file",
    "refuse_unreachable",
    "remove_file",
    "write_bytes",
    "write_parquet",
]


@dataclass(frozen=True)
class StoredText:
    """A small text file, written whole or not at all."""

    place: str

    def exists(self) -> bool:
        """Say whether it is there."""
        from pyarrow import fs

        system, path = open_filesystem(self.place)
        with worded(self.place):
            return bool(system.get_file_info(path).type == fs.FileType.File)

    def read(self) -> str:
        """Read it."""
        system, path = open_filesystem(self.place)
        with worded(self.place), system.open_input_stream(path) as stream:
            return str(stream.read().decode())

    def write(self, text: str) -> None:
        """Write it: in a folder aside and then moved, in an object store in one put."""
        if is_url(self.place):
            write_bytes(self.place, text.encode())
            return
        draft = Path(f"{self.place}.draft")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.place)

    def remove(self) -> None:
        """Remove it."""
        remove_file(self.place)


def remove_file(place: str) -> None:
    """Remove a file, and the folders that held nothing else."""
    if is_url(place):
        _remove_object(place)
        return
    file = Path(place)
    file.unlink()
    for folder in file.parents:
        if any(folder.iterdir()):
            break
        folder.rmdir()


def _remove_object(url: str) -> None:
    """Remove an object by Delta's own client: Arrow's leaves an empty object behind in the name of the folder."""
    from deltalake.fs import DeltaStorageHandler

    folder, _, name = url.rpartition("/")
    with worded(url):
        DeltaStorageHandler(folder).delete_file(name)


def write_parquet(frame: pl.DataFrame, place: str) -> int:
    """Write a frame as Parquet and give the file's size in bytes."""
    if is_url(place):
        buffer = BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        return write_bytes(place, buffer.getvalue())
    file = Path(place)
    file.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(file, compression="zstd", compression_level=1)
    return file.stat().st_size


def write_bytes(place: str, content: bytes) -> int:
    """Write a file of an object store, whole or not at all, and give its size."""
    system, path = open_filesystem(place)
    with worded(place), system.open_output_stream(path) as stream:
        stream.write(content)
    return len(content)


def move_file(file: Path, place: str) -> int:
    """Move a file of this machine to where it stays, a folder or an object store, and give its size in bytes."""
    if is_url(place):
        size = write_bytes(place, file.read_bytes())
        file.unlink()
        return size
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(file, place)).stat().st_size


def measure_file(place: str) -> int:
    """Give a file's size in bytes."""
    system, path = open_filesystem(place)
    with worded(place):
        return int(system.get_file_info(path).size)


class FileInfo(NamedTuple):
    """A file below a place: its name inside it, its size in bytes, and by size and moment of writing its stamp."""

    name: str
    size: int
    stamp: str


def list_files(place: str) -> Iterator[FileInfo]:
    """List the files below a place by name; none where there is no such place.

    Raises `InputError` for a store that can't be reached or refuses, and for a name no file on this machine could have.
    """
    from pyarrow import fs

    system, path = open_filesystem(place)
    with worded(place):
        try:
            found = system.get_file_info(fs.FileSelector(path, recursive=True))
        except FileNotFoundError:
            return
    for info in sorted(found, key=lambda info: str(info.path)):
        if info.type == fs.FileType.File:
            name = info.path[len(path.rstrip("/")) + 1 :]
            _refuse_odd_name(place, name)
            yield FileInfo(name, int(info.size), f"{info.size}-{info.mtime_ns}")


def _refuse_odd_name(place: str, name: str) -> None:
    if is_url(place) and not all(name.split("/")):
        raise InputError(
            "an object's name has an empty part",
            f"{place.rstrip('/')}/{name}",
            "it would lie elsewhere on this machine than where it is looked for",
            "give the object a name without //",
        )


def refuse_unreachable(place: str | None) -> None:
    """Ask an object store for a single answer, by each client that will need one: raises `InputError` where it does not come.

    A folder is always there to be asked. Delta itself would try for three minutes, table by table.
    """
    if place is None or not is_url(place):
        return
    from deltalake.fs import DeltaStorageHandler
    from pyarrow import fs

    system, path = open_filesystem(place)
    with worded(place):
        with suppress(FileNotFoundError):
            system.get_file_info(fs.FileSelector(f"{path}/lake/_delta_log"))
        DeltaStorageHandler(place).get_file_info(["lake"])


def fetch_file(url: str, into: Path) -> None:
    """Copy a file of an object store to this machine."""
    from pyarrow import fs

    system, path = open_filesystem(url)
    into.parent.mkdir(parents=True, exist_ok=True)
    here = fs.LocalFileSystem()
    with worded(url):
        fs.copy_files(path, str(into), source_filesystem=system, destination_filesystem=here, chunk_size=_PART_BYTES)


def open_filesystem(place: str) -> tuple[Any, str]:
    """Open what a place lies in: the file system and the path inside it."""
    from pyarrow import fs

    if not is_url(place):
        return fs.LocalFileSystem(), str(Path(place).absolute())
    bucket, key = split_url(place)
    return open_store(), f"{bucket}/{key}".rstrip("/")
