"""Apache Spark, the second engine: what it knows, builds and scores is what polars does, on one machine and on two executors."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nightly
import training
from models.registry import load_champion, register_model
from signals.errors import NightError
from signals.night import Night
from signals.products import PRODUCTS
from signals.settings import Settings
from signals.simulate import simulate_town
from signals.spark_session import find_reason_against
from tests.signals.lakes import land
from tests.signals.worlds import open_gate

if (_reason := find_reason_against(Settings())) and "CI" not in os.environ:
    pytest.skip(f"Spark can't run here: {_reason}", allow_module_level=True)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNTIL = date(2026, 9, 30)
# A JVM that lives for seconds does not earn back what compiling costs.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
QUICK = {
    "spark.driver.extraJavaOptions": _JAVA, "spark.executor.extraJavaOptions": _JAVA, "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false", "spark.sql.shuffle.partitions": "2",
}  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "town"
    folder.mkdir()
    for name, table in simulate_town(borrowers=1500, months=15, seed=11, until=UNTIL).tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def taken_in(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with a champion and a challenger, and in its lake all that this night brings."""
    home = tmp_path_factory.mktemp("taken in")
    training.train([str(town)], UNTIL - timedelta(days=1), 60, home)
    champion, _ = load_champion(home / "models", UNTIL)
    assert champion is not None
    register_model(home / "models", replace(champion, horizon_days=61))  # looks on
    night = Night(UNTIL, Settings(home=home, sources=(str(town),)))
    nightly.pull(night)
    with open_gate():
        nightly.check(night)
    return home


@pytest.fixture(scope="module")
def by_polars(taken_in: Path, town: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    home = tmp_path_factory.mktemp("polars") / "home"
    night = Night(UNTIL, Settings(home=shutil.copytree(taken_in, home), sources=(str(town),)))
    with open_gate():
        nightly.run_night(night, on_stage=lambda _: None)
    return night


def on_spark(home: Path, *sources: Path, as_of: date = UNTIL) -> Night:
    settings = {"engine": "spark", "spark_master": "local[2]", "spark_conf": QUICK}
    return Night(as_of, Settings(home=home, sources=tuple(map(str, sources)), **settings))


def assert_same(one: Night, other: Night, *names: str) -> None:
    for name in names:
        found, wanted = (night.read(name).collect().sort(PRODUCTS[name].key) for night in (one, other))
        assert name in {"opening", "challenger_scores", "changes", "sketches", "drift", "shock"} or not wanted.is_empty(), name
        assert_frame_equal(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


def test_features_and_scores_are_those_of_polars(by_polars: Night, taken_in: Path, town: Path, tmp_path: Path) -> None:
    night = on_spark(shutil.copytree(taken_in, tmp_path / "home"), town)
    nightly.build_features(night)
    nightly.score(night)
    assert by_polars.read("scores").select("model_version").collect().item(0, 0) != "scorecard"
    assert_same(night, by_polars, "features", "levels", "scores")


def test_what_was_known_is_what_polars_knew(tmp_path: Path) -> None:
    from signals.lake import read_known
    from signals.spark_lake import read_known_on_spark
    from signals.spark_rows import bring_rows
    from signals.spark_session import open_spark

    night = on_spark(tmp_path / "home [1], {2}")  # what Hadoop would read as a pattern
    first, then = UNTIL - timedelta(days=9), UNTIL - timedelta(days=2)
    month, told = {"due_month": date(2026, 8, 1), "borrower_id": "shop"}, night.home
    days = {"l1": 3, "l2": 4, "l3": 5}
    land(told, "repayments", first, *({**month, "loan_id": name, "days_past_due": late, "known_on": first} for name, late in days.items()))
    corrected = [("l1", 0, then, None), ("l1", 8, then, None), ("l2", 4, then, True), ("l3", 9, UNTIL + timedelta(days=1), None)]
    late = [{**month, "loan_id": name, "days_past_due": n, "known_on": on, "is_retracted": gone} for name, n, on, gone in corrected]
    land(told, "repayments", then, *late)
    land(told, "repayments", UNTIL + timedelta(days=2), {**month, "loan_id": "l1", "days_past_due": 99, "known_on": then})
    covered = {"borrower_id": "shop", "source_id": "bank", "from_on": first, "known_on": first}
    land(told, "coverage", first, *({**covered, "subject": subject} for subject in ("arrears", "events")))
    objections = dispute(night, loan="l3")
    ended = pl.DataFrame({"source_id": ["bank"], "table_name": ["arrears"], "last_word_on": [then]})
    known = read_known_on_spark(open_spark(night.settings), told, UNTIL, ["repayments", "coverage", "sales"], objections, ended)
    assert set(known) == {"repayments", "coverage"}
    wanted = read_known(told, UNTIL, None, objections)["repayments"].collect()
    assert dict(wanted.select("loan_id", "days_past_due").iter_rows()) == {"l1": 8, "l3": None}
    assert_frame_equal(bring_rows(known["repayments"]), wanted, check_row_order=False, check_column_order=False)
    until = bring_rows(known["coverage"]).select("subject", "until_on").rows()
    assert dict(until) == {"arrears": then, "events": None}


def dispute(night: Night, loan: str) -> pl.DataFrame:
    """An open objection of the shop to how late one of its loans is."""
    from signals.corrections import OBJECTIONS_SCHEMA

    key = json.dumps({"due_month": "2026-08-01", "loan_id": loan})
    row = (1, "shop", "repayments", key, "days_past_due", "opened", night.as_of, None, None)
    return pl.DataFrame([row], schema=OBJECTIONS_SCHEMA, orient="row")


def test_what_fails_on_an_executor_is_one_line_without_a_value() -> None:
    from signals.spark_session import open_spark, worded_spark

    def fail(batches: Any) -> Any:
        for batch in batches:
            raise ValueError(f"won of {batch.to_pylist()}")
            yield batch

    spark = open_spark(on_spark(Path("home")).settings)
    with pytest.raises(NightError, match="Spark fails") as error, worded_spark():
        spark.range(1, 3).mapInArrow(fail, "id bigint").toArrow()
    assert "won" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("gone", [ConnectionRefusedError(111, "Connection refused"), EOFError()])
def test_a_spark_whose_java_was_killed_is_one_line_too(gone: Exception) -> None:
    from signals.spark_session import worded_spark

    with pytest.raises(NightError, match="Spark fails"), worded_spark():
        raise gone


def test_a_whole_night_on_two_executors_is_that_of_polars(by_polars: Night, taken_in: Path, town: Path, tmp_path: Path) -> None:
    home, events = shutil.copytree(taken_in, tmp_path / "home"), tmp_path / "events"
    events.mkdir()
    logged = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri(), "spark.eventLog.compress": "false"}
    told = {
        "DEUNGDAE_SPARK_MASTER": "local-cluster[2,1,1024]",
        "DEUNGDAE_SPARK_CONF": json.dumps(QUICK | logged),
        "SPARK_WORKER_DIR": str(tmp_path / "work"),
    }
    words = ["night", "--engine", "spark", "--source", str(town), "--as-of", str(UNTIL), "--home", str(home)]
    command = [sys.executable, str(ROOT / "deungdae.py"), *words]
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | told, timeout=300)
    assert made.returncode == 0, made.stderr[-3000:]
    assert list_who_worked(events) == {"0", "1"}
    assert_same(Night(UNTIL, Settings(home=home, sources=(str(town),))), by_polars, *PRODUCTS)


def list_who_worked(events: Path) -> set[str]:
    """The executors that ended a task, as Spark logged it."""
    lines = [json.loads(line) for file in events.rglob("events_*") for line in file.read_text().splitlines()]
    return {line["Task Info"]["Executor ID"] for line in lines if line["Event"] == "SparkListenerTaskEnd"}
