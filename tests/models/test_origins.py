from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from models.origins import list_origins


def test_origins_are_the_month_ends_whose_horizon_is_known() -> None:
    listed = list_origins(date(2024, 1, 31), date(2025, 1, 1), 180, min_history_days=92)
    assert listed == [date(2024, 5, 31), date(2024, 6, 30)]


def test_only_the_newest_are_kept() -> None:
    assert list_origins(date(2020, 1, 1), date(2024, 3, 31), 31, max_origins=3) == [
        date(2023, 12, 31),
        date(2024, 1, 31),
        date(2024, 2, 29),
    ]


def test_origins_before_outcomes_were_told_are_left_out() -> None:
    everything = list_origins(date(2005, 4, 1), date(2005, 10, 31), 31)
    assert everything == [date(2005, month, day) for month, day in ((4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30))]
    assert list_origins(date(2005, 4, 1), date(2005, 10, 31), 31, outcomes_from=date(2005, 10, 31)) == [date(2005, 9, 30)]


def test_a_short_history_is_better_than_none() -> None:
    assert list_origins(date(2025, 1, 15), date(2025, 4, 30), 60, min_history_days=365) == [date(2025, 1, 31), date(2025, 2, 28)]


def test_no_finished_horizon_means_no_origin() -> None:
    assert list_origins(date(2025, 1, 1), date(2025, 6, 1), 180) == []


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 2000), st.integers(1, 400), st.integers(1, 24))
def test_no_origin_looks_past_what_is_known(first: date, span: int, horizon: int, most: int) -> None:
    known_by = date.fromordinal(first.toordinal() + span)
    listed = list_origins(first, known_by, horizon, max_origins=most)
    assert len(listed) <= most
    assert listed == sorted(set(listed))
    assert all(first <= day and day.toordinal() + horizon <= known_by.toordinal() for day in listed)
    assert all(date.fromordinal(day.toordinal() + 1).day == 1 for day in listed)
