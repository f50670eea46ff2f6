"""Files as they should not be: the source fails in one line that names the file, and nothing of it is kept; what can be used is used."""

import json
import sqlite3
from datetime import date
from pathlib import Path
from random import Random

import polars as pl
import pytest

from signals.arrivals import read_deliveries
from signals.home import Home
from signals.lake import read_known
from signals.sources import Source, list_sources
from signals.tables import TABLES
from tests.signals.test_reconciliation import loan, make_drop, put, repayment
from tests.signals.worlds import check, day, open_gate, pull, take_in

NUMBERS = ("900101-1234568", "9001011234568")


@pytest.fixture(autouse=True)
def _gate_is_open() -> object:
    with open_gate():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def good(tmp_path: Path) -> Source:
    return put(tmp_path / "good", loans=[loan("l0")], repayments=[repayment("l0")])


def fail(home: Home, good: Source, bad: Source) -> str:
    """Pull both sources; the bad one's failure, after seeing that the good one was taken in and nothing of the bad one was."""
    reports = take_in(home, [good, bad], day(0))
    assert reports["good"].failure is None
    assert read_known(home, day(0))["loans"].collect()["loan_id"].to_list() == ["l0"]
    failure = reports[bad.source_id].failure
    assert failure is not None
    assert failure.count(" | ") == 3
    return failure


@pytest.mark.parametrize("damage", ["cut short", "zero bytes", "not Parquet", "its end alone", "text", "a folder of that name"])
def test_a_damaged_file_fails_its_source_alone(damage: str, home: Home, good: Source, tmp_path: Path) -> None:
    bad = put(tmp_path / "bad", loans=[loan("l1")])
    file = tmp_path / "bad" / "loans" / "part.parquet"
    whole = file.read_bytes()
    file.unlink()
    pieces = {
        "cut short": whole[:-7],
        "zero bytes": b"",
        "not Parquet": b"PAR1" * 9,
        "its end alone": whole[-200:],
        "text": b"loan_id,borrower_id\nl1,b1\n",
    }
    if damage == "a folder of that name":
        (file / "inside.parquet").mkdir(parents=True)
        assert take_in(home, [good, bad], day(0))["bad"].failure is None  # an empty folder brings nothing
    else:
        file.write_bytes(pieces[damage])
        assert "part.parquet" in fail(home, good, bad)


@pytest.mark.slow
def test_whatever_bytes_of_a_file_are_damaged_the_others_go_on(home: Home, good: Source, tmp_path: Path) -> None:
    rng = Random(5)
    put(tmp_path / "bad", loans=[loan(f"l{number}", purpose="business") for number in range(50)])
    file = tmp_path / "bad" / "loans" / "part.parquet"
    whole = file.read_bytes()
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        file.write_bytes(bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])]))
        pull(home, [good, Source("bad", str(tmp_path / "bad"))], day(0))
        said = {delivery.source_id: delivery.failure for delivery in read_deliveries(home, day(0))}
        assert said["good"] is None
        assert set(said) == {"bad", "good"}


@pytest.mark.parametrize("bad", ["missing", "a file", "a broken link"])
def test_a_source_folder_that_is_none_fails_alone(bad: str, home: Home, good: Source, tmp_path: Path) -> None:
    place = tmp_path / "bad"
    if bad == "a file":
        place.write_text("nothing")
    if bad == "a broken link":
        place.symlink_to(tmp_path / "nowhere")
    assert "no such source folder" in fail(home, good, Source("bad", str(place)))


def test_a_broken_link_and_a_link_to_itself_inside_a_folder_stop_nobody(home: Home, good: Source, tmp_path: Path) -> None:
    put(tmp_path / "bad", loans=[loan("l1")])
    (tmp_path / "bad" / "around").symlink_to(tmp_path / "bad")
    (tmp_path / "bad" / "loans" / "gone.parquet").symlink_to(tmp_path / "nowhere.parquet")
    assert take_in(home, [good, Source("bad", str(tmp_path / "bad"))], day(0))["good"].failure is None


def test_a_folder_is_read_through_a_link_and_a_crooked_path_by_the_same_names(home: Home, good: Source, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(good.place)
    places = [str(tmp_path / "link"), f"{tmp_path}/link/../good/", f"{tmp_path}//good"]
    sources = [Source(f"s{number}", place) for number, place in enumerate(places)]
    take_in(home, sources, day(0))
    names = [[one.file for one in delivery.landed] for delivery in read_deliveries(home, day(0))]
    assert names == [["borrowers/part.parquet", "loans/part.parquet", "repayments/part.parquet"]] * 3


def test_an_empty_folder_and_one_of_unknown_files_bring_nothing_and_say_so(home: Home, good: Source, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    for name in ("Loans.parquet", "loans.PARQUET", "truth.parquet"):
        pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "odd" / name)
    (tmp_path / "odd" / "_SUCCESS").touch()
    reports = take_in(home, [good, Source("empty", str(tmp_path / "empty")), Source("odd", str(tmp_path / "odd"))], day(0))
    assert reports["empty"].failure is None
    assert [warning.split()[0] for warning in reports["odd"].warnings] == ["Loans.parquet", "loans.PARQUET", "truth.parquet"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"surprise": pl.lit(1)}, "unknown column 'surprise'"),
        ({"Product": pl.lit("term")}, "unknown column 'Product'"),
        ({"known_on": pl.lit("2026-01-05")}, "wrong type in column 'known_on'"),
        ({"principal_krw": pl.lit(1.5)}, "wrong type in column 'principal_krw'"),
        ({"principal_krw": pl.lit(2**63, dtype=pl.UInt64)}, "does not fit"),
        ({"known_on": pl.lit(10**7, dtype=pl.Int32).cast(pl.Date)}, "a day that is in no calendar"),
        ({"matures_on": pl.lit(-(10**6), dtype=pl.Int32).cast(pl.Date)}, "a day that is in no calendar"),
    ],
)
def test_a_file_of_other_columns_or_types_or_impossible_days_is_refused(
    change: dict[str, pl.Expr], words: str, home: Home, good: Source, tmp_path: Path
) -> None:
    bad = put(tmp_path / "bad", loans=[loan("l1")])
    file = tmp_path / "bad" / "loans" / "part.parquet"
    pl.read_parquet(file).with_columns(**change).write_parquet(file)
    assert words in fail(home, good, bad)


def test_days_at_the_ends_of_the_calendar_and_huge_texts_are_taken_as_they_are(home: Home, tmp_path: Path) -> None:
    rows = [
        loan("first", opened_on=date(1, 1, 1), matures_on=date(9999, 12, 31)),
        loan("huge", product="x" * 3_000_000),
        loan("'; drop table \x07 \"한\n", borrower="b\\/:*?<>|%20"),
    ]
    source = put(tmp_path / "a", loans=rows)
    for number in range(2):
        report = take_in(home, [source], day(number))["a"]
        assert report.failure is None
    known = read_known(home, day(1))["loans"].collect()
    assert sorted(known["loan_id"]) == sorted(str(row["loan_id"]) for row in rows)


def test_a_file_gone_between_pull_and_check_was_kept_and_one_gone_before_is_not_missed_as_broken(
    home: Home, good: Source, tmp_path: Path
) -> None:
    pull(home, [good], day(0))
    for file in (tmp_path / "good").rglob("*.parquet"):
        file.unlink()
    check(home, [good], day(0))
    assert read_known(home, day(0))["loans"].collect().height == 1


def test_names_of_sources_never_meet() -> None:
    places = ["/a/town", "/b/town-3", "/c/town", "/d/town", "/e/town-3"]
    names = [source.source_id for source in list_sources(places)]
    assert len(set(names)) == len(places)
    assert names[:2] == ["town", "town-3"]


def make_numbered(kind: str, folder: Path, number: str) -> Source:
    """A source of some kind, in one of whose later files stands a resident registration number."""
    note = loan("l7", product=number)
    if kind == "folder":
        return put(folder, loans=[loan("l1"), note])
    if kind == "drop":
        return make_drop(
            folder, f"loan,owner,month,balance,late,known\nl0,b0,{day(0).replace(day=1)},,0,{day(0)}\n{number},b0,2026-01-01,,0,{day(0)}\n"
        )
    folder.mkdir()
    with sqlite3.connect(folder / "bank.db") as connection:
        for name in ("borrowers", "loans", "repayments"):
            kinds = {pl.Int64: "INTEGER", pl.Boolean: "BOOLEAN", pl.Float64: "REAL", pl.Date: "DATE"}
            columns = ", ".join(f"{column} {kinds.get(type(kind), 'TEXT')}" for column, kind in TABLES[name].polars_schema.items())
            connection.execute(f"CREATE TABLE {name} ({columns})")
        for row in (loan("l1"), note):
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"INSERT INTO loans ({', '.join(row)}) VALUES ({marks})", [str(v) if isinstance(v, date) else v for v in row.values()]
            )
    connection.close()
    return Source("bad", f"sqlite:///{folder / 'bank.db'}", kind="database")


def find_trace(home: Home, number: str) -> list[str]:
    """Every file under HOME in which a number stands, as bytes or as a value."""
    found = []
    for file in home.root.rglob("*"):
        if not file.is_file():
            continue
        is_there = number.encode() in file.read_bytes()
        if file.suffix in {".parquet", ".part"}:
            values = pl.read_parquet(file, hive_partitioning=False).cast(pl.String)
            is_there = is_there or values.select(pl.any_horizontal(pl.all().str.contains(number, literal=True).any())).item() is True
        found += [str(file)] if is_there else []
    return found


@pytest.mark.parametrize("kind", ["folder", "drop", "database"])
@pytest.mark.parametrize("number", NUMBERS)
def test_of_a_delivery_with_a_resident_registration_number_nothing_is_kept(
    kind: str, number: str, home: Home, good: Source, tmp_path: Path
) -> None:
    bad = make_numbered(kind, tmp_path / "bad", number)
    assert "resident registration numbers" in fail(home, good, bad)
    assert find_trace(home, number) == []
    assert find_trace(home, "l7") == []
    landed = json.loads((home.arrivals / str(day(0)) / "bad" / "delivery.json").read_text())
    assert landed["landed"] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_without_its_header_does_not_put_the_first_person_into_the_error(
    number: str, home: Home, good: Source, tmp_path: Path
) -> None:
    bad = make_drop(tmp_path / "bad", f"{number},b0,2026-01-01,1,0,{day(0)}\n")
    assert number not in fail(home, good, bad)
    assert find_trace(home, number) == []
    odd = put(tmp_path / "odd", loans=[loan("l1")])
    file = tmp_path / "odd" / "loans" / "part.parquet"
    pl.read_parquet(file).with_columns(pl.lit(1).alias(number)).write_parquet(file)
    assert number not in fail(home, good, odd)
    assert find_trace(home, number) == []
