"""Airflow for tests: a folder of its own, set up once per session."""

from pathlib import Path
from typing import Any


def open_dag_bag(folder: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(folder)
