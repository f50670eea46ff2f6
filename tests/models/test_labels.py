from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from models.labels import count_excluded, find_first_outcome, find_in_crisis, label_closures, label_defaults
from signals.known import as_known
from signals.tables.signs import DEFAULT_KINDS

ORIGIN, LATER = date(2026, 3, 31), date(2027, 3, 31)


def tables(months: list[tuple] = (), events: list[tuple] = (), people: str = "ABC") -> dict[str, pl.LazyFrame]:
    """months: borrower, due_month, days_past_due, known_on. events: borrower, kind, happened_on, known_on."""
    kinds = {"borrower_id": pl.String, "due_month": pl.Date, "days_past_due": pl.Int64, "known_on": pl.Date}
    repayments = pl.DataFrame(list(months), schema=kinds, orient="row").with_columns(
        loan_id=pl.col("borrower_id") + "-1", balance_krw=pl.lit(1_000_000)
    )
    told = pl.DataFrame(
        list(events), schema={"borrower_id": pl.String, "kind": pl.String, "happened_on": pl.Date, "known_on": pl.Date}, orient="row"
    )
    borrowers = pl.DataFrame(
        {"borrower_id": list(people), "known_on": [date(2020, 1, 1)] * len(people)}, schema_overrides={"borrower_id": pl.String}
    )
    return {"borrowers": borrowers.lazy(), "repayments": repayments.lazy(), "events": told.lazy()}


def crisis(given: dict[str, pl.LazyFrame], as_of: date = ORIGIN) -> list[str]:
    known = {name: as_known(frame, name, as_of) for name, frame in given.items()}
    return sorted(find_in_crisis(known, as_of).collect()["borrower_id"])


def label(given: dict[str, pl.LazyFrame], borrower: str = "A", horizon: int = 180, known_by: date = LATER) -> tuple:
    row = label_defaults(given, ORIGIN, horizon, known_by).filter(pl.col("borrower_id") == borrower)
    return row.select("is_in_crisis", "is_default", "default_on").row(0)


@pytest.mark.parametrize("kind", DEFAULT_KINDS)
@pytest.mark.parametrize(
    ("happened_on", "is_crisis"),
    [(date(2025, 3, 31), False), (date(2025, 4, 1), True), (ORIGIN, True), (ORIGIN + timedelta(1), False)],
)
def test_a_default_is_a_crisis_for_twelve_months(kind: str, happened_on: date, is_crisis: bool) -> None:
    assert crisis(tables(events=[("A", kind, happened_on, happened_on)])) == (["A"] if is_crisis else [])


def test_help_before_ninety_days_and_closing_are_no_crisis() -> None:
    events = [(who, kind, ORIGIN, ORIGIN) for who, kind in (("A", "early_adjustment"), ("B", "closure"), ("C", "suspension"))]
    given = tables(events=events)
    assert crisis(given) == []
    assert [label(given, who)[:2] for who in "ABC"] == [(False, False)] * 3


@pytest.mark.parametrize(("newest", "found"), [(89, []), (90, ["A"]), (120, ["A"])])
def test_the_newest_loan_month_tells_a_crisis(newest: int, found: list[str]) -> None:
    assert crisis(tables([("A", date(2026, 1, 1), 30, date(2026, 2, 5)), ("A", date(2026, 2, 1), newest, date(2026, 3, 5))])) == found


def test_an_older_month_at_ninety_days_that_was_cured_is_no_crisis() -> None:
    assert crisis(tables([("A", date(2026, 1, 1), 95, date(2026, 2, 5)), ("A", date(2026, 2, 1), 0, date(2026, 3, 5))])) == []


def test_a_crisis_counts_only_once_it_is_known() -> None:
    given = tables(events=[("A", "subrogation", date(2026, 3, 1), date(2026, 4, 2))])
    assert crisis(given) == []
    assert crisis(given, date(2026, 4, 2)) == ["A"]


@pytest.mark.parametrize(
    ("happened_on", "expected"),
    [
        (ORIGIN + timedelta(1), (False, True, ORIGIN + timedelta(1))),
        (ORIGIN + timedelta(180), (False, True, ORIGIN + timedelta(180))),
        (ORIGIN + timedelta(181), (False, False, None)),
    ],
)
def test_a_default_counts_after_the_origin_and_to_the_end_of_the_horizon(happened_on: date, expected: tuple) -> None:
    assert label(tables(events=[("A", "default_90d", happened_on, happened_on)])) == expected


def test_of_several_defaults_the_first_in_the_horizon_is_the_day() -> None:
    days = [date(2026, 7, 1), date(2026, 5, 1), date(2026, 6, 1)]
    assert label(tables(events=[("A", "bankruptcy", day, day) for day in days])) == (False, True, date(2026, 5, 1))


def test_those_in_crisis_have_no_label() -> None:
    given = tables(events=[("A", "workout", date(2026, 1, 1), date(2026, 1, 1)), ("A", "bankruptcy", date(2026, 5, 1), date(2026, 5, 1))])
    assert label(given) == (True, None, None)


def test_a_default_that_had_happened_but_came_to_light_later_is_neither_outcome_nor_health() -> None:
    given = tables(events=[("A", "default_90d", date(2026, 3, 25), date(2026, 4, 2))])
    assert label(given) == (False, None, None)
    assert count_excluded(label_defaults(given, ORIGIN, 180, LATER)) == {"excluded_in_crisis": 0, "excluded_already_in_default": 1}


def test_a_default_on_the_day_of_the_origin_lies_behind_it() -> None:
    assert label(tables(events=[("A", "default_90d", ORIGIN, ORIGIN + timedelta(1))])) == (False, None, None)


def test_what_was_not_yet_known_is_no_label() -> None:
    given = tables(events=[("A", "default_90d", date(2026, 5, 1), date(2026, 6, 1))])
    assert label(given, known_by=date(2026, 5, 31))[1] is False
    assert label(given, known_by=date(2026, 6, 1))[1] is True


def test_where_only_repayments_tell_the_day_is_when_ninety_days_were_first_known() -> None:
    reached = ("A", date(2026, 5, 1), 92, date(2026, 6, 5))
    corrected = ("A", date(2026, 5, 1), 93, date(2026, 7, 1))
    assert label(tables([("A", date(2026, 4, 1), 61, date(2026, 5, 5)), reached, corrected])) == (False, True, date(2026, 6, 5))


def test_a_month_taken_back_below_ninety_days_was_no_default() -> None:
    months = [("A", date(2026, 5, 1), 92, date(2026, 6, 5)), ("A", date(2026, 5, 1), 2, date(2026, 7, 1))]
    assert label(tables(months))[1] is False


def test_an_event_nearby_outranks_the_repayments() -> None:
    months = [("A", date(2026, 5, 1), 92, date(2026, 6, 5))]
    events = [("A", "default_90d", date(2026, 5, 20), date(2026, 5, 25))]
    assert label(tables(months, events)) == (False, True, date(2026, 5, 20))
    assert label(tables(months, [("A", "default_90d", date(2027, 1, 20), date(2027, 1, 25))]))[2] == date(2026, 6, 5)


def test_months_that_follow_in_the_same_run_reach_nothing_new() -> None:
    months = [("A", date(2026, month, 1), 92 + 30 * (month - 3), date(2026, month + 1, 5)) for month in range(3, 8)]
    events = [("A", "default_90d", date(2026, 3, 20), date(2026, 4, 2))]
    assert label(tables(months, events)) == (False, None, None)


def test_an_old_history_sent_late_is_no_default_today() -> None:
    months = [("A", date(2025, month, 1), 95, date(2026, 5, 1)) for month in (4, 5)]
    assert label(tables(months))[1] is False


def test_every_borrower_known_at_the_origin_has_one_row() -> None:
    given = tables(events=[("A", kind, date(2026, 5, 1), date(2026, 5, 1)) for kind in DEFAULT_KINDS])
    assert label_defaults(given, ORIGIN, 180, LATER)["borrower_id"].to_list() == ["A", "B", "C"]


def test_without_events_the_repayments_alone_tell() -> None:
    given = {name: frame for name, frame in tables([("A", date(2026, 5, 1), 92, date(2026, 6, 5))]).items() if name != "events"}
    assert label(given) == (False, True, date(2026, 6, 5))
    assert label(given, "B") == (False, False, None)


def test_a_closure_counts_with_debt_and_without_a_default() -> None:
    months = [(who, date(2026, 2, 1), 0, date(2026, 3, 5)) for who in "AB"]
    day = date(2026, 5, 1)
    events = [*((who, "closure", day, day) for who in "ABC"), ("B", "default_90d", day, day)]
    closures = label_closures(tables(months, events), ORIGIN, 180, LATER)
    assert closures.rows() == [("A", True, day), ("B", False, None)]


def test_the_first_outcome_is_the_first_default_event_known_by_then() -> None:
    events = [
        ("A", "closure", date(2026, 1, 1), date(2026, 1, 2)),
        ("A", "workout", date(2026, 4, 1), date(2026, 4, 9)),
        ("B", "default_90d", date(2026, 3, 1), date(2026, 5, 1)),
    ]
    given = tables(events=events)
    days = [date(2026, 4, 8), date(2026, 4, 9), LATER]
    assert [find_first_outcome(given, day) for day in days] == [None, date(2026, 4, 9), date(2026, 4, 9)]
    assert find_first_outcome({"repayments": given["repayments"]}, LATER) is None
