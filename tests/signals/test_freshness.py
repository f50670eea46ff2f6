"""Who counts as stale and who is left out: every silence is said, and nobody is dropped whom somebody still speaks of."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.freshness import CRISIS_LASTS_DAYS, find_left_out, mark_silence, measure_staleness
from signals.known import as_known
from tests.cast import BAKERY, CAST_AS_OF, FLORIST, GROCER, GUESTHOUSE, NOODLES, TAILOR, TAXI, cast_tables

TOLD = {"borrower_id": pl.String, "source_id": pl.String, "told_on": pl.Date}


def told(*rows: tuple[str, str, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TOLD, orient="row")


def measure(as_of: date = CAST_AS_OF, **tables: pl.DataFrame) -> pl.DataFrame:
    frames = cast_tables() | tables
    known = {name: as_known(frame.lazy(), name, as_of) for name, frame in frames.items()}
    return measure_staleness(known, as_of, 45).sort("borrower_id")


def row_of(frame: pl.DataFrame, borrower: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col("borrower_id") == borrower, named=True)


def test_a_borrower_without_recent_news_is_stale() -> None:
    repayments = pl.LazyFrame({"borrower_id": ["a", "a", "b"], "known_on": [date(2026, 1, 1), date(2026, 3, 30), date(2026, 1, 1)]})
    stale = measure_staleness({"repayments": repayments}, date(2026, 3, 31), 45).sort("borrower_id")
    assert stale.rows() == [("a", 1, False, 1), ("b", 89, True, 89)]


def test_the_news_of_a_loan_that_ended_is_as_old_as_its_last_month_but_the_register_still_speaks_of_the_tailor() -> None:
    tailor = row_of(measure(), TAILOR)
    assert (tailor["stale_days"], tailor["is_stale"], tailor["quiet_days"]) == (245, True, 0)


def test_who_stands_in_the_register_alone_never_had_monthly_news_and_is_stale_without_days() -> None:
    assert (row_of(measure(), FLORIST)["stale_days"], row_of(measure(), FLORIST)["is_stale"]) == (None, True)
    no_register = measure(businesses=cast_tables()["businesses"].clear())
    assert no_register.filter(pl.col("borrower_id") == FLORIST).is_empty()


@pytest.mark.parametrize("days", [45, 46])
def test_forty_five_days_are_still_fresh_and_one_more_is_not(days: int) -> None:
    baker = row_of(measure(CAST_AS_OF + timedelta(days=days)), BAKERY)
    assert (baker["stale_days"], baker["is_stale"]) == (days, days > 45)


def test_the_borrowers_of_a_silent_source_are_stale_from_the_first_night_by_the_source_longest_silent() -> None:
    silent = told((NOODLES, "hanbit", date(2026, 10, 20)), (NOODLES, "nara", date(2026, 10, 2)), (TAXI, "dotori", CAST_AS_OF))
    marked = mark_silence(measure(), silent, CAST_AS_OF)
    assert (row_of(marked, NOODLES)["stale_days"], row_of(marked, NOODLES)["is_stale"]) == (29, True)
    assert (row_of(marked, TAXI)["stale_days"], row_of(marked, TAXI)["is_stale"]) == (0, True)
    others = pl.col("borrower_id").is_in([NOODLES, TAXI]).not_()
    assert marked.filter(others).equals(measure().filter(others))


def test_a_source_that_fell_silent_never_makes_news_younger() -> None:
    marked = mark_silence(
        measure(),
        told(
            (TAILOR, "hanbit", date(2026, 10, 30)),
        ),
        CAST_AS_OF,
    )
    assert row_of(marked, TAILOR)["stale_days"] == 245


def test_without_a_silent_source_nothing_changes() -> None:
    assert mark_silence(measure(), told(), CAST_AS_OF).equals(measure())


def left_out(staleness: pl.DataFrame, in_crisis: list[str] | None = None, kept: list[str] | None = None) -> list[str]:
    return find_left_out(staleness, in_crisis or [], kept or [], 180)["borrower_id"].to_list()


def test_nobody_is_left_out_on_the_last_day_and_everybody_without_news_on_the_next() -> None:
    assert left_out(measure(CAST_AS_OF + timedelta(days=180))) == []
    assert len(left_out(measure(CAST_AS_OF + timedelta(days=181)))) == 13


def test_news_of_any_kind_keeps_a_borrower_in() -> None:
    later = CAST_AS_OF + timedelta(days=200)
    arrears = cast_tables()["arrears"].head(1).with_columns(borrower_id=pl.lit(TAILOR), arrears_id=pl.lit("A-9"), known_on=pl.lit(later))
    assert TAILOR not in left_out(measure(later, arrears=pl.concat([cast_tables()["arrears"], arrears])))


def test_an_open_case_or_a_held_place_keeps_a_borrower_in_however_old_the_news() -> None:
    old = measure(CAST_AS_OF + timedelta(days=900))
    assert BAKERY in left_out(old)
    assert BAKERY not in left_out(old, kept=[BAKERY])


def test_who_is_in_crisis_stays_for_the_year_that_a_crisis_counts() -> None:
    assert GROCER not in left_out(measure(CAST_AS_OF + timedelta(days=CRISIS_LASTS_DAYS)), in_crisis=[GROCER])
    assert GUESTHOUSE in left_out(measure(CAST_AS_OF + timedelta(days=CRISIS_LASTS_DAYS)), in_crisis=[GROCER])
    assert GROCER in left_out(measure(CAST_AS_OF + timedelta(days=CRISIS_LASTS_DAYS + 1)), in_crisis=[GROCER])


DAYS = st.dates(date(2025, 1, 1), date(2027, 1, 1))


@given(rows=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), DAYS)), as_of=DAYS)
def test_what_becomes_known_later_makes_nobody_fresher(rows: list[tuple[str, date]], as_of: date) -> None:
    frame = pl.DataFrame(rows, schema={"borrower_id": pl.String, "known_on": pl.Date}, orient="row").with_columns(
        arrears_id=pl.int_range(pl.len()).cast(pl.String)
    )
    before = frame.filter(pl.col("known_on") <= as_of)
    answers = [
        measure_staleness({"sales": as_known_by_row(part, as_of), "arrears": as_known(part.lazy(), "arrears", as_of)}, as_of, 45)
        for part in (frame, before)
    ]
    assert answers[0].sort("borrower_id").equals(answers[1].sort("borrower_id"))
    assert (answers[0]["quiet_days"] >= 0).all()
    assert answers[0].filter(pl.col("stale_days") < pl.col("quiet_days")).is_empty()


def as_known_by_row(frame: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    months = frame.with_columns(sales_month=pl.col("known_on").dt.month_start())
    return as_known(months.lazy(), "sales", as_of)
