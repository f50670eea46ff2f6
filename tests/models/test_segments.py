from __future__ import annotations

from datetime import date

import polars as pl

from models.recipe import Recipe
from models.segments import SEGMENTS, join_segments, measure_segments
from signals.offices import Office
from tests.models.conftest import make_trial

JAN = date(2026, 1, 31)
OFFICES = (Office("seoul", "서울", "Seoul", ("11",), 3, ""), Office("rest", "본부", "Head office", (), 5, ""))


def test_each_borrower_is_told_by_the_register_and_the_unknown_go_to_the_catch_all() -> None:
    register = pl.LazyFrame(
        {
            "borrower_id": ["B00000", "B00001", "B00002"],
            "region_code": ["11", "26", None],
            "industry_code": ["I56111", "C10", "nonsense"],
            "employees": [0, 12, None],
            "annual_sales_krw": [1, 1, 1],
            "opened_on": [date(2025, 6, 1), None, None],
        }
    )
    businesses = pl.LazyFrame({"borrower_id": ["B00001"], "opened_on": [date(2010, 1, 1)]})
    tried = make_trial(1, borrowers=4, origins=(JAN,))
    joined = join_segments(tried, {"borrowers": register, "businesses": businesses}, JAN, OFFICES)
    assert joined.select("office", "places", *SEGMENTS).rows() == [
        ("seoul", 3, "inside", "11", "I", "small", "0", "under 1 year"),
        ("rest", 5, "outside", "26", "C", "larger", "10+", "7+ years"),
        *[("rest", 5, *["unknown"] * 6)] * 2,
    ]
    assert joined.select(tried.columns).equals(tried)


def test_a_register_of_bare_names_leaves_the_kinds_empty(recipe: Recipe) -> None:
    tried = make_trial(1, borrowers=4, origins=(JAN,))
    joined = join_segments(tried, {"borrowers": tried.lazy().select("borrower_id")}, JAN, OFFICES)
    assert measure_segments(joined, recipe) == {kind: {} for kind in SEGMENTS}


def test_the_segments_of_a_kind_hold_everyone_once_each_with_its_interval(recipe: Recipe) -> None:
    tried = make_trial(1, origins=(JAN,))
    names = pl.col("borrower_id")
    register = tried.lazy().select(names, region_code=pl.when(names < "B00200").then(pl.lit("11")).otherwise(pl.lit("50")))
    told = measure_segments(join_segments(tried, {"borrowers": register}, JAN, OFFICES), recipe)
    assert list(told["region"]) == ["11", "50"]
    assert list(told["capital"]) == ["inside", "outside"]
    assert sum(one["borrowers"] for one in told["region"].values()) == len(tried)
    seoul = told["region"]["11"]
    assert seoul["auc_interval"][0] <= seoul["auc"] <= seoul["auc_interval"][1]
    assert set(seoul["baselines"]) == {"days_past_due", "logistic", "scorecard"}
    assert "precision_at_capacity" not in seoul
