"""How far a night's values have moved from what is usual: effect sizes, which do not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from models.ranking import Numbers
from models.sketch import UNKNOWN

PARTS = 10
_LEAST_SHARE = 1e-4  # an empty part would make the index infinite
_SPREAD_OF_RANKS = 12**-0.5
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
MOVED = {"feature": pl.String, "psi": pl.Float64, "distance": pl.Float64, "unknown": pl.Float64, "unknown_usual": pl.Float64}


def measure_drift(now: pl.DataFrame, usual: pl.DataFrame, least_rows: int = 1) -> pl.DataFrame:
    """Measure how far each feature that both sketches hold has moved, the most moved first.

    One row per `feature`: `psi`, the population stability index over ten parts of what is usual, one below and one above them
    and one for the unknown (0 is no change, above 0.25 is usually called a shift); `distance`, the Wasserstein distance of
    the known values by their rank among what is usual, in standard deviations of ranks (null: one has no known value): so it
    is the same in won and in logarithms, and what is rare weighs little; `unknown` and `unknown_usual`, the share not known. A feature of fewer than `least_rows` in either sketch is left out.

    >>> usual = pl.DataFrame({"feature": ["x"] * 3, "cell": [0, 9, UNKNOWN], "rows": [40, 40, 20]})
    >>> measure_drift(usual, usual).rows()
    [('x', 0.0, 0.0, 0.2, 0.2)]
    """
    pairs = {name: (_tell(now, name), _tell(usual, name)) for name in sorted(set(now["feature"]) & set(usual["feature"]))}
    rows = [(name, *_compare(*pair)) for name, pair in pairs.items() if min(one.rows.sum() + one.unknown for one in pair) >= least_rows]
    return pl.DataFrame(rows, schema=MOVED, orient="row").sort(["psi", "feature"], descending=[True, False])


@dataclass(frozen=True)
class _Told:
    cells: Numbers
    rows: Numbers
    unknown: int


def _tell(sketch: pl.DataFrame, name: str) -> _Told:
    own = sketch.filter(feature=name).group_by("cell").agg(pl.col("rows").sum()).sort("cell")
    known = own.filter(pl.col("cell") != UNKNOWN)
    return _Told(known["cell"].to_numpy(), known["rows"].to_numpy(), int(own.filter(cell=UNKNOWN)["rows"].sum()))


def _compare(now: _Told, usual: _Told) -> Iterator[float | None]:
    shares = [_share(one, _find_bounds(usual)) for one in (now, usual)]
    yield round(float(np.sum((shares[0] - shares[1]) * np.log(shares[0] / shares[1]))), 6)
    yield _measure_distance(now, usual)
    yield from (round(one.unknown / (one.rows.sum() + one.unknown), 6) for one in (now, usual))


def _find_bounds(usual: _Told) -> Numbers:
    """The last cell of each part, and of what lies below them all."""
    if not len(usual.cells):
        return np.empty(0)
    part = np.floor((np.cumsum(usual.rows) - usual.rows / 2) / usual.rows.sum() * PARTS)
    is_last = np.append(part[1:] != part[:-1], True)
    return np.append(usual.cells[0] - 1, usual.cells[is_last])


def _share(told: _Told, bounds: Numbers) -> Numbers:
    counted = np.bincount(np.searchsorted(bounds, told.cells), weights=told.rows, minlength=len(bounds) + 1)
    whole = np.append(counted, told.unknown)
    return np.asarray(np.maximum(whole / whole.sum(), _LEAST_SHARE))


def _measure_distance(now: _Told, usual: _Told) -> float | None:
    from scipy.stats import wasserstein_distance

    if not (len(now.cells) and len(usual.cells)):
        return None
    ranks = [_rank(one.cells, usual) for one in (now, usual)]
    return round(float(wasserstein_distance(*ranks, now.rows, usual.rows)) / _SPREAD_OF_RANKS, 6)


def _rank(cells: Numbers, usual: _Told) -> Numbers:
    """The share of what is usual that lies below each cell, and half of what lies in it."""
    reached = np.append(0, np.cumsum(usual.rows))
    below, upto = (reached[np.searchsorted(usual.cells, cells, side=side)] for side in _SIDES)
    return np.asarray((below + upto) / 2 / reached[-1])
