"""A pull killed at any moment and run again makes the same lake; two at once double nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import text

from signals.check_reports import read_check_reports
from signals.home import Home
from signals.lake import receipt_of_arrivals
from signals.records.database import open_database
from signals.tables import TABLES
from tests.signals.worlds import Town, day, read_lake, read_quarantine

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10


@contextmanager
def start(how: str, home: Home, town: Town, night: int) -> Iterator[subprocess.Popen[str]]:
    """Start a process that waits, all imported, for its word to begin."""
    command = [sys.executable, "-m", "tests.signals.pulling", how, str(home.root), str(day(night)), *(one.place for one in town.sources)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        yield process
        if process.poll() is None:
            process.communicate()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("begin\n")
    process.stdin.flush()


def run(home: Home, town: Town, night: int) -> float:
    """Run a night's pull and check to the end; how many seconds it took."""
    with start("night", home, town, night) as process:
        started = time.monotonic()
        begin(process)
        said = process.communicate()[1]
        assert process.returncode == 0, said
    return time.monotonic() - started


def describe(home: Home, night: int) -> dict[str, Any]:
    """All that a night's pull leaves behind, in words that two HOMEs can be compared by."""
    with open_database(home.database_url).begin() as connection:
        rows = {
            name: [tuple(row) for row in connection.execute(text(f"select * from {name} order by 1, 2, 3, 4"))]
            for name in ("deliveries", "files_read")
        }
    receipts = {table: receipt_of_arrivals(home, table, day(night)) for table in TABLES}
    said = {table: receipt and (receipt.rows, receipt.content_hash) for table, receipt in receipts.items()}
    return {**rows, "receipts": said, "reports": read_check_reports(home, day(night))}


def assert_same(home: Home, expected: Home, night: int) -> None:
    lake, wanted = read_lake(home), read_lake(expected)
    assert lake.keys() == wanted.keys()
    for table, frame in lake.items():
        assert_frame_equal(frame.drop("arrival"), wanted[table].drop("arrival"))
    aside, kept = read_quarantine(home, day(night)), read_quarantine(expected, day(night))
    assert aside.keys() == kept.keys()
    for name, frame in aside.items():
        assert_frame_equal(frame, kept[name])
    assert describe(home, night) == describe(expected, night)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = Town(tmp_path_factory.mktemp("town"), 7, {"bank": 0, "bureau": 0, "tax": 0})
    town.send_night(0, most=10, broken=0.1)
    return town


@pytest.fixture(scope="module")
def undisturbed(town: Town, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, float]:
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    return home, run(home, town, 0)


def test_a_pull_killed_at_any_moment_and_run_again_makes_the_same_lake(town: Town, undisturbed: tuple[Home, float], tmp_path: Path) -> None:
    expected, seconds = undisturbed
    rng, killed = Random(20), 0
    for number in range(KILLS):
        home = Home(tmp_path / f"home-{number}")
        with start("night", home, town, 0) as process:
            begin(process)
            time.sleep(seconds * (number + rng.random()) / KILLS)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        _take_in_here(home, town)
        assert_same(home, expected, 0)
    assert killed >= KILLS / 4


def _take_in_here(home: Home, town: Town) -> None:
    """Run the night again in this process: starting another takes seconds."""
    import nightly
    from signals.night import Night
    from signals.records.leases import name_process
    from signals.settings import Settings
    from tests.signals.worlds import open_gate

    night = Night(day(0), Settings(home=home.root, sources=tuple(one.place for one in town.sources)))
    with open_gate():
        for stage in ("pull", "check"):
            nightly.run_stage(night, stage, name_process())


@pytest.mark.parametrize("how", ["night", "bare"])
def test_two_pulls_at_once_double_nothing(how: str, town: Town, undisturbed: tuple[Home, float], tmp_path: Path) -> None:
    expected, _ = undisturbed
    home = Home(tmp_path / "home")
    if how == "bare":  # both check what was pulled, without the lease
        from tests.signals.worlds import pull

        pull(home, town.sources, day(0))
    with start(how, home, town, 0) as one, start(how, home, town, 0) as other:
        begin(one)
        begin(other)
        said = [process.communicate()[1] for process in (one, other)]
        codes = [one.returncode, other.returncode]
    if how == "night":
        assert codes == [0, 0], said
        assert_same(home, expected, 0)
    else:
        for table, frame in read_lake(home).items():
            key = [*TABLES[table].columns, "pulled_from", "file", "line"]
            assert frame.select(pl.struct(key).is_unique().all()).item(), (table, codes, said)
        _take_in_here(home, town)
        for table, frame in read_lake(home).items():
            assert_frame_equal(frame.drop("arrival"), read_lake(expected)[table].drop("arrival"))


def test_the_same_append_made_by_two_at_once_is_made_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from signals.buckets import choose_buckets
    from signals.lake import commit_rows, stage_rows
    from tests.signals.worlds import draw_rows

    home = Home(tmp_path / "home")
    choose_buckets(home, 1)
    rows = draw_rows(Random(1), "loans", 20, day(-5), day(0)).with_columns(
        pulled_from=pl.lit("bank"), priority=pl.lit(0, dtype=pl.Int64), file=pl.lit("f"), line=pl.int_range(pl.len())
    )
    for number in range(5):
        night = day(number)
        staged = [stage_rows(home, "loans", rows, night) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda one, night=night: commit_rows(home, "loans", one, night), staged))
        receipt = receipt_of_arrivals(home, "loans", night)
        assert receipt is not None
        assert receipt.rows == rows.height
