from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models import trial
from models.recipe import Recipe
from models.trial import CONTENDERS, summarise_trial, try_models

PAST, PRESENT = date(2026, 1, 31), date(2026, 2, 28)
EXCLUDED = {PRESENT: {"excluded_in_crisis": 7, "excluded_already_in_default": 2}}


@pytest.fixture(scope="module")
def tried(rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe) -> pl.DataFrame:
    return try_models(rows.filter(pl.col("origin") == PAST), rows.filter(pl.col("origin") == PRESENT), directions, recipe, 180, 3)


def test_everyone_is_tried_once_by_every_contender(rows: pl.DataFrame, tried: pl.DataFrame, recipe: Recipe) -> None:
    assert tried["borrower_id"].to_list() == rows.filter(pl.col("origin") == PRESENT)["borrower_id"].sort().to_list()
    assert all(tried[f"{name}_{kind}"].is_finite().all() for name in CONTENDERS for kind in ("raw", "risk"))


def test_nobody_is_scored_by_a_model_that_saw_them(
    rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    fit, score = trial._fit_contenders, trial._score_all

    def watch_fit(past, *rest):
        seen.append(set(past["borrower_id"]))
        return fit(past, *rest)

    def watch_score(present, scorers):
        assert seen[-1].isdisjoint(present["borrower_id"])
        return score(present, scorers)

    monkeypatch.setattr(trial, "_fit_contenders", watch_fit)
    monkeypatch.setattr(trial, "_score_all", watch_score)
    past, present = (rows.filter(pl.col("origin") == origin) for origin in (PAST, PRESENT))
    try_models(past, present, directions, recipe, 180, 2)
    assert len(seen) == 2


def test_a_model_that_learned_is_ahead_of_days_past_due(tried: pl.DataFrame, recipe: Recipe) -> None:
    summary = summarise_trial([tried], EXCLUDED, recipe)
    assert summary["auc"] > summary["baselines"]["days_past_due"]["auc"] > 0.5
    assert summary["calibration_error"] < 0.03
    assert summary["lead_days_median"] == 40.0
    assert not summary["is_scorecard"]


def test_the_summary_has_the_keys_of_the_house_plan(tried: pl.DataFrame, recipe: Recipe) -> None:
    summary = summarise_trial([tried], EXCLUDED, recipe)
    figures = {
        "auc",
        "average_precision",
        "brier",
        "calibration_error",
        "precision_at_5pct",
        "recall_at_5pct",
        "lead_days_median",
        "excluded_in_crisis",
    }
    for part in (summary, *summary["baselines"].values()):
        assert figures <= set(part)
        assert figures <= set(part["origins"]["2026-02-28"])
    assert set(summary["baselines"]) == {"days_past_due", "logistic", "scorecard"}
    assert summary["excluded_in_crisis"] == 7


def test_where_too_little_is_known_the_scorecard_stands_in_and_says_so(
    rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe
) -> None:
    past, present = (rows.filter(pl.col("origin") == origin) for origin in (PAST, PRESENT))
    tried = try_models(past.with_columns(is_default=pl.lit(value=False)), present, directions, recipe, 180, 2)
    summary = summarise_trial([tried], EXCLUDED, recipe)
    assert summary["is_scorecard"]
    assert summary["auc"] == summary["baselines"]["scorecard"]["auc"]
