from __future__ import annotations

import polars as pl
import pytest

import features as declared
from models.changes import TOP, explain_changes
from models.explain import explain_by_theme, explain_scores
from models.model import Model

THEMES = {"days_past_due": "repayment", "credit_score": "standing", "utilisation": "burden", "sales_change_yoy": "sales"}


@pytest.fixture
def now(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("origin") == pl.col("origin").max()).drop("origin", "is_default", "default_on").head(40)


def rise(frame: pl.DataFrame, to: str = "alert") -> pl.DataFrame:
    return frame.select("borrower_id", level=pl.lit(to), level_before=pl.lit("watch"))


def test_only_what_changed_is_told_and_by_how_much_it_raised_the_risk(now: pl.DataFrame, model: Model) -> None:
    late = now.with_columns(days_past_due=pl.lit(60.0))
    told = explain_changes(late, now.with_columns(days_past_due=pl.lit(0.0)), rise(now), model, THEMES)
    assert told["borrower_id"].to_list() == sorted(now["borrower_id"])
    assert told["feature"].unique().to_list() == ["days_past_due"]
    assert told.select("theme", "value_before", "value").unique().rows() == [("repayment", 0.0, 60.0)]
    assert told["contribution"].min() > 0


def test_the_strongest_change_comes_first_at_most_three_and_a_better_fact_is_no_reason(now: pl.DataFrame, model: Model) -> None:
    before = now.with_columns(days_past_due=pl.lit(0.0), credit_score=pl.lit(700.0), sales_change_yoy=pl.lit(-0.5))
    after = before.with_columns(days_past_due=pl.lit(80.0), credit_score=pl.lit(600.0), sales_change_yoy=pl.lit(0.5))
    told = explain_changes(after, before, rise(now), model, THEMES)
    assert told["position"].max() <= TOP
    assert "sales_change_yoy" not in told["feature"]
    ordered = told.with_columns(next=pl.col("contribution").shift(-1).over("borrower_id")).drop_nulls("next")
    assert ordered.height > 0
    assert (ordered["contribution"] >= ordered["next"]).all()
    assert explain_changes(after.reverse(), before.reverse(), rise(now).reverse(), model, THEMES).equals(told)


def test_where_nothing_changed_one_row_says_so_in_words(now: pl.DataFrame, model: Model) -> None:
    told = declared.word_changes(explain_changes(now, now, rise(now), model, THEMES))
    assert told.select("position", "feature", "contribution").unique().rows() == [(1, None, None)]
    assert told["borrower_id"].to_list() == sorted(now["borrower_id"])
    assert "판단 기준" in told["text_ko"][0]


@pytest.mark.parametrize("is_scorecard_night", [True, False])
def test_distress_and_scorecard_nights_are_told_by_the_signs_that_are_new(
    now: pl.DataFrame, model: Model, is_scorecard_night: bool
) -> None:
    before, after = (now.with_columns(days_past_due=pl.lit(days)) for days in (20.0, 95.0))
    given = None if is_scorecard_night else model
    told = declared.word_changes(explain_changes(after, before, rise(now, "distressed"), given, THEMES))
    assert told.filter(position=1)["feature"].unique().to_list() == ["is_in_crisis"]
    assert told.filter(position=1)["text_en"].str.starts_with("Newly known: ").all()
    second = told.filter(position=2)
    assert second.select("feature", "value_before", "value").unique().rows() == [("days_past_due", 20.0, 95.0)]
    assert second["text_ko"].str.contains("지난번: 현재 연체일수는 20일", literal=True).all()
    assert second["text_en"].str.contains("Now: The loan furthest behind is 95 days past due.", literal=True).all()


def test_the_totals_of_the_themes_and_the_expected_score_are_the_score(now: pl.DataFrame, model: Model) -> None:
    levels = now.select("borrower_id", level=pl.lit("alert"))
    both = explain_by_theme(now, levels, model, {name: THEMES.get(name, "other") for name in model.features})
    assert both["reasons"].equals(explain_scores(now, levels, model, {name: THEMES.get(name, "other") for name in model.features}))
    totals = both["theme_totals"].group_by("borrower_id").agg(pl.col("contribution").sum()).sort("borrower_id")
    expected = model.booster.predict(model.arrange(now.head(1)), pred_contrib=True)[0, -1]
    raw = pl.Series(model.score_raw(now.sort("borrower_id")))
    assert (totals["contribution"] + expected - raw).abs().max() < 1e-6


def test_of_the_distressed_the_totals_are_the_points_of_all_signs(now: pl.DataFrame, model: Model) -> None:
    late = now.with_columns(days_past_due=pl.lit(95.0))
    told = explain_by_theme(late, late.select("borrower_id", level=pl.lit("distressed")), model, THEMES, top=1)
    assert told["reasons"]["position"].max() == 1
    points = told["theme_totals"].filter(theme="repayment")["contribution"]
    assert points.min() > told["reasons"]["contribution"].max()
