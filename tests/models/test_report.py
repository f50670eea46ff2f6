from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from models.beside import look_beside
from models.recipe import Recipe
from models.report import show_report, tabulate_figures, write_report
from models.trial import summarise_trial
from tests.models.conftest import make_trial

JAN, FEB = date(2026, 1, 31), date(2026, 2, 28)
NOBODY = {"excluded_in_crisis": 0, "excluded_already_in_default": 0}
FRAME = {"is_out_of_time": True, "horizon_days": 180}


def judge(recipe: Recipe, **changes: Any) -> dict[str, Any]:
    trials = [make_trial(1, origins=(day,)).with_columns(**changes) for day in (JAN, FEB)]
    return summarise_trial(trials, {JAN: NOBODY, FEB: NOBODY}, recipe) | FRAME


def test_a_model_ahead_of_all_is_said_to_be(recipe: Recipe) -> None:
    found = judge(recipe)
    assert next(iter(found)) == "verdict"
    assert found["verdict"]["is_ahead"] is True
    against = found["verdict"]["against"]["logistic"]
    assert against["auc"] == pytest.approx(found["auc"] - found["baselines"]["logistic"]["auc"])
    assert 0 < against["auc_interval"][0] < against["auc"] < against["auc_interval"][1]


@pytest.mark.parametrize(
    ("changes", "standing"),
    [({"model_raw": pl.col("logistic_raw")}, "not told apart"), ({"model_raw": -pl.col("model_raw")}, "behind")],
    ids=["level", "behind"],
)
def test_a_model_that_does_not_beat_its_baselines_is_said_first(recipe: Recipe, changes: dict[str, Any], standing: str) -> None:
    found = judge(recipe, **changes)
    assert found["verdict"]["is_ahead"] is False
    assert found["verdict"]["against"]["logistic"]["standing"] == standing
    report = write_report(found)
    assert "NOT ahead of" in report.splitlines()[2]
    assert "the logistic scorecard" in report.splitlines()[2]


def test_without_enough_defaults_or_without_a_model_the_verdict_is_open(recipe: Recipe) -> None:
    few = judge(recipe, is_default=pl.int_range(pl.len()) == 3)
    assert few["verdict"]["is_ahead"] is None
    assert "Too few defaults came" in few["verdict"]["text_en"]
    assert judge(recipe, is_scorecard=pl.lit(value=True))["verdict"]["is_ahead"] is None
    none = judge(recipe, is_default=pl.lit(value=False), default_on=pl.lit(None, dtype=pl.Date))
    assert none["auc"] is None
    assert "Brier" in write_report(none)


def test_the_terminal_says_the_verdict_before_the_table_and_fits_a_screen(recipe: Recipe) -> None:
    out, found = io.StringIO(), judge(recipe) | {"audit": {"is_clean": True, "features": 6, "named": []}}
    show_report(found, Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert "모형이" in lines[0]
    assert "leakage audit" in lines[-1]
    assert len(lines) < 60
    assert len(tabulate_figures(found)) > len(tabulate_figures(found, is_short=True))


def test_what_is_named_as_a_leak_is_in_the_report(recipe: Recipe) -> None:
    named = [{"kind": "nulls", "feature": "limit", "auc": 0.9}, {"kind": "jump", "auc": 0.8}]
    report = write_report(judge(recipe) | {"audit": {"is_clean": False, "features": 6, "named": named}})
    assert "limit 결측" in report
    assert report.count("possible leak") == 2


def test_another_horizon_is_measured_where_it_is_over_and_said_to_be_unfinished_where_not(recipe: Recipe) -> None:
    tried = pl.concat([make_trial(1, origins=(day,)) for day in (JAN, FEB)])
    months = {"loan_id": ["L"], "due_month": [date(2026, 1, 1)], "days_past_due": [0], "known_on": [date(2026, 1, 5)]}
    people = tried.select("borrower_id").unique().sort("borrower_id").with_columns(known_on=pl.lit(date(2026, 1, 1)))
    came = people.head(100).select(
        "borrower_id", kind=pl.lit("default_90d"), happened_on=pl.lit(date(2026, 12, 1)), known_on=pl.lit(date(2026, 12, 2))
    )
    repayments = people.head(1).select("borrower_id").join(pl.DataFrame(months), how="cross")
    tables = {"borrowers": people.lazy(), "repayments": repayments.lazy(), "events": came.lazy()}
    half = look_beside(tried, tables, JAN + timedelta(days=365), recipe)
    assert (half["is_finished"], half["origins"], half["unfinished"]) == (True, ["2026-01-31"], ["2026-02-28"])
    assert half["defaults"] == 100
    assert half["auc_interval"][0] <= half["auc"] <= half["auc_interval"][1]
    assert "brier" not in half
    none = look_beside(tried, tables, JAN, recipe)
    assert none == {"is_finished": False, "origins": [], "unfinished": ["2026-01-31", "2026-02-28"]}
    assert "365 days: 아직 끝나지 않음 · unfinished" in write_report(judge(recipe) | {"beside": {"365": none}})


def test_flags_that_are_worse_than_a_baselines_are_said_with_the_verdict(recipe: Recipe) -> None:
    found = judge(recipe, model_is_own=~pl.col("is_default"), logistic_is_own=pl.col("is_default"))
    assert found["verdict"]["flags_worse_than"] == ["logistic"]
    assert "WORSE than those of the logistic scorecard" in write_report(found).splitlines()[2]
    assert found["baselines"]["logistic"]["f2_of_own"] == 1.0
