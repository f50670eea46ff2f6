"""The simple rankers a model must beat: days past due, a logistic regression, the scorecard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.calibration import fit_calibration
from models.evaluate import Numbers
from models.folds import find_latest
from models.levels import Thresholds, assign_levels, fix_thresholds
from models.model import arrange_features
from models.recipe import Recipe
from models.score import score_rows
from models.scorecard import CAUTION_POINTS, score_signs
from models.train import choose_features
from models.trees import NDArrayBool, thin_negatives

BASELINES = ("days_past_due", "logistic", "scorecard")
Score = Callable[[pl.DataFrame], Numbers]


@dataclass(frozen=True)
class Scored:
    """What a contender says of some rows: a raw score to rank by, a probability, and the level of a night (as `levels.assign_levels`).

    `is_own`: whether its own risk alone would flag the row, without the fixed rules that a night adds for everybody.
    """

    raw: Numbers
    risk: Numbers
    level: pl.Series
    is_own: NDArrayBool


Scorer = Callable[[pl.DataFrame], Scored]


def fit_baselines(rows: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe) -> dict[str, Scorer]:
    """Fit each baseline on the rows a model is fitted on; each then gives rows a raw score, a probability and a level.

    Days past due and the scorecard rank by themselves; the newest rows (those a model is calibrated on) only teach them a probability (a sigmoid). The logistic
    regression grows on the rows that trees grow on, and its sigmoid too puts the base rate right. The scorecard's levels are
    those of a scorecard night; the other two have theirs from the best F2 and F0.5 on the rows and, as a model has, from a night's
    fixed rules: all contenders stand under the same ones.
    """
    latest = rows.filter(pl.Series(find_latest(rows, recipe.calibration_defaults)))
    return {
        "days_past_due": _calibrate(latest, _score_days_past_due),
        "logistic": _calibrate(latest, _fit_logistic(rows, directions, recipe)),
        "scorecard": _calibrate(latest, _score_points, has_levels=True),
    }


def _score_days_past_due(rows: pl.DataFrame) -> Numbers:
    return arrange_features(rows.with_columns(pl.col("days_past_due").fill_null(0)), ["days_past_due"])[:, 0]


def _score_points(rows: pl.DataFrame) -> Numbers:
    return score_signs(rows)["points"].to_numpy().astype(np.float64)


def grade_like_night(asked: pl.DataFrame, risk: Numbers, thresholds: Thresholds | None) -> pl.Series:
    """Give each row the level a night gives it, official signs and days overdue included; without thresholds a scorecard night."""
    facts = score_rows(asked, None).with_columns(risk=pl.Series(risk), is_in_crisis=pl.lit(value=False))
    return assign_levels(facts, thresholds)


def _calibrate(rows: pl.DataFrame, score: Score, *, has_levels: bool = False) -> Scorer:
    label, own = rows["is_default"].to_numpy().astype(np.float64), score(rows)
    sigmoid = fit_calibration(label, own, isotonic_defaults=len(rows) + 1)
    thresholds = fix_thresholds(label, sigmoid.apply(own))

    def give(asked: pl.DataFrame) -> Scored:
        raw = score(asked)
        risk = sigmoid.apply(raw)
        is_own = raw >= CAUTION_POINTS if has_levels else risk >= thresholds.caution
        return Scored(raw, risk, grade_like_night(asked, risk, None if has_levels else thresholds), is_own)

    return give


def _fit_logistic(rows: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe) -> Score:
    """Sums of money and days are skewed: signed logarithms, medians for what is unknown, and a flag that it was."""
    grown = rows.filter(thin_negatives(rows, recipe))
    chosen = choose_features(grown, directions)
    if rows["is_default"].n_unique() < 2 or not chosen:  # noqa: PLR2004 (nothing to tell apart: everyone at the base rate)
        return lambda asked: np.zeros(len(asked))
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    steps = (
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
        LogisticRegression(solver="newton-cholesky"),
    )
    pipeline = make_pipeline(*steps).fit(arrange_features(grown, list(chosen)), grown["is_default"].to_numpy())
    return lambda asked: np.asarray(pipeline.decision_function(arrange_features(asked, list(chosen))), dtype=np.float64)


def _signed_log(values: Numbers) -> Numbers:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)
