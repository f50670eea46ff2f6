"""# Training

On the first of every month at 09:00 in Seoul, when the night is over: learn from all that is known, and register what came of it as challenger.

**What it makes.** A model under `models/` with its card (`card.html` to read, `card.md` for a terminal), tried out of time beside the
simple rankers and beside the champion. It **never promotes**, not even where there is no champion yet: until a person does, the champion
scores as before, and the challenger is scored beside it each night (the report says whom each would flag and list).

**What came of earlier nights.** Beside it, calibration and capture of the nights whose horizon is over are measured by what is known now, recorded
under `models/outcomes/` and shown in the next night's report. Where far more or far fewer crises came than the champion foretold, the next night
goes into shock mode: the scorecard scores until a person runs `deungdae models resume --because "…"`.

**Promoting it.** Read its card and some nights' reports. Then `deungdae models promote VERSION --because "…" --home HOME`; a challenger that
fails a gate of `models/recipe.toml` is refused. `deungdae models rollback --because "…"` goes back to the champion before.

**Running it by hand.** Trigger it with the parameter `as_of`, the day of knowledge; without it the run takes the day before its logical date,
Korean time. Running it again is safe: the same knowledge makes the same model, under the same version.

**When it fails.** It is tried again once. Then read the task's last line: what, where, why it matters, what to do. The nights go on meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException


@task
def name_day(params: dict[str, Any] | None = None, dag_run: Any = None) -> str:
    """Say by which day what is learned from was known."""
    import nightly

    return nightly.find_as_of((params or {}).get("as_of"), dag_run.logical_date).isoformat()


@task
def train(as_of: str) -> dict[str, str]:
    """Make a challenger."""
    import training
    from signals.errors import DeungdaeError

    try:
        return training.run_task(as_of)
    except DeungdaeError as error:  # a person must mend it: trying again would not help
        raise AirflowFailException(str(error)) from None


@task
def outcomes(as_of: str) -> dict[str, Any]:
    """Hold earlier nights against what came of them."""
    import training
    from signals.errors import DeungdaeError

    try:
        return training.run_outcomes(as_of)
    except DeungdaeError as error:  # a person must mend it: trying again would not help
        raise AirflowFailException(str(error)) from None


@dag(
    dag_id="training",
    schedule="0 9 1 * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Seoul"),
    catchup=False,
    max_active_runs=1,
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="The day of knowledge; empty: before the logical date")
    },
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    doc_md=__doc__,
    tags=["deungdae"],
)
def training_dag() -> None:
    """Wire the day to what came of earlier nights, and to the training: neither waits for the other."""
    as_of = name_day()
    outcomes(as_of)
    train(as_of)


training_dag()
