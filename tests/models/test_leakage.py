from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from models.concordance import measure_concordance
from models.leakage import audit_features, find_jump, sum_up_audit
from models.recipe import Recipe
from tests.models.conftest import DIRECTIONS, make_rows, make_trial

Array = np.ndarray


def plant(rows: pl.DataFrame, kind: str, strength: float, seed: int = 5) -> pl.DataFrame:
    """A feature `planted` that knows the outcome in one way; of nobody else at random."""
    rng = np.random.default_rng(seed)
    came = rows["is_default"].to_numpy().astype(float)
    amount = np.round(np.exp(rng.normal(15, 1, len(rows))))
    acts = rng.random(len(rows)) < np.where(came > 0, strength, 1 - strength)
    planted = {
        "feature": came + rng.normal(0, 1 - strength, len(rows)),
        "nulls": np.where(acts, np.nan, amount),
        "rounding": np.where(acts, np.round(amount, -4), amount),
        "nothing": amount,
    }[kind]
    return rows.with_columns(planted=pl.Series(planted).fill_nan(None))


@pytest.mark.parametrize("horizon_days", [31, 180])
@pytest.mark.parametrize(("kind", "strength"), [("feature", 0.6), ("nulls", 0.7), ("rounding", 0.7)])
def test_a_planted_leak_is_named_and_nothing_else(
    kind: str, strength: float, horizon_days: int, rows: pl.DataFrame, recipe: Recipe
) -> None:
    found = audit_features(plant(rows, kind, strength), [*DIRECTIONS, "planted"], recipe, horizon_days)
    assert [(one["kind"], one["feature"]) for one in found] == [(kind, "planted")]
    assert found[0]["auc"] > found[0]["bound"] > found[0]["bar"]


def test_nobody_is_accused_in_clean_books(recipe: Recipe) -> None:
    for seed in range(12):
        rows = plant(make_rows(borrowers=800, seed=seed), "nothing", 0.5, seed)
        assert audit_features(rows, [*DIRECTIONS, "planted", "absent"], recipe, 180) == []


def test_with_few_defaults_nothing_is_judged(recipe: Recipe) -> None:
    rows = plant(make_rows(borrowers=100, base=-4.0), "feature", 0.9)
    assert rows["is_default"].sum() < recipe.audit["defaults"]
    assert audit_features(rows, ["planted"], recipe, 180) == []


def test_a_null_that_another_column_says_by_a_value_is_no_leak(rows: pl.DataFrame, recipe: Recipe) -> None:
    """Never late: `months_since_late` is null exactly where no late month is counted."""
    late = plant(rows, "nulls", 0.8).with_columns(count=pl.col("planted").is_null().cast(pl.Float64))
    assert audit_features(late, ["planted"], recipe, 180) != []
    assert [one for one in audit_features(late, ["planted", "count"], recipe, 180) if one["kind"] == "nulls"] == []


def test_a_state_that_many_share_is_not_taken_for_rounding(rows: pl.DataFrame, recipe: Recipe) -> None:
    """A line drawn in full is exactly one, and that is news about the borrower."""
    came = rows["is_default"].to_numpy()
    rng = np.random.default_rng(1)
    drawn = np.where(rng.random(len(rows)) < np.where(came, 0.4, 0.002), 1.0, np.clip(rng.random(len(rows)), 0.5, 0.9999))
    assert audit_features(rows.with_columns(utilisation=pl.Series(drawn)), ["utilisation"], recipe, 180) == []


def test_days_overdue_are_no_leak_where_the_calendar_alone_brings_the_crisis(rows: pl.DataFrame, recipe: Recipe) -> None:
    rng = np.random.default_rng(2)
    days = np.where(rows["is_default"].to_numpy(), 75.0 + rng.integers(-10, 10, len(rows)), 5.0 * rng.integers(0, 3, len(rows)))
    late = rows.with_columns(days_past_due=pl.Series(days))
    assert [one["feature"] for one in audit_features(late, ["days_past_due"], recipe, 180)] == ["days_past_due"]
    assert audit_features(late, ["days_past_due"], recipe, 31) == []


def test_the_order_of_rows_changes_no_suspicion(rows: pl.DataFrame, recipe: Recipe) -> None:
    leaky, names = plant(rows, "rounding", 0.9), [*DIRECTIONS, "planted"]
    assert audit_features(leaky.sample(fraction=1, shuffle=True, seed=1), names, recipe, 180) == audit_features(leaky, names, recipe, 180)


def test_an_auc_within_strata_pairs_only_likes_and_its_error_is_about_right() -> None:
    def draw(seed: int) -> tuple[Array, Array, Array]:
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(150), 2)
        stress = rng.normal(size=150)[person]
        return (rng.random(300) < 1 / (1 + np.exp(1 - stress))).astype(float), np.round(stress, 1), person

    label, value, person = draw(0)
    whole = measure_concordance(label, value, person)
    assert whole is not None
    assert whole.auc == pytest.approx(roc_auc_score(label, value))
    apart = measure_concordance(np.tile(label, 2), np.concatenate([value, value + 99]), np.tile(person, 2), np.repeat([0, 1], 300))
    assert apart is not None
    assert apart.auc == pytest.approx(whole.auc)
    assert apart.error == pytest.approx(whole.error)
    found = [measure_concordance(*draw(seed)) for seed in range(200)]
    spread = np.std([one.auc for one in found if one])
    assert np.mean([one.error for one in found if one]) == pytest.approx(spread, rel=0.15)
    assert measure_concordance(np.ones(3), np.arange(3.0), np.arange(3)) is None


def test_a_jump_from_out_of_time_to_random_is_named_and_none_is_where_none_is(recipe: Recipe) -> None:
    day = date(2026, 2, 28)
    out = make_trial(1, origins=(day,))
    noise = pl.Series(np.random.default_rng(3).normal(0, 3, len(out)))
    worse = out.with_columns(model_raw=pl.col("model_raw") + noise)
    jump = find_jump(out, worse, recipe)
    assert jump["is_named"] is True
    assert jump["jump"] == pytest.approx(jump["auc_random"] - jump["auc_out_of_time"])
    assert sum_up_audit([], 6, jump)["named"][0]["kind"] == "jump"
    assert find_jump(out, out, recipe)["is_named"] is False
    assert find_jump(worse, out, recipe)["is_named"] is False
    stood_in = out.with_columns(is_scorecard=pl.lit(value=True))
    assert find_jump(stood_in, out, recipe)["is_named"] is None
    assert sum_up_audit([], 6, None)["is_clean"] is True
    assert sum_up_audit([], 6, None, is_judged=False)["is_clean"] is None
