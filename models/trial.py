"""An honest trial: every borrower scored by models that never saw them, nor anything later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from models.baselines import BASELINES, Scored, Scorer, fit_baselines, grade_like_night
from models.bootstrap import Drawn, add_intervals, resample
from models.figures import Figures, Sheet, list_places, open_sheet
from models.folds import assign_folds
from models.lists import FLAGGED, measure_churn
from models.offices import measure_offices
from models.recipe import Recipe
from models.train import KEYS, can_fit, fit_model
from models.verdict import judge_contenders

CONTENDERS = ("model", *BASELINES)
EXCLUDED = ("excluded_in_crisis", "excluded_already_in_default")


def try_models(
    past: pl.DataFrame, present: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int, folds: int
) -> pl.DataFrame:
    """Score the rows of `present` by the model and each baseline, fitted on the rows of `past` about other borrowers.

    One row per row of `present`: origin, borrower_id, is_default, default_on; raw, risk and level of each contender
    (`model_raw`, `model_risk`, `model_level`, `model_is_own`, …; see `baselines.Scored`); and `is_scorecard`: whether too few defaults were known for a model, so
    that the scorecard stood in for it, as it would at night. Out of time when every horizon in `past` ended by the origins
    of `present`; the caller sees to that.
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
        scored = scorers.get(name, scorers["scorecard"])(present)
        columns |= {f"{name}_raw": pl.Series(scored.raw), f"{name}_risk": pl.Series(scored.risk), f"{name}_level": scored.level}
        columns[f"{name}_is_own"] = pl.Series(scored.is_own)
    return present.select(KEYS).with_columns(**columns, is_scorecard=pl.lit("model" not in scorers))


def _fit_scorer(past: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int) -> Scorer:
    latest = max(past["origin"])
    model = fit_model(past, directions, recipe, horizon_days, latest + timedelta(days=horizon_days))

    def give(asked: pl.DataFrame) -> Scored:
        raw = model.score_raw(asked)
        risk = model.calibration.apply(raw)
        return Scored(raw, risk, grade_like_night(asked, risk, model.thresholds), risk >= model.thresholds.caution)

    return give


def summarise_trial(trials: Sequence[pl.DataFrame], excluded: Mapping[date, Mapping[str, int]], recipe: Recipe) -> dict[str, Any]:
    """Sum up the trials of one or several origins: the verdict first, then the figures of the model, per origin under `origins`, and the same per baseline under `baselines`.

    Beside each figure stands its interval (`auc_interval`, …; see `bootstrap`). `excluded` counts, per origin, those without
    a label there, who were left out (see `labels.count_excluded`). With the columns office and places the offices' lists
    are measured.
    """
    tried = pl.concat(trials).sort("origin", "borrower_id")
    days = sorted(excluded)
    whole, drawn = measure_contenders(tried, CONTENDERS, recipe)
    parts = [whole if len(days) == 1 else measure_contenders(tried.filter(origin=day), CONTENDERS, recipe)[0] for day in days]
    total = {name: sum(counts[name] for counts in excluded.values()) for name in EXCLUDED}
    told = {
        name: {
            **whole[name],
            **total,
            **_measure_lists(tried, name, recipe),
            "origins": {day.isoformat(): part[name] | dict(excluded[day]) for day, part in zip(days, parts, strict=True)},
        }
        for name in CONTENDERS
    }
    scorecard = bool(tried["is_scorecard"].any())
    verdict = judge_contenders(whole, drawn, BASELINES, is_scorecard=scorecard)
    return {"verdict": verdict, **told.pop("model"), "is_scorecard": scorecard, "baselines": told}


def measure_contenders(
    rows: pl.DataFrame, contenders: Sequence[str], recipe: Recipe, *, is_ranking_only: bool = False, has_intervals: bool = True
) -> tuple[dict[str, dict[str, Any]], dict[str, Drawn]]:
    """Measure contenders on rows of a trial, all on the same resamples: per contender its figures with intervals, and what was drawn.

    `is_ranking_only` leaves out what needs a calibrated risk or a level. Not `has_intervals`, or too few borrowers with a default, or without, by the
    recipe: no intervals, and nothing drawn.
    """
    rows = rows.sort("origin", "borrower_id")
    sheets = {name: open_sheet(rows, name) for name in contenders}
    measures = {name: sheet.measure_ranking if is_ranking_only else sheet.measure for name, sheet in sheets.items()}
    people = (rows["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    known = rows.select("borrower_id", "is_default").unique()["is_default"]
    resamples = recipe.resamples if has_intervals and min(known.sum(), (~known).sum()) >= recipe.interval_defaults else 0
    drawn = resample(measures, people, resamples, recipe.seed)
    counts = {"borrowers": rows["borrower_id"].n_unique(), "defaults": int(rows["is_default"].sum())}
    points = {name: measure(np.ones(len(rows))) for name, measure in measures.items()}
    return {name: counts | _tell(sheets[name], points[name], drawn[name]) for name in contenders}, drawn


def _tell(sheet: Sheet, points: Figures, drawn: Drawn) -> dict[str, Any]:
    return add_intervals(points, drawn, sheet.count_rows())


def _measure_lists(tried: pl.DataFrame, name: str, recipe: Recipe) -> dict[str, Any]:
    """What is told of the lists as lists: how many of them are new from origin to origin, and each office's own."""
    flagged = tried.select("origin", "borrower_id", place=pl.col(f"{name}_level").is_in(FLAGGED).cast(pl.Float64))
    if "office" not in tried.columns:
        return {"churn_of_flagged": measure_churn(flagged)}
    listed = tried.select("origin", "borrower_id", "office", "places", "is_default").with_columns(place=list_places(tried, name))
    return {
        "churn_of_flagged": measure_churn(flagged),
        "churn_at_capacity": measure_churn(listed),
        "offices": measure_offices(listed, recipe),
    }
