"""Buckets are sorted without changing a row, and say truly whether they are."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import signals.compaction
from signals.compaction import compact_table, count_past, drop_rows, find_scattered, is_sorted, list_data_files, order_of
from signals.errors import NightError
from signals.home import Home
from signals.lake import read_known, receipt_of_arrivals
from signals.retention import keep_rows
from signals.tables import TABLES
from tests.signals.lakes import land, loan, read_all, read_commit, repayment

FIRST = date(2026, 3, 31)
NIGHTS = [FIRST + timedelta(days=days) for days in range(3)]
SHOPS = [f"shop {number}" for number in range(30)]
BUCKETS = range(4)


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    for late, night in enumerate(NIGHTS):
        land(home, "repayments", night, *(repayment(shop, date(2026, 3, 1), night, late) for shop in reversed(SHOPS)))
    return home


def read_bucket(home: Home, table: str, bucket: int) -> pl.DataFrame:
    return pl.scan_delta(home.table(table)).filter(pl.col("bucket") == bucket).collect()


def test_a_compacted_table_has_the_same_rows_and_the_same_past(home: Home) -> None:
    rows, pinned = read_all(home, "repayments"), [read_all(home, "repayments", version) for version in range(3)]
    known = [read_known(home, night, bucket)["repayments"].collect() for night in NIGHTS for bucket in BUCKETS]
    receipts = [receipt_of_arrivals(home, "repayments", night) for night in NIGHTS]
    assert compact_table(home, "repayments", 3) == dict.fromkeys(BUCKETS, 3)
    assert list_data_files(DeltaTable(home.table("repayments"))).height == 4
    assert_frame_equal(read_all(home, "repayments"), rows)
    for version, earlier in enumerate(pinned):
        assert_frame_equal(read_all(home, "repayments", version), earlier)
    again = [read_known(home, night, bucket)["repayments"].collect() for night in NIGHTS for bucket in BUCKETS]
    for before, after in zip(known, again, strict=True):
        assert_frame_equal(before, after, check_row_order=False)
    assert [receipt_of_arrivals(home, "repayments", night) for night in NIGHTS] == receipts


def test_the_commit_says_that_no_data_changed_and_is_no_nights_receipt(home: Home) -> None:
    compact_table(home, "repayments", 3)
    actions = read_commit(Path(home.table("repayments")))
    changes = [one[kind]["dataChange"] for one in actions for kind in ("add", "remove") if kind in one]
    assert changes == [False] * 16
    told = DeltaTable(home.table("repayments")).history(1)[0]
    assert told["maintenance"] == "compact"
    assert "as_of" not in told


def test_a_compacted_bucket_is_sorted_until_something_is_appended(home: Home) -> None:
    assert not any(is_sorted(home, "repayments", bucket) for bucket in BUCKETS)
    compact_table(home, "repayments", 3)
    for bucket in BUCKETS:
        rows = read_bucket(home, "repayments", bucket)
        assert is_sorted(home, "repayments", bucket)
        assert_frame_equal(rows, rows.sort(order_of(TABLES["repayments"], rows.columns)))
    land(home, "repayments", NIGHTS[2], repayment(SHOPS[0], date(2026, 2, 1), FIRST), source_id="other")
    assert [is_sorted(home, "repayments", bucket) for bucket in BUCKETS].count(False) == 1


def test_what_is_not_there_is_not_sorted_and_not_compacted(home: Home) -> None:
    assert not is_sorted(home, "lenders")
    assert not is_sorted(home, "repayments", 99)
    assert compact_table(home, "lenders") == {}
    assert count_past(home, "lenders", lambda rows: rows.head(0)) == {}


def test_a_table_without_borrowers_is_compacted_as_one(home: Home) -> None:
    for night in NIGHTS:
        land(home, "lenders", night, *({"lender_id": name, "kind": "bank", "known_on": night} for name in ("b", "a")))
    rows = read_all(home, "lenders")
    assert compact_table(home, "lenders", 3) == {None: 3}
    assert is_sorted(home, "lenders")
    assert_frame_equal(read_all(home, "lenders"), rows)


def test_buckets_of_few_files_are_left_alone(home: Home) -> None:
    assert compact_table(home, "repayments", 4) == {}
    assert DeltaTable(home.table("repayments")).version() == 3  # made, and three appends
    land(home, "repayments", NIGHTS[2], repayment(SHOPS[0], date(2026, 2, 1), FIRST), source_id="other")
    assert list(find_scattered(home, "repayments", 4).values()) == [4]
    assert len(compact_table(home, "repayments", 4)) == 1


def test_an_append_that_was_made_is_still_known_to_be_made(home: Home) -> None:
    compact_table(home, "repayments", 3)
    version = DeltaTable(home.table("repayments")).version()
    land(home, "repayments", FIRST, *(repayment(shop, date(2026, 3, 1), FIRST) for shop in reversed(SHOPS)))
    assert DeltaTable(home.table("repayments")).version() == version


@pytest.mark.parametrize("between", ["append", "compact"])
def test_whoever_commits_in_between_wins_and_nothing_is_lost_or_doubled(between: str, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = signals.compaction._describe_file

    def interrupt(*given: object) -> dict[str, object]:
        monkeypatch.setattr(signals.compaction, "_describe_file", real)
        if between == "compact":
            compact_table(home, "repayments", 3)
        else:
            land(home, "repayments", NIGHTS[2], repayment("shop 99", date(2026, 3, 1), FIRST), source_id="other")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(signals.compaction, "_describe_file", interrupt)
    with pytest.raises(NightError, match="nothing is lost"):
        compact_table(home, "repayments", 3)
    assert read_all(home, "repayments").height == (90 if between == "compact" else 91)
    compact_table(home, "repayments", 3)
    assert read_all(home, "repayments").height == (90 if between == "compact" else 91)


def test_rows_past_their_time_go_in_one_commit_and_what_is_left_is_sorted(home: Home) -> None:
    land(home, "repayments", NIGHTS[2], *(repayment(shop, date(2010, 1, 1), FIRST) for shop in SHOPS), source_id="other")
    version = DeltaTable(home.table("repayments")).version()
    kept = drop_rows(home, "repayments", lambda rows: keep_rows(rows, TABLES["repayments"], date(2020, 1, 1)))
    assert kept == 30
    assert DeltaTable(home.table("repayments")).version() == version + 1
    assert read_all(home, "repayments")["due_month"].unique().to_list() == [date(2026, 3, 1)]
    assert all(is_sorted(home, "repayments", bucket) for bucket in BUCKETS)
    assert all(one["add"]["dataChange"] for one in read_commit(Path(home.table("repayments"))) if "add" in one)
    assert drop_rows(home, "repayments", lambda rows: rows) == 0
    assert drop_rows(home, "repayments", lambda rows: rows.head(0)) == 90
    assert read_all(home, "repayments").is_empty()


LOANS = st.lists(
    st.tuples(st.sampled_from(["l1", "l2"]), st.sampled_from(SHOPS[:4]), st.integers(0, 5), st.booleans()), min_size=1, max_size=4
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(nights=st.lists(LOANS, min_size=2, max_size=3), horizon=st.integers(0, 2))
def test_loans_that_moved_between_borrowers_are_known_alike_by_bucket_and_whole(
    nights: list[list[tuple[str, str, int, bool]]], horizon: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home, end = Home(tmp_path_factory.mktemp("home")), FIRST + timedelta(days=horizon)
    for number, rows in enumerate(nights):
        sent = {(name, day): loan(name, shop, FIRST - timedelta(days=5 - day), is_retracted=back) for name, shop, day, back in rows}
        land(home, "loans", FIRST + timedelta(days=number), *sent.values(), source_id=f"bank {number}")

    def read(night: date) -> list[pl.DataFrame]:
        frames = [read_known(home, night, bucket)["loans"].collect().sort("loan_id") for bucket in (None, *BUCKETS)]
        return [frame.select(sorted(frame.columns)) for frame in frames]

    later = [end + timedelta(days=days) for days in range(3)]
    before = [read(night) for night in later]
    compact_table(home, "loans")
    drop_rows(home, "loans", lambda rows: keep_rows(rows, TABLES["loans"], end))
    for earlier, night in zip(before, later, strict=True):
        for one, other in zip(earlier, read(night), strict=True):
            assert_frame_equal(one, other)
