from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.levels import Thresholds, assign_levels, find_best_f, fix_thresholds, hold_levels
from signals.products import LEVELS

THRESHOLDS = Thresholds(watch=0.02, caution=0.05, alert=0.20)


def facts(**given: object) -> pl.DataFrame:
    usual = {"risk": 0.0, "points": 0, "has_sign": False, "is_in_crisis": False, "days_past_due": 0.0, "is_in_adjustment": None}
    kinds = {"risk": pl.Float64, "days_past_due": pl.Float64, "is_in_adjustment": pl.Float64}
    return pl.DataFrame([{**usual, **given}], schema_overrides=kinds)


@pytest.mark.parametrize(
    ("given_facts", "level"),
    [
        ({}, "none"),
        ({"risk": 0.02}, "watch"),
        ({"risk": 0.0199}, "none"),
        ({"risk": 0.05}, "caution"),
        ({"risk": 0.20}, "alert"),
        ({"has_sign": True}, "watch"),
        ({"days_past_due": 14.0, "has_sign": True}, "watch"),
        ({"days_past_due": 15.0}, "caution"),
        ({"days_past_due": 15.0, "risk": 0.3}, "alert"),
        ({"is_in_adjustment": 1.0}, "caution"),
        ({"is_in_adjustment": 0.0}, "none"),
        ({"days_past_due": None, "risk": None}, "none"),
        ({"is_in_crisis": True, "risk": None}, "distressed"),
    ],
)
def test_a_level_follows_risk_signs_and_facts(given_facts: dict[str, object], level: str) -> None:
    assert assign_levels(facts(**given_facts), THRESHOLDS).to_list() == [level]


@pytest.mark.parametrize(("points", "level"), [(0, "none"), (24, "none"), (25, "caution"), (49, "caution"), (50, "alert")])
def test_without_a_model_the_points_decide(points: int, level: str) -> None:
    assert assign_levels(facts(points=points, risk=None), None).to_list() == [level]


def test_watch_begins_at_twice_the_base_rate() -> None:
    is_default = np.array([0.0] * 90 + [1.0] * 10)
    assert fix_thresholds(is_default, np.linspace(0, 1, 100)).watch == pytest.approx(0.2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60).filter(lambda rows: any(bad for bad, _ in rows)))
def test_a_higher_level_never_begins_below_a_lower_one_and_the_cut_is_the_best(rows: list[tuple[bool, int]]) -> None:
    is_default, risk = np.array([float(bad) for bad, _ in rows]), np.array([score / 20 for _, score in rows])
    fixed = fix_thresholds(is_default, risk)
    assert fixed.watch <= fixed.caution <= fixed.alert

    def score(cut: float) -> float:
        flagged, caught = (risk >= cut).sum(), is_default[risk >= cut].sum()
        return float(5 * caught / (4 * is_default.sum() + flagged))

    assert score(find_best_f(is_default, risk, beta=2.0)) == pytest.approx(max(score(cut) for cut in risk))


def night(**levels: str | tuple[str, str]) -> pl.DataFrame:
    pairs = {who: (held, held) if isinstance(held, str) else held for who, held in levels.items()}
    return pl.DataFrame(
        {"borrower_id": list(pairs), "level": [pair[0] for pair in pairs.values()], "level_tonight": [pair[1] for pair in pairs.values()]}
    )


def hold(level: str, *earlier: pl.DataFrame) -> str:
    return hold_levels(pl.DataFrame({"borrower_id": ["A"], "level_tonight": [level]}), list(earlier))["level"].item()


def test_a_level_rises_at_once() -> None:
    assert hold("alert", night(A="watch"), night(A="none")) == "alert"
    assert hold("distressed", night(A="none")) == "distressed"


def test_a_level_falls_after_three_nights_below_it() -> None:
    first, second = night(A=("alert", "none")), night(A=("alert", "watch"))
    assert hold("none", night(A="alert")) == "alert"
    assert hold("none", first, night(A="alert")) == "alert"
    assert hold("none", second, first) == "watch"
    assert hold("none", first, first) == "none"


def test_one_night_back_at_the_level_begins_the_count_again() -> None:
    assert hold("none", night(A=("alert", "none")), night(A=("alert", "alert"))) == "alert"


def test_fewer_than_three_nights_known_below_are_not_enough() -> None:
    assert hold("none", night(A=("caution", "none"))) == "caution"
    assert hold("none", night(A=("caution", "none")), night(B="none")) == "caution"


def test_distress_that_ended_is_held_at_alert() -> None:
    assert hold("none", night(A="distressed")) == "alert"
    assert hold("caution", night(A=("alert", "none")), night(A="distressed")) == "alert"
    assert hold("caution", night(A=("alert", "none")), night(A=("alert", "none"))) == "caution"


def test_who_was_unknown_before_has_tonights_level() -> None:
    assert hold("watch") == "watch"
    assert hold("watch", night(B="alert"), night(B="alert")) == "watch"


@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=12))
def test_a_held_level_is_the_highest_of_the_last_three_nights(nights: list[str]) -> None:
    kept: list[pl.DataFrame] = []
    for count, level in enumerate(nights):
        held = hold(level, *kept[:2])
        kept.insert(0, night(A=(held, level)))
        recent = [level, *(earlier if earlier != "distressed" else "alert" for earlier in nights[max(0, count - 2) : count])]
        assert held == max(recent, key=LEVELS.index)
