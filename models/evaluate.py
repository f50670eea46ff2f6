"""How good a score is: pure functions over labels and scores."""

from __future__ import annotations

import numpy as np

from models.ranking import Numbers, Ranking, rank_rows

__all__ = ["Numbers"]

LIST_SHARE = 0.05
BINS = 10


def measure_auc(is_default: Numbers, score: Numbers) -> float | None:
    """The chance that a defaulter scores above one who stayed well, ties half; null when one of the two is missing.

    >>> measure_auc(np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    return rank_rows(is_default, score).weigh(np.ones(len(score))).measure_auc()


def measure_average_precision(is_default: Numbers, score: Numbers) -> float | None:
    """The mean precision over the defaulters as the list grows; null without a defaulter."""
    return rank_rows(is_default, score).weigh(np.ones(len(score))).measure_average_precision()


def measure_brier(is_default: Numbers, risk: Numbers) -> float | None:
    """The mean squared distance of the risk from what came; null without rows."""
    return float(np.mean((risk - is_default) ** 2)) if len(risk) else None


def measure_in_the_large(is_default: Numbers, risk: Numbers) -> float | None:
    """The mean risk less the share that defaulted: above nought too much was foretold; null without rows."""
    return float(np.mean(risk - is_default)) if len(risk) else None


def measure_calibration_error(is_default: Numbers, risk: Numbers, bins: int = BINS) -> float | None:
    """The mean distance between foretold and observed share, over bins of equal count by risk; null without rows.

    Rows of one risk share what came of them, so that their order says nothing.
    """
    return weigh_calibration_error(rank_rows(is_default, risk), risk, np.ones(len(risk)), bins)


def weigh_calibration_error(by_risk: Ranking, risk: Numbers, weights: Numbers, bins: int = BINS) -> float | None:
    """The calibration error where each row counts as its weight: `by_risk` ranks the rows by their risk."""
    reach = by_risk.weigh(weights)
    total = float(reach.length[-1])
    if total <= 0:
        return None
    foretold = by_risk.cumulate((weights * risk)[by_risk.order])
    edges = np.linspace(0.0, total, bins + 1)
    gaps = [np.diff(np.interp(edges, reach.length, summed)) for summed in (foretold, reach.caught)]
    return float(np.abs(gaps[0] - gaps[1]).sum() / total)


def measure_at_share(is_default: Numbers, score: Numbers, share: float = LIST_SHARE) -> tuple[float | None, float | None]:
    """The precision and the recall of a list that holds the top `share` of all, at least one.

    Where the list's end falls among equal scores, the expected share of them counts: no luck of ordering.

    >>> measure_at_share(np.array([1.0, 0.0, 0.0, 1.0]), np.array([9.0, 1.0, 1.0, 1.0]), share=0.5)
    (0.6666666666666666, 0.6666666666666666)
    """
    return rank_rows(is_default, score).weigh(np.ones(len(score))).measure_at(share)


def measure_f(precision: float | None, recall: float | None, beta: float) -> float | None:
    """The F-beta of a precision and a recall: recall weighs beta times as much; null where recall is.

    >>> measure_f(0.5, 0.5, beta=2.0)
    0.5
    """
    if recall is None:
        return None
    below = beta**2 * (precision or 0.0) + recall
    return (1 + beta**2) * (precision or 0.0) * recall / below if below else 0.0


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
