from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models.figures import open_sheet
from models.lists import find_first_flags, measure_churn, share_places
from models.offices import measure_offices
from models.recipe import Recipe
from models.trial import measure_contenders
from tests.models.conftest import make_trial

JAN, FEB, MAR = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)


def test_each_office_fills_its_own_places_and_equals_share_the_last() -> None:
    rows = pl.DataFrame({"office": ["a"] * 3 + ["b"] * 2 + ["c"], "score": [1.0, 1.0, 5.0, 2.0, 1.0, 9.0], "places": [2, 2, 2, 1, 1, 0]})
    assert share_places(rows, "score", pl.col("places"), ("office",)).to_list() == [0.5, 0.5, 1.0, 1.0, 0.0, 0.0]


def test_churn_is_the_share_of_the_list_that_is_new() -> None:
    rows = [(JAN, "A", 1.0), (JAN, "B", 1.0), (FEB, "A", 1.0), (FEB, "C", 1.0), (MAR, "A", 0.0)]
    listed = pl.DataFrame(rows, schema=["origin", "borrower_id", "place"], orient="row")
    assert measure_churn(listed) == {"2026-02-28": 0.5, "2026-03-31": None}
    assert measure_churn(listed.filter(origin=JAN)) == {}


def test_equals_who_share_the_last_places_are_not_new_every_time() -> None:
    listed = pl.DataFrame({"origin": [JAN] * 4 + [FEB] * 4, "borrower_id": list("ABCD") * 2, "place": [0.25] * 8})
    assert measure_churn(listed) == {"2026-02-28": 0.0}


def test_the_lead_counts_from_the_first_origin_that_flagged_the_borrower() -> None:
    crisis = date(2026, 5, 1)
    rows = pl.DataFrame(
        [
            (JAN, "caught", False, None, "caution"),
            (FEB, "caught", True, crisis, "none"),
            (MAR, "caught", True, crisis, "alert"),
            (JAN, "flagged too early, then missed", False, None, "alert"),
            (MAR, "flagged too early, then missed", True, crisis, "watch"),
            (MAR, "missed", True, crisis, "none"),
            (MAR, "well", False, None, "alert"),
        ],
        schema=["origin", "borrower_id", "is_default", "default_on", "model_level"],
        orient="row",
    )
    assert find_first_flags(rows, "model_level").rows() == [("caught", crisis, 90)]


def test_the_figures_at_the_levels_and_at_capacity_are_those_worked_by_hand() -> None:
    rows = make_trial(1, borrowers=10, origins=(JAN,)).with_columns(
        is_default=pl.int_range(10) < 4,
        default_on=pl.when(pl.int_range(10) < 4).then(pl.lit(MAR)),
        model_level=pl.Series(["alert", "caution", "caution", *["none"] * 6, "caution"]),
        model_raw=(-pl.int_range(10)).cast(pl.Float64),
        office=pl.lit("a"),
        places=pl.lit(2),
    )
    found = open_sheet(rows, "model").measure(pl.ones(10, eager=True).to_numpy())
    assert (found["precision_at_caution"], found["recall_at_caution"]) == (0.75, 0.75)
    assert found["f2_at_caution"] == pytest.approx(0.75)
    assert found["f05_at_alert"] == pytest.approx(1.25 * 0.25 / (0.25 + 0.25))
    assert (found["precision_at_capacity"], found["recall_at_capacity"]) == (1.0, 0.5)
    assert found["lead_days_first_flag_median"] == 59


def test_the_offices_together_are_the_figure_at_capacity(recipe: Recipe) -> None:
    rows = make_trial(2).with_columns(
        office=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("a")).otherwise(pl.lit("b")), places=pl.lit(15)
    )
    whole = measure_contenders(rows, ("model",), recipe)[0]["model"]
    place = share_places(rows, "model_raw", pl.col("places"), ("origin", "office"))
    offices = measure_offices(rows.with_columns(place=place), recipe)
    assert list(offices) == ["a", "b"]
    assert sum(one["listed"] for one in offices.values()) == 60
    caught = sum(one["precision_at_capacity"] * one["listed"] for one in offices.values())
    assert whole["precision_at_capacity"] == pytest.approx(caught / 60)
    assert whole["recall_at_capacity"] == pytest.approx(caught / whole["defaults"])
    assert all(low <= one["recall_at_capacity"] <= high for one in offices.values() for low, high in [one["recall_at_capacity_interval"]])
