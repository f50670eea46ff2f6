"""Who is in crisis, and who came to be in one: the two facts a model learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from signals.known import as_known
from signals.tables import HOLDERS
from signals.tables.signs import DEFAULT_KINDS

CRISIS_DAYS = 90
# One monthly report and its delay: a loan month and an event closer than this speak of the same default.
NEAR_DAYS = 45

_EVENTS = {"borrower_id": pl.String, "kind": pl.String, "happened_on": pl.Date, "known_on": pl.Date}


@dataclass(frozen=True)
class Span:
    """The days between which anything is known."""

    first_known: date
    last_known: date


def find_span(tables: Mapping[str, pl.LazyFrame]) -> Span | None:
    """Find from when to when `tables` (all versions) know anything of repayments and after; null without repayments."""
    first, last = (
        _find_days(tables["repayments"])[0],
        max((day for frame in tables.values() if (day := _find_days(frame)[1])), default=None),
    )
    return Span(first, last) if first and last else None


def find_first_outcome(tables: Mapping[str, pl.LazyFrame], known_by: date) -> date | None:
    """Find the first day on which a default event was known, of those known by `known_by`; null when none was.

    `tables` hold all versions. What became known later is not looked at: it must not change what is learned from.
    """
    events = tables.get("events", pl.LazyFrame(schema=_EVENTS))
    return _find_days(events.filter(pl.col("kind").is_in(DEFAULT_KINDS) & (pl.col("known_on") <= known_by)))[0]


def _find_days(frame: pl.LazyFrame) -> tuple[date | None, date | None]:
    first, last = frame.select(first=pl.col("known_on").min(), last=pl.col("known_on").max()).collect().row(0)
    return first, last


def find_in_crisis(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find who is in crisis at `as_of`: a default event in the last 12 months, or a newest loan month at 90 days.

    One row per borrower_id, in no order. `tables` are canonical tables as known at `as_of`; without events the
    repayments alone tell. Help before 90 days (`early_adjustment`) is never a crisis (house plan §6).

    >>> months = {"borrower_id": ["A", "A"], "loan_id": ["A-1", "A-1"], "days_past_due": [60, 91],
    ...           "due_month": [date(2026, 4, 1), date(2026, 5, 1)]}
    >>> find_in_crisis({"repayments": pl.LazyFrame(months)}, date(2026, 6, 9)).collect().to_series().to_list()
    ['A']
    """
    found = [_find_overdue(tables["repayments"])]
    if "events" in tables:
        recent = pl.col("happened_on").is_between(pl.lit(as_of).dt.offset_by("-1y"), as_of, closed="right")
        found.append(tables["events"].filter(pl.col("kind").is_in(DEFAULT_KINDS) & recent).select("borrower_id"))
    return pl.concat(found).unique()


def _find_overdue(repayments: pl.LazyFrame) -> pl.LazyFrame:
    """A loan's newest month is at 90 days exactly when its newest month at 90 days is its newest month."""
    overdue = pl.when(pl.col("days_past_due") >= CRISIS_DAYS).then(pl.col("due_month"))
    newest = repayments.group_by("borrower_id", "loan_id").agg(newest=pl.col("due_month").max(), overdue=overdue.max())
    return newest.filter(pl.col("newest") == pl.col("overdue")).select("borrower_id")


def label_defaults(tables: Mapping[str, pl.LazyFrame], origin: date, horizon_days: int, known_by: date) -> pl.DataFrame:
    """Label each borrower known at `origin` with the first default in `origin < day <= origin + horizon_days`.

    One row per borrower_id named in borrowers, loans or repayments, sorted: `is_in_crisis` (a fact at the origin),
    `is_default` with its day `default_on` (null: none), from what was known by `known_by`. `is_default` is null for
    those in crisis, and for those whose default had happened by the origin and became known only later: they are
    neither an outcome to predict nor a borrower who stayed well. `tables` hold all versions.
    """
    needed = [name for name in (*HOLDERS, "events") if name in tables]
    known = {name: as_known(tables[name], name, origin) for name in needed}
    in_crisis = find_in_crisis(known, origin).with_columns(is_in_crisis=pl.lit(value=True))
    # Defaults are few: settled once, not in each branch of the plan.
    defaults = _find_defaults(tables, known_by).collect().lazy()
    first, hidden = _split_defaults(defaults, origin, horizon_days)
    people = pl.concat([known[name].select("borrower_id") for name in HOLDERS if name in known]).unique()
    labels = people
    for found in (in_crisis, first, hidden):
        labels = labels.join(found, on="borrower_id", how="left")
    is_in_crisis = pl.col("is_in_crisis").fill_null(value=False)
    is_untold = is_in_crisis | (pl.col("is_hidden").fill_null(value=False) & pl.col("default_on").is_null())
    is_default = pl.when(~is_untold).then(pl.col("default_on").is_not_null())
    default_on = pl.when(is_default).then(pl.col("default_on"))
    told = labels.select("borrower_id", is_in_crisis=is_in_crisis, is_default=is_default, default_on=default_on)
    return told.sort("borrower_id").collect()


def count_excluded(labels: pl.DataFrame) -> dict[str, int]:
    """Count who of `label_defaults` has no label: in crisis, or already in default when only later days told so."""
    untold = labels["is_default"].is_null() & ~labels["is_in_crisis"]
    return {"excluded_in_crisis": int(labels["is_in_crisis"].sum()), "excluded_already_in_default": int(untold.sum())}


def join_features(labels: pl.DataFrame, features: pl.DataFrame, origin: date) -> pl.DataFrame:
    """Join the labels of one origin with its features: one row per borrower_id with a label, as a model is fitted on."""
    told = labels.filter(pl.col("is_default").is_not_null())
    keyed = told.select(pl.lit(origin).alias("origin"), "borrower_id", "is_default", "default_on")
    return keyed.join(features, on="borrower_id", maintain_order="left")


def _split_defaults(defaults: pl.LazyFrame, origin: date, horizon_days: int) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The first default of each borrower inside the horizon, and who had one that the origin did not know of."""
    end = origin + timedelta(days=horizon_days)
    inside = defaults.filter(pl.col("default_on").is_between(origin, end, closed="right"))
    first = inside.group_by("borrower_id").agg(pl.col("default_on").min())
    year = pl.col("default_on").is_between(pl.lit(origin).dt.offset_by("-1y"), origin, closed="right")
    hidden = defaults.filter(year & (pl.col("known_on") > origin)).select("borrower_id").unique()
    return first, hidden.with_columns(is_hidden=pl.lit(value=True))


def _find_defaults(tables: Mapping[str, pl.LazyFrame], known_by: date) -> pl.LazyFrame:
    """Every default known by `known_by`: borrower_id, default_on, and the day it was first known."""
    told = _find_told_defaults(tables, known_by)
    late = _find_late_months(tables["repayments"], known_by)
    gap = (pl.col("default_on") - pl.col("told_on")).dt.total_days().abs()
    near = late.join(told.select("borrower_id", told_on="default_on"), on="borrower_id").filter(gap <= NEAR_DAYS)
    only = late.join(near.select("borrower_id", "default_on").unique(), on=["borrower_id", "default_on"], how="anti")
    return pl.concat([told, only.with_columns(known_on="default_on")])


def _find_told_defaults(tables: Mapping[str, pl.LazyFrame], known_by: date) -> pl.LazyFrame:
    events = tables.get("events", pl.LazyFrame(schema=_EVENTS)).filter(pl.col("kind").is_in(DEFAULT_KINDS))
    key = ["borrower_id", "kind", "happened_on"]
    first_known = events.group_by(key).agg(pl.col("known_on").min())
    standing = as_known(events, "events", known_by).select(key)
    return standing.join(first_known, on=key).select("borrower_id", pl.col("happened_on").alias("default_on"), "known_on")


def _find_late_months(repayments: pl.LazyFrame, known_by: date) -> pl.LazyFrame:
    """The days on which a loan was first known to have reached 90 days: borrower_id, default_on.

    The months that follow in the same run reach nothing new; and a run that began long before the day it was told
    (a lender's history sent late) speaks of an older default.
    """
    key = ["loan_id", "due_month"]
    late = repayments.filter((pl.col("days_past_due") >= CRISIS_DAYS) & (pl.col("known_on") <= known_by))
    first_known = late.group_by(key).agg(default_on=pl.col("known_on").min())
    versions = repayments.join(first_known.select(key), on=key, how="semi")
    standing = as_known(versions, "repayments", known_by).filter(pl.col("days_past_due") >= CRISIS_DAYS)
    month_after = standing.select("loan_id", pl.col("due_month").dt.offset_by("1mo"))
    reached = standing.select("borrower_id", *key).join(month_after, on=key, how="anti").join(first_known, on=key)
    is_fresh = (pl.col("default_on") - pl.col("due_month")).dt.total_days() <= 2 * NEAR_DAYS
    return reached.filter(is_fresh).select("borrower_id", "default_on").unique()


def label_closures(tables: Mapping[str, pl.LazyFrame], origin: date, horizon_days: int, known_by: date) -> pl.DataFrame:
    """Label each borrower known at `origin` who owes something with a closure inside the horizon and no default in it.

    One row per borrower_id with a balance above zero at the origin, sorted: `is_closure`, and its day `closed_on`
    (null: none). Those in crisis at the origin are left out, as are those whose default came to light later.
    """
    defaults = label_defaults(tables, origin, horizon_days, known_by).filter(pl.col("is_default").is_not_null())
    end = origin + timedelta(days=horizon_days)
    inside = (pl.col("kind") == "closure") & pl.col("happened_on").is_between(origin, end, closed="right")
    closed = (
        as_known(tables.get("events", pl.LazyFrame(schema=_EVENTS)), "events", known_by)
        .filter(inside)
        .group_by("borrower_id")
        .agg(closed_on=pl.col("happened_on").min())
    )
    owing = _find_owing(as_known(tables["repayments"], "repayments", origin))
    is_closure = pl.col("closed_on").is_not_null() & ~pl.col("is_default")
    labelled = defaults.lazy().join(owing, on="borrower_id", how="semi").join(closed, on="borrower_id", how="left")
    return (
        labelled.select("borrower_id", is_closure=is_closure, closed_on=pl.when(is_closure).then(pl.col("closed_on")))
        .sort("borrower_id")
        .collect()
    )


def _find_owing(repayments: pl.LazyFrame) -> pl.LazyFrame:
    newest = repayments.group_by("loan_id").agg(due_month=pl.col("due_month").max())
    months = repayments.join(newest, on=["loan_id", "due_month"])
    return months.filter(pl.col("balance_krw") > 0).select("borrower_id").unique()
