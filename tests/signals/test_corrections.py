"""Disputed values and upheld corrections: what people say stands over what the sources say, and no earlier night changes."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sqlalchemy import Connection

import nightly
from guidance.report import UNKNOWN_REGION
from signals.corrections import OBJECTIONS_SCHEMA, apply_corrections, list_waiting_sources
from signals.errors import InputError
from signals.lake import read_known
from signals.night import Night
from signals.records.database import open_database
from signals.records.deliveries import TableDelivery, write_deliveries
from signals.records.objections import ObjectionEvent, append_event, read_objections
from signals.records.runs import write_run
from signals.settings import Settings
from tests.signals.lakes import land
from tests.signals.test_records import run as make_run

DAY = date(2026, 3, 10)
MONTH = date(2026, 3, 1)
KEY = {"loan_id": "L-1", "due_month": "2026-03-01"}
TEXT_KEY = '{"due_month": "2026-03-01", "loan_id": "L-1"}'


def repayments(days_past_due: int | None = 41, paid: int | None = 5) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "loan_id": ["L-1", "L-2"],
            "due_month": [MONTH, MONTH],
            "borrower_id": ["A", "B"],
            "paid_krw": [paid, 7],
            "days_past_due": [days_past_due, 3],
            "known_on": [MONTH, MONTH],
        }
    )


def objections(*events: tuple[object, ...], column: str = "days_past_due", borrower: str = "A") -> pl.DataFrame:
    """Each event is its name, how many days after DAY, and perhaps its value and source value."""
    rows = [
        (number, borrower, "repayments", TEXT_KEY, column, name, DAY + timedelta(days=after), *values, *[None] * (2 - len(values)))
        for number, (name, after, *values) in enumerate(events)
    ]
    return pl.DataFrame(rows, schema=OBJECTIONS_SCHEMA, orient="row")


def days(frame: pl.LazyFrame) -> list[int | None]:
    return frame.sort("loan_id").collect()["days_past_due"].to_list()


OPENED, UPHELD, ACCEPTED = ("opened", 0), ("upheld", 1, "0", "41"), ("accepted_source", 2)


@pytest.mark.parametrize(
    ("events", "says", "stands"),
    [
        ([OPENED], 41, None),
        ([OPENED, UPHELD], 41, 0),
        ([OPENED, UPHELD], 12, 0),  # the source says something new, and nobody has accepted it
        ([OPENED, UPHELD, ACCEPTED], 12, 12),
        ([OPENED, UPHELD, ACCEPTED], 41, 0),  # what was found wrong does not come back unseen
        ([OPENED, UPHELD, ACCEPTED, ("opened", 3)], 12, None),
        ([OPENED, UPHELD, ACCEPTED, ("opened", 3), ("upheld", 3, "7", "12")], 12, 7),
        ([OPENED, ("rejected", 1)], 41, 41),
        ([OPENED, ("withdrawn", 1)], 41, 41),
        ([OPENED, UPHELD, ("opened", 2), ("rejected", 3)], 41, 0),  # the earlier correction stands again
    ],
)
def test_what_people_say_stands_over_what_the_source_says(events: list[tuple[object, ...]], says: int, stands: int | None) -> None:
    told = apply_corrections(repayments(says), "repayments", objections(*events), DAY + timedelta(days=9))
    assert days(told) == [stands, 3]
    assert_frame_equal(told.drop("days_past_due"), repayments(says).drop("days_past_due"), check_row_order=False)
    assert told.collect_schema() == repayments(says).collect_schema()


def test_without_objections_it_is_the_frame_itself_and_nothing_is_ever_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    known = repayments()
    assert apply_corrections(known, "repayments", objections(), DAY) is known
    assert apply_corrections(known, "loans", objections(OPENED), DAY) is known
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda *_, **__: pytest.fail("collected"))
    apply_corrections(known, "repayments", objections(OPENED, UPHELD), DAY)
    list_waiting_sources(known, "repayments", objections(OPENED, UPHELD), DAY)


def test_two_columns_of_one_row_are_told_apart_and_an_absent_column_can_be_corrected() -> None:
    both = pl.concat(
        [
            objections(OPENED),
            objections(OPENED, ("upheld", 1, "9", "5"), column="paid_krw"),
            objections(("upheld", 1, "8", None), column="due_krw"),
        ]
    )
    told = apply_corrections(repayments(), "repayments", both, DAY + timedelta(days=1)).sort("loan_id").collect()
    assert told["days_past_due"].to_list() == [None, 3]
    assert told["paid_krw"].to_list() == [9, 7]
    assert told["due_krw"].to_list() == [8, None]


def test_a_fact_disputed_as_a_whole_is_absent_while_open_and_when_found_untrue() -> None:
    whole = [objections(*events, column="is_retracted") for events in ([OPENED], [OPENED, ("upheld", 1, "true", "false")])]
    assert [days(apply_corrections(repayments(), "repayments", said, DAY + timedelta(days=1))) for said in whole] == [[3], [3]]
    rejected = objections(OPENED, ("rejected", 1), column="is_retracted")
    assert days(apply_corrections(repayments(), "repayments", rejected, DAY + timedelta(days=1))) == [41, 3]


def test_an_objection_moves_nothing_of_another_borrower_to_whom_the_loan_was_given() -> None:
    assert days(apply_corrections(repayments(), "repayments", objections(OPENED, borrower="C"), DAY)) == [41, 3]


def test_a_null_is_a_value_a_source_or_a_correction_may_hold() -> None:
    upheld = objections(OPENED, ("upheld", 1, None, "5"), ACCEPTED, column="paid_krw")
    paid = [
        apply_corrections(repayments(paid=now), "repayments", upheld, DAY + timedelta(days=2)).sort("loan_id").collect()["paid_krw"][0]
        for now in (5, None, 6)
    ]
    assert paid == [None, None, 6]


def test_a_source_that_says_something_new_waits_for_a_person() -> None:
    later = DAY + timedelta(days=5)
    listed = [
        list_waiting_sources(repayments(says), "repayments", objections(*events), later).collect().rows()
        for says, events in (
            (12, [OPENED, UPHELD]),
            (41, [OPENED, UPHELD]),
            (0, [OPENED, UPHELD]),
            (12, [OPENED, UPHELD, ACCEPTED]),
            (12, []),
        )
    ]
    assert listed == [[("A", "repayments", TEXT_KEY, "days_past_due", "0", "41", "12")], [], [], [], []]


events_of_a_value = st.lists(
    st.tuples(
        st.sampled_from(["opened", "upheld", "rejected", "withdrawn", "accepted_source"]),
        st.integers(0, 6),
        st.sampled_from(["0", "12", "41"]),
        st.sampled_from(["12", "41"]),
    ),
    max_size=7,
)


@given(events_of_a_value, st.integers(0, 6), st.sampled_from([0, 12, 41]))
def test_what_happens_after_a_day_changes_nothing_at_it(events: Sequence[tuple[str, int, str, str]], after: int, says: int) -> None:
    as_of = DAY + timedelta(days=after)
    whole = objections(*events)
    before = whole.filter(pl.col("on_day") <= as_of)
    assert days(apply_corrections(repayments(says), "repayments", whole, as_of)) == days(
        apply_corrections(repayments(says), "repayments", before, as_of)
    )
    (now, other) = days(apply_corrections(repayments(says), "repayments", before, as_of))
    assert other == 3
    assert now in {None, says, 0, 12, 41}
    assert before.height or now == says


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    with open_database(f"sqlite:///{tmp_path / 'deungdae.db'}").begin() as connection:
        yield connection


def event(name: str, after: int = 0, **changes: object) -> ObjectionEvent:
    given = {"borrower_id": "A", "table_name": "repayments", "key": KEY, "column_name": "days_past_due", "by": "analyst", **changes}
    return ObjectionEvent(event=name, on_day=DAY + timedelta(days=after), **given)


def test_events_are_kept_with_what_the_source_said_and_read_up_to_a_day(connection: Connection) -> None:
    append_event(connection, event("opened"), repayments())
    append_event(connection, event("upheld", 1, value="0"), repayments())
    append_event(connection, event("accepted_source", 2), repayments(12))
    read = read_objections(connection, DAY + timedelta(days=2))
    assert read.select("event", "key", "value", "source_value").rows() == [
        ("opened", TEXT_KEY, None, None),
        ("upheld", TEXT_KEY, "0", "41"),
        ("accepted_source", TEXT_KEY, None, "12"),
    ]
    assert read_objections(connection, DAY).height == 1
    assert days(apply_corrections(repayments(12), "repayments", read, DAY + timedelta(days=2))) == [12, 3]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table_name": "colours"}, "no such table"),
        ({"table_name": "lenders", "key": {"lender_id": "L"}}, "no such table speaks of a borrower"),
        ({"column_name": "colour"}, "that column can't be disputed"),
        ({"column_name": "known_on"}, "dispute is_retracted"),
        ({"column_name": "borrower_id"}, "dispute is_retracted"),
        ({"key": {"loan_id": "L-1"}}, "give loan_id, due_month"),
        ({"key": {**KEY, "due_month": "March"}}, "does not name a row"),
        ({"key": {**KEY, "loan_id": "L-2"}}, "no such row is known of this borrower"),
        (
            {"table_name": "sales", "column_name": "card_sales_krw", "key": {"borrower_id": "B", "sales_month": "2026-03-01"}},
            "another borrower's",
        ),
        ({"event": "shouted"}, "no such event"),
        ({"event": "upheld", "value": "0"}, "no objection is open there"),
        ({"event": "accepted_source"}, "no correction stands there"),
    ],
)
def test_what_can_not_be_disputed_is_refused_without_a_value(connection: Connection, change: dict[str, object], words: str) -> None:
    name = str(change.pop("event", "opened"))
    with pytest.raises(InputError, match=words) as raised:
        append_event(connection, event(name, **change), repayments())
    assert "L-2" not in str(raised.value)
    assert read_objections(connection, DAY).is_empty()


@pytest.mark.parametrize(("value", "words"), [("much", "can't be read as Int64"), ("-1", "breaks min"), (None, "breaks nullability")])
def test_a_corrected_value_must_be_one_a_source_could_send(connection: Connection, value: str | None, words: str) -> None:
    append_event(connection, event("opened"), repayments())
    with pytest.raises(InputError, match=words):
        append_event(connection, event("upheld", value=value), repayments())


def test_two_spellings_of_one_day_name_one_row_which_stays_one(connection: Connection) -> None:
    append_event(connection, event("opened", key={**KEY, "due_month": "2026-3-1"}), repayments())
    append_event(connection, event("opened", column_name="paid_krw"), repayments())
    read = read_objections(connection, DAY)
    assert read["key"].to_list() == [TEXT_KEY, TEXT_KEY]
    assert apply_corrections(repayments(), "repayments", read, DAY).collect().height == 2


def test_a_column_that_may_be_unknown_may_be_corrected_to_unknown(connection: Connection) -> None:
    append_event(connection, event("opened", column_name="paid_krw"), repayments())
    append_event(connection, event("upheld", column_name="paid_krw", value=None), repayments())


def test_an_event_never_reaches_back_into_a_published_night_or_before_another_event(connection: Connection) -> None:
    write_run(connection, make_run(DAY))
    with pytest.raises(InputError, match="a night of its day is published"):
        append_event(connection, event("opened"), repayments())
    append_event(connection, event("opened", 3), repayments())
    with pytest.raises(InputError, match="before the last event's"):
        append_event(connection, event("withdrawn", 2), repayments())
    with pytest.raises(InputError, match="open already"):
        append_event(connection, event("opened", 3), repayments())
    with pytest.raises(InputError, match="no correction stands"):
        append_event(connection, event("accepted_source", 4), repayments())


def test_an_unchanged_source_can_not_be_accepted(connection: Connection) -> None:
    append_event(connection, event("opened"), repayments())
    append_event(connection, event("upheld", value="0"), repayments())
    with pytest.raises(InputError, match="the source says nothing new"):
        append_event(connection, event("accepted_source"), repayments())


FIRST = date(2020, 4, 30)
SHOP = "shop 4"


def send_book(tmp_path: Path, *, newest: int = 80) -> Path:
    """Five shops, four months; the last shop was 80 days late in April, unless its lender says otherwise since May."""
    from tests.night.test_thin_books import make_book

    book = make_book()
    if newest != 80:
        april = (pl.col("borrower_id") == SHOP) & (pl.col("due_month") == date(2020, 4, 1))
        again = book["repayments"].filter(april).with_columns(days_past_due=pl.lit(newest, pl.Int64), known_on=pl.lit(date(2020, 5, 3)))
        book["repayments"] = pl.concat([book["repayments"], again])
    folder = tmp_path / "book"
    folder.mkdir(exist_ok=True)
    for name, frame in book.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


def run_night(tmp_path: Path, as_of: date) -> dict[str, object]:
    night = Night(as_of, Settings(home=tmp_path / "home", sources=(str(tmp_path / "book"),)))
    nightly.run_night(night, on_stage=lambda _: None)
    features, scores = (night.read(name).filter(pl.col("borrower_id") == SHOP).collect() for name in ("features", "scores"))
    return features.row(0, named=True) | scores.row(0, named=True) | {"late": features["days_past_due"].item()}


def say(tmp_path: Path, name: str, on_day: date, value: str | None = None) -> None:
    night = Night(on_day, Settings(home=tmp_path / "home"))
    place = {"table_name": "repayments", "key": {"loan_id": f"L-{SHOP}", "due_month": "2020-04-01"}, "column_name": "days_past_due"}
    with night.open_records().begin() as connection:
        append_event(
            connection,
            ObjectionEvent(borrower_id=SHOP, event=name, on_day=on_day, by="analyst", value=value, **place),
            read_known(night.home, on_day)["repayments"],
        )


@pytest.mark.slow
@pytest.mark.usefixtures("two_buckets", "behind_the_gate")
def test_a_disputed_value_changes_the_night_and_an_upheld_one_persists_until_the_sources_new_word_is_accepted(tmp_path: Path) -> None:
    send_book(tmp_path)
    nights = [FIRST + timedelta(days=number) for number in range(6)]
    told = [run_night(tmp_path, nights[0])]
    say(tmp_path, "opened", nights[1])
    told.append(run_night(tmp_path, nights[1]))
    say(tmp_path, "upheld", nights[2], "5")
    told.append(run_night(tmp_path, nights[2]))
    send_book(tmp_path, newest=33)
    told.append(run_night(tmp_path, nights[3]))
    waiting = Night(nights[3], Settings(home=tmp_path / "home"))
    raw = read_known(waiting.home, nights[3])["repayments"]
    assert list_waiting_sources(raw, "repayments", waiting.objections, nights[3]).collect()["source_now"].to_list() == ["33"]
    say(tmp_path, "accepted_source", nights[4])
    told.append(run_night(tmp_path, nights[4]))
    assert [night["late"] for night in told] == [80, None, 5, 5, 33]
    assert [night["owner_state"] for night in told][::2] == ["arrears_31_89", "early_arrears", "arrears_31_89"]
    assert told[1]["raw_score"] < told[0]["raw_score"]
    again = run_night(tmp_path, nights[0])
    assert again == told[0]


def test_what_is_disputed_of_coverage_stays_so_where_its_source_fell_silent(tmp_path: Path) -> None:
    night = Night(DAY + timedelta(days=100), Settings(home=tmp_path / "home", sources=(str(tmp_path / "tax"),)))
    key = {"source_id": "tax", "subject": "arrears", "from_on": "2025-01-01"}
    row = {"borrower_id": "A", "source_id": "tax", "subject": "arrears", "from_on": date(2025, 1, 1), "known_on": DAY}
    land(night.home, "coverage", DAY, row, source_id="tax")
    whole = {"borrower_id": "A", "table_name": "coverage", "key": {"borrower_id": "A", **key}, "column_name": "is_retracted"}
    with night.open_records().begin() as connection:
        write_deliveries(connection, DAY, ["tax"], [TableDelivery("tax", "coverage", newest_known_on=DAY)])
        disputed = ObjectionEvent(event="opened", on_day=DAY, by="analyst", **whole)
        append_event(connection, disputed, read_known(night.home, DAY)["coverage"])
    assert [one.state for one in night.find_silences()] == ["missing"]
    assert sum(night.by_bucket(lambda tables: tables["coverage"].collect().height)) == 0
    assert not any(night.by_bucket(list, tables=["borrowers"]))  # it is not read where nobody asks for it


@pytest.mark.slow
@pytest.mark.usefixtures("two_buckets", "behind_the_gate")
def test_a_disputed_place_counts_for_no_region_in_the_report(tmp_path: Path) -> None:
    book = send_book(tmp_path)
    owners = pl.read_parquet(book / "borrowers.parquet").with_columns(region_code=pl.lit("26"))
    owners.write_parquet(book / "borrowers.parquet")
    key = {"borrower_id": SHOP}
    disputed = ObjectionEvent(SHOP, "borrowers", key, "region_code", "opened", FIRST, "analyst")
    night = Night(FIRST, Settings(home=tmp_path / "home", sources=(str(book),)))
    with night.open_records().begin() as connection:
        append_event(connection, disputed, owners.lazy())
    nightly.run_night(night, on_stage=lambda _: None)
    counted = {row["region_code"]: row["borrowers"] for row in nightly.read_summary(night)["regions"]}
    assert counted == {"26": owners.height - 1, UNKNOWN_REGION: 1}


@pytest.mark.slow
@pytest.mark.usefixtures("two_buckets", "behind_the_gate")
def test_each_bucket_of_a_lake_on_disk_is_read_as_people_corrected_it(tmp_path: Path) -> None:
    send_book(tmp_path)
    run_night(tmp_path, FIRST)
    say(tmp_path, "opened", FIRST + timedelta(days=1))
    night = Night(FIRST + timedelta(days=1), Settings(home=tmp_path / "home"))
    parts = list(night.by_bucket(lambda tables: tables["repayments"].collect()))
    whole = pl.concat(parts)
    assert whole.filter(pl.col("days_past_due").is_null()).select("borrower_id", "due_month").rows() == [(SHOP, date(2020, 4, 1))]
    assert whole.height == 20
    assert read_known(night.home, FIRST)["repayments"].collect()["days_past_due"].null_count() == 0
