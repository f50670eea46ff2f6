"""How good a score is: pure functions over labels and scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LIST_SHARE = 0.05
BINS = 10


def measure_auc(is_default: Numbers, score: Numbers) -> float | None:
    """The chance that a defaulter scores above one who stayed well, ties half; null when one of the two is missing.

    >>> measure_auc(np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_default, score)) if 0 < is_default.sum() < len(is_default) else None


def measure_average_precision(is_default: Numbers, score: Numbers) -> float | None:
    """The mean precision over the defaulters as the list grows; null without a defaulter."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(is_default, score)) if is_default.sum() else None


def measure_brier(is_default: Numbers, risk: Numbers) -> float | None:
    """The mean squared distance of the risk from what came; null without rows."""
    return float(np.mean((risk - is_default) ** 2)) if len(risk) else None


def measure_calibration_error(is_default: Numbers, risk: Numbers, bins: int = BINS) -> float | None:
    """The mean distance between foretold and observed share, over bins of equal count by risk; null without rows.

    Rows of one risk share what came of them, so that their order says nothing.
    """
    if not len(risk):
        return None
    order = np.argsort(risk, kind="stable")
    sorted_risk, came = risk[order], _average_ties(risk[order], is_default[order])
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return float(sum(abs(sorted_risk[part].sum() - came[part].sum()) for part in parts) / len(order))


def measure_at_share(is_default: Numbers, score: Numbers, share: float = LIST_SHARE) -> tuple[float | None, float | None]:
    """The precision and the recall of a list that holds the top `share` of all, at least one.

    Where the list's end falls among equal scores, the expected share of them counts: no luck of ordering.

    >>> measure_at_share(np.array([1.0, 0.0, 0.0, 1.0]), np.array([9.0, 1.0, 1.0, 1.0]), share=0.5)
    (0.6666666666666666, 0.6666666666666666)
    """
    if not len(score):
        return None, None
    length = list_length(len(score), share)
    order = np.argsort(-score, kind="stable")
    caught = float(_average_ties(score[order], is_default[order])[:length].sum())
    total = float(is_default.sum())
    return caught / length, caught / total if total else None


def measure_lead_days(days_to_default: Numbers, score: Numbers, share: float = LIST_SHARE) -> float | None:
    """The median days from the list to the default among those caught in the top `share`; null when none is caught.

    `days_to_default` is NaN where no default came. Caught: a score at or above that of the list's last place.
    """
    if not len(score):
        return None
    last = np.sort(score)[::-1][list_length(len(score), share) - 1]
    days = days_to_default[(score >= last) & ~np.isnan(days_to_default)]
    return float(np.median(days)) if len(days) else None


def list_length(rows: int, share: float = LIST_SHARE) -> int:
    """How many places a list of `share` of all rows has: rounded, at least one."""
    return max(1, round(rows * share))


def _average_ties(sorted_score: Numbers, values: Numbers) -> Numbers:
    _, group, counts = np.unique(sorted_score, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(group, weights=values)[group] / counts[group], dtype=np.float64)
