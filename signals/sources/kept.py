"""Rows that came as a stream, kept aside in a file of their own for as long as anybody may still read them."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source


class _Folder:
    """A temporary folder that goes when nobody holds it any more, or with the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="deungdae-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def keep_batches(schema: Any, batches: Iterator[Any]) -> pl.LazyFrame:
    """Write a stream of Arrow record batches to a temporary Parquet file and give the frame that reads it.

    One batch at a time is in memory, both ways. The file stays while the frame, or one made from it, lives; it lies where TMPDIR
    says and only its owner may read it.
    """
    from pyarrow import parquet

    folder = _Folder()
    file = folder.path / "rows.parquet"
    with parquet.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return _read_while_held(folder, file)


def _read_while_held(folder: _Folder, file: Path) -> pl.LazyFrame:
    """Read a file through a function that holds its folder: the plan of every frame made from it holds the function."""
    kept = pl.scan_parquet(file)

    def read(columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None) -> Iterator[pl.DataFrame]:
        held = folder.path / file.name
        frame = pl.scan_parquet(held) if predicate is None else pl.scan_parquet(held).filter(predicate)
        frame = frame if columns is None else frame.select(columns)
        yield from (frame if rows is None else frame.head(rows)).collect_batches(maintain_order=True, lazy=True)

    return register_io_source(read, schema=dict(kept.collect_schema()), is_pure=True)
