"""How facts reach us: late, sometimes corrected, sometimes never, and none before the holders began to report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar, Days
from signals.simulate.people import Flags
from signals.simulate.streams import draw_chances, draw_days
from signals.tables import TABLES

Columns = Mapping[str, object]

MICROSECONDS_A_DAY = 86_400_000_000


def as_dates(days: object) -> pl.Series:
    """Turn day numbers into dates."""
    return pl.Series(np.asarray(days, dtype=np.int32)).cast(pl.Date)


def as_spans(days: Days) -> pl.Series:
    """Turn numbers of days into durations, to be added to dates."""
    return pl.Series(days).cast(pl.Int64).cast(pl.Duration("us")) * MICROSECONDS_A_DAY


def delay(rng: np.random.Generator, days: Days, low: int, high: int) -> Days:
    """Give the day a fact became known: `low` to `high` days after it."""
    return np.asarray(days + draw_days(rng, low, high, len(days)), dtype=np.int32)


def straggle(rng: np.random.Generator, days: Days) -> Days:
    """Let one row in a hundred come ten to forty days later still."""
    late = draw_chances(rng, len(days)) < rates.STRAGGLERS
    return np.asarray(days + late * draw_days(rng, 10, 40, len(days)), dtype=np.int32)


def lose_some(rng: np.random.Generator, present: Flags) -> Flags:
    """Let a few rows of a month never come."""
    return present & (draw_chances(rng, *present.shape) >= rates.MISSING)


def make_table(name: str, columns: Columns, calendar: Calendar) -> pl.DataFrame:
    """Make a canonical table of what was known by `until`; columns not given are absent, and so null."""
    types = TABLES[name].polars_schema
    frame = pl.DataFrame(columns).cast({column: types[column] for column in columns})
    return frame.select(column for column in types if column in columns).filter(pl.col("known_on") <= as_dates([calendar.until])[0])


def correct(rng: np.random.Generator, frame: pl.DataFrame, wrong: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Let a few rows come wrong at first, and right 15 to 60 days later; `wrong` says how the first version looks."""
    chosen = pl.Series(draw_chances(rng, frame.height) < rates.CORRECTED)
    later = as_spans(draw_days(rng, 15, 60, int(chosen.sum())))
    right = frame.filter(chosen).with_columns(pl.col("known_on") + later)
    first = frame.with_columns(
        pl.when(chosen).then(value).otherwise(pl.col(name)).cast(frame.schema[name]).alias(name) for name, value in wrong.items()
    )
    return pl.concat([first, right])
