"""Source folders read whole, and small lakes written, as a test wants them."""

from datetime import date
from pathlib import Path

import polars as pl

from signals.buckets import choose_buckets
from signals.home import Home
from signals.lake import commit_rows, stage_rows
from signals.sources.folder import open_folder


def read_folder(folder: Path) -> dict[str, pl.LazyFrame]:
    frames: dict[str, list[pl.LazyFrame]] = {}
    for piece in open_folder(folder):
        frames.setdefault(piece.table, []).append(piece.read())
    return {name: pl.concat(parts) for name, parts in frames.items()}


def append_rows(home: Home, table: str, rows: pl.DataFrame, as_of: date, source_id: str) -> None:
    """Take rows into a lake table as a night does that was handed nothing else."""
    carried = rows.with_columns(pulled_from=pl.lit(source_id), priority=pl.lit(0, dtype=pl.Int64))
    choose_buckets(home, 1)
    commit_rows(home, table, stage_rows(home, table, carried, as_of), as_of)
