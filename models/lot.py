"""Learning from a part that stands for all: drawn from the borrower, a day and a seed alone, the same on any machine and in any company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from models.evaluate import Numbers
from models.recipe import Recipe
from signals.buckets import number_buckets
from signals.tables import HOLDERS

_LARGEST = 2**31 - 1
_STEP, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def draw_lot(ids: pl.Series, seed: int, days: pl.Series | None = None) -> Numbers:
    """Draw a number from 0 to below 1 for each borrower, or for each borrower and day: as good as by chance, and always the same.

    >>> draw_lot(pl.Series(["B1", "B2"]), seed=1).round(3).tolist()
    [0.346, 0.864]
    """
    number = number_buckets(ids, _LARGEST).to_numpy().astype(np.uint64)
    day = np.uint64(0) if days is None else (days - date(1970, 1, 1)).dt.total_days().to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = number + _STEP * (np.uint64(seed) * np.uint64(100_000) + day)
        # The finisher of splitmix64 (Steele et al. 2014): every bit that goes in stirs all that come out.
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


@dataclass
class Lot:
    """How many borrowers were learned from, of how many known, and how many rows of older origins were left out (see `thin_labels`)."""

    borrowers: int
    of: int
    rows_left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """The three as plain values."""
        return asdict(self)


def hold_lot(tables: Mapping[str, pl.LazyFrame], recipe: Recipe) -> tuple[dict[str, pl.LazyFrame], Lot]:
    """Hold to so many borrowers as the recipe allows: the first of the lot of its seed, whatever came of them.

    So the base rate, the calibration and every figure stay those of all. What belongs to no borrower is kept whole. `tables` are
    canonical tables, of any versions; with few enough borrowers they come back as they are.
    """
    named = [tables[name].select("borrower_id") for name in HOLDERS if name in tables]
    ids = pl.concat([frame.unique().collect(engine="streaming") for frame in named]).unique()["borrower_id"].drop_nulls().sort()
    if len(ids) <= recipe.borrowers_max:
        return dict(tables), Lot(len(ids), len(ids))
    first = np.argsort(draw_lot(ids, recipe.seed), kind="stable")[: recipe.borrowers_max]
    held = ids.gather(np.sort(first))
    return {name: _keep_held(frame, held) for name, frame in tables.items()}, Lot(recipe.borrowers_max, len(ids))


def _keep_held(frame: pl.LazyFrame, held: pl.Series) -> pl.LazyFrame:
    """Read as a stream, in order; by a filter, for a stream's join was measured half as heavy again."""
    if "borrower_id" not in frame.collect_schema():
        return frame
    return frame.filter(pl.col("borrower_id").is_in(held.implode())).collect(engine="streaming").lazy()


def thin_labels(labels: Mapping[date, pl.DataFrame], recipe: Recipe) -> tuple[dict[date, pl.DataFrame], int]:
    """Thin those who stayed well at the older of several origins, where there are more rows than the recipe allows; also how many rows went.

    Kept are all defaults, and the others that trees could grow on (`trees.thin_negatives` takes the first of the same lot). The newest
    origins that together hold twice the recipe's `calibration_defaults` stay whole: calibration, thresholds and trials look at these alone.
    """
    rows = sum(frame["is_default"].count() for frame in labels.values())
    whole = _list_whole(labels, 2 * recipe.calibration_defaults)  # in a trial's folds a part of them is enough
    if rows <= recipe.rows_max:
        return dict(labels), 0
    defaults = sum(int(frame["is_default"].sum()) for frame in labels.values())
    share = min(1.0, recipe.negatives_per_default * defaults / (rows - defaults) * _ROOM)
    kept = {day: frame if day in whole else _thin(frame, day, share, recipe.seed) for day, frame in labels.items()}
    return kept, rows - sum(frame["is_default"].count() for frame in kept.values())


_ROOM = 1.1  # chance may spread the lot unevenly: a little more than trees will take


def _list_whole(labels: Mapping[date, pl.DataFrame], defaults: int) -> set[date]:
    whole: set[date] = set()
    for day in sorted(labels, reverse=True):
        if defaults > 0:
            whole.add(day)
        defaults -= int(labels[day]["is_default"].sum())
    return whole


def _thin(labels: pl.DataFrame, origin: date, share: float, seed: int) -> pl.DataFrame:
    days = pl.Series([origin]).new_from_index(0, len(labels))
    is_kept = pl.Series(draw_lot(labels["borrower_id"], seed, days) < share)
    return labels.filter(is_kept | labels["is_default"].fill_null(value=False))
