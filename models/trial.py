"""An honest trial: every borrower scored by models that never saw them, nor anything later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from models.baselines import BASELINES, Scorer, fit_baselines
from models.evaluate import (
    Numbers,
    measure_at_share,
    measure_auc,
    measure_average_precision,
    measure_brier,
    measure_calibration_error,
    measure_lead_days,
)
from models.recipe import Recipe
from models.train import KEYS, assign_folds, can_fit, fit_model

CONTENDERS = ("model", *BASELINES)
EXCLUDED = ("excluded_in_crisis", "excluded_already_in_default")


def try_models(
    past: pl.DataFrame, present: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int, folds: int
) -> pl.DataFrame:
    """Score the rows of `present` by the model and each baseline, fitted on the rows of `past` about other borrowers.

    One row per row of `present`: origin, borrower_id, is_default, default_on; raw and risk of each contender
    (`model_raw`, `model_risk`, …); and `is_scorecard`: whether too few defaults were known for a model, so that the
    scorecard stood in for it, as it would at night. Out of time when every horizon in `past` ended by the origins of
    `present`; the caller sees to that.
    """
    both = pl.concat([past.select(KEYS), present.select(KEYS)])
    fold = assign_folds(both, folds, recipe.seed)
    fold_past, fold_present = fold[: len(past)], fold[len(past) :]
    tried = []
    for part in np.unique(fold_present):
        scorers = _fit_contenders(past.filter(fold_past != part), directions, recipe, horizon_days)
        tried.append(_score_all(present.filter(fold_present == part), scorers))
    return pl.concat(tried).sort("origin", "borrower_id")


def _fit_contenders(past: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int) -> dict[str, Scorer]:
    scorers = fit_baselines(past, directions, recipe)
    return scorers | ({"model": _fit_scorer(past, directions, recipe, horizon_days)} if can_fit(past, directions, recipe) else {})


def _score_all(present: pl.DataFrame, scorers: Mapping[str, Scorer]) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    for name in CONTENDERS:
        raw, risk = scorers.get(name, scorers["scorecard"])(present)
        columns |= {f"{name}_raw": pl.Series(raw), f"{name}_risk": pl.Series(risk)}
    return present.select(KEYS).with_columns(**columns, is_scorecard=pl.lit("model" not in scorers))


def _fit_scorer(past: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int) -> Scorer:
    latest = max(past["origin"])
    model = fit_model(past, directions, recipe, horizon_days, latest + timedelta(days=horizon_days))

    def give(asked: pl.DataFrame) -> tuple[Numbers, Numbers]:
        raw = model.score_raw(asked)
        return raw, model.calibration.apply(raw)

    return give


def summarise_trial(trials: Sequence[pl.DataFrame], excluded: Mapping[date, Mapping[str, int]]) -> dict[str, Any]:
    """Sum up the trials of one or several origins: the figures of the model, per origin under `origins`, and the same per baseline under `baselines`.

    `excluded` counts, per origin, those without a label there, who were left out (see `labels.count_excluded`).
    """
    tried = pl.concat(trials)
    scorecard = bool(tried["is_scorecard"].any())
    baselines = {name: _sum_up(tried, name, excluded) for name in BASELINES}
    return {**_sum_up(tried, "model", excluded), "is_scorecard": scorecard, "baselines": baselines}


def _sum_up(tried: pl.DataFrame, contender: str, excluded: Mapping[date, Mapping[str, int]]) -> dict[str, Any]:
    origins = {
        origin.isoformat(): measure_contender(tried.filter(pl.col("origin") == origin), contender) | dict(excluded[origin])
        for origin in sorted(excluded)
    }
    total = {name: sum(counts[name] for counts in excluded.values()) for name in EXCLUDED}
    return {**measure_contender(tried, contender), **total, "origins": origins}


def measure_contender(tried: pl.DataFrame, contender: str) -> dict[str, Any]:
    """Measure one contender's scores: ranking by the raw score, calibration by the risk (null: not measurable)."""
    label = tried["is_default"].to_numpy().astype(np.float64)
    raw, risk = tried[f"{contender}_raw"].to_numpy(), tried[f"{contender}_risk"].to_numpy()
    days = tried.select((pl.col("default_on") - pl.col("origin")).dt.total_days().cast(pl.Float64).fill_null(float("nan")))
    precision, recall = measure_at_share(label, raw)
    return {
        "borrowers": tried["borrower_id"].n_unique(),
        "defaults": int(label.sum()),
        "auc": measure_auc(label, raw),
        "average_precision": measure_average_precision(label, raw),
        "brier": measure_brier(label, risk),
        "calibration_error": measure_calibration_error(label, risk),
        "precision_at_5pct": precision,
        "recall_at_5pct": recall,
        "lead_days_median": measure_lead_days(days.to_series().to_numpy(), raw),
    }
