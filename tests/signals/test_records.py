"""The operational database: its migrations, one lease per HOME, cases, runs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier

import polars as pl
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

import deungdae
from signals.errors import NightError
from signals.records.cases import open_cases, read_open_cases
from signals.records.database import open_database
from signals.records.leases import keep_renewing, name_process, release_lease, take_lease, wait_for_lease
from signals.records.runs import find_newest_run, find_run, is_backfill, list_nights, write_run
from signals.records.schema import METADATA

FIRST = date(2026, 3, 1)
SECOND = FIRST + timedelta(days=1)
HOUR = timedelta(hours=1)


def url_of(records: Engine) -> str:
    return records.url.render_as_string(hide_password=False)


@contextmanager
def opened_again(records: Engine) -> Iterator[Engine]:
    engine = open_database(url_of(records))
    yield engine
    engine.dispose()


def test_the_migrations_make_exactly_the_declared_tables(records: Engine) -> None:
    with records.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_a_database_again_keeps_what_it_holds(records: Engine) -> None:
    with records.begin() as connection:
        take_lease(connection, "run|one", HOUR)
    with opened_again(records) as again, again.begin() as connection:
        assert take_lease(connection, "run|two", HOUR) is False


def test_of_many_who_reach_for_a_free_lease_at_once_one_has_it(records: Engine) -> None:
    together = Barrier(6)

    def reach(number: int) -> bool:
        together.wait()
        with records.begin() as connection:
            return take_lease(connection, f"run|{number}", HOUR)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(reach, range(6))) == [False] * 5 + [True]


def test_a_lease_is_told_by_moments_not_by_the_clock_of_a_zone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE postgres SET timezone = 'Asia/Seoul'")
    try:
        engine = open_database(postgres_url)
        with engine.begin() as connection:
            assert connection.exec_driver_sql("SHOW timezone").scalar() == "Asia/Seoul"
            take_lease(connection, "run|one", HOUR)
            assert not take_lease(connection, "run|two", HOUR)
            assert take_lease(connection, "run|two", timedelta(0))
        engine.dispose()
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres RESET timezone")


def test_a_second_holder_waits_until_the_first_gives_the_lease_back(records: Engine) -> None:
    with records.begin() as connection:
        assert take_lease(connection, "run|one", HOUR)
        assert take_lease(connection, "run|one", HOUR)
        assert not take_lease(connection, "run|two", HOUR)
    release_lease(records, "run|two")
    with pytest.raises(NightError, match="another night holds the lease"):
        wait_for_lease(records, "run|two", HOUR, timedelta(0))
    release_lease(records, "run|one")
    wait_for_lease(records, "run|two", HOUR, timedelta(0))


def test_a_lease_not_renewed_in_time_is_over(records: Engine) -> None:
    with records.begin() as connection:
        take_lease(connection, "run|one", HOUR)
        assert take_lease(connection, "run|two", timedelta(0))


def test_a_killed_process_leaves_no_lease_behind(records: Engine) -> None:
    taking = (
        "import sys, os, signal; from datetime import timedelta; from signals.records.database import open_database;"
        "from signals.records.leases import name_process, wait_for_lease;"
        "wait_for_lease(open_database(sys.argv[1]), name_process(), timedelta(hours=1), timedelta(0)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", taking, url_of(records)], cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -9
    wait_for_lease(records, name_process(), HOUR, timedelta(0))
    with records.begin() as connection:
        assert not take_lease(connection, "run|other", HOUR)


def test_a_dead_process_that_nobody_has_buried_holds_no_lease(records: Engine) -> None:
    naming = "import os; from signals.records.leases import name_process; print(name_process(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", naming], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as dead:  # its parent, this process, has not asked for its end yet
        assert dead.stdout
        name, _ = dead.stdout.readline().strip(), dead.stdout.read()
        with records.begin() as connection:
            take_lease(connection, name, HOUR)
        wait_for_lease(records, name_process(), HOUR, timedelta(seconds=5))


def test_a_process_is_known_by_its_start_too_for_its_number_may_come_again(records: Engine) -> None:
    kind, host, process = name_process().split("|")
    assert process.startswith(f"{os.getpid()}@")
    with records.begin() as connection:
        take_lease(connection, f"{kind}|{host}|{os.getpid()}@1.00", HOUR)
        assert take_lease(connection, "run|other", HOUR)


def test_a_stage_longer_than_the_lease_keeps_it(records: Engine) -> None:
    lasts = timedelta(seconds=0.4)
    with records.begin() as connection:
        take_lease(connection, "run|one", lasts)
    with keep_renewing(records, "run|one", lasts):
        time.sleep(1)
        with records.begin() as connection:
            assert not take_lease(connection, "run|two", lasts)
    time.sleep(0.5)
    with records.begin() as connection:
        assert take_lease(connection, "run|two", lasts)


def listed(*borrowers: str) -> pl.DataFrame:
    return pl.DataFrame({"borrower_id": list(borrowers), "office": "seoul", "level": "alert"}, schema_overrides={"borrower_id": pl.String})


def test_a_borrower_has_one_open_case_however_many_nights_list_them(records: Engine) -> None:
    with records.begin() as connection:
        open_cases(connection, listed("a", "b"), FIRST)
        open_cases(connection, listed("a", "c"), SECOND)
        cases = read_open_cases(connection, SECOND + timedelta(days=1))
    assert cases.select("borrower_id", "opened_for").rows() == [("a", FIRST), ("b", FIRST), ("c", SECOND)]


def test_the_same_night_again_changes_only_its_own_cases(records: Engine) -> None:
    with records.begin() as connection:
        open_cases(connection, listed("a", "b"), FIRST)
        open_cases(connection, listed("a", "b"), FIRST)
        open_cases(connection, listed("b", "c"), FIRST)
        assert read_open_cases(connection, FIRST).is_empty()
        assert sorted(read_open_cases(connection, SECOND)["borrower_id"]) == ["b", "c"]


def run(as_of: date, **changes: object) -> dict[str, object]:
    return {
        "as_of": as_of,
        "receipts": {"scores": {"version": 1}},
        "model_version": "m",
        "catalogue_hash": "c",
        "settings_hash": "s",
        "packs_hash": "p",
        "ledger_sequence": 5,
        "is_backfill": False,
        "code_version": "1",
        **changes,
    }


def test_a_night_exists_when_its_row_is_committed_and_an_equal_row_changes_nothing(records: Engine) -> None:
    with pytest.raises(RuntimeError), records.begin() as connection:
        write_run(connection, run(FIRST))
        raise RuntimeError
    with records.begin() as connection:
        assert find_run(connection, FIRST) is None
        assert write_run(connection, run(FIRST))
        assert not write_run(connection, run(FIRST))
        assert write_run(connection, run(FIRST, packs_hash="other"))


def test_a_night_older_than_the_newest_is_a_backfill(records: Engine) -> None:
    with records.begin() as connection:
        assert not is_backfill(connection, FIRST)
        write_run(connection, run(SECOND))
        assert is_backfill(connection, FIRST)
        assert not is_backfill(connection, SECOND)
        write_run(connection, run(FIRST, is_backfill=True))
        assert is_backfill(connection, FIRST)
        newest = find_newest_run(connection)
        assert newest is not None
        assert newest["as_of"] == SECOND
        assert list_nights(connection, SECOND) == [FIRST]


def test_a_statement_that_fails_is_one_line_that_shows_neither_it_nor_whom_it_was_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'deungdae.db'}")

    def fail() -> None:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM nowhere WHERE borrower_id = :who"), {"who": "baker"})

    monkeypatch.setattr(deungdae, "app", fail)
    with pytest.raises(SystemExit) as ended:
        deungdae.main()
    said = capsys.readouterr().err
    assert said.startswith("error: what HOME holds can't be read or written (OperationalError) | where: HOME, DEUNGDAE_DATABASE_URL")
    assert said.count("\n") == 1
    assert "baker" not in said + str(ended.value.__context__)
    assert "nowhere" not in said
