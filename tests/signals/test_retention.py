"""What may go, and what never does."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.errors import NightError
from signals.home import Home
from signals.known import as_known
from signals.nights import LONGEST_WAIT
from signals.retention import (
    count_back,
    find_horizon,
    find_old_folders,
    keep_rows,
    note_first_kept,
    read_first_kept,
    refuse_before_retention,
)
from signals.tables import TABLES

HORIZON = date(2026, 1, 10)
DAYS = st.integers(-9, 9).map(lambda days: HORIZON + timedelta(days=days))
VERSIONS = st.lists(
    st.fixed_dictionaries({"known": DAYS, "pulled": DAYS, "lender": st.sampled_from("AB"), "back": st.booleans()}), max_size=12
)


def lenders(versions: list[dict[str, object]]) -> pl.LazyFrame:
    rows = [
        {"lender_id": one["lender"], "kind": f"{line}", "known_on": one["known"], "pulled_for": one["pulled"], "is_retracted": one["back"]}
        for line, one in enumerate(versions)
    ]
    days = {"known_on": pl.Date, "pulled_for": pl.Date, "is_retracted": pl.Boolean}
    return pl.LazyFrame(rows, schema={"lender_id": pl.String, "kind": pl.String} | days).with_columns(line=pl.int_range(pl.len()))


@settings(max_examples=40, deadline=None)
@given(VERSIONS)
def test_no_night_from_the_horizon_on_misses_what_went(versions: list[dict[str, object]]) -> None:
    rows = lenders(versions)
    kept = keep_rows(rows, TABLES["lenders"], HORIZON)
    for day in range(10):
        night = HORIZON + timedelta(days=day)
        before, after = (as_known(frame, "lenders", night).collect() for frame in (rows, kept))
        assert_frame_equal(before, after, check_row_order=False)
        training = [as_known(frame.drop("pulled_for"), "lenders", night).collect() for frame in (rows, kept)]
        assert_frame_equal(*training, check_row_order=False)


@settings(max_examples=40, deadline=None)
@given(VERSIONS)
def test_a_night_that_took_rows_in_after_the_horizon_keeps_its_receipt(versions: list[dict[str, object]]) -> None:
    rows = lenders(versions)
    late = pl.col("pulled_for") > HORIZON
    assert_frame_equal(keep_rows(rows, TABLES["lenders"], HORIZON).filter(late).collect(), rows.filter(late).collect())


def test_a_fact_that_was_taken_back_does_not_rise_again() -> None:
    old, newer = HORIZON - timedelta(days=5), HORIZON - timedelta(days=2)
    versions = [
        {"lender": "A", "known": old, "pulled": old, "back": False},
        {"lender": "A", "known": newer, "pulled": newer, "back": True},
    ]
    kept = keep_rows(lenders(versions), TABLES["lenders"], HORIZON).collect()
    assert kept["is_retracted"].to_list() == [True]


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_each_table_says_how_long_it_is_kept_and_why(table) -> None:
    assert table.keep_by == "known_on" or (table.keep_by in table.key and table.polars_schema[table.keep_by] == pl.Date)
    assert len(table.keep_because.split()) > 5
    assert table.keep_because in table.keeping


def test_versions_are_kept_as_long_as_the_nights_that_read_them_and_months_as_their_table_says() -> None:
    as_of, longer = date(2026, 10, 1), date(2020, 1, 1)
    assert find_horizon(TABLES["loans"], as_of, longer) == longer
    assert find_horizon(TABLES["loans"], as_of, as_of) == date(2023, 10, 1)
    assert find_horizon(TABLES["repayments"], as_of, longer) == date(2019, 10, 1)
    assert find_horizon(TABLES["consents"], as_of, longer) is None


@given(st.dates(date(1990, 1, 1)), st.integers(0, 200))
def test_counting_back_moves_whole_months(day: date, months: int) -> None:
    back = count_back(day, months)
    assert back.day == 1
    assert (day.year - back.year) * 12 + day.month - back.month == months


def test_a_night_that_reads_what_went_is_refused_and_the_mark_never_moves_back(tmp_path) -> None:
    home = Home(tmp_path)
    refuse_before_retention(home, date(2000, 1, 1))
    assert note_first_kept(home, HORIZON) == HORIZON
    assert note_first_kept(home, HORIZON - timedelta(days=9)) == HORIZON == read_first_kept(home)
    refuse_before_retention(home, HORIZON + LONGEST_WAIT)
    with pytest.raises(NightError, match="can't be built again"):
        refuse_before_retention(home, HORIZON + LONGEST_WAIT - timedelta(days=1))


def test_the_newest_folder_stays_however_old(tmp_path) -> None:
    folders = [tmp_path / name for name in ("as_of=2020-01-02", "2020-01-01", ".2020-01-01-bank", "layout", "as_of=2020-01-03")]
    assert [folder.name for folder in find_old_folders(folders, date(2026, 1, 1))] == [".2020-01-01-bank", "2020-01-01", "as_of=2020-01-02"]
    assert find_old_folders([], date(2026, 1, 1)) == []
