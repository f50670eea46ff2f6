"""A town on disk: a source folder, and apart from it the truth."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.simulate.town import BLOCK, Town, join_blocks, simulate_blocks

BLOCKS_PER_PART = 3


def truth_path(out: Path) -> Path:
    """Name a town's truth, a Parquet file (of a large town, a folder of parts): beside its source folder, never in it.

    >>> truth_path(Path("town")).as_posix()
    'town-truth/truth.parquet'
    """
    return out.parent / f"{out.name}-truth" / "truth.parquet"


def write_town(town: Town, out: Path) -> None:
    """Write a town as the source folder `out`, one file per table, and its truth to `truth_path(out)`.

    The folder appears whole or not at all. Raises `InputError` when `out` holds something that is not a town of ours.
    """
    with _replacing(out) as (tables, truth):
        for name, frame in town.tables.items():
            frame.write_parquet(tables / f"{name}.parquet")
        town.truth.write_parquet(truth / "truth.parquet")


def write_town_folder(
    out: Path, borrowers: int, months: int, seed: int, until: date, on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Simulate a town and write it part by part: the same rows as `simulate_town` and `write_town`, in bounded memory.

    A small town becomes one file per table, a large one a folder of parts per table. `on_progress(done, total)` hears of
    borrowers after each block. Raises `InputError` as `simulate_town` and `write_town` do.
    """
    blocks, is_large = simulate_blocks(borrowers, months, seed, until), borrowers > BLOCK * BLOCKS_PER_PART
    with _replacing(out) as (tables, truth):
        for number, part in enumerate(_gather(blocks, borrowers, on_progress), start=1):
            for name, frame in part.tables.items():
                _write_part(frame, tables / (name if is_large else f"{name}.parquet"), number, is_one_of_many=is_large)
            _write_part(part.truth, truth / "truth.parquet", number, is_one_of_many=is_large)


def _gather(blocks: Iterator[Town], borrowers: int, on_progress: Callable[[int, int], None] | None) -> Iterator[Town]:
    """Join blocks into parts, telling how far it is."""
    waiting: list[Town] = []
    for number, block in enumerate(blocks, start=1):
        waiting.append(block)
        if on_progress is not None:
            on_progress(min(number * BLOCK, borrowers), borrowers)
        if len(waiting) == BLOCKS_PER_PART:
            yield join_blocks(waiting)
            waiting = []
    if waiting:
        yield join_blocks(waiting)


def _write_part(frame: pl.DataFrame, place: Path, number: int, *, is_one_of_many: bool) -> None:
    if is_one_of_many:
        place.mkdir(exist_ok=True)
        place = place / f"part-{number:04d}.parquet"
    frame.write_parquet(place)


@contextmanager
def _replacing(out: Path) -> Iterator[tuple[Path, Path]]:
    """Open fresh folders beside the two that a town fills, and put them in their place once all is written."""
    _refuse_strangers(out)
    pairs = [(place, place.with_name(f".{place.name}.writing")) for place in (out, truth_path(out).parent)]
    for _, fresh in pairs:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
    try:
        yield pairs[0][1], pairs[1][1]
        for place, fresh in reversed(pairs):
            if place.exists():
                shutil.rmtree(place)
            fresh.rename(place)
    finally:
        for _, fresh in pairs:
            shutil.rmtree(fresh, ignore_errors=True)


def _refuse_strangers(out: Path) -> None:
    """Refuse to write over anything that a simulation did not leave there: its truth stands beside it."""
    if out.exists() and not truth_path(out).exists() and (out.is_file() or any(out.iterdir())):
        raise InputError(
            "the folder is not empty and holds no simulated town", str(out),
            "writing a town would destroy what is there", "name a new folder, or empty this one",
        )  # fmt: skip
