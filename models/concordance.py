"""How well one column tells defaulters from the others, and how sure that is: exact, without resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ranking import Numbers


@dataclass(frozen=True)
class Concordance:
    """An AUC and its standard error, with a borrower's rows taken together."""

    auc: float
    error: float

    @property
    def strength(self) -> float:
        """The AUC of the better of the two directions."""
        return max(self.auc, 1 - self.auc)

    def bound(self, errors: float) -> float:
        """The strength, less so many standard errors."""
        return self.strength - errors * self.error


def measure_concordance(
    label: Numbers, value: Numbers, people: NDArray[np.int64], stratum: NDArray[np.int64] | None = None
) -> Concordance | None:
    """Measure the AUC of `value` for `label`, pairs within one `stratum` alone; null where no pair is.

    `people` numbers the borrower of each row. The error is that of the pairs' mean, by what each borrower adds to it.

    >>> one = measure_concordance(np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 2.0]), np.arange(3))
    >>> one.auc
    0.75
    """
    strata = np.zeros(len(label), dtype=np.int64) if stratum is None else np.unique(stratum, return_inverse=True)[1]
    order = np.lexsort((value, strata))
    came, value, strata = label[order], value[order], strata[order]
    came_by, well_by = (np.asarray(np.bincount(strata, part), dtype=np.float64) for part in (came, 1 - came))
    pairs = float(came_by @ well_by) if len(label) else 0.0
    if not pairs:
        return None
    run = np.cumsum(np.concatenate([[0], (np.diff(value) != 0) | (np.diff(strata) != 0)]))
    below, level = _count_below(run, strata, 1 - came, well_by)
    above_came, level_came = _count_below(run, strata, came, came_by)
    ahead = below + level / 2
    behind = came_by[strata] - above_came - level_came / 2
    auc = float(came @ ahead) / pairs
    adds = np.where(came > 0, ahead - auc * well_by[strata], behind - auc * came_by[strata]) / pairs
    by_person = np.bincount(np.unique(people[order], return_inverse=True)[1], adds)
    return Concordance(auc, float(np.sqrt((by_person**2).sum())))


def _count_below(run: NDArray[np.int64], strata: NDArray[np.int64], counted: Numbers, by_stratum: Numbers) -> tuple[Numbers, Numbers]:
    """How many of those counted lie below each row in its stratum, and how many share its value."""
    level = np.asarray(np.bincount(run, counted), dtype=np.float64)
    before = np.cumsum(level) - level
    earlier = np.cumsum(by_stratum) - by_stratum
    return before[run] - earlier[strata], level[run]
