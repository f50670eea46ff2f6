"""Forgetting a borrower: not a byte of the id is left, what others have stands, and what was broken off is finished."""

import json
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, insert, select
from typer.testing import CliRunner

import deungdae
import nightly
from guidance.catalogue import SHIPPED, load_catalogue
from signals.check_reports import read_check_reports
from signals.doctor import examine
from signals.erase_files import erase_from_files
from signals.errors import SettingsError
from signals.forget import forget_borrower
from signals.forgotten import Forgotten, drop_forgotten, mark_borrower
from signals.home import Home
from signals.lake import read_known
from signals.night import Night, describe_run
from signals.nights import read_night
from signals.packs import find_missing_packs
from signals.products import PRODUCTS
from signals.records.database import open_database
from signals.records.forgotten import (
    complete_forgetting,
    count_unfinished,
    erase_records,
    mark_forgotten,
    read_forgotten,
    redact_runs,
    vacuum_records,
)
from signals.records.objections import append_event, read_objections
from signals.records.runs import find_run, write_run
from signals.records.schema import CASES, LEDGER
from signals.redaction import is_redacted
from signals.settings import Settings
from signals.store import write_product
from tests.night.test_thin_books import make_book
from tests.signals.test_corrections import event, repayments
from tests.signals.test_records import run

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = date(2020, 4, 30), date(2020, 5, 1)
GONE = "o'neill-4711"  # a quote in the id, so that no predicate is fooled by one


def rename(book: dict[str, pl.DataFrame], old: str, new: str) -> dict[str, pl.DataFrame]:
    return {name: frame.with_columns(pl.col(pl.String).str.replace_all(old, new, literal=True)) for name, frame in book.items()}


def send_book(tmp_path: Path, *, without: str | None = None) -> Path:
    """Nine shops; the last is to be forgotten: late by far, guarantor of another, and once named as the owner of another's loan."""
    book = rename(make_book(shops=9), "shop 8", GONE)
    loans = book["loans"].with_columns(guarantor_id=pl.when(pl.col("borrower_id") == "shop 1").then(pl.lit(GONE)))
    mistaken = loans.filter(pl.col("borrower_id") == "shop 2").with_columns(borrower_id=pl.lit(GONE), known_on=pl.lit(date(2019, 12, 1)))
    late = pl.col("borrower_id") == GONE
    broken = book["repayments"].filter(late).with_columns(due_month=pl.lit(date(2020, 3, 15)))  # set aside: no first of a month
    book |= {"loans": pl.concat([mistaken, loans]), "repayments": pl.concat([book["repayments"], broken])}
    folder = tmp_path / "book"
    folder.mkdir(exist_ok=True)
    for name, frame in book.items():
        kept = frame if without is None else frame.filter(pl.col("borrower_id") != without)
        kept.write_parquet(folder / f"{name}.parquet")
    return folder


def settings_of(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources=(str(tmp_path / "book"),))


def run_nights(tmp_path: Path, *nights: date) -> None:
    for as_of in nights:
        nightly.run_night(Night(as_of, settings_of(tmp_path)), on_stage=lambda _: None)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with two published nights, and places of the borrower in the ledger: one reserved, one committed."""
    folder = tmp_path_factory.mktemp("published")
    send_book(folder)
    run_nights(folder, FIRST, SECOND)
    with open_database(settings_of(folder).records_url).begin() as connection:
        programme = load_catalogue([SHIPPED]).allotted()[0]
        place = {"programme_id": programme.id, "borrower_id": GONE, "turn": 1, "amount_krw": 250_000, "is_inside": True, "as_of": FIRST}
        for period, states in ((programme.period, ["reserved"]), ("before", ["reserved", "committed"])):
            for state in states:
                connection.execute(insert(LEDGER).values(**place, period=period, state=state, by="night"))
    leave_traces(folder / "home" / "deungdae.db")
    return folder


def leave_traces(database: Path) -> None:
    """Write and delete as a SQLite does that was not built to wipe what it deletes."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        rows = [(GONE, f"2019-01-{day:02}") for day in range(1, 29)]
        connection.executemany(
            "INSERT INTO cases (borrower_id, office, opened_for, level, status) VALUES (?, 'o', ?, 'alert', 'closed')", rows
        )
        connection.commit()
        connection.execute("DELETE FROM cases WHERE office = 'o'")
        connection.commit()


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(published, tmp_path / "copy")
    return tmp_path / "copy"


def read_words(file: Path) -> Iterator[bytes]:
    """Read a file as its bytes say, and once more as whoever opens it would."""
    yield file.read_bytes()
    if file.suffix == ".parquet":
        frame = pl.read_parquet(file, hive_partitioning=False)
        yield frame.write_json().encode()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            yield from (packed.read(name) for name in packed.namelist())


def find_named(home: Path, identity: str) -> list[str]:
    forms = {identity, identity.replace("'", "''"), identity.replace("'", "&#39;"), f"L-{identity}"}
    names = [file for file in sorted(home.rglob("*")) if file.is_file()]
    return [
        str(file.relative_to(home))
        for file in names
        if any(form.encode() in words for words in (*read_words(file), file.name.encode()) for form in forms)
    ]


def read_all(folder: Path, as_of: date) -> dict[str, pl.DataFrame]:
    settings = settings_of(folder)
    with open_database(settings.records_url).begin() as connection:
        products = {name: frame.collect() for name, frame in read_night(settings.places, connection, as_of).items()}
    known = {f"known {name}": frame.collect() for name, frame in read_known(settings.places, as_of).items()}
    return products | known


def without(frame: pl.DataFrame, identity: str) -> pl.DataFrame:
    kept = frame.filter(pl.col("borrower_id") != identity) if "borrower_id" in frame.columns else frame
    return kept.with_columns(guarantor_id=pl.lit(None, pl.String)) if "guarantor_id" in kept.columns else kept


@pytest.mark.slow
def test_not_a_byte_of_the_id_is_left_and_what_others_have_stands(folder: Path) -> None:
    settings = settings_of(folder)
    before = {as_of: read_all(folder, as_of) for as_of in (FIRST, SECOND)}
    places = {name.split("/")[0] for name in find_named(settings.home, GONE)}
    assert places == {"lake", "nights", "quarantine", "packs", "deungdae.db"}
    steps: list[str] = []
    gone = forget_borrower(GONE, settings, steps.append)
    assert gone.lake > 0 < gone.products
    assert gone.nights == (FIRST, SECOND)
    assert gone.packs
    assert find_named(settings.home, GONE) == []
    assert not any(GONE in step for step in steps)
    for as_of, tables in before.items():
        after = read_all(folder, as_of)
        for name, frame in tables.items():
            assert_frame_equal(after[name], without(frame, GONE), check_row_order=False)


@pytest.mark.slow
def test_a_night_without_the_borrower_says_redacted_its_neighbours_do_not(folder: Path) -> None:
    settings = settings_of(folder)
    forget_borrower(GONE, settings)
    with open_database(settings.records_url).begin() as connection:
        run = find_run(connection, SECOND)
        assert run is not None
        assert is_redacted(run)
        scores = run["receipts"]["scores"]
        assert (scores["rows"], scores["content_hash"], scores["is_redacted"]) == (8, "redacted", True)
        assert "is_redacted" not in run["receipts"]["opening"]
        assert "is_redacted" not in run["receipts"]["repayments"]  # nothing of theirs came in that night
        assert not find_missing_packs(settings.places, connection, SECOND)
    again = describe_run(Night(SECOND, settings), "catalogue", "packs")["receipts"]
    assert {name: again[name] for name in PRODUCTS} == {name: run["receipts"][name] for name in PRODUCTS}
    for receipts in (again, run["receipts"]):
        for name, receipt in receipts.items():
            place = settings.places.product(name) if name in PRODUCTS else settings.places.table(name)
            pl.scan_delta(place, version=receipt["version"]).collect()  # its files are there


@pytest.mark.slow
def test_the_ledger_keeps_its_sums_under_a_name_that_leads_to_nobody(folder: Path) -> None:
    records = open_database(settings_of(folder).records_url)
    forget_borrower(GONE, settings_of(folder))
    with records.begin() as connection:
        rows = connection.execute(select(LEDGER).order_by(LEDGER.c.sequence)).all()
        assert connection.execute(select(CASES).where(CASES.c.borrower_id == GONE)).first() is None
    assert [(row.state, row.amount_krw, row.by) for row in rows if row.borrower_id.startswith("forgotten-")] == [
        ("reserved", 250_000, "night"),
        ("reserved", 250_000, "night"),
        ("committed", 250_000, "night"),
        ("cancelled", 250_000, "forget"),
    ]
    assert len({row.borrower_id for row in rows if row.borrower_id.startswith("forgotten-")}) == 1


@pytest.mark.slow
def test_a_redacted_night_run_again_is_whole_and_the_next_one_follows(folder: Path) -> None:
    settings = settings_of(folder)
    emptied = forget_borrower(GONE, settings).packs
    assert [json.loads((office / "manifest.json").read_text())["is_redacted"] for office in emptied] == [True] * len(emptied)
    send_book(folder, without=GONE)  # as the pull drops what is still sent
    run_nights(folder, SECOND, SECOND + timedelta(days=1))
    with open_database(settings.records_url).begin() as connection:
        for as_of in (SECOND, SECOND + timedelta(days=1)):
            run = find_run(connection, as_of)
            assert run is not None
            assert not is_redacted(run)
            assert {name: frame.collect().height for name, frame in read_night(settings.places, connection, as_of).items()}["scores"] == 8
    assert all((office / "pack.xlsx").exists() for office in emptied if f"as_of={SECOND}" in str(office))
    assert [finding.what for finding in examine(settings) if finding.what in {"packs", "lake", "tables"} and not finding.is_well] == []


@pytest.mark.slow
def test_a_loan_that_was_wrongly_the_borrowers_stays_with_its_owner_and_ends_keep_only_their_key(folder: Path) -> None:
    settings = settings_of(folder)
    forget_borrower(GONE, settings)
    known = read_known(settings.places, SECOND)["loans"].collect()
    assert known.filter(loan_id="L-shop 2")["borrower_id"].to_list() == ["shop 2"]
    ends = pl.scan_delta(settings.places.table("loans")).filter("is_moved").collect()
    assert ends.select("loan_id", "borrower_id", "is_retracted", "principal_krw").rows() == [("L-shop 2", "shop 2", True, None)]


@pytest.mark.slow
def test_the_published_rows_are_kept_where_another_try_of_the_night_stood(folder: Path) -> None:
    settings = settings_of(folder)
    before = read_all(folder, FIRST)["reasons"]
    write_product(settings.places, "reasons", iter([before.head(1)]), FIRST)
    forget_borrower(GONE, settings)
    assert_frame_equal(read_all(folder, FIRST)["reasons"], without(before, GONE), check_row_order=False)


@pytest.mark.slow
def test_what_only_an_old_version_says_goes_too(folder: Path) -> None:
    settings = settings_of(folder)
    features, other, third = read_all(folder, SECOND)["features"], date(2020, 4, 1), SECOND + timedelta(days=1)
    write_product(settings.places, "features", iter([features.filter(borrower_id=GONE).with_columns(borrower_id=pl.lit("hermit"))]), other)
    run_nights(folder, third)
    write_product(settings.places, "features", iter([features.filter(borrower_id="shop 1")]), other)
    forget_borrower("hermit", settings)
    assert find_named(settings.home, "hermit") == []
    assert read_all(folder, third)["features"].height == 9


@pytest.mark.slow
def test_checkpoints_say_nothing_of_the_borrower_either(folder: Path) -> None:
    settings = settings_of(folder)
    for name in ("loans", "repayments"):
        DeltaTable(settings.places.table(name)).create_checkpoint()
    forget_borrower(GONE, settings)
    assert find_named(settings.home, GONE) == []
    assert read_known(settings.places, FIRST)["loans"].collect().height == 8


@pytest.mark.slow
def test_a_night_whose_arrivals_wait_for_the_check_goes_on_without_the_borrower(folder: Path) -> None:
    night = Night(SECOND + timedelta(days=1), settings_of(folder))
    send_book(folder)
    loans = pl.read_parquet(folder / "book" / "loans.parquet").with_columns(known_on=pl.lit(night.as_of), purpose=pl.lit("household"))
    loans.write_parquet(folder / "book" / "loans.parquet")
    nightly.pull(night)
    forget_borrower(GONE, night.settings)
    nightly.check(night)
    report = read_check_reports(night.home, night.as_of)[0]
    assert report.accepted["loans"] == 8


@pytest.mark.slow
def test_forgetting_again_or_somebody_unknown_changes_nothing(folder: Path) -> None:
    settings = settings_of(folder)
    forget_borrower(GONE, settings)
    before = read_all(folder, SECOND)
    again = forget_borrower(GONE, settings)
    assert (again.records, again.files, again.lake, again.products, again.nights, again.packs) == (0, 0, 0, 0, (), ())
    assert forget_borrower("nobody", settings).lake == 0
    for name, frame in read_all(folder, SECOND).items():
        assert_frame_equal(frame, before[name], check_row_order=False)
    with open_database(settings.records_url).begin() as connection:
        assert read_forgotten(connection, settings.pseudonym_key).marks == {
            mark_borrower(name, settings.pseudonym_key) for name in (GONE, "nobody")
        }


KILLED = """
import os, signal, sys
from pathlib import Path
from signals.forget import forget_borrower
from signals.settings import Settings
step, folder = sys.argv[1], Path(sys.argv[2])
def on_step(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)
forget_borrower(sys.argv[3], Settings(home=folder / "home"), on_step)
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["files", "lake", "products", "nights", "old files", "database"])
def test_what_was_broken_off_by_a_kill_is_finished_by_the_next(step: str, folder: Path) -> None:
    settings = settings_of(folder)
    killed = subprocess.run([sys.executable, "-c", KILLED, step, str(folder), GONE], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_database(settings.records_url).begin() as connection:
        assert count_unfinished(connection) == 1
    assert "1 erasures broken off" in [finding.state for finding in examine(settings)]
    forget_borrower(GONE, settings)
    assert find_named(settings.home, GONE) == []
    assert read_all(folder, SECOND)["scores"].height == 8
    with open_database(settings.records_url).begin() as connection:
        assert count_unfinished(connection) == 0
        run = find_run(connection, FIRST)
        assert run is not None
        assert is_redacted(run)
        assert (run["receipts"]["features"]["rows"], run["receipts"]["borrowers"]["rows"]) == (8, 8)


@pytest.mark.slow
def test_the_command_asks_first_and_never_says_the_id(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "deungdae.py"), "forget", "-", "--home", str(folder / "home")]
    asked = subprocess.run([*command], input=f"{GONE}\nn\n", capture_output=True, text=True, check=False, cwd=ROOT)
    assert asked.returncode == 1
    assert find_named(folder / "home", GONE) != []
    done = subprocess.run([*command, "--yes"], input=f"{GONE}\n", capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert GONE not in asked.stdout + asked.stderr + done.stdout + done.stderr
    assert f"as_of={SECOND}" in done.stderr
    nowhere = subprocess.run(
        [*command[:-1], str(folder / "nowhere"), "--yes"], input="x\n", capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert nowhere.returncode == 1
    assert "HOME is not there" in nowhere.stderr
    assert not (folder / "nowhere").exists()


def test_rows_of_the_forgotten_are_dropped_and_their_name_as_guarantor_too() -> None:
    rows = pl.DataFrame({"borrower_id": ["a", "b", None, "c"], "guarantor_id": ["b", None, "b", "a"]})
    forgotten = Forgotten("key", frozenset([mark_borrower("b", "key")]))
    assert drop_forgotten(rows, forgotten).rows() == [("a", None), (None, None), ("c", "a")]
    assert drop_forgotten(rows, Forgotten("another key", forgotten.marks)).equals(rows)
    assert drop_forgotten(pl.DataFrame({"lender_id": ["b"]}), forgotten).height == 1


def test_an_id_with_a_korean_ending_behind_it_is_found_and_a_longer_id_is_not(tmp_path: Path) -> None:
    pages = Home(tmp_path).docs
    pages.mkdir(parents=True)
    for name, text in (("named.html", "차주 shop 1의 기록"), ("other.html", "차주 shop 10의 기록, workshop 1")):
        (pages / name).write_text(text, encoding="utf-8")
    assert erase_from_files(Home(tmp_path), "shop 1", {}) == 1
    assert [page.name for page in pages.iterdir()] == ["other.html"]


def test_while_nobody_is_forgotten_the_rows_are_not_even_looked_at() -> None:
    rows = pl.DataFrame({"borrower_id": ["a"]})
    assert drop_forgotten(rows, Forgotten("key")) is rows


def test_a_changed_key_is_refused_for_the_forgotten_would_come_back(tmp_path: Path) -> None:
    with open_database(Home(tmp_path).database_url).begin() as connection:
        assert read_forgotten(connection, "one") == Forgotten("one")
        mark_forgotten(connection, "a", "one")
        for ask in (lambda: read_forgotten(connection, "two"), lambda: mark_forgotten(connection, "b", "two")):
            with pytest.raises(SettingsError, match="the pseudonym key has changed"):
                ask()


@pytest.mark.parametrize("door", ["train", "backtest"])
def test_whoever_learns_from_sources_asks_first_who_was_forgotten(door: str, tmp_path: Path) -> None:
    send_book(tmp_path)
    with open_database(settings_of(tmp_path).records_url).begin() as connection:
        mark_forgotten(connection, GONE, "another key")
    words = [door, "--home", str(tmp_path / "home"), "--source", str(tmp_path / "book"), "--as-of", "2020-03-31"]
    told = CliRunner().invoke(deungdae.app, words + (["--json", "-"] if door == "backtest" else []))
    assert isinstance(told.exception, SettingsError)
    assert told.exception.what == "the pseudonym key has changed"


def test_every_product_that_speaks_of_a_borrower_can_be_erased_by_its_borrower() -> None:
    counted = {"sketches", "drift", "shock"}  # of all together: nobody is named
    assert {name for name, product in PRODUCTS.items() if "borrower_id" not in product.columns} == counted


def test_both_kinds_of_database_forget_and_keep_objections(records: Engine) -> None:
    receipts = {"scores": {"rows": 9, "content_hash": "x", "version": 1}}
    with records.begin() as connection:
        append_event(connection, event("opened"), repayments())
        append_event(connection, event("upheld", 1, value="0"), repayments())
        write_run(connection, run(FIRST, receipts=receipts))
        mark_forgotten(connection, "A", "key")
        assert read_objections(connection, date(2026, 12, 31))["event"].to_list() == ["opened", "upheld"]
        assert erase_records(connection, "A") == 2
        assert redact_runs(connection, {"scores": [{"version": 2, "forgot": json.dumps({str(FIRST): 1})}]}, {}) == [FIRST]
    vacuum_records(records)
    with records.begin() as connection:
        complete_forgetting(connection, "A", "key")
        assert (count_unfinished(connection), read_objections(connection, date(2026, 12, 31)).height) == (0, 0)
        kept = find_run(connection, FIRST)
        assert kept is not None
        assert is_redacted(kept)
