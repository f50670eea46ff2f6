"""Rows in the order of a score, weighed: what every figure of a list is read from, ties without luck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """How far a list goes at the end of each run of equal scores, from nobody to everybody: weight, and weight of defaults.

    A list that ends inside a run takes the expected share of it: no luck of ordering.
    """

    length: Numbers
    caught: Numbers

    def measure_auc(self) -> float | None:
        """The chance that a defaulter scores above one who stayed well, ties half; null when one of the two is missing."""
        spared, caught = np.diff(self.length - self.caught), np.diff(self.caught)
        pairs = float(caught.sum() * spared.sum())
        below = spared.sum() - np.cumsum(spared) + spared / 2
        return float((caught * below).sum() / pairs) if pairs > 0 else None

    def measure_average_precision(self) -> float | None:
        """The mean precision over the defaulters as the list grows; null without a defaulter."""
        total, length = float(self.caught[-1]), np.maximum(self.length[1:], np.finfo(float).tiny)
        return float((np.diff(self.caught) * self.caught[1:] / length).sum() / total) if total > 0 else None

    def measure_at(self, share: float) -> tuple[float | None, float | None]:
        """The precision and the recall of the top `share`, rounded to whole rows, at least one; null where there is nothing to share."""
        rows, total = float(self.length[-1]), float(self.caught[-1])
        if rows <= 0:
            return None, None
        length = float(max(1, round(rows * share)))
        caught = float(np.interp(length, self.length, self.caught))
        return caught / length, caught / total if total > 0 else None


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score down, ready to be weighed again and again.

    `order` are the rows; `ends` where each run of equal scores ends in it; `came` what came, in that order.
    """

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    came: Numbers

    def cumulate(self, sorted_values: Numbers) -> Numbers:
        """Sum up values (in the ranking's order) to the end of each run, from nought."""
        return np.concatenate([[0.0], np.cumsum(sorted_values)[self.ends]])

    def weigh(self, weights: Numbers) -> Reach:
        """Give each row (in its own order) a weight, and say how far the list then goes."""
        sorted_weights = weights[self.order]
        return Reach(self.cumulate(sorted_weights), self.cumulate(sorted_weights * self.came))


def rank_rows(label: Numbers, score: Numbers) -> Ranking:
    """Rank rows by `score`, the highest first; `label` is what came of each (1 or 0).

    >>> rank_rows(np.array([0.0, 1.0, 0.0]), np.array([1.0, 3.0, 2.0])).weigh(np.ones(3)).measure_auc()
    1.0
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.empty(0, dtype=np.intp)
    return Ranking(order, ends, label[order])


def find_median(sorted_values: Numbers, weights: Numbers) -> float | None:
    """Find the weighted median of values given in rising order (the middle of the two middle ones); null without weight.

    >>> find_median(np.array([10.0, 20.0, 90.0]), np.array([1.0, 1.0, 0.0]))
    15.0
    """
    reached = np.cumsum(weights)
    if not len(reached) or reached[-1] <= 0:
        return None
    last = len(reached) - 1
    middle = [min(last, int(np.searchsorted(reached, reached[-1] / 2, side=side))) for side in ("left", "right")]
    return float(np.mean(sorted_values[middle]))
