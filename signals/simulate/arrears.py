"""Unpaid bills, premiums and taxes."""

from __future__ import annotations

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar, Days
from signals.simulate.people import Floats, Ints, People
from signals.simulate.reports import as_dates, as_spans, delay, make_table
from signals.simulate.streams import draw_chances, draw_days, draw_normals, open_stream
from signals.simulate.stress import Course, is_here, lag

# Kind: weight among unpaid bills, and its part of a month's sales; set here. Rent has no holder that reports it (FACTS 1.3).
KINDS: dict[str, tuple[float, float]] = {
    "electricity": (0.18, 0.020), "gas": (0.08, 0.012), "water": (0.06, 0.004), "telecom": (0.15, 0.010),
    "national_tax": (0.14, 0.100), "local_tax": (0.09, 0.020), "health_insurance": (0.16, 0.025), "pension": (0.11, 0.025),
    "employment_insurance": (0.03, 0.008),
}  # fmt: skip
PERIOD_MONTHS = 6  # taxes are filed twice a year: a missed one is that many months' worth
TAKEN_BACK = 0.002  # reported by mistake, and retracted


def report_arrears(seed: int, block: int, people: People, course: Course, calendar: Calendar) -> pl.DataFrame:
    """Make the table `arrears`: at most one new unpaid bill per borrower and month, open until paid.

    What was paid before the window opened was never reported.
    """
    rng = open_stream(seed, block, "arrears")
    who, when, stress = _miss_bills(rng, people, course, calendar)
    since = calendar.starts[when] + draw_days(rng, 9, 27, len(who))
    cleared = since + _stay_open(rng, stress)
    known = np.maximum(delay(rng, since, 12, 40), calendar.opens)
    kinds = rng.choice(len(KINDS), len(who), p=_weights())
    frame = pl.DataFrame(
        {
            "arrears_id": _name_bills(people, who, when),
            "known_on": as_dates(known),
            "borrower_id": people.ids.gather(who),
            "kind": pl.Series(list(KINDS)).gather(kinds),
            "since_on": as_dates(since),
            "amount_krw": _weigh_bills(rng, people.annual_sales[who], kinds),
            "cleared_on": pl.Series([None] * len(who), dtype=pl.Date),
            "is_retracted": np.zeros(len(who), dtype=np.bool_),
        }
    ).filter(pl.Series(cleared >= calendar.opens))
    return _follow_up(rng, frame, as_dates(cleared).filter(pl.Series(cleared >= calendar.opens)), calendar)


def _miss_bills(rng: np.random.Generator, people: People, course: Course, calendar: Calendar) -> tuple[Ints, Ints, Floats]:
    felt = people.fragility[:, None] / 2 + lag(course.passing(), rates.ARREARS_LAG)
    chance = np.minimum(rates.ARREARS_RATE * np.exp(np.float32(rates.ARREARS_PER_STRESS) * felt), 0.8)
    missed = (draw_chances(rng, people.count, calendar.length) < chance) & is_here(people, calendar) & people.covered["arrears"][:, None]
    who, when = np.nonzero(missed)
    return who, when, felt[missed]


def _stay_open(rng: np.random.Generator, stress: Floats) -> Days:
    """Draw how many days a bill stays unpaid: longer under stress."""
    clearing = np.clip(rates.ARREARS_CLEARING * np.exp(-0.45 * stress), 0.03, 0.85)
    return np.asarray(30 * rng.geometric(clearing) - draw_days(rng, 0, 25, len(stress)), dtype=np.int32)


def _weigh_bills(rng: np.random.Generator, annual_sales: Floats, kinds: Ints) -> Ints:
    part = np.array([part for _, part in KINDS.values()])[kinds]
    months = np.where(np.isin(kinds, [list(KINDS).index("national_tax"), list(KINDS).index("local_tax")]), PERIOD_MONTHS, 1)
    amount = annual_sales / 12 * part * months * np.exp(0.5 * draw_normals(rng, len(kinds)))
    return np.asarray(np.maximum(np.rint(amount / 10) * 10, 10_000), dtype=np.int64)


def _name_bills(people: People, who: Ints, when: Ints) -> pl.Series:
    return pl.select(pl.lit("A") + people.ids.gather(who).str.slice(1) + "e" + pl.Series(when).cast(pl.String).str.zfill(3)).to_series()


def _follow_up(rng: np.random.Generator, first: pl.DataFrame, cleared: pl.Series, calendar: Calendar) -> pl.DataFrame:
    """Add the later versions: paid, or taken back as a mistake."""
    told = as_spans(draw_days(rng, 1, 20, first.height))
    later = first.with_columns(cleared_on=cleared, known_on=pl.max_horizontal("known_on", cleared + told) + pl.duration(days=1))
    mistaken = pl.Series(draw_chances(rng, first.height) < TAKEN_BACK)
    back = first.with_columns(is_retracted=pl.lit(value=True), known_on=pl.col("known_on") + told + pl.duration(days=20))
    return make_table("arrears", pl.concat([first, later.filter(~mistaken), back.filter(mistaken)]).to_dict(), calendar)


def _weights() -> Floats:
    weights = np.array([weight for weight, _ in KINDS.values()])
    return np.asarray(weights / weights.sum())
