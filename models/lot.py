"""A lot that nobody's company changes: drawn from the borrower, a day and a seed alone, the same on any machine."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from models.evaluate import Numbers
from signals.buckets import number_buckets

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
