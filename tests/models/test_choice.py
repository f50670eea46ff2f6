from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from models.choice import choose_shape
from models.lot import draw_lot
from models.recipe import Recipe
from models.train import fit_model
from tests.models.conftest import make_rows

CHOSEN = {"days_past_due": 1, "credit_score": -1, "utilisation": 0}


@pytest.fixture
def asking(recipe: Recipe) -> Recipe:
    return replace(recipe, thin_defaults=50, sure_defaults=10**6)


def cross_signs(rows: pl.DataFrame) -> pl.DataFrame:
    """Let risk follow two signs that say nothing each by itself."""
    lot = pl.Series(np.random.default_rng(4).random(len(rows)))
    is_crossed = (pl.col("utilisation") > 0.5) == (pl.col("credit_score") > 800)
    return rows.with_columns(is_default=lot < pl.when(is_crossed).then(0.25).otherwise(0.02))


def test_the_simpler_shape_serves_where_trees_are_no_better(asking: Recipe) -> None:
    choice = choose_shape(make_rows().sort("origin", "borrower_id"), CHOSEN, asking, 180)
    assert choice.why == "asked"
    assert choice.is_additive
    assert choice.gain <= choice.gain_error


def test_trees_serve_where_two_signs_speak_only_together_and_the_card_says_why(asking: Recipe) -> None:
    rows = cross_signs(make_rows())
    quick = {**asking.trees, "min_data_in_leaf": 50}
    fitted = fit_model(rows, CHOSEN, replace(asking, trees=quick), 180, date(2026, 8, 31))
    assert fitted.about["choice"]["loss_trees"] < fitted.about["choice"]["loss_additive"]
    assert not fitted.about["is_thin"]
    assert 0 < fitted.about["negatives_share"] <= 1


def test_it_is_judged_out_of_time_where_enough_is_known_so_early(asking: Recipe) -> None:
    rows = make_rows(origins=(date(2025, 6, 30), date(2026, 1, 31))).sort("origin", "borrower_id")
    assert choose_shape(rows, CHOSEN, asking, 180).is_out_of_time
    assert not choose_shape(rows, CHOSEN, asking, 365).is_out_of_time


@pytest.mark.parametrize(("thin", "sure", "why", "is_additive"), [(10**5, 10**6, "few", True), (1, 2, "many", False)])
def test_with_very_few_defaults_or_many_nobody_is_asked(recipe: Recipe, thin: int, sure: int, why: str, is_additive: bool) -> None:
    choice = choose_shape(make_rows(), CHOSEN, replace(recipe, thin_defaults=thin, sure_defaults=sure), 180)
    assert (choice.why, choice.is_additive, choice.gain) == (why, is_additive, None)


def test_a_lot_hangs_on_borrower_day_and_seed_alone() -> None:
    ids = pl.Series([f"B{number:05d}" for number in range(20_000)])
    days = pl.Series([date(2026, 1, 31)]).new_from_index(0, len(ids))
    first = draw_lot(ids, 7, days)
    assert (draw_lot(ids.reverse(), 7, days)[::-1] == first).all()
    assert first.mean() == pytest.approx(0.5, abs=0.01)
    for other in (draw_lot(ids, 8, days), draw_lot(ids, 7, days.dt.offset_by("28d"))):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.03
