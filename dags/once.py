"""Run the DAG nightly once, in real Airflow, in this process: SQLite, local files, no server left running."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent


def set_up_airflow(folder: Path) -> None:
    """Point Airflow at a folder of its own; to be called before its first import."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        AIRFLOW_HOME=str(folder),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(HERE),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{folder / 'airflow.db'}",
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
    )
    warnings.filterwarnings("ignore", module=r"(fastapi|starlette|airflow)\b.*")


def run_once(as_of: date, folder: Path) -> bool:
    """Run the night of `as_of` through Airflow; True when the run succeeded."""
    set_up_airflow(folder)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils import db

    if not (folder / "airflow.db").exists():
        db.initdb()
    bag = DagBag(HERE / "nightly_dag.py")
    if bag.import_errors:
        raise SystemExit("\n".join(bag.import_errors.values()))
    due = datetime.combine(as_of + timedelta(days=1), time(2), ZoneInfo("Asia/Seoul"))
    for task in bag.dags["nightly"].tasks:
        task.retries = 0  # somebody sits in front of it
    run = bag.dags["nightly"].test(logical_date=due, run_conf={"as_of": as_of.isoformat()})
    return str(run.state) == "success"


def main() -> None:
    """Run the night, then print it."""
    doors = argparse.ArgumentParser(description=__doc__)
    doors.add_argument("--as-of", type=date.fromisoformat, required=True)
    given = doors.parse_args()
    import deungdae
    from signals.night import Night, read_receipts
    from signals.settings import Settings

    the_night = Night(given.as_of, Settings.read())
    before = read_receipts(the_night)
    if not run_once(given.as_of, the_night.home.root.resolve() / "airflow"):
        sys.exit(1)
    deungdae.show_night(the_night, is_unchanged=before == read_receipts(the_night))


if __name__ == "__main__":
    main()
