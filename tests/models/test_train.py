from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from models.evaluate import measure_auc
from models.folds import assign_folds
from models.model import Model
from models.recipe import Recipe, load_recipe
from models.train import choose_features, fit_model
from models.trees import thin_negatives
from signals.errors import InputError, SettingsError

KNOWN_BY = date(2026, 8, 31)


def test_the_same_rows_make_the_same_model_byte_for_byte(
    rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe, model: Model
) -> None:
    again = fit_model(rows.sample(fraction=1, shuffle=True, seed=5), directions, recipe, 180, KNOWN_BY)
    assert again.booster.model_to_string() == model.booster.model_to_string()
    assert (again.calibration, again.thresholds, again.about) == (model.calibration, model.thresholds, model.about)


def test_risk_only_rises_where_it_may_only_rise(rows: pl.DataFrame, model: Model) -> None:
    for name, direction in model.directions.items():
        steps = np.linspace(-50, 1000, 40)
        raw = np.array([model.score_raw(rows.with_columns(pl.lit(value).alias(name))) for value in steps])
        if direction:
            assert (np.diff(raw, axis=0) * direction >= -1e-9).all(), name


def test_columns_that_say_nothing_are_left_out(rows: pl.DataFrame, directions: dict[str, int], model: Model) -> None:
    assert set(directions) - set(model.features) == {"empty", "same"}
    assert choose_features(rows, {"absent": 1}) == {}
    assert choose_features(pl.DataFrame({"a": [1.0, None]}), {"a": 1}) == {}


def test_folds_keep_a_borrower_together_and_spread_defaults(rows: pl.DataFrame) -> None:
    dealt = rows.with_columns(fold=pl.Series(assign_folds(rows, 5, seed=1)))
    per_borrower = dealt.group_by("borrower_id").agg(pl.col("fold").n_unique())
    defaults = dealt.group_by("borrower_id", "fold").agg(pl.col("is_default").any()).group_by("fold").agg(pl.col("is_default").sum())
    assert per_borrower["fold"].to_list() == [1] * len(per_borrower)
    assert defaults["is_default"].max() - defaults["is_default"].min() <= 1


def test_negatives_are_thinned_and_the_base_rate_stands(rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe) -> None:
    label = rows["is_default"].to_numpy().astype(float)
    thin = replace(recipe, negatives_per_default=2)
    assert thin_negatives(rows, thin).sum() == 3 * label.sum()
    assert thin_negatives(rows, replace(recipe, negatives_per_default=10**6)).all()
    fitted = fit_model(rows, directions, thin, 180, KNOWN_BY)
    assert fitted.booster.dump_model()["tree_info"][0]["tree_structure"]["internal_count"] <= 3 * label.sum()
    risk = fitted.calibration.apply(fitted.score_raw(rows))
    assert risk.mean() == pytest.approx(label.mean(), rel=0.1)


def test_few_defaults_make_an_additive_model_that_still_ranks(few_rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe) -> None:
    fitted = fit_model(few_rows, directions, recipe, 180, KNOWN_BY)
    assert fitted.about["is_thin"]
    assert fitted.booster.dump_model()["max_feature_idx"] == len(fitted.features) - 1
    assert max(tree["num_leaves"] for tree in fitted.booster.dump_model()["tree_info"]) == 2
    auc = measure_auc(few_rows["is_default"].to_numpy().astype(float), fitted.score_raw(few_rows))
    assert auc is not None
    assert auc > 0.7


@pytest.mark.parametrize("change", [pl.lit(value=False), pl.col("borrower_id") < "B00019", pl.lit(value=True)])
def test_too_few_defaults_are_refused_in_words(few_rows: pl.DataFrame, directions: dict[str, int], recipe: Recipe, change: pl.Expr) -> None:
    with pytest.raises(InputError, match="a model needs at least 20") as refused:
        fit_model(few_rows.with_columns(is_default=change), directions, recipe, 180, KNOWN_BY)
    assert "scorecard" in str(refused.value)


def test_features_that_are_all_unknown_are_refused_in_words(rows: pl.DataFrame, recipe: Recipe) -> None:
    with pytest.raises(InputError, match="a feature that differs"):
        fit_model(rows, {"empty": 0, "same": 1}, recipe, 180, KNOWN_BY)


def test_a_model_refuses_features_it_does_not_know(rows: pl.DataFrame, model: Model) -> None:
    with pytest.raises(InputError, match="credit_score"):
        model.score_raw(rows.drop("credit_score"))


def test_a_recipe_with_an_unknown_setting_is_refused(tmp_path) -> None:
    (tmp_path / "recipe.toml").write_text("colour = 1\n")
    with pytest.raises(SettingsError, match="colour"):
        load_recipe(tmp_path / "recipe.toml")
