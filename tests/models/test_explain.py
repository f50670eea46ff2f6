from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import features as features_declared
from models import explain
from models.explain import HELD_FEATURE, compute_shapley, explain_scores, shapley_by_lightgbm, shapley_by_woodelf
from models.model import Model
from signals.products import LEVELS

THEMES = {"days_past_due": "repayment", "credit_score": "standing", "utilisation": "burden", "sales_change_yoy": "sales"}


@pytest.fixture
def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("origin") == pl.col("origin").max()).drop("origin", "is_default", "default_on")


def give_level(features: pl.DataFrame, level: str) -> pl.DataFrame:
    return features.select("borrower_id", level=pl.lit(level))


def test_the_two_ways_agree_to_a_hundred_thousandth_and_add_up_to_the_score(features: pl.DataFrame, model: Model) -> None:
    matrix = model.arrange(features)
    assert np.isnan(matrix).any()
    fast, own = shapley_by_woodelf(matrix, model), shapley_by_lightgbm(matrix, model)
    assert np.abs(fast - own).max() < 1e-5
    expected = model.booster.predict(matrix[:1], pred_contrib=True)[0, -1]
    assert own.sum(axis=1) + expected == pytest.approx(model.score_raw(features), abs=1e-6)


def test_of_trees_that_can_not_be_tabulated_many_rows_go_to_woodelf_and_what_it_can_not_read_falls_back(
    features: pl.DataFrame, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(matrix, model):
        asked.append(len(matrix))
        raise NotImplementedError

    looked_up = compute_shapley(features.head(10), model)
    model = replace(model)
    monkeypatch.setitem(model.__dict__, "shapley_groups", None)
    monkeypatch.setattr(explain, "shapley_by_woodelf", refuse)
    few = compute_shapley(features.head(10), model)
    assert asked == []
    monkeypatch.setattr(explain, "MANY_ROWS", 10)
    assert (compute_shapley(features.head(10), model) == few).all()
    assert asked == [10]
    assert np.abs(few - looked_up).max() < 1e-12


def test_of_equal_parts_the_first_feature_is_told_first() -> None:
    values = np.array([[0.0, 2.0, 2.0, -1.0], [1.0, 1.0, 1.0, 1.0]])
    assert explain._order_strongest(values, 3).tolist() == [[1, 2, 0], [0, 1, 2]]
    assert explain._order_strongest(values, 9).shape == (2, 4)


def test_reasons_are_the_strongest_that_raise_the_risk(features: pl.DataFrame, model: Model) -> None:
    reasons = explain_scores(features, give_level(features, "alert"), model, THEMES, top=3)
    values = compute_shapley(features, model)
    for number in range(0, len(features), 100):
        row = features.row(number, named=True)
        mine = reasons.filter(pl.col("borrower_id") == row["borrower_id"])
        order = [index for index in np.argsort(-values[number])[:3] if values[number][index] > 0] or [int(np.argmax(values[number]))]
        assert mine["feature"].to_list() == [model.features[index] for index in order]
        assert mine["contribution"].to_list() == [values[number][index] for index in order]
        assert mine["value"].to_list() == [row[name] for name in mine["feature"]]
        assert mine["position"].to_list() == list(range(1, len(order) + 1))
        assert mine["theme"].to_list() == [THEMES[name] for name in mine["feature"]]
    assert reasons["borrower_id"].n_unique() == len(features)


def test_only_those_with_a_level_are_explained(features: pl.DataFrame, model: Model) -> None:
    levels = give_level(features, "none").with_columns(
        level=pl.when(pl.col("borrower_id") == "B00007").then(pl.lit("watch")).otherwise("level")
    )
    assert explain_scores(features, levels, model, THEMES)["borrower_id"].unique().to_list() == ["B00007"]
    assert explain_scores(features, give_level(features, "none"), model, THEMES).is_empty()


def test_the_distressed_are_explained_by_the_fact_and_the_signs(model: Model) -> None:
    features = pl.DataFrame(
        {
            "borrower_id": ["A", "B"],
            "days_past_due": [40.0, 0.0],
            "credit_score": [700.0, 900.0],
            "utilisation": [0.5, 0.5],
            "sales_change_yoy": [None, None],
        },
        schema_overrides={"sales_change_yoy": pl.Float64},
    )
    reasons = explain_scores(features, give_level(features, "distressed"), model, THEMES)
    assert reasons.select("borrower_id", "position", "feature", "theme", "contribution", "value").rows() == [
        ("A", 1, "is_in_crisis", "repayment", 100.0, 1.0),
        ("A", 2, "days_past_due", "repayment", 50.0, 40.0),
        ("A", 3, "credit_score", "standing", 15.0, 700.0),
        ("B", 1, "is_in_crisis", "repayment", 100.0, 1.0),
    ]


def test_a_scorecard_night_is_explained_by_the_signs(features: pl.DataFrame) -> None:
    late = features.with_columns(days_past_due=pl.lit(20.0), credit_score=pl.lit(900.0)).head(2)
    reasons = explain_scores(late, give_level(late, "caution"), None, THEMES)
    assert reasons.filter(pl.col("feature") == "days_past_due")["contribution"].to_list() == [25.0, 25.0]
    assert "is_in_crisis" not in reasons["feature"].to_list()


def test_a_held_level_without_any_sign_has_exactly_one_reason_that_can_be_worded() -> None:
    well = pl.DataFrame(
        {"borrower_id": ["A", "B", "C"], "days_past_due": [0.0, 0.0, 20.0], HELD_FEATURE: [3.0, None, 40.0], "credit_score": [900.0] * 3}
    )
    reasons = explain_scores(well, give_level(well, "alert"), None, features_declared.themes())
    assert reasons.select("borrower_id", "position", "feature", "theme", "contribution", "value").rows() == [
        ("A", 1, HELD_FEATURE, features_declared.themes()[HELD_FEATURE], 0.0, 3.0),
        ("B", 1, HELD_FEATURE, features_declared.themes()[HELD_FEATURE], 0.0, None),
        ("C", 1, "days_past_due", features_declared.themes()["days_past_due"], 25.0, 20.0),
    ]
    assert features_declared.word_reasons(reasons)["text_en"].null_count() == 0
    bare = explain_scores(well.drop(HELD_FEATURE), give_level(well, "watch"), None, THEMES)
    assert bare["borrower_id"].to_list() == ["A", "B", "C"]


@pytest.mark.parametrize("is_scorecard_night", [True, False])
def test_everyone_with_a_level_has_a_reason(features: pl.DataFrame, model: Model, is_scorecard_night: bool) -> None:
    order = pl.int_range(pl.len()) % len(LEVELS)
    levels = features.select("borrower_id", level=order.replace_strict(list(range(len(LEVELS))), list(LEVELS), return_dtype=pl.String))
    reasons = explain_scores(features, levels, None if is_scorecard_night else model, THEMES)
    with_level = levels.filter(pl.col("level") != "none")
    assert reasons.filter(pl.col("position") == 1)["borrower_id"].to_list() == sorted(with_level["borrower_id"])


def test_the_order_of_the_rows_changes_neither_the_parts_nor_the_reasons(
    features: pl.DataFrame, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[list[str]] = []
    monkeypatch.setattr(explain, "ROWS_AT_ONCE", 400)
    monkeypatch.setattr(
        explain, "compute_shapley", lambda asked, model: parts.append(asked["borrower_id"].to_list()) or compute_shapley(asked, model)
    )
    levels = give_level(features, "alert")
    given = explain_scores(features, levels, model, THEMES)
    number, shuffled = len(parts), features.sample(fraction=1.0, shuffle=True, seed=5)
    assert explain_scores(shuffled, give_level(shuffled, "alert"), model, THEMES).equals(given)
    assert parts[:number] == parts[number:]
