"""The lake and the products: written once, read bucket by bucket, the same however often."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from polars.testing import assert_frame_equal

from signals.admit import admit_arrivals
from signals.arrivals import pull_source, read_deliveries
from signals.buckets import add_bucket, choose_buckets, count_buckets
from signals.check_reports import read_check_reports
from signals.delta import list_files_of
from signals.errors import NightError
from signals.forgotten import Forgotten
from signals.home import Home
from signals.lake import read_known, receipt_of_arrivals
from signals.receipts import Receipt, hash_content
from signals.records.database import open_database
from signals.sources import Source
from signals.store import find_receipt, read_product, read_product_parts, refuse_older_layout, write_product
from signals.tables import TABLES

FIRST = date(2026, 3, 31)
SECOND = FIRST + timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def repayments(shops: int, *, late: int = 0, known_on: date = FIRST) -> pl.DataFrame:
    names = [f"shop {number}" for number in range(shops)]
    return pl.DataFrame(
        {
            "loan_id": [f"bank-{name}" for name in names],
            "borrower_id": names,
            "due_month": [date(2026, 3, 1)] * shops,
            "days_past_due": [late] * shops,
            "known_on": [known_on] * shops,
        }
    )


EMPTY = {name: pl.DataFrame(schema=TABLES[name].polars_schema) for name in ("borrowers", "loans", "repayments")}


def loans_of(repaid: pl.DataFrame) -> pl.DataFrame:
    first = repaid.group_by("loan_id", "borrower_id").agg(pl.col("known_on").min()).sort("loan_id")
    return first.with_columns(lender_id=pl.lit("bank"), product=pl.lit("term"), principal_krw=pl.lit(1_000_000))


def send(folder: Path, **tables: pl.DataFrame) -> Source:
    folder.mkdir(exist_ok=True)
    if "repayments" in tables:
        tables = {"loans": loans_of(tables["repayments"]), **tables}
    for name, frame in (EMPTY | tables).items():
        frame.write_parquet(folder / f"{name}.parquet")
    return Source("bank", str(folder))


def pull(home: Home, source: Source, as_of: date) -> list[Receipt]:
    return pull_source(home, open_database(home.database_url), source, as_of, Forgotten(""))


def check(home: Home, as_of: date) -> None:
    admit_arrivals(home, open_database(home.database_url), as_of, ["bank", "other"])


def pull_and_check(home: Home, source: Source, as_of: date) -> None:
    pull(home, source, as_of)
    check(home, as_of)


def test_a_bucket_depends_on_the_borrower_alone() -> None:
    whole = add_bucket(repayments(500), 8)
    part = add_bucket(repayments(500).sample(100, seed=1), 8)
    assert_frame_equal(
        part.select("borrower_id", "bucket"),
        whole.select("borrower_id", "bucket").join(part, on="borrower_id", how="semi"),
        check_row_order=False,
    )
    assert whole["bucket"].n_unique() == 8


def test_the_number_of_buckets_is_chosen_once(home: Home) -> None:
    assert choose_buckets(home, 3_000_000) == 24
    assert choose_buckets(home, 10) == 24
    assert count_buckets(home) == 24


def test_reading_bucket_by_bucket_reads_everything_once(home: Home, tmp_path: Path) -> None:
    pull_and_check(home, send(tmp_path / "drop", repayments=repayments(100)), FIRST)
    parts = [read_known(home, FIRST, bucket)["repayments"].collect() for bucket in range(count_buckets(home))]
    assert_frame_equal(pl.concat(parts), read_known(home, FIRST)["repayments"].collect(), check_row_order=False)
    assert all(part.height < 100 for part in parts)


@pytest.mark.slow
def test_pulling_twice_is_pulling_once(home: Home, tmp_path: Path) -> None:
    source = send(tmp_path / "drop", repayments=repayments(50))
    first = pull(home, source, FIRST)
    check(home, FIRST)
    receipt = receipt_of_arrivals(home, "repayments", FIRST)
    assert pull(home, source, FIRST) == first
    check(home, FIRST)
    assert receipt_of_arrivals(home, "repayments", FIRST) == receipt
    assert receipt is not None
    assert receipt.rows == 50


@pytest.mark.slow
def test_a_check_broken_off_between_two_tables_is_made_whole_by_the_next(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signals.admit

    source = send(
        tmp_path / "drop", repayments=repayments(50), lenders=pl.DataFrame({"lender_id": ["bank"], "kind": ["bank"], "known_on": [FIRST]})
    )
    pull(home, source, FIRST)
    appended: list[str] = []
    real = signals.admit.commit_rows

    def break_off(place: Home, table: str, *rest: object) -> None:
        if appended:
            raise KeyboardInterrupt
        appended.append(table)
        real(place, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(signals.admit, "commit_rows", break_off)
    with pytest.raises(KeyboardInterrupt):
        check(home, FIRST)
    monkeypatch.undo()
    check(home, FIRST)
    known = read_known(home, FIRST)
    counts = {name: frame.select(pl.len()).collect().item() for name, frame in known.items()}
    assert counts == {"borrowers": 0, "loans": 50, "repayments": 50, "lenders": 1}


@pytest.mark.slow
def test_the_next_night_takes_only_what_is_new_and_a_correction_counts_from_its_night(home: Home, tmp_path: Path) -> None:
    pull_and_check(home, send(tmp_path / "drop", repayments=repayments(10)), FIRST)
    both = pl.concat([repayments(10), repayments(3, late=45, known_on=SECOND)])
    pull_and_check(home, send(tmp_path / "drop", repayments=both), SECOND)
    (report,) = read_check_reports(home, SECOND)
    assert [part["repayments"] for part in (report.read, report.accepted, report.already_known)] == [13, 3, 10]
    late = [read_known(home, day)["repayments"].filter(pl.col("days_past_due") > 0).collect().height for day in (FIRST, SECOND)]
    assert late == [0, 3]


@pytest.mark.slow
def test_a_late_row_with_an_old_day_changes_no_earlier_night(home: Home, tmp_path: Path) -> None:
    pull_and_check(home, send(tmp_path / "drop", repayments=repayments(10)), FIRST)
    pull_and_check(home, send(tmp_path / "drop", repayments=repayments(12)), SECOND)
    assert [read_known(home, day)["repayments"].collect().height for day in (FIRST, SECOND)] == [10, 12]


@pytest.mark.slow
def test_rows_set_aside_lie_in_quarantine_and_the_counts_add_up(home: Home, tmp_path: Path) -> None:
    frame = repayments(100)
    broken = frame.with_columns(days_past_due=pl.when(pl.int_range(100) < 4).then(-1).otherwise("days_past_due"))
    pull_and_check(home, send(tmp_path / "drop", repayments=pl.concat([broken, broken.tail(5)])), FIRST)
    (report,) = read_check_reports(home, FIRST)
    assert [part["repayments"] for part in (report.read, report.accepted, report.quarantined, report.already_known)] == [105, 96, 4, 5]
    assert report.rules == {"repayments": {"days_past_due|min": 4}}
    aside = pl.read_parquet(home.quarantine / f"as_of={FIRST}" / "bank" / "repayments.parquet")
    assert aside.select("pulled_from", "file", "line").rows() == [("bank", "repayments.parquet", line) for line in range(1, 5)]


def test_a_broken_source_stops_no_other_and_leaves_nothing_behind(home: Home, tmp_path: Path) -> None:
    good, bad = send(tmp_path / "good", repayments=repayments(5)), send(tmp_path / "bad", loans=repayments(5))
    pull(home, good, FIRST)
    pull(home, Source("other", bad.place), FIRST)
    check(home, FIRST)
    failures = {delivery.source_id: delivery.failure for delivery in read_deliveries(home, FIRST)}
    assert failures["bank"] is None
    assert "unknown column" in (failures["other"] or "")
    assert sorted(read_known(home, FIRST)) == ["borrowers", "loans", "repayments"]


def chunks(*values: int) -> list[pl.DataFrame]:
    return [pl.DataFrame({"borrower_id": [f"b{value}"], "days_past_due": [float(value)]}) for value in values]


def test_a_product_written_again_with_the_same_content_is_not_written_again(home: Home) -> None:
    first = write_product(home, "features", chunks(1, 2), FIRST)
    assert write_product(home, "features", chunks(1, 2), FIRST) == first == find_receipt(home, "features", FIRST)
    assert DeltaTable(home.product("features")).version() == 0
    assert write_product(home, "features", chunks(1, 3), FIRST).content_hash != first.content_hash


def test_a_night_replaces_its_own_rows_and_no_other_nights_and_old_versions_stay_readable(home: Home) -> None:
    pinned = write_product(home, "features", chunks(1), FIRST)
    write_product(home, "features", chunks(2, 3), SECOND)
    write_product(home, "features", chunks(4), FIRST)
    assert read_product(home, "features", FIRST).collect()["days_past_due"].to_list() == [4.0]
    assert sorted(read_product(home, "features", SECOND).collect()["days_past_due"]) == [2.0, 3.0]
    assert read_product(home, "features", FIRST, pinned.version).collect()["days_past_due"].to_list() == [1.0]


def test_a_product_is_read_chunk_by_chunk_with_the_columns_that_are_there_and_null_where_its_night_had_none(home: Home) -> None:
    write_product(home, "features", chunks(1, 2), FIRST)
    write_product(home, "features", [chunks(3)[0].with_columns(loans_count=pl.lit(2.0))], SECOND)
    assert len(list_files_of(home.product("features"), FIRST)) == len(chunks(1, 2))
    parts = list(read_product_parts(home, "features", FIRST, ["loans_count", "never_heard_of"]))
    assert [part.rows() for part in parts] == [[("b1", None)], [("b2", None)]]
    assert parts[0].columns == ["borrower_id", "loans_count"]
    assert [part.rows() for part in read_product_parts(home, "features", SECOND, ["loans_count"])] == [[("b3", 2.0)]]
    assert not [*home.staging.glob("*")]


def test_a_product_of_nobody_is_read_as_one_empty_part(home: Home) -> None:
    write_product(home, "features", [chunks(1)[0].clear()], FIRST)
    assert [part.shape for part in read_product_parts(home, "features", FIRST, ["days_past_due"])] == [(0, 2)]


def test_a_home_that_an_earlier_version_laid_out_is_refused_before_anything_is_taken_in(home: Home) -> None:
    write_product(home, "features", chunks(1), FIRST)
    refuse_older_layout(home)
    write_deltalake(home.product("scores"), chunks(1)[0].with_columns(as_of=pl.lit(FIRST)).to_arrow())
    with pytest.raises(NightError, match="laid out by an earlier version"):
        refuse_older_layout(home)


def test_reading_what_was_never_written_says_what_to_do(home: Home) -> None:
    with pytest.raises(NightError, match="run the night's stages in order"):
        read_product(home, "features", FIRST)


@pytest.mark.parametrize(
    "change",
    [
        {"n": [1, 3]},
        {"n": [1, None]},
        {"n": [None, 1]},
        {"text": ["x", "yz"]},
        {"text": ["xy", None]},
        {"many": [["a"], ["b"]]},
        {"day": [FIRST, SECOND]},
    ],
)
def test_the_content_hash_sees_every_change_and_no_order(change: dict[str, list[object]]) -> None:
    columns: dict[str, object] = {"id": ["a", "b"], "n": [1, 2], "text": ["xy", "z"], "many": [["a", "b"], []], "day": [FIRST, FIRST]}
    frame = pl.DataFrame(columns)
    shuffled = frame.reverse().select(*reversed(frame.columns))
    assert hash_content(frame, ["id"]) == hash_content(shuffled, ["id"])
    assert hash_content(frame, ["id"]) != hash_content(pl.DataFrame(columns | change), ["id"])


def test_a_tables_own_columns_survive_the_lake(home: Home, tmp_path: Path) -> None:
    coverage = pl.DataFrame({"borrower_id": ["a"], "source_id": ["nts"], "subject": ["sales"], "from_on": [FIRST], "known_on": [FIRST]})
    pull_and_check(home, send(tmp_path / "drop", coverage=coverage), FIRST)
    assert read_known(home, FIRST)["coverage"].collect()["source_id"].to_list() == ["nts"]
