"""Files that may lie in a folder or in an object store, by the same words.

An object store is reached with the credentials that its own client finds (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl


def is_url(place: str) -> bool:
    """Say whether a place is an object store's URL rather than a folder.

    >>> is_url("s3://town/lake"), is_url("/data/town")
    (True, False)
    """
    return "://" in place


@dataclass(frozen=True)
class StoredText:
    """A small text file, written whole or not at all."""

    place: str

    def exists(self) -> bool:
        """Say whether it is there."""
        from pyarrow import fs

        system, path = open_filesystem(self.place)
        return bool(system.get_file_info(path).type == fs.FileType.File)

    def read(self) -> str:
        """Read it."""
        system, path = open_filesystem(self.place)
        with system.open_input_stream(path) as stream:
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
        system, path = open_filesystem(place)
        system.delete_file(path)
        return
    file = Path(place)
    file.unlink()
    for folder in file.parents:
        if any(folder.iterdir()):
            break
        folder.rmdir()


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
    """Write a file of an object store in one put and give its size."""
    system, path = open_filesystem(place)
    with system.open_output_stream(path) as stream:
        stream.write(content)
    return len(content)


def measure_file(place: str) -> int:
    """Give a file's size in bytes."""
    system, path = open_filesystem(place)
    return int(system.get_file_info(path).size)


class FileInfo(NamedTuple):
    """A file below a place: its name inside it, its size in bytes, and by size and moment of writing its stamp."""

    name: str
    size: int
    stamp: str


def list_files(place: str) -> Iterator[FileInfo]:
    """List the files below a place by name; none where there is no such place. Raises `OSError` when it can't be reached."""
    from pyarrow import fs

    system, path = open_filesystem(place)
    found = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    for info in sorted(found, key=lambda info: str(info.path)):
        if info.type == fs.FileType.File:
            yield FileInfo(info.path[len(path.rstrip("/")) + 1 :], int(info.size), f"{info.size}-{info.mtime_ns}")


def fetch_file(url: str, into: Path) -> None:
    """Copy a file of an object store to this machine."""
    from pyarrow import fs

    system, path = open_filesystem(url)
    into.parent.mkdir(parents=True, exist_ok=True)
    fs.copy_files(path, str(into), source_filesystem=system, destination_filesystem=fs.LocalFileSystem())


def open_filesystem(place: str) -> tuple[Any, str]:
    """Open what a place lies in: the file system and the path inside it."""
    from pyarrow import fs

    if not is_url(place):
        return fs.LocalFileSystem(), str(Path(place).absolute())
    system, path = fs.FileSystem.from_uri(place)
    return system, str(path)
