"""The upkeep of a HOME: what is past its time goes, what kept nights rest on stays, whatever happens in between."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from signals.errors import NightError
from signals.home import Home
from signals.lake import read_known, receipt_of_arrivals
from signals.maintenance import Upkeep, find_day, run_maintenance
from signals.nights import read_night, read_waits
from signals.records.database import open_database
from signals.records.leases import name_process, take_lease
from signals.records.runs import find_run, list_nights
from signals.retention import refuse_before_retention
from signals.settings import Settings
from signals.store import find_receipt
from signals.vacuum import vacuum_table
from tests.signals.lakes import land, loan, publish, read_all, repayment

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO, OLD, NEAR, LAST = date(2016, 1, 31), date(2022, 3, 31), date(2026, 3, 30), date(2026, 3, 31)
DAY = date(2026, 4, 5)
SHOPS = [f"shop {number}" for number in range(30)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A HOME with four published nights, two of them past their time."""
    settings = Settings(home=tmp_path / "home", compact_from_files=2)
    for night in (LONG_AGO, OLD, NEAR, LAST):
        fill(settings.places, night)
        publish(settings.places, night)
    return settings


def fill(home: Home, night: date) -> None:
    land(home, "repayments", night, *(repayment(shop, night.replace(day=1), night) for shop in SHOPS))
    land(home, "loans", night, *(loan(f"bank-{shop}", shop, night) for shop in SHOPS))
    land(home, "lenders", night, {"lender_id": "bank", "kind": "bank", "known_on": night})


def maintain(settings: Settings, *steps: str, is_dry: bool = False, as_of: date = DAY) -> dict[str, Upkeep]:
    return {one.name: one for one in run_maintenance(settings, as_of, steps, is_dry=is_dry, on_step=lambda _: None)}


def list_home(home: Home) -> dict[str, int]:
    return {str(file): file.stat().st_size for file in home.root.rglob("*") if file.is_file() and "deungdae.db" not in file.name}


def read_kept(settings: Settings) -> dict[str, pl.DataFrame]:
    """Read all that a kept night can be asked for: its products, and the lake at the versions it pins and as known."""
    home, read = settings.places, {}
    with open_database(settings.records_url).begin() as connection:
        for night in (NEAR, LAST):
            run = find_run(connection, night)
            assert run is not None
            read |= {f"{night} {name}": frame.collect() for name, frame in read_night(home, connection, night).items()}
            for name in ("repayments", "loans", "lenders"):
                read[f"{night} pinned {name}"] = read_all(home, name, run["receipts"][name]["version"])
                known = read_known(home, night)[name].collect()
                read[f"{night} known {name}"] = known.sort("lender_id" if name == "lenders" else "borrower_id")
        read["waits"] = read_waits(home, connection, LAST)
    return read


def assert_same(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> None:
    """All that kept nights read is the same, but for the months that are past their time, whether they are gone yet or not."""
    assert before.keys() == after.keys()
    is_kept = pl.col("due_month") > date(2019, 1, 1)
    for name, earlier in before.items():
        frames = [frame.filter(is_kept) if name.endswith("known repayments") else frame for frame in (earlier, after[name])]
        assert_frame_equal(*frames, check_row_order=False)


def test_kept_nights_read_as_before_and_what_is_past_its_time_is_gone(settings: Settings) -> None:
    before = read_kept(settings)
    receipts = [receipt_of_arrivals(settings.places, name, night) for name in ("repayments", "loans") for night in (NEAR, LAST)]
    done = maintain(settings)
    assert_same(before, read_kept(settings))
    assert [receipt_of_arrivals(settings.places, name, night) for name in ("repayments", "loans") for night in (NEAR, LAST)] == receipts
    expired = {name: done[name].rows_expired for name in ("repayments", "loans", "lenders", "scores", "reasons")}
    assert expired == {"repayments": 30, "loans": 30, "lenders": 1, "scores": 2, "reasons": 0}
    assert done["repayments"].files_after == 4
    assert read_all(settings.places, "repayments")["due_month"].min() == OLD.replace(day=1)
    with open_database(settings.records_url).begin() as connection:
        assert list_nights(connection, DAY) == [LAST, NEAR]
        with pytest.raises(NightError, match="no published night"):
            read_night(settings.places, connection, OLD)
    assert find_receipt(settings.places, "scores", LAST) is not None


def test_an_expired_nights_people_are_gone_from_the_disk_while_kept_nights_pin_the_table(settings: Settings) -> None:
    maintain(settings)

    def list_nights_on_disk(name: str) -> set[date]:
        files = Path(settings.places.product(name)).rglob("*.parquet")
        return {date.fromisoformat(file.parent.name.removeprefix("as_of=")) for file in files}

    assert list_nights_on_disk("scores") == list_nights_on_disk("features") == {NEAR, LAST}
    read_kept(settings)


def test_maintaining_again_changes_nothing(settings: Settings) -> None:
    maintain(settings)
    before = list_home(settings.places)
    again = maintain(settings)
    assert {name: (one.rows_expired, one.files_removed) for name, one in again.items() if one.rows_expired or one.files_removed} == {}
    assert {name: size for name, size in list_home(settings.places).items() if "retention.json" not in name} == {
        name: size for name, size in before.items() if "retention.json" not in name
    }


def test_a_dry_run_tells_what_would_be_done_and_does_none_of_it(settings: Settings) -> None:
    before = list_home(settings.places)
    told = maintain(settings, is_dry=True)
    assert list_home(settings.places) == before
    assert told["repayments"].files_before > told["repayments"].files_after == 4
    assert told["repayments"].bytes_before == told["repayments"].bytes_after
    done = maintain(settings)
    assert {name: one.rows_expired for name, one in told.items()} == {name: one.rows_expired for name, one in done.items()}
    assert told["scores"].rows_expired == 2


def test_the_newest_night_and_those_it_counts_waits_from_stay_however_late_the_day(settings: Settings) -> None:
    before = read_kept(settings)
    late = date(2099, 1, 1)
    maintain(settings, "expire", as_of=late)
    with open_database(settings.records_url).begin() as connection:
        assert list_nights(connection, late) == [LAST, NEAR]
        waits = read_waits(settings.places, connection, LAST)
        assert {name: frame.collect().height for name, frame in read_night(settings.places, connection, LAST).items()}["scores"] == 1
    assert_frame_equal(waits, before["waits"])
    assert waits["wait_days"].to_list() == [1]


def test_no_month_that_a_night_can_read_goes_however_late_the_day(settings: Settings) -> None:
    late = date(2099, 1, 1)
    told = maintain(settings, "expire", as_of=late, is_dry=True)
    done = maintain(settings, "expire", as_of=late)
    assert told["repayments"].rows_expired == done["repayments"].rows_expired == 30
    assert read_known(settings.places, LAST)["repayments"].collect()["due_month"].unique().sort().to_list() == [
        OLD.replace(day=1),
        LAST.replace(day=1),
    ]


def test_a_night_that_would_miss_what_went_is_not_built_again(settings: Settings) -> None:
    maintain(settings, "expire")
    refuse_before_retention(settings.places, LAST)
    with pytest.raises(NightError, match="can't be built again"):
        refuse_before_retention(settings.places, OLD)


def test_vacuum_spares_what_is_pinned_and_takes_what_is_not(settings: Settings) -> None:
    path = Path(settings.places.table("repayments"))
    rows = [read_all(settings.places, "repayments", version) for version in range(1, 5)]  # the table was made by version 0
    maintain(settings, "compact")
    files = {file for file in path.rglob("*.parquet") if "_delta_log" not in file.parts}
    gone = vacuum_table(str(path), [2])
    assert {Path(file) for file in gone} == files - {file for file in path.rglob("*.parquet") if "_delta_log" not in file.parts}
    assert len(gone) == 8
    for version in (1, 2, 5):
        assert_frame_equal(read_all(settings.places, "repayments", version), rows[min(version, 4) - 1])
    with pytest.raises(FileNotFoundError):
        read_all(settings.places, "repayments", 3)
    assert vacuum_table(str(path), [2]) == []


def test_what_killed_writers_left_behind_is_gone_and_whole_files_stay(settings: Settings) -> None:
    home, before = settings.places, read_kept(settings)
    left = [
        Path(home.table("repayments")) / "bucket=1" / "part-00000-x.parquet",
        Path(home.table("repayments")) / "bucket=1" / "part-00000-x.parquet#1",
        Path(home.table("lenders")) / "sorted-x.parquet",
        Path(home.product("scores")) / "part-00000-x.parquet",
        home.staging / "scores-2026-03-31" / "00000.parquet",
    ]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"half")
    told = maintain(settings, "vacuum", is_dry=True)
    assert all(file.exists() for file in left)
    done = maintain(settings, "vacuum")
    assert not any(file.exists() for file in left)
    assert {name: done[name].files_removed for name in ("repayments", "lenders", "scores", "drafts")} == {
        "repayments": 2,
        "lenders": 1,
        "scores": 1,
        "drafts": 1,
    }
    assert told["drafts"].files_removed == 1
    assert_same(before, read_kept(settings))


def test_old_folders_go_and_the_newest_of_each_kind_stays(settings: Settings) -> None:
    home = settings.places
    places = [home.quarantine / f"as_of={night}" for night in (OLD, LAST)] + [home.arrivals / str(night) for night in (OLD, LAST)]
    places += [home.docs / "data_docs" / str(night) for night in (OLD, LAST)] + [home.packs(night) for night in (OLD, LAST)]
    for place in places:
        place.mkdir(parents=True)
        (place / "one").write_text("x")
    done = maintain(settings, "expire", as_of=date(2027, 12, 1))
    assert [place.exists() for place in places] == [False, True] * 4
    assert {done[name].files_removed for name in ("packs", "quarantine", "data_docs", "arrivals")} == {1}


def test_maintenance_waits_for_a_night_and_a_dry_run_does_not(settings: Settings) -> None:
    engine = open_database(settings.records_url)
    with engine.begin() as connection:
        assert take_lease(connection, "run|another", timedelta(minutes=60))
    hurried, told = settings.model_copy(update={"patience_minutes": 0}), []
    with pytest.raises(NightError, match="holds the lease"):
        run_maintenance(hurried, DAY, on_step=told.append)
    assert told == []
    assert maintain(settings, is_dry=True)
    with engine.begin() as connection:
        assert not take_lease(connection, name_process(), timedelta(minutes=60))


def test_the_day_is_the_newest_published_night_and_never_the_clock(settings: Settings, tmp_path: Path) -> None:
    assert find_day(settings) == LAST
    with pytest.raises(NightError, match="no lake"):
        find_day(Settings(home=tmp_path / "nowhere"))
    land(Home(tmp_path / "new"), "lenders", LAST, {"lender_id": "bank", "kind": "bank", "known_on": LAST})
    with pytest.raises(NightError, match="no night is published"):
        find_day(Settings(home=tmp_path / "new"))


def command(settings: Settings, *words: str) -> list[str]:
    return [sys.executable, str(ROOT / "deungdae.py"), "maintain", "--home", str(settings.home), *words]


ENVIRONMENT = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT), "DEUNGDAE_COMPACT_FROM_FILES": "2"}


@pytest.mark.slow
def test_the_command_tells_each_table_in_both_languages(settings: Settings) -> None:
    told = subprocess.run(command(settings, "--dry-run"), capture_output=True, text=True, check=True, env=ENVIRONMENT, cwd=ROOT)
    assert f"정비 예정 · what would be maintained {LAST}" in told.stdout
    (row,) = [line for line in told.stdout.splitlines() if "repayments" in line]
    assert "16 → 4" in row
    absent = subprocess.run(
        command(Settings(home=settings.home / "no")), capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=ROOT
    )
    assert absent.returncode == 1
    assert "there is no lake here" in absent.stderr


def kill_in(step: str, seconds: float, running: list[str]) -> int:
    """Start the maintenance, kill it so long after it says that it begins a step, and give its return code."""
    with subprocess.Popen(running, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as one:
        assert one.stderr is not None
        while f"{DAY} {step}\n" != one.stderr.readline():
            assert one.poll() is None
        time.sleep(seconds)
        one.send_signal(signal.SIGKILL)
    return one.returncode


@pytest.mark.slow
def test_maintenance_killed_at_any_moment_and_run_again_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    before, moments, killed = read_kept(settings), random.Random(4), 0
    for number, step in enumerate(["expire", "compact", "vacuum"] * 2):
        copy = settings.model_copy(update={"home": tmp_path / f"copy-{number}"})
        shutil.copytree(settings.home, copy.home)
        killed += kill_in(step, moments.uniform(0, 0.25), command(copy, "--as-of", str(DAY))) == -signal.SIGKILL
        assert_same(before, read_kept(copy))
        maintain(copy)
        assert_same(before, read_kept(copy))
        for name, rows in {"repayments": 90, "loans": 90, "lenders": 3}.items():
            assert read_all(copy.places, name).height == rows
            assert vacuum_table(copy.places.table(name), range(DeltaTable(copy.places.table(name)).version() + 1)) == []
    assert killed >= 4


@pytest.mark.slow
def test_airflow_maintains_as_the_command_does(settings: Settings, airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.night.airflow_home import open_dag_bag

    before = read_kept(settings)
    monkeypatch.setenv("DEUNGDAE_HOME", str(settings.home))
    monkeypatch.setenv("DEUNGDAE_COMPACT_FROM_FILES", "2")
    due = datetime(2026, 4, 5, 5, tzinfo=ZoneInfo("Asia/Seoul"))
    run = open_dag_bag(ROOT / "dags" / "maintenance_dag.py").dags["maintenance"].test(logical_date=due)
    assert str(run.state) == "success"
    assert_same(before, read_kept(settings))
    done = maintain(settings)
    assert (done["repayments"].files_before, done["repayments"].rows_expired, done["repayments"].files_removed) == (4, 0, 0)
