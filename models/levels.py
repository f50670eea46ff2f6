"""From risk, signs and facts to a level; and how long a level is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from models.evaluate import Numbers
from models.scorecard import ALERT_POINTS, CAUTION_POINTS
from signals.products import LEVELS

CAUTION_DAYS_PAST_DUE = 15
NIGHTS_BELOW = 3
_NONE, _WATCH, _CAUTION, _ALERT, _DISTRESSED = range(len(LEVELS))


@dataclass(frozen=True)
class Thresholds:
    """The calibrated risks from which a level holds, fixed when the model is promoted: watch ≤ caution ≤ alert."""

    watch: float
    caution: float
    alert: float

    def to_json(self) -> dict[str, float]:
        """The three as plain values."""
        return asdict(self)


def fix_thresholds(is_default: Numbers, risk: Numbers) -> Thresholds:
    """Fix the thresholds on borrowers the model did not see: twice the base rate, the best F2, the best F0.5.

    A higher level never begins below a lower one: where the best F2 lies under twice the base rate, that is caution.
    """
    watch = min(1.0, 2 * float(is_default.mean()))
    caution = max(watch, find_best_f(is_default, risk, beta=2.0))
    return Thresholds(watch, caution, max(caution, find_best_f(is_default, risk, beta=0.5)))


def find_best_f(is_default: Numbers, risk: Numbers, beta: float) -> float:
    """Find the risk at or above which flagging has the best F-beta; of equally good ones the highest.

    >>> find_best_f(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.3, 0.4]), beta=1.0)
    0.3
    """
    cuts, group, rows = np.unique(risk, return_inverse=True, return_counts=True)
    caught = np.cumsum(np.bincount(group, weights=is_default)[::-1])[::-1]
    flagged = np.cumsum(rows[::-1])[::-1]
    score = (1 + beta**2) * caught / (beta**2 * is_default.sum() + flagged)
    return float(cuts[len(cuts) - 1 - int(np.argmax(score[::-1]))])


def assign_levels(facts: pl.DataFrame, thresholds: Thresholds | None) -> pl.Series:
    """Give each row tonight's level, in the order of the rows.

    `facts` has risk (null: not scored), points, has_sign, is_in_crisis, days_past_due and is_in_adjustment (each null:
    unknown). Without thresholds (a scorecard night) the points decide, 25 for caution and 50 for alert. Any official
    sign is at least watch; 15 days overdue or public adjustment at least caution; crisis is distressed (§6).
    """
    score, bounds = pl.col("points"), [(_CAUTION, float(CAUTION_POINTS)), (_ALERT, float(ALERT_POINTS))]
    if thresholds is not None:
        score, bounds = pl.col("risk"), [(_WATCH, thresholds.watch), (_CAUTION, thresholds.caution), (_ALERT, thresholds.alert)]
    is_caution = (pl.col("days_past_due") >= CAUTION_DAYS_PAST_DUE) | (pl.col("is_in_adjustment") == 1)
    rank = pl.max_horizontal(
        *(pl.when(score >= bound).then(level) for level, bound in bounds),
        pl.when("has_sign").then(_WATCH),
        pl.when(is_caution).then(_CAUTION),
        pl.when("is_in_crisis").then(_DISTRESSED),
        pl.lit(_NONE),
    )
    return facts.select(level=_name_level(rank)).to_series()


def hold_levels(tonight: pl.DataFrame, earlier: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Let a level rise at once, and fall only after three nights below it.

    One row per borrower_id of `tonight` (borrower_id, level_tonight), in its order: `level`. `earlier` are the nights
    before, newest first, each borrower_id, level, level_tonight; two are needed. When tonight and both of them were
    below the standing level, it falls to the highest of the three; else it stands. Distress is a fact and ends at
    once, but its level is then held at alert in the same way. A borrower unknown to the nights before has tonight's.
    """
    ranks = tonight.select("borrower_id", now=_rank_level("level_tonight"))
    for night, frame in enumerate(earlier[: NIGHTS_BELOW - 1]):
        level = [_rank_level(name).clip(upper_bound=_ALERT).alias(f"{name}_{night}") for name in ("level", "level_tonight")]
        ranks = ranks.join(frame.select("borrower_id", *level), on="borrower_id", how="left", maintain_order="left")
    stood = [f"level_{night}" for night in range(len(earlier[: NIGHTS_BELOW - 1]))]
    if not stood:
        return tonight.select("borrower_id", level="level_tonight")
    nights = [f"level_tonight_{night}" for night in range(len(stood))]
    standing = pl.coalesce(stood)
    is_below = pl.all_horizontal(pl.col(name) < standing for name in nights) if len(nights) == NIGHTS_BELOW - 1 else pl.lit(value=False)
    held = pl.when(is_below.fill_null(value=False)).then(pl.max_horizontal("now", *nights)).otherwise(pl.max_horizontal("now", standing))
    return ranks.select("borrower_id", level=_name_level(held))


def _rank_level(name: str) -> pl.Expr:
    return pl.col(name).replace_strict(list(LEVELS), list(range(len(LEVELS))), return_dtype=pl.Int64)


def _name_level(rank: pl.Expr) -> pl.Expr:
    return rank.replace_strict(list(range(len(LEVELS))), list(LEVELS), return_dtype=pl.String)
