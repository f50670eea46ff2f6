"""# Maintenance

Every Sunday at 05:00 in Seoul: let go what is past its time, sort the lake's buckets, delete the files no kept night needs.

**What it does.** `expire` takes back nights older than `DEUNGDAE_KEEP_NIGHTS_MONTHS` with their products and packs, and deletes the rows
that each table's own rule lets go (`signals/tables/__init__.py` says how long and why). `compact` writes each bucket that has become
`DEUNGDAE_COMPACT_FROM_FILES` files or more anew as one sorted file. `vacuum` deletes files that neither the newest version of a table
nor a kept night needs, and what killed runs left behind.

**Running it by hand.** Trigger it with the parameter `as_of`, the day by which age is counted; without it the run takes the day before
its logical date, Korean time. `deungdae maintain --home HOME --dry-run` shows what it would do. Running it again is safe.

**When a step fails.** Read the task's last line and clear the task. Each change is one commit: a step that was killed has changed
a table wholly or not at all, and the next run deletes its leftovers.

**When a night holds the lease.** The step waits for it, and a night waits for the step.

**What can't be undone.** A night that was let go can't be read again, and one that stands on it (a year of waits) can't be built again:
the night refuses and says so. Ask for a dry run before you shorten how long things are kept.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Param, chain, dag, task
from airflow.sdk.exceptions import AirflowFailException

STEPS = ("expire", "compact", "vacuum")


@task
def name_day(params: dict[str, Any] | None = None, dag_run: Any = None) -> str:
    """Say by which day age is counted."""
    import nightly

    return nightly.find_as_of((params or {}).get("as_of"), dag_run.logical_date).isoformat()


def make_step(step: str) -> Any:
    """Make the task of one step."""

    @task(task_id=step)
    def run(as_of: str) -> list[dict[str, Any]]:
        from signals import maintenance
        from signals.errors import DeungdaeError

        try:
            return maintenance.run_task(step, as_of)
        except DeungdaeError as error:  # a person must mend it: trying again would not help
            raise AirflowFailException(str(error)) from None

    return run


@dag(
    dag_id="maintenance",
    schedule="0 5 * * 0",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Seoul"),
    catchup=False,
    max_active_runs=1,
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="The day to count by; empty: before the logical date")
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=2)},
    doc_md=__doc__,
    tags=["deungdae"],
)
def maintenance_dag() -> None:
    """Wire the steps in their order."""
    as_of = name_day()
    chain(*(make_step(step)(as_of) for step in STEPS))


maintenance_dag()
