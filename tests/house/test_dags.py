"""The census of the DAGs: exactly these, in this order, parsed fast."""

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import nightly
from signals import maintenance
from tests.night.airflow_home import open_dag_bag

DAGS = Path(__file__).resolve().parents[2] / "dags"
STAGES = ["check", "build_features", "score", "explain", "judge", "assign", "publish", "report"]


def test_the_dags_are_exactly_these(airflow_home) -> None:
    bag = open_dag_bag(DAGS)
    assert bag.import_errors == {}
    assert set(bag.dags) == {"maintenance", "nightly", "training"}
    assert sorted(file.name for file in DAGS.glob("*_dag.py")) == ["maintenance_dag.py", "nightly_dag.py", "training_dag.py"]


def test_the_tasks_are_the_stages_of_the_night_in_their_order(airflow_home) -> None:
    dag = open_dag_bag(DAGS).dags["nightly"]
    assert ["pull", *STAGES] == list(nightly.NIGHT)
    assert set(dag.task_ids) == {"name_night", "list_sources", "pull", *STAGES}
    for earlier, later in zip(["pull", *STAGES], STAGES, strict=False):
        assert earlier in dag.get_task(later).upstream_task_ids


def test_the_dag_is_retried_documented_and_publishes_its_asset(airflow_home) -> None:
    dag = open_dag_bag(DAGS).dags["nightly"]
    assert all(task.retries >= 1 for task in dag.tasks)
    assert dag.get_task("pull").is_mapped
    assert "Running it by hand" in dag.doc_md
    assert [asset.name for asset in dag.get_task("publish").outlets] == ["deungdae-night"]
    assert [asset for task in dag.tasks if task.task_id != "publish" for asset in task.outlets] == []
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_maintenance_runs_its_steps_in_their_order_one_at_a_time(airflow_home) -> None:
    steps = list(maintenance.STEPS)
    dag = open_dag_bag(DAGS).dags["maintenance"]
    assert set(dag.task_ids) == {"name_day", *steps}
    for earlier, later in pairwise(steps):
        assert earlier in dag.get_task(later).upstream_task_ids
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert all(task.retries >= 1 for task in dag.tasks)
    assert "Running it by hand" in dag.doc_md


def test_training_makes_one_challenger_a_month_and_has_no_task_that_promotes(airflow_home) -> None:
    dag = open_dag_bag(DAGS).dags["training"]
    assert set(dag.task_ids) == {"name_day", "outcomes", "train"}
    assert all(dag.get_task(name).upstream_task_ids == {"name_day"} for name in ("outcomes", "train"))
    assert dag.schedule == "0 9 1 * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert all(task.retries >= 1 for task in dag.tasks)
    assert "never promotes" in dag.doc_md


def test_parsing_a_dag_file_imports_nothing_heavy() -> None:
    heavy = "polars,lightgbm,sklearn,great_expectations,deltalake,dataframely,pandas,nightly,signals,features,models,guidance"
    code = f"import sys, runpy; runpy.run_path(sys.argv[1]); print([name for name in '{heavy}'.split(',') if name in sys.modules])"
    for file in DAGS.glob("*_dag.py"):
        parsed = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
        assert parsed.stdout.strip().splitlines()[-1] == "[]", file.name


def test_a_dag_file_adds_little_to_what_airflow_itself_takes(airflow_home) -> None:
    open_dag_bag(DAGS)
    started = time.perf_counter()
    open_dag_bag(DAGS)
    assert time.perf_counter() - started < 1
