"""The tables `events` and `businesses`: what happened to the loans and to the shops."""

from __future__ import annotations

import numpy as np
import polars as pl

from signals.simulate.months import Calendar, Days
from signals.simulate.people import REGION_CODES, Ints, People
from signals.simulate.rates import INDUSTRIES
from signals.simulate.registers import hide_some
from signals.simulate.reports import as_dates, make_table
from signals.simulate.standing import DEFAULTED, Happening, Standing
from signals.simulate.streams import draw_days, open_stream
from signals.simulate.stress import CLOSED, SUSPENDED, TRADING, Course

DAYS_TO_DEFAULT = 90
REGISTRATION_DAYS = (2, 9)  # FACTS 5.5: registered within seven business days
COURT_DAYS = (3, 20)  # set here
STATUS_NAMES = ("trading", "suspended", "closed")
EVENT_OF_STATUS = {TRADING: "reopening", SUSPENDED: "suspension", CLOSED: "closure"}


def report_events(seed: int, block: int, people: People, standing: Standing, turns: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Make the table `events`; default_90d happens 90 days after the oldest instalment that was missed."""
    rng = open_stream(seed, block, "events")
    parts = [_tell_event(rng, people, happening, calendar) for happening in standing.happenings if len(happening[2])]
    shop = turns.select("borrower_id", "kind", "happened_on", "known_on")
    events = pl.concat([*parts, shop]).sort("borrower_id", "happened_on", "kind", maintain_order=True)
    return make_table("events", events.to_dict(), calendar)


def _tell_event(rng: np.random.Generator, people: People, happening: Happening, calendar: Calendar) -> pl.DataFrame:
    kind, month, who = happening
    is_default = kind == "default_90d"
    day = _reach_ninety(people, who, month, calendar) if is_default else calendar.starts[month] + draw_days(rng, 2, 24, len(who))
    low, high = REGISTRATION_DAYS if is_default else COURT_DAYS
    known = np.maximum(day + draw_days(rng, low, high, len(who)), calendar.opens)
    return pl.DataFrame(
        {"borrower_id": people.ids.gather(who), "kind": pl.repeat(kind, len(who), eager=True), "happened_on": as_dates(day),
         "known_on": as_dates(known)}
    )  # fmt: skip


def _reach_ninety(people: People, who: Ints, month: int, calendar: Calendar) -> Days:
    oldest = calendar.starts[month - DEFAULTED + 1] + people.due_day[who] - 1
    return np.asarray(oldest + DAYS_TO_DEFAULT, dtype=np.int32)


def turn_shops(seed: int, block: int, people: People, course: Course, calendar: Calendar) -> pl.DataFrame:
    """List each shop's states: one row per borrower and turn; `who` indexes the block's people, `status` is the new one."""
    rng = open_stream(seed, block, "turns")
    before = np.concatenate([np.zeros((people.count, 1), dtype=np.int8), course.shop[:, :-1]], axis=1)
    who, month = np.nonzero(course.shop != before)
    happened = calendar.starts[month] + draw_days(rng, 0, 27, len(who))
    known = np.maximum(happened + draw_days(rng, 8, 40, len(who)), calendar.opens)
    status = course.shop[who, month]
    return pl.DataFrame(
        {
            "who": who, "status": status.astype(np.int64), "borrower_id": people.ids.gather(who),
            "kind": pl.Series([EVENT_OF_STATUS[number] for number in range(3)]).gather(status.astype(np.int64)),
            "happened_on": as_dates(happened), "known_on": as_dates(known),
        }
    )  # fmt: skip


def report_businesses(seed: int, block: int, people: People, turns: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Make the table `businesses`: one shop per borrower, a new version at each turn."""
    rng = open_stream(seed, block, "businesses")
    heard = np.maximum(calendar.starts[people.entry], calendar.opens)
    base = pl.DataFrame(
        {
            "business_id": pl.select(pl.lit("S") + people.ids.str.slice(1)).to_series(), "borrower_id": people.ids,
            "is_representative": np.ones(people.count, dtype=np.bool_), "opened_on": as_dates(people.opened),
            "industry_code": pl.Series([kind.code for kind in INDUSTRIES]).gather(people.industry),
            "region_code": hide_some(rng, pl.Series(REGION_CODES).gather(people.region)),
        }
    )  # fmt: skip
    first = base.with_columns(closed_on=pl.lit(None, pl.Date), trading_status=pl.lit("trading"), known_on=as_dates(heard))
    closed = pl.when(pl.col("status") == CLOSED).then("happened_on")
    # Of turns known on one day (those from before the window) only the last one stands.
    newest = turns.sort("who", "known_on", "happened_on", maintain_order=True).unique(["who", "known_on"], keep="last", maintain_order=True)
    later = base[newest["who"]].with_columns(
        newest.select(closed_on=closed, trading_status=pl.Series(STATUS_NAMES).gather(newest["status"]), known_on="known_on")
    )
    versions = pl.concat([first, later]).unique(["business_id", "known_on"], keep="last", maintain_order=True)
    return make_table("businesses", versions.to_dict(), calendar)
