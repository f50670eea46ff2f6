"""Where an owner stands, and who comes first."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.need import rank_by_need
from guidance.state import LEVEL_KO, STATE_KO, name_states
from signals.products import LEVELS, STATES

AS_OF = date(2026, 9, 30)
DRAWN = ["b26", "b18", "b20", "b4"]  # the first of thirty by the key `key`, as drawn since the first release

CASES = [
    # status, plans to close, in adjustment, days overdue, level -> state
    ("trading", False, False, 0, "none", "healthy"),
    (None, None, None, None, None, "healthy"),
    ("trading", None, None, 0, "watch", "watch"),
    ("trading", None, None, None, "alert", "watch"),
    ("trading", None, None, 1, "none", "early_arrears"),
    ("trading", None, None, 30, "caution", "early_arrears"),
    ("trading", None, None, 31, "caution", "arrears_31_89"),
    ("trading", None, None, 89, "alert", "arrears_31_89"),
    ("trading", None, None, 90, "distressed", "arrears_90"),
    ("trading", None, None, 0, "distressed", "arrears_90"),
    ("trading", None, True, 95, "distressed", "in_adjustment"),
    ("trading", True, True, 95, "distressed", "closing"),
    ("suspended", True, None, 0, "none", "closing"),
    ("closed", True, True, 95, "distressed", "closed"),
]


@pytest.mark.parametrize(("status", "plans", "adjusts", "days", "level", "state"), CASES)
def test_the_first_state_that_holds_is_named(status: Any, plans: Any, adjusts: Any, days: Any, level: Any, state: str) -> None:
    facts = pl.DataFrame(
        {
            "borrower_id": ["bakery"],
            "trading_status": [status],
            "plans_to_close": [plans],
            "is_in_adjustment": [adjusts],
            "days_past_due": [days],
        },
        schema_overrides={
            "plans_to_close": pl.Boolean,
            "is_in_adjustment": pl.Boolean,
            "days_past_due": pl.Int64,
            "trading_status": pl.String,
        },
    )
    levels = pl.DataFrame({"borrower_id": ["bakery"], "level": [level]}, schema_overrides={"level": pl.String})
    assert name_states(facts, levels).rows() == [("bakery", state)]


def test_every_state_and_level_has_its_korean_word() -> None:
    assert set(STATE_KO) == set(STATES)
    assert set(LEVEL_KO) == set(LEVELS)


def rank(
    rows: list[tuple[str, str, float | None, int]],
    waits: dict[str, int] | None = None,
    key: str = "key",
    as_of: date = AS_OF,
    **more: list[Any],
) -> list[str]:
    """Borrowers from most need to least."""
    schema = {"borrower_id": pl.String, "level": pl.String, "risk": pl.Float64, "days_past_due": pl.Int64}
    scores = pl.DataFrame(rows, schema=schema, orient="row").with_columns(**{name: pl.Series(values) for name, values in more.items()})
    waited = pl.DataFrame(list((waits or {}).items()), schema={"borrower_id": pl.String, "wait_days": pl.Int64}, orient="row")
    ranked = rank_by_need(scores, waited, as_of, key)
    assert ranked["borrower_id"].to_list() == scores["borrower_id"].to_list()
    assert sorted(ranked["rank"]) == list(range(1, len(rows) + 1))
    return ranked.sort("rank")["borrower_id"].to_list()


def test_level_counts_before_risk_and_risk_before_waiting() -> None:
    rows = [
        ("none", "none", 0.99, 0),
        ("watch", "watch", 0.9, 0),
        ("low", "alert", 0.2, 0),
        ("high", "alert", 0.3, 0),
        ("worst", "distressed", None, 90),
    ]
    assert rank(rows, {"low": 400, "none": 900}) == ["worst", "high", "low", "watch", "none"]


def test_risk_counts_to_a_thousandth_and_then_the_longest_wait() -> None:
    rows = [("short", "alert", 0.25049, 0), ("long", "alert", 0.24951, 0), ("less", "alert", 0.2494, 0)]
    assert rank(rows, {"short": 5, "long": 6, "less": 99}) == ["long", "short", "less"]


def test_the_distressed_are_ordered_by_days_overdue_not_by_risk() -> None:
    assert rank([("a", "distressed", 0.9, 95), ("b", "distressed", 0.1, 300), ("c", "distressed", None, 0)]) == ["b", "a", "c"]


def test_on_a_scorecard_night_points_take_the_place_of_risk() -> None:
    rows = [("few", "alert", None, 0), ("many", "alert", None, 0), ("unknown", "alert", None, 0)]
    assert rank(rows, raw_score=[3.0, 11.0, None]) == ["many", "few", "unknown"]


def test_ties_fall_by_lot_which_key_and_year_decide_and_the_day_does_not() -> None:
    rows = [(f"b{number}", "watch", 0.1, 0) for number in range(30)]
    drawn = rank(rows)
    assert drawn[:4] == DRAWN  # for ever: another drawing would change places that were given long ago
    assert rank(rows, as_of=date(2026, 1, 1)) == drawn
    assert rank(rows, as_of=date(2027, 1, 1)) != drawn
    assert rank(rows, key="other") != drawn


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_rows_changes_no_rank(order: list[int]) -> None:
    rows = [(f"b{number}", LEVELS[number % 3], (number % 2) / 10, number) for number in range(12)]
    assert rank([rows[number] for number in order], {"b1": 3}) == rank(rows, {"b1": 3})
