"""Source folders read whole, as a test wants them."""

from pathlib import Path

import polars as pl

from signals.sources.folder import open_folder


def read_folder(folder: Path) -> dict[str, pl.LazyFrame]:
    frames: dict[str, list[pl.LazyFrame]] = {}
    for piece in open_folder(folder):
        frames.setdefault(piece.table, []).append(piece.read())
    return {name: pl.concat(parts) for name, parts in frames.items()}
