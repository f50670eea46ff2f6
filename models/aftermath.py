"""Once a month: earlier nights are held against what came of them, and what is found is recorded beside the models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from models.bars import load_bars
from models.decisions import OUTCOMES, append_record, read_records
from models.labels import label_defaults
from models.outcomes import choose_finished, measure_outcomes
from models.registry import load_scorer
from signals.buckets import count_buckets
from signals.errors import SettingsError
from signals.home import Home
from signals.lake import open_tables, take_bucket
from signals.night import name_models
from signals.nights import read_night
from signals.records.database import open_database
from signals.records.runs import find_newest_run
from signals.records.schema import CASES, RUNS
from signals.settings import Settings
from signals.tables import HOLDERS
from signals.turns import hold_lease

_OF_SCORECARD = 180  # days: what is asked of nights that foretold nothing
_NEEDED = (*HOLDERS, "events")


def record_outcomes(settings: Settings, as_of: date, on_wait: Callable[[], None] | None = None) -> dict[str, Any]:
    """Measure what came, by all that was known on `as_of`, of the nights whose horizon is over, and record it for the nights to come.

    `as_of`, `from_on` (the first night it counts on: later than every published one) and `nights`, the newest first, each with
    `night`, `model_version`, `horizon_days` and what `measure_outcomes` measures; of each month the last, no more than the recipe
    says. What was found already is not recorded again; where no horizon is over nothing is, and `nights` is empty. Holds the
    lease of HOME.
    """
    home, records = settings.places, open_database(settings.records_url)
    with hold_lease(records, settings, on_wait), records.begin() as connection:
        newest = find_newest_run(connection)
        nights = [_measure(home, connection, *one, as_of) for one in _find_finished(home.models, connection, as_of)]
        from_on = max(newest["as_of"] + timedelta(days=1), as_of) if newest else as_of
        made = {"as_of": as_of.isoformat(), "from_on": from_on.isoformat(), "nights": nights}
        if nights and not any(one["nights"] == nights for one in read_records(home.models, OUTCOMES)[-1:]):
            append_record(home.models, OUTCOMES, made)
        return made


def _find_finished(folder: Path, connection: Connection, as_of: date) -> list[tuple[date, int]]:
    runs = connection.execute(select(RUNS.c.as_of, RUNS.c.model_version).where(RUNS.c.as_of < as_of)).all()
    horizons = {version: _find_horizon(folder, version) for version in {run.model_version for run in runs}}
    known = [(run.as_of, horizon) for run in runs if (horizon := horizons[run.model_version])]
    return choose_finished(known, as_of, load_bars().outcome_nights)


def _find_horizon(folder: Path, version: str) -> int | None:
    """How far a model looked; null where it is gone, and nobody can say what it foretold."""
    try:
        model = load_scorer(folder, version)
    except SettingsError:
        return None
    return model.horizon_days if model else _OF_SCORECARD


def _measure(home: Home, connection: Connection, night: date, horizon_days: int, as_of: date) -> dict[str, Any]:
    wanted = ["borrower_id", "risk", "level", "is_listed", "model_version"]
    scores = read_night(home, connection, night)["scores"].select(wanted).collect()
    worked = connection.execute(select(CASES.c.borrower_id).where(CASES.c.opened_for <= night)).scalars().all()
    told = {"night": night.isoformat(), "model_version": name_models(scores), "horizon_days": horizon_days}
    return told | measure_outcomes(scores, _label(home, night, horizon_days, as_of), worked)


def _label(home: Home, night: date, horizon_days: int, as_of: date) -> pl.DataFrame:
    opened = {name: frame.filter(pl.col("pulled_for") <= as_of) for name, frame in open_tables(home, _NEEDED).items()}
    parts = []
    for bucket in range(count_buckets(home)):  # bounds the memory
        tables = {name: take_bucket(frame, name, bucket) for name, frame in opened.items()}
        parts.append(label_defaults(tables, night, horizon_days, as_of))
    return pl.concat(parts)
