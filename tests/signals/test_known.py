"""What was known on a day, and that nothing later changes it."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.known import as_known

FIRST = date(2026, 1, 1)


def versions(*rows: tuple[str, int, str, bool | None]) -> pl.LazyFrame:
    frame = pl.DataFrame(rows, schema=["lender_id", "day", "kind", "is_retracted"], orient="row")
    days = [FIRST + timedelta(days=day) for day in frame["day"]]
    return frame.with_columns(known_on=pl.Series(days, dtype=pl.Date)).drop("day").lazy()


def known(frame: pl.LazyFrame, day: int) -> list[tuple[str, str]]:
    return sorted(as_known(frame, "lenders", FIRST + timedelta(days=day)).select("lender_id", "kind").collect().rows())


def test_the_newest_version_that_was_known_counts() -> None:
    rows = versions(("A", 0, "bank", None), ("A", 5, "card", None), ("B", 9, "bank", None))
    assert known(rows, 4) == [("A", "bank")]
    assert known(rows, 5) == [("A", "card")]
    assert known(rows, 9) == [("A", "card"), ("B", "bank")]


def test_a_retraction_hides_its_key_until_it_is_said_anew() -> None:
    rows = versions(("A", 0, "bank", None), ("A", 3, "bank", True), ("A", 6, "card", False))
    assert [known(rows, day) for day in (2, 3, 6)] == [[("A", "bank")], [], [("A", "card")]]


def test_of_two_rows_of_one_day_the_later_pull_counts_then_the_later_line() -> None:
    rows = versions(("A", 0, "first", None), ("A", 0, "second", None), ("A", 0, "third", None)).with_columns(
        pulled_for=pl.Series([FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=1)]),
        pulled_from=pl.lit("s"),
        file=pl.lit("f"),
        line=pl.Series([9, 2, 1]),
    )
    assert known(rows, 0) == [("A", "first")]
    assert known(rows, 1) == [("A", "second")]


def test_a_row_pulled_later_is_not_known_earlier_even_when_it_says_so() -> None:
    rows = versions(("A", 0, "bank", None)).with_columns(pulled_for=pl.lit(FIRST + timedelta(days=30)))
    assert known(rows, 29) == []
    assert known(rows, 30) == [("A", "bank")]


rows_of_worlds = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 20), st.sampled_from(["bank", "card"]), st.sampled_from([None, False, True])),
    max_size=25,
)


@given(rows_of_worlds, st.integers(0, 20))
def test_what_becomes_known_later_changes_nothing_earlier(rows: list[tuple[str, int, str, bool | None]], day: int) -> None:
    then = [row for row in rows if row[1] <= day]
    whole, past = versions(*rows), versions(*then) if then else versions(*rows).clear()
    limit = FIRST + timedelta(days=day)
    assert_frame_equal(as_known(whole, "lenders", limit).collect(), as_known(past, "lenders", limit).collect(), check_row_order=False)


@given(rows_of_worlds.filter(bool))
def test_there_is_one_row_per_key_at_most(rows: list[tuple[str, int, str, bool | None]]) -> None:
    result = as_known(versions(*rows), "lenders", FIRST + timedelta(days=20)).collect()
    assert result["lender_id"].is_unique().all()
