"""What a stage hands on instead of its frame: how much, and exactly what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

_THREADS = 2
_BEGINNING, _FEW_RUNS = 1000, 100


@dataclass(frozen=True)
class Receipt:
    """What one stage wrote to one table for one night.

    `seconds` rides along and is no part of equality.
    """

    table: str
    as_of: date
    rows: int
    content_hash: str
    version: int | None
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The receipt as plain values, for XCom and the row in `runs`."""
        return {"table": self.table, "as_of": self.as_of.isoformat(), **self.pinned(), "seconds": self.seconds}

    def pinned(self) -> dict[str, Any]:
        """What of the receipt makes two nights equal: rows, content and Delta version."""
        return {"rows": self.rows, "content_hash": self.content_hash, "version": self.version}


def hash_content(frame: pl.DataFrame, key: Iterable[str]) -> str:
    """Hash what a frame says: rows sorted by `key`, columns by name; the same on every machine.

    >>> one = pl.DataFrame({"id": ["a", "b"], "n": [1, None]})
    >>> hash_content(one, ["id"]) == hash_content(one.reverse().select("n", "id"), ["id"])
    True
    """
    return hash_rows(frame.sort(list(key), maintain_order=True))


def hash_rows(frame: pl.DataFrame) -> str:
    """Hash what a frame says in the order in which its rows stand, columns by name; the same on every machine.

    >>> one = pl.DataFrame({"id": ["a", "b"]})
    >>> hash_rows(one) == hash_rows(one.reverse())
    False
    """
    digest = hashlib.sha256(str(frame.height).encode())
    with ThreadPoolExecutor(_THREADS) as threads:
        for part in threads.map(lambda name: _hash_column(frame[name]), sorted(frame.columns)):
            digest.update(part)
    return digest.hexdigest()[:32]


def _hash_column(column: pl.Series) -> bytes:
    repeats = _repeats(column)
    digest = hashlib.sha256(f"{column.name}:{column.dtype}:{column.null_count()}:{repeats}".encode())
    if repeats:  # where a row came from is the same for thousands of rows on end
        runs = column.rle()
        digest.update(runs.struct.field("len").to_numpy().tobytes())
        column = runs.struct.field("value")
    if column.null_count():
        digest.update(column.is_null().to_numpy().tobytes())
    for buffer in _plain_buffers(column):
        digest.update(buffer)
    return digest.digest()


def _repeats(column: pl.Series) -> bool:
    """Say whether a column of texts seems to be made of long runs, by its beginning."""
    return column.dtype == pl.String and len(column) >= _BEGINNING and len(column.head(_BEGINNING).rle()) <= _FEW_RUNS


def _plain_buffers(column: pl.Series) -> Iterable[bytes | memoryview]:
    if isinstance(column.dtype, pl.List):
        column = column.cast(pl.List(pl.String)).list.join("\x1f")
    if column.dtype in (pl.String, pl.Categorical, pl.Enum):
        texts = column.cast(pl.String).fill_null("")
        _, offsets, letters = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
        ends = memoryview(offsets).cast("q")[: len(texts) + 1]
        return (texts.str.len_bytes().to_numpy().tobytes(), memoryview(letters)[ends[0] : ends[-1]] if letters else b"")
    physical = column.to_physical()
    if physical.dtype == pl.Boolean:
        physical = physical.cast(pl.UInt8)
    return (physical.fill_null(0).to_numpy().tobytes(),)
