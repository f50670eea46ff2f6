"""What comes later, comes again or comes wrong changes no earlier night, and nobody else's file."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import nightly
from signals.buckets import count_buckets, find_bucket
from signals.errors import InputError, NightError
from signals.home import Home
from signals.lake import read_known
from signals.night import Night, read_receipts
from signals.settings import Settings
from tests.night.test_thin_books import AS_OF, make_book, run, run_night
from tests.signals.worlds import open_gate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_buckets")]

HELD_OPEN = pytest.mark.usefixtures("gate_held_open")  # where the gate has no say
NEXT = AS_OF + timedelta(days=1)
THIRD = AS_OF + timedelta(days=2)


@pytest.fixture
def gate_held_open() -> Iterator[None]:
    with open_gate():
        yield


def level_of(scores: pl.DataFrame, borrower: str) -> str:
    return scores.filter(pl.col("borrower_id") == borrower)["level"].item()


def late_row(days: int, known_on: date, borrower: str = "shop 0") -> pl.DataFrame:
    row = {"loan_id": f"L-{borrower}", "borrower_id": borrower, "due_month": date(2020, 4, 1), "days_past_due": days, "known_on": known_on}
    return pl.DataFrame([row])


def with_rows(book: dict[str, pl.DataFrame], table: str, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return book | {table: pl.concat([book[table], rows.select(book[table].columns)])}


@HELD_OPEN
def test_a_late_row_with_an_old_day_changes_no_earlier_night_even_when_that_is_run_again(tmp_path: Path) -> None:
    book = make_book()
    run(tmp_path, book)
    first = read_receipts(run_night(tmp_path, book))
    late = with_rows(book, "repayments", late_row(95, date(2020, 4, 29)))
    assert level_of(run(tmp_path, late, THIRD), "shop 0") == "distressed"
    again = run_night(tmp_path, late)
    assert read_receipts(again) == first
    assert level_of(run(tmp_path, late, NEXT), "shop 0") == "none"


def test_bad_rows_that_come_every_night_do_not_lock_a_source_out(tmp_path: Path) -> None:
    bad = (
        late_row(-5, date(2020, 4, 28)).with_columns(pl.lit([f"L-bad-{number}" for number in range(3)]).alias("loan_id")).explode("loan_id")
    )
    book = with_rows(make_book(), "repayments", bad)
    run(tmp_path, book)
    after = run(tmp_path, with_rows(book, "repayments", late_row(95, NEXT)), NEXT)
    assert level_of(after, "shop 0") == "distressed"


@HELD_OPEN
def test_a_loan_that_turns_out_to_be_somebody_elses_is_in_one_file_only(tmp_path: Path) -> None:
    book = make_book(shops=12)
    run(tmp_path, book)
    moved = book["loans"].filter(pl.col("borrower_id") == "shop 7").with_columns(borrower_id=pl.lit("shop 0"), known_on=NEXT)
    rows = book["repayments"].filter(pl.col("borrower_id") == "shop 7").with_columns(borrower_id=pl.lit("shop 0"), known_on=NEXT)
    corrected = with_rows(with_rows(book, "loans", moved), "repayments", rows)
    scores = run(tmp_path, corrected, NEXT)
    assert level_of(scores, "shop 0") == "distressed"
    home = Home(tmp_path / "home")
    assert len({find_bucket(home, shop) for shop in ("shop 0", "shop 7")}) == 2
    whole = read_known(home, NEXT)["repayments"].collect()
    parts = pl.concat(read_known(home, NEXT, bucket)["repayments"].collect() for bucket in range(count_buckets(home)))
    key = ["loan_id", "due_month"]
    assert whole.sort(key).equals(parts.select(whole.columns).sort(key))
    assert set(whole.filter(pl.col("loan_id") == "L-shop 7")["borrower_id"]) == {"shop 0"}
    assert set(read_known(home, AS_OF)["repayments"].filter(pl.col("loan_id") == "L-shop 7").collect()["borrower_id"]) == {"shop 7"}


@HELD_OPEN
def test_a_file_sent_again_corrected_on_the_same_night_counts(tmp_path: Path) -> None:
    book = make_book()
    run(tmp_path, book)
    fixed = book["repayments"].with_columns(
        days_past_due=pl.when(pl.col("borrower_id") == "shop 0").then(40).otherwise("days_past_due").cast(pl.Int64)
    )
    assert level_of(run(tmp_path, book | {"repayments": fixed}), "shop 0") == "alert"


def test_a_source_without_a_required_table_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    book = make_book()
    with pytest.raises(InputError, match="missing required table loans"):
        run(tmp_path, {name: frame for name, frame in book.items() if name != "loans"})
    assert not any((tmp_path / "home" / "lake" / name).exists() for name in book)


@HELD_OPEN
def test_a_night_before_the_first_of_a_home_is_refused(tmp_path: Path) -> None:
    run(tmp_path, make_book(), NEXT)
    with pytest.raises(NightError, match="the first night of this HOME is 2020-05-01"):
        run(tmp_path, make_book(), AS_OF)


def test_a_file_broken_inside_stops_no_other_source(tmp_path: Path) -> None:
    run(tmp_path, make_book())
    other = tmp_path / "other"
    other.mkdir()
    wide = pl.DataFrame({"borrower_id": [f"b{number:06}" for number in range(50_000)], "known_on": [AS_OF] * 50_000})
    wide.write_parquet(other / "borrowers.parquet", compression="zstd")
    whole = bytearray((other / "borrowers.parquet").read_bytes())
    whole[200:2000] = bytes(1800)
    (other / "borrowers.parquet").write_bytes(bytes(whole))
    night = Night(NEXT, Settings(home=tmp_path / "home", sources=(str(tmp_path / "book"), str(other))))
    nightly.run_night(night, on_stage=lambda _: None)
    summary = nightly.read_summary(night)
    assert summary["borrowers"] == 5
    assert len(summary["failed"]) == 1
    assert str(other) in summary["failed"][0]


def test_a_table_that_came_before_and_does_not_come_tonight_is_named(tmp_path: Path) -> None:
    book = make_book()
    run(tmp_path, book)
    (tmp_path / "book" / "loans.parquet").unlink()
    night = run_night(tmp_path, {name: frame for name, frame in book.items() if name != "loans"}, NEXT)
    assert nightly.read_summary(night)["not_delivered"] == ["loans"]
