"""Whole nights: the command and Airflow agree, a kill changes nothing, bad input is said."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

import nightly
from signals.home import Home
from signals.night import Night, read_receipts
from signals.nights import read_night
from signals.products import PRODUCTS
from signals.records.database import open_database
from signals.records.schema import LEDGER
from signals.settings import Settings
from tests.signals.worlds import open_gate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNTIL = date(2026, 9, 30)
LAST = UNTIL - timedelta(days=1)


COMMAND = [sys.executable, str(ROOT / "deungdae.py")]
# The command with the gate held open: for what comes after the check, and finds no gate
BEHIND_THE_GATE = [sys.executable, "-m", "tests.night.behind_the_gate"]


def start_deungdae(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command as people do, in a process of its own."""
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"COLUMNS": "200"})


def deungdae(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command in this process: starting another takes seconds."""
    import deungdae as command

    out, said, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        patch.setenv("COLUMNS", "200")
        patch.setattr(sys, "argv", ["deungdae", *map(str, words)])
        try:
            command.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), said.getvalue())


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small town, simulated by the command."""
    folder = tmp_path_factory.mktemp("source") / "town"
    made = start_deungdae("simulate", "--out", folder, "--borrowers", 1500, "--months", 20, "--seed", 7, "--until", UNTIL)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def trained(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with a first champion."""
    home = tmp_path_factory.mktemp("trained")
    made = start_deungdae("train", "--source", town, "--as-of", LAST, "--home", home)
    assert made.returncode == 0, made.stderr
    return home


def copy_models(trained: Path, home: Path) -> Path:
    shutil.copytree(trained / "models", home / "models")
    return home


@pytest.fixture(scope="session")
def published(town: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with one published night, made by the command."""
    home = copy_models(trained, tmp_path_factory.mktemp("published"))
    made = start_deungdae("night", "--source", town, "--as-of", UNTIL, "--home", home)
    assert made.returncode == 0, made.stderr
    return home


def night_at(home: Path, town: Path, as_of: date = UNTIL) -> Night:
    return Night(as_of, Settings(home=home, sources=(str(town),)))


def receipts(home: Path, town: Path, as_of: date = UNTIL) -> dict[str, dict[str, object]]:
    return read_receipts(night_at(home, town, as_of))


def read_products(home: Path, as_of: date = UNTIL) -> dict[str, pl.DataFrame]:
    with open_database(Home(home).database_url).begin() as connection:
        return {name: frame.collect() for name, frame in read_night(Home(home), connection, as_of).items()}


def test_every_product_has_one_row_per_key_and_the_declared_columns(published: Path) -> None:
    products = read_products(published)
    assert set(products) == set(PRODUCTS)
    for name, product in PRODUCTS.items():
        frame = products[name]
        assert frame.select(product.key).is_unique().all(), name
        assert set(product.columns) <= set(frame.columns), name
        assert name in {"opening", "challenger_scores", "changes", "sketches", "drift", "shock"} or not frame.is_empty(), name


def test_scores_reasons_verdicts_and_assignments_speak_of_the_same_people(published: Path, town: Path) -> None:
    products = read_products(published)
    scores = products["scores"]
    with_level = set(scores.filter(pl.col("level") != "none")["borrower_id"])
    flagged = set(scores.filter(pl.col("level").is_in(["caution", "alert", "distressed"]))["borrower_id"])
    left_out = set(products["features"]["borrower_id"]) - set(scores["borrower_id"])
    assert len(left_out) == nightly.read_summary(night_at(published, town))["left_out"] < 0.1 * scores.height
    assert set(scores["borrower_id"]) == set(products["levels"]["borrower_id"]) <= set(products["features"]["borrower_id"])
    assert set(products["reasons"]["borrower_id"]) == with_level
    assert flagged <= set(products["verdicts"]["borrower_id"])
    assert set(scores.filter("is_listed")["borrower_id"]) <= flagged
    assert scores.filter(pl.col("risk").is_null())["level"].unique().to_list() == ["distressed"]
    eligible = products["verdicts"].filter("is_eligible").select("borrower_id", "programme_id")
    assert products["assignments"].join(eligible, on=["borrower_id", "programme_id"], how="anti").is_empty()


def test_reasons_are_those_of_the_model_that_scored_whoever_is_champion_by_then(published: Path, town: Path, tmp_path: Path) -> None:
    night = night_at(shutil.copytree(published, tmp_path / "home"), town)
    shutil.rmtree(night.home.models / "promotions")
    made = {one.table: one.pinned() for one in nightly.explain(night)}
    assert made == {name: receipts(published, town)[name] for name in ("reasons", "theme_totals", "changes")}


def test_an_analyst_sees_the_rows_behind_a_value_and_who_told_them(published: Path) -> None:
    kept = read_products(published)["features"].filter(pl.col("days_past_due") > 0).sort("borrower_id").row(0, named=True)
    asked = ("--borrower", kept["borrower_id"], "--as-of", UNTIL, "--home", published)
    told = json.loads(deungdae("explain-feature", "days_past_due", *asked, "--json").stdout)
    assert told["value"] == told["value_kept"] == kept["days_past_due"]
    (part,) = told["parts"]
    assert max(row["days_past_due"] for row in part["rows"]) == kept["days_past_due"]
    assert all(row["file"].startswith("repayments") and row["versions"] >= 1 for row in part["rows"])
    among_peers = (
        read_products(published)["features"].filter(pl.col("sales_change_vs_peers_3m") != 0).sort("borrower_id").row(0, named=True)
    )
    shown = deungdae("explain-feature", "sales_change_vs_peers_3m", "--borrower", among_peers["borrower_id"], *asked[2:])
    assert shown.returncode == 0, shown.stderr
    assert "같음 · the same" in shown.stdout
    assert "견준 점포 · peers" in shown.stdout
    wrong = deungdae("explain-feature", "days_past_do", *asked)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "did you mean: days_past_due" in wrong.stderr
    nobody = deungdae("explain-feature", "days_past_due", "--borrower", "nobody", *asked[2:])
    assert (nobody.returncode, nobody.stderr.count("\n")) == (1, 1)


def test_the_same_night_again_changes_nothing_says_so_and_reserves_nothing_twice(published: Path, town: Path) -> None:
    def count() -> int:
        with open_database(Home(published).database_url).begin() as connection:
            return connection.execute(select(func.count()).select_from(LEDGER)).scalar_one()

    before, reserved = receipts(published, town), read_products(published)["assignments"].filter(pl.col("place") == "reserved").height
    assert count() == reserved > 0
    again = deungdae("night", "--source", town, "--as-of", UNTIL, "--home", published)
    assert again.returncode == 0, again.stderr
    assert "nothing changed" in again.stdout
    assert receipts(published, town) == before
    assert count() == reserved


def test_the_command_and_airflow_give_equal_receipts(
    published: Path, town: Path, trained: Path, tmp_path: Path, airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import datetime, time
    from zoneinfo import ZoneInfo

    from tests.night.airflow_home import open_dag_bag

    home = copy_models(trained, tmp_path / "home")
    monkeypatch.setenv("DEUNGDAE_HOME", str(home))
    monkeypatch.setenv("DEUNGDAE_SOURCES", json.dumps([str(town)]))
    due = datetime.combine(UNTIL + timedelta(days=1), time(2), ZoneInfo("Asia/Seoul"))
    run = open_dag_bag(ROOT / "dags" / "nightly_dag.py").dags["nightly"].test(logical_date=due)
    assert str(run.state) == "success"
    assert receipts(home, town) == receipts(published, town)
    assert receipts(home, town) != {}


def test_packs_hold_only_the_offices_own_people(published: Path) -> None:
    scores = read_products(published)["scores"].filter("is_listed")
    offices = {row["office"]: set() for row in scores.select("office").unique().to_dicts()}
    for row in scores.to_dicts():
        offices[row["office"]].add(row["borrower_id"])
    for office, people in offices.items():
        folder = Home(published).packs(UNTIL) / office
        text = next(folder.glob("*.csv")).read_text(encoding="utf-8-sig")
        assert {borrower for borrower in scores["borrower_id"] if borrower in text} == people


def kill_at(stage: str, seconds: float, command: list[object]) -> int:
    """Start a night, kill it so long after it says that it begins a stage, and give its return code."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        said = []
        while f"{UNTIL} {stage}\n" not in said:
            said.append(running.stderr.readline())
            assert said[-1], f"the night ended before {stage}: {said}"
        time.sleep(seconds)
        running.send_signal(signal.SIGKILL)
    return running.returncode


@pytest.mark.parametrize(
    ("stage", "seconds"), [("pull", 0.2), ("check", 4.0), ("score", 0.5), ("publish", 0.3), ("publish", 0.6), ("report", 0.1)]
)
def test_a_night_killed_at_any_moment_and_run_again_is_the_same_night(
    stage: str, seconds: float, published: Path, town: Path, trained: Path, tmp_path: Path
) -> None:
    home = copy_models(trained, tmp_path / "home")
    words, is_behind = ["night", "--source", town, "--as-of", str(UNTIL), "--home", home], stage not in ("pull", "check")
    assert kill_at(stage, seconds, [*(BEHIND_THE_GATE if is_behind else COMMAND), *words]) == -signal.SIGKILL
    with open_gate() if is_behind else contextlib.nullcontext():
        again = deungdae(*words)
    assert again.returncode == 0, again.stderr
    expected = {name: receipt["content_hash"] for name, receipt in receipts(published, town).items()}
    assert {name: receipt["content_hash"] for name, receipt in receipts(home, town).items()} == expected


def test_four_nights_at_once_are_one_night(published: Path, town: Path, trained: Path, tmp_path: Path) -> None:
    home = copy_models(trained, tmp_path / "home")
    words = ["night", "--source", town, "--as-of", str(UNTIL), "--home", home]
    running = [
        subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for command in (COMMAND, BEHIND_THE_GATE, COMMAND, BEHIND_THE_GATE)
    ]
    ended = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0], ended
    assert receipts(home, town) == receipts(published, town)
    assert sum("waiting" in said for said in ended) == 3


def test_the_next_night_holds_what_was_reserved_and_a_backfill_reserves_nothing(
    published: Path, town: Path, trained: Path, tmp_path: Path
) -> None:
    home = copy_models(trained, tmp_path / "home")
    next_night, missed = UNTIL + timedelta(days=2), UNTIL + timedelta(days=1)
    for as_of in (UNTIL, next_night, missed):
        with open_gate():
            done = deungdae("night", "--source", town, "--as-of", as_of, "--home", home)
        assert done.returncode == 0, done.stderr
    places = {
        as_of: dict(read_products(home, as_of)["assignments"].group_by("place").len().iter_rows()) for as_of in (UNTIL, next_night, missed)
    }
    assert places[next_night]["held"] == places[UNTIL]["reserved"]
    assert "reserved" not in places[missed]
    before = receipts(home, town)
    with open_gate():
        assert deungdae("night", "--source", town, "--as-of", UNTIL, "--home", home).returncode == 0
    assert receipts(home, town) == before


def test_a_night_without_a_champion_is_scored_by_the_scorecard_and_says_so(town: Path, tmp_path: Path) -> None:
    with open_gate():
        done = deungdae("night", "--source", town, "--as-of", UNTIL, "--home", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "scorecard" in done.stdout
    scores = read_products(tmp_path)["scores"]
    assert scores["model_version"].unique().to_list() == ["scorecard"]
    assert scores["risk"].null_count() == scores.height
    assert scores.filter(pl.col("level") == "caution").height > 0


def test_a_champion_trained_on_later_knowledge_is_refused(town: Path, trained: Path, tmp_path: Path) -> None:
    home = copy_models(trained, tmp_path / "home")
    with open_gate():
        assert deungdae("night", "--source", town, "--as-of", LAST - timedelta(days=1), "--home", home).returncode == 0
    assert read_products(home, LAST - timedelta(days=1))["scores"]["model_version"].unique().to_list() == ["scorecard"]


def break_town(town: Path, folder: Path, table: str, change: object) -> Path:
    import shutil

    shutil.copytree(town, folder)
    place = folder / f"{table}.parquet"
    place = place if place.exists() else min((folder / table).glob("*.parquet"))
    if change is None:
        shutil.rmtree(folder / table) if (folder / table).is_dir() else place.unlink()
    elif isinstance(change, bytes):
        place.write_bytes(b"")
    else:
        pl.read_parquet(place).with_columns(change).write_parquet(place)
    return folder


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("loans", pl.lit(1).alias("colour"), "unknown column 'colour'"),
        ("repayments", None, "missing required table repayments"),
        ("loans", pl.lit("much").alias("principal_krw"), "wrong type in column 'principal_krw'"),
        ("borrowers", b"", "zero bytes"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_night_behind(table: str, change: object, words: str, town: Path, tmp_path: Path) -> None:
    broken, home = break_town(town, tmp_path / "broken", table, change), tmp_path / "home"
    for door in (("night", "--home", home), ("train", "--home", home), ("backtest", "--json", "-")):
        done = deungdae(door[0], "--source", broken, "--as-of", UNTIL if door[0] != "backtest" else UNTIL - timedelta(days=200), *door[1:])
        lines = done.stderr.strip().splitlines()
        assert done.returncode == 1, done.stdout + done.stderr
        assert words in lines[-1]
        assert lines[-1].startswith("error: ")
        assert not any("Traceback" in line for line in lines)
    assert read_receipts(night_at(home, broken)) == {}
    with open_database(Home(home).database_url).begin() as connection:
        assert connection.execute(select(func.count()).select_from(LEDGER)).scalar_one() == 0
    assert not (home / "nights").exists()


def test_conflicting_rows_are_quarantined_with_their_rule_and_the_night_goes_on(town: Path, tmp_path: Path) -> None:
    broken = break_town(town, tmp_path / "broken", "borrowers", pl.col("known_on"))
    place = broken / "borrowers.parquet" if (broken / "borrowers.parquet").exists() else min((broken / "borrowers").glob("*.parquet"))
    frame = pl.read_parquet(place)
    pl.concat([frame, frame.head(2).with_columns(employees=pl.lit(99, dtype=frame.schema["employees"]))]).write_parquet(place)
    home = tmp_path / "home"
    done = deungdae("night", "--source", broken, "--as-of", UNTIL, "--home", home)
    assert done.returncode == 0, done.stderr
    aside = pl.read_parquet(Home(home).quarantine / f"as_of={UNTIL}" / "broken" / "borrowers.parquet")
    assert aside["rules"].unique().to_list() == ["primary_key"]
    assert aside.height == 4


def test_the_real_data_runs_to_the_end_without_its_missing_tables(taiwan: Path, tmp_path: Path) -> None:
    day = date(2005, 10, 31)
    trained = deungdae("train", "--source", taiwan, "--as-of", day, "--horizon-days", 31, "--home", tmp_path)
    assert trained.returncode == 0, trained.stderr
    done = deungdae("night", "--source", taiwan, "--as-of", day, "--home", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sales" in done.stdout
    assert "not supplied" in done.stdout
    products = read_products(tmp_path, day)
    assert products["scores"].height == 30_000
    assert products["scores"]["model_version"].unique().to_list() != ["scorecard"]
    assert products["features"]["credit_score"].null_count() == 30_000


def test_the_doctor_finds_a_published_home_well_and_an_empty_one_not(published: Path, tmp_path: Path) -> None:
    assert deungdae("doctor", "--home", published).returncode == 0
    empty = deungdae("doctor", "--home", tmp_path / "nothing")
    assert empty.returncode == 1
    assert "is not there" in empty.stdout


def test_wrong_usage_is_exit_2() -> None:
    assert start_deungdae("night", "--as-of", "yesterday").returncode == 2
    assert deungdae("fly").returncode == 2


def test_the_shipped_programmes_have_no_faults_and_a_broken_one_is_named_with_file_and_line(tmp_path: Path) -> None:
    assert deungdae("programmes", "check", "--as-of", UNTIL).returncode == 0
    (tmp_path / "programmes").mkdir()
    shipped = (ROOT / "guidance" / "programmes" / "new_start_fund.toml").read_text()
    (tmp_path / "programmes" / "new_start_fund.toml").write_text(shipped.replace("operator", "opperator", 1))
    broken = deungdae("programmes", "check", "--as-of", UNTIL, "--home", tmp_path)
    assert broken.returncode == 1
    assert "new_start_fund.toml:" in broken.stderr
