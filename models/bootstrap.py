"""How sure a figure is: what it would have been with other borrowers of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from models.figures import Figures
from models.ranking import Numbers

LEVEL = 0.95
# Chance alone adds distance between foretold and observed: a resample adds as much again as the sample did.
INFLATED = ("calibration_error",)
Measure = Callable[[Numbers], Figures]
Drawn = dict[str, Numbers]


def draw_weights(people: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Numbers]:
    """Draw, for each resample, how often each borrower is in it (Poisson, once on average), as a weight per row.

    `people` numbers the borrower of each row from 0; all rows of a borrower come together or not at all.
    """
    rng = np.random.default_rng(seed)
    count = int(people.max()) + 1 if len(people) else 0
    for _ in range(resamples):
        yield rng.poisson(1.0, count).astype(np.float64)[people]


def resample(measures: Mapping[str, Measure], people: NDArray[np.int64], resamples: int, seed: int) -> dict[str, Drawn]:
    """Measure every contender on the same resamples: per contender and figure one number each (NaN: not measurable).

    >>> drawn = resample({"model": lambda weights: {"rows": float(weights.sum())}}, np.array([0, 0, 1]), 3, seed=1)
    >>> drawn["model"]["rows"].shape
    (3,)
    """
    taken: dict[str, list[Figures]] = {name: [] for name in measures}
    for weights in draw_weights(people, resamples, seed):
        for name, measure in measures.items():
            taken[name].append(measure(weights))
    return {name: _gather(figures) for name, figures in taken.items()}


def _gather(taken: list[Figures]) -> Drawn:
    names = taken[0] if taken else {}
    return {name: np.array([np.nan if one[name] is None else one[name] for one in taken], dtype=np.float64) for name in names}


def find_interval(point: float | None, drawn: Numbers, *, is_inflated: bool = False) -> list[float] | None:
    """Find the interval that holds 95 of 100 resamples, and the figure itself; null where the figure is.

    An inflated figure is turned about the point, and no less than nought. A figure that most resamples can't give has none.

    >>> find_interval(0.5, np.array([0.4, 0.6, 0.5]))
    [0.405, 0.595]
    """
    known = drawn[~np.isnan(drawn)]
    if point is None or 2 * len(known) <= len(drawn):
        return None
    low, high = (float(bound) for bound in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    if is_inflated:
        low, high = max(0.0, 2 * point - high), max(0.0, 2 * point - low)
    return [min(low, point), max(high, point)]


def widen_certainty(interval: list[float] | None, rows: float) -> list[float] | None:
    """Widen the interval of a share that came out the same in every resample (nothing, or all, of so many rows).

    No resample can show what is not in the sample; the bound is the share that would still give it once in forty times.

    >>> widen_certainty([0.0, 0.0], 20)
    [0.0, 0.168]
    """
    if interval not in ([0.0, 0.0], [1.0, 1.0]) or rows <= 0:
        return interval
    miss = round(1 - ((1 - LEVEL) / 2) ** (1 / rows), 3)
    return [0.0, miss] if interval[1] == 0.0 else [1 - miss, 1.0]


def add_intervals(points: Figures, drawn: Drawn, rows: Mapping[str, float]) -> dict[str, float | list[float] | None]:
    """Put beside each figure its interval, under its name and `_interval` (null: none could be drawn).

    `rows` says of how many rows a figure is a share, for those that are one.
    """
    told: dict[str, float | list[float] | None] = {}
    for name, point in points.items():
        interval = find_interval(point, drawn[name], is_inflated=name in INFLATED) if name in drawn else None
        told |= {name: point, f"{name}_interval": widen_certainty(interval, rows.get(name, 0))}
    return told
