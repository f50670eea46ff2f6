"""Which sources are silent, since when, and what their silence means: found from the nights before, never from those after."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, insert

from features.reading import Reading
from features.views import read_coverage
from guidance.facts import build_facts
from signals.home import Home
from signals.known import as_known
from signals.records.schema import DELIVERIES, METADATA
from signals.silence import Silence, date_silences, end_silent_coverage, find_silences, list_ended, read_source_news, read_told
from signals.tables import TABLES
from tests.cast import BAKERY, CAFE, CAST_AS_OF, HAIRDRESSER, NOODLES, TAILOR, cast_tables
from tests.signals.lakes import append_rows

TONIGHT = CAST_AS_OF


def ago(days: int) -> date:
    return TONIGHT - timedelta(days=days)


@pytest.fixture(scope="module")
def records() -> Engine:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    return engine


@pytest.fixture
def connection(records: Engine) -> Iterator[Connection]:
    with records.begin() as connection:
        yield connection
        connection.rollback()


def deliver(connection: Connection, source_id: str, table: str, night: date, newest: date | None, failure: str | None = None) -> None:
    row = {"as_of": night, "source_id": source_id, "table_name": table, "counts": {}, "profile": {}}
    connection.execute(insert(DELIVERIES), row | {"newest_known_on": newest, "failure": failure})


def find(
    connection: Connection, due: dict[str, int | None], failed: tuple[str, ...] = (), as_of: date = TONIGHT
) -> list[tuple[object, ...]]:
    found = find_silences(read_source_news(connection, as_of), failed, due, as_of, 45)
    return [(one.source_id, one.state, one.tables, one.last_good_on, one.last_news_on) for one in found]


def test_a_source_that_failed_tonight_is_silent_since_its_last_good_night(connection: Connection) -> None:
    deliver(connection, "bank", "loans", ago(2), ago(30))
    deliver(connection, "bank", "repayments", ago(1), ago(3))
    deliver(connection, "bank", "repayments", TONIGHT, ago(3), "zero bytes")
    assert find(connection, {"bank": None}, failed=("bank",)) == [("bank", "failed", tuple(TABLES), ago(1), ago(3))]


def test_a_table_refused_alone_is_a_failure_of_that_table(connection: Connection) -> None:
    deliver(connection, "bank", "loans", TONIGHT, ago(30))
    deliver(connection, "bank", "sales", ago(1), ago(9))
    deliver(connection, "bank", "sales", TONIGHT, ago(9), "too little passes")
    assert find(connection, {"bank": None}) == [("bank", "failed", ("sales",), ago(1), ago(9))]


def test_a_table_that_came_before_and_not_tonight_is_missing_and_one_that_never_came_is_not(connection: Connection) -> None:
    for name in ("loans", "sales"):
        deliver(connection, "cards", name, ago(1), ago(5))
    deliver(connection, "cards", "loans", TONIGHT, ago(5))
    assert find(connection, {"cards": None, "new": None}) == [("cards", "missing", ("sales",), ago(1), ago(5))]


def test_a_source_that_nobody_asked_tonight_is_not_missed(connection: Connection) -> None:
    deliver(connection, "old", "loans", ago(1), ago(5))
    assert find(connection, {"bank": None}) == []


def test_a_monthly_sender_is_missed_only_when_its_news_is_due(connection: Connection) -> None:
    deliver(connection, "bureau", "credit", ago(31), ago(31))
    assert find(connection, {"bureau": 31}) == []
    assert find(connection, {"bureau": 30}) == [("bureau", "missing", ("credit",), ago(31), ago(31))]


@pytest.mark.parametrize(("night", "is_late"), [(date(2026, 3, 8), False), (date(2026, 3, 9), False), (date(2026, 3, 10), True)])
def test_a_daily_lender_is_not_late_on_a_sunday_or_for_the_news_of_monday(connection: Connection, night: date, is_late: bool) -> None:
    deliver(connection, "lender", "repayments", night, date(2026, 3, 6))  # a Friday
    found = find_silences(read_source_news(connection, night), (), {"lender": 1}, night, 45)
    assert [one.state for one in found] == ["late"] * is_late


def test_a_source_that_comes_every_night_with_nothing_new_is_late_when_it_promised_more(connection: Connection) -> None:
    for name, newest in (("credit", 40), ("coverage", 31)):
        deliver(connection, "bureau", name, TONIGHT, ago(newest))
    assert find(connection, {"bureau": None}) == []
    assert find(connection, {"bureau": 31}) == []
    assert find(connection, {"bureau": 30}) == [("bureau", "late", tuple(TABLES), TONIGHT, ago(31))]


def test_a_source_that_failed_before_it_ever_delivered_is_said_and_has_no_days(connection: Connection) -> None:
    assert find(connection, {"bank": None}, failed=("bank",)) == [("bank", "failed", tuple(TABLES), None, None)]


@given(
    later=st.lists(
        st.tuples(st.sampled_from(["bank", "cards"]), st.sampled_from(["loans", "sales"]), st.booleans()), unique_by=lambda one: one[:2]
    )
)
def test_later_nights_change_nothing(records: Engine, later: list[tuple[str, str, bool]]) -> None:
    with records.begin() as connection:
        deliver(connection, "bank", "loans", ago(1), ago(5))
        deliver(connection, "cards", "sales", TONIGHT, ago(50))
        before = find(connection, {"bank": None, "cards": 31})
        for source_id, name, is_good in later:
            deliver(connection, source_id, name, TONIGHT + timedelta(days=1), TONIGHT, None if is_good else "broken")
        after = find(connection, {"bank": None, "cards": 31})
        connection.rollback()
    assert [row[:2] for row in before] == [("bank", "missing"), ("cards", "late")]
    assert after == before


@pytest.mark.parametrize(
    ("state", "good", "news", "is_over"),
    [
        ("failed", 45, 90, False),  # its last word, that there was nothing new, is 45 days old
        ("failed", 46, 90, True),
        ("failed", None, 46, True),
        ("failed", None, None, False),
        ("late", 0, 45, False),
        ("late", 0, 46, True),
    ],
)
def test_a_last_word_holds_for_forty_five_days(state: str, good: int | None, news: int | None, is_over: bool) -> None:
    days = [None if days is None else ago(days) for days in (good, news)]
    assert Silence("utility", state, tuple(TABLES), *days, 45).is_over(TONIGHT) is is_over


def test_a_quarterly_senders_word_holds_for_its_quarter(connection: Connection) -> None:
    deliver(connection, "office", "events", ago(80), ago(80))
    assert not find_silences(read_source_news(connection, TONIGHT), ["office"], {"office": 92}, TONIGHT, 45)[0].is_over(TONIGHT)


def coverage() -> pl.LazyFrame:
    return cast_tables()["coverage"].lazy().with_columns(
        pulled_from=pl.when(pl.col("subject") == "arrears").then(pl.lit("power-company")).otherwise(pl.lit("others"))
    )  # fmt: skip


def end(coverage: pl.LazyFrame, last_good: int, tables: tuple[str, ...] = tuple(TABLES)) -> pl.LazyFrame:
    ended = list_ended([Silence("power-company", "failed", tables, ago(last_good), None, 45)], TONIGHT)
    return as_known(end_silent_coverage(coverage, ended), "coverage", TONIGHT)


def read_no_arrears(last_good: int) -> tuple[int, object]:
    tables = {name: frame.lazy() for name, frame in cast_tables().items()} | {"coverage": end(coverage(), last_good)}
    facts = build_facts(tables, TONIGHT)
    owed = {name: facts.row(by_predicate=pl.col("borrower_id") == name, named=True)["tax_arrears_krw"] for name in (BAKERY, HAIRDRESSER)}
    assert owed[HAIRDRESSER] == 6_000_000  # what was said stands, whatever becomes of the holder
    assert facts.filter(pl.col("has_default_event").not_()).height == 11  # another source's coverage is untouched
    import narwhals as nw

    rows = read_coverage(
        Reading({"coverage": nw.from_native(tables["coverage"]), "arrears": nw.from_native(tables["arrears"])}, TONIGHT), 1
    )
    covered = rows.to_native().collect().filter(pl.col("borrower_id") == BAKERY)["arrears"].sum()
    return covered, owed[BAKERY]


def test_who_owed_nothing_still_owes_nothing_while_the_holders_last_word_holds_and_is_unknown_after() -> None:
    assert read_no_arrears(45) == (1, 0)
    assert read_no_arrears(46) == (0, None)


def test_coverage_ends_by_the_source_that_brought_the_row_and_not_by_the_holders_own_name() -> None:
    ended = end(coverage(), 60).filter(pl.col("subject") == "arrears").collect()
    assert ended["source_id"].unique().to_list() == ["utilities"]
    assert ended["until_on"].unique().to_list() == [ago(60)]


def test_a_source_that_misses_one_table_covers_the_others_as_before() -> None:
    assert end(coverage(), 60, ("sales", "coverage")).collect().sort(pl.all()).equals(
        as_known(coverage(), "coverage", TONIGHT).collect().sort(pl.all())
    )  # fmt: skip


def test_a_subject_that_is_no_table_is_reported_among_the_facts() -> None:
    rows = coverage().with_columns(subject=pl.lit("owns_premises"), pulled_from=pl.lit("power-company"))
    assert end(rows, 60, ("facts",)).collect()["until_on"].null_count() == 0
    assert end(rows, 60, ("arrears",)).collect()["until_on"].null_count() == rows.collect().height


@given(until=st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1)), last_good=st.integers(0, 400))
def test_silence_never_makes_coverage_longer(until: date | None, last_good: int) -> None:
    rows = coverage().with_columns(until_on=pl.lit(until, dtype=pl.Date))
    ended = end(rows, last_good).collect()["until_on"]
    assert ended.len() == rows.collect().height
    assert until is None or (ended <= until).all()
    assert last_good > 45 or ended.eq_missing(pl.Series([until] * ended.len(), dtype=pl.Date)).all()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A lake to which two sources brought the cast: one lender its loans and their months, the rest another."""
    home = Home(tmp_path_factory.mktemp("home"))
    for table in ("loans", "repayments", "credit"):
        rows = cast_tables()[table].with_columns(file=pl.lit("f"), line=pl.int_range(pl.len()), is_retracted=pl.lit(None, pl.Boolean))
        is_hanbit = pl.col("loan_id").str.starts_with("HANBIT") if "loan_id" in rows.columns else pl.lit(value=False)
        append_rows(home, table, rows.filter(is_hanbit), TONIGHT, "hanbit")
        append_rows(home, table, rows.filter(~is_hanbit), TONIGHT, "others")
    return home


def hanbit(*tables: str) -> Silence:
    return Silence("hanbit", "failed", tables, None, None, 45)


def test_of_a_silent_source_only_its_own_borrowers_are_read_with_the_newest_day_it_spoke_of_each(home: Home) -> None:
    told = read_told(home, [hanbit("repayments")], TONIGHT)
    assert told["source_id"].unique().to_list() == ["hanbit"]
    assert CAFE not in told["borrower_id"]
    assert dict(told.select("borrower_id", "told_on").iter_rows())[NOODLES] == TONIGHT


def test_whose_loan_ended_long_before_the_silence_is_no_borrower_of_the_source(home: Home) -> None:
    assert TAILOR not in read_told(home, [hanbit("repayments")], TONIGHT)["borrower_id"]
    assert TAILOR in read_told(home, [hanbit("repayments", "loans")], TONIGHT)["borrower_id"]  # its loan was told again tonight


def test_a_source_that_misses_a_table_in_which_it_spoke_of_nobody_has_no_borrowers(home: Home) -> None:
    assert read_told(home, [hanbit("credit", "coverage")], TONIGHT).is_empty()
    assert read_told(home, [], TONIGHT).is_empty()


def test_what_was_pulled_later_was_not_told_tonight(home: Home) -> None:
    assert read_told(home, [hanbit("repayments")], ago(1)).is_empty()


def test_where_no_delivery_was_written_down_the_lake_dates_the_silence(home: Home, tmp_path: Path) -> None:
    assert date_silences([hanbit("repayments")], home, TONIGHT)[0].last_news_on == TONIGHT
    assert date_silences([hanbit("repayments")], Home(tmp_path), TONIGHT)[0].last_news_on is None
