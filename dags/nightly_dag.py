"""# The night

Every night at 02:00 in Seoul: pull what the sources sent, check it, score the borrowers, advise, publish.

**What it makes.** The night of the day before: its products under `nights/`, the office packs under `packs/`, a report under
`docs/nights/`, and a row in `runs`. Until that row is committed the night does not exist for any reader.

**Running it by hand.** Trigger it with the parameter `as_of` (a date such as 2026-03-01). Without it the run takes the day before
its logical date, Korean time. Running a night again is safe: the same input gives the same receipts and changes nothing.

**Where the sources lie** is said by `DEUNGDAE_SOURCES`, or else by `sources.toml` under HOME; `deungdae sources check` tries them.

**When a source fails.** The night goes on without it; the report and `quarantine/as_of=…/report.json` say why. Have the file
sent again and run the same night again, or leave it to the next night's pull.

**When a stage fails.** It is tried again twice. Then read the task's last line: what, where, why it matters, what to do. Clear
the failed task; the stages before it need not run again.

**When another night holds the lease.** The stage waits for it. A night that was killed leaves the lease behind; it runs out after
`DEUNGDAE_LEASE_MINUTES`.

**Shock mode.** When what the champion reads breaks away from what is usual for three nights on end (the gates stand under `[watch.shock]` in
`models/recipe.toml`), or outcomes refute it, the night scores by the official signs, and every list says so and why. It stays so until somebody
runs `deungdae models resume --because "…"`: the report names what moved and since when. Nights that were published are not changed by it.

**A backfill** of a night older than the newest published one builds its products again and reserves nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Asset, Param, chain, dag, task
from airflow.sdk.exceptions import AirflowFailException

STAGES = ("check", "build_features", "score", "explain", "judge", "assign", "publish", "report")
NIGHT = Asset("deungdae-night")


def _run(stage: str, as_of: str, run_id: str, source_id: str | None = None) -> list[dict[str, Any]]:
    import nightly
    from signals.errors import DeungdaeError

    try:
        return nightly.run_task(stage, as_of, run_id, source_id)
    except DeungdaeError as error:  # a person must mend it: trying again would not help
        raise AirflowFailException(str(error)) from None


@task
def name_night(params: dict[str, Any] | None = None, dag_run: Any = None) -> str:
    """Say which night this run is for."""
    import nightly

    return nightly.find_as_of((params or {}).get("as_of"), dag_run.logical_date).isoformat()


@task
def list_sources() -> list[str]:
    """Name the sources to pull from."""
    import nightly

    return nightly.name_sources()


@task
def pull(source_id: str, as_of: str, dag_run: Any = None) -> list[dict[str, Any]]:
    """Pull one source."""
    return _run("pull", as_of, dag_run.run_id, source_id)


def make_stage(stage: str) -> Any:
    """Make the task of one stage; the one that publishes updates the asset."""

    @task(task_id=stage, outlets=[NIGHT] * (stage == "publish"))
    def run(as_of: str, dag_run: Any = None) -> list[dict[str, Any]]:
        return _run(stage, as_of, dag_run.run_id)

    return run


@dag(
    dag_id="nightly",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Seoul"),
    catchup=False,
    max_active_runs=1,
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="The night to run; empty: the day before the logical date")
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=2)},
    doc_md=__doc__,
    tags=["deungdae"],
)
def nightly_dag() -> None:
    """Wire the stages of the night in their order."""
    as_of = name_night()
    chain(pull.partial(as_of=as_of).expand(source_id=list_sources()), *(make_stage(stage)(as_of) for stage in STAGES))


nightly_dag()
