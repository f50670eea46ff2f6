"""What other tables know of a shop's months of sales: which channels are reported, and when it was suspended."""

from __future__ import annotations

from functools import reduce
from typing import Any

import narwhals as nw

from features.reading import Reading
from signals.tables.signs import SALES_SUBJECTS

SUBJECTS = dict(zip(("card", "platform", "cash"), SALES_SUBJECTS, strict=True))  # what coverage calls each channel
CHANNELS = {channel: SALES_SUBJECTS[subject] for channel, subject in SUBJECTS.items()}
HORIZON = 48  # months further back than any window looks
SIDES = tuple(f"{channel}_{side}" for channel in ("sales", *CHANNELS) for side in ("since", "until"))
_LAST_DAYS = {4: 30, 6: 30, 9: 30, 11: 30, 2: 28}
_ONE = nw.lit(1, nw.Int32)
# small types, for every month of every shop carries them
_RESTS = {"suspended_months": nw.lit(0, nw.Int64), "is_suspended": nw.lit(0, nw.Int8)}
_UNSAID = -128  # not every engine knows a null of a type


def join_context(rows: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    """Add to months of sales what coverage, events and the register of businesses know of their shops.

    `<channel>_since`, `<channel>_until`: first and last whole month covered, in months ago; null: coverage says nothing of it.
    `suspended_months`: the months any part of which a suspension took, as bits; `is_suspended`: 1 where the register says so.
    """
    readers = {"coverage": _list_covered, "events": _list_suspensions, "businesses": _list_suspended}
    known = [_fill_up(read(reading)) for table, read in readers.items() if table in reading.tables]
    if not known:
        return rows.with_columns(**{side: nw.lit(None, nw.Int8) for side in SIDES}, **_RESTS)
    # few shops are spoken of: one join of all that is known of them is shorter than one for each table
    told = nw.concat(known).group_by("borrower_id").agg(nw.col(*SIDES, *_RESTS).max())
    told = told.with_columns(nw.when(nw.col(side) != _UNSAID).then(nw.col(side)).alias(side) for side in SIDES)
    rests = (nw.coalesce(nw.col(name), none) for name, none in _RESTS.items())
    return rows.join(told, on="borrower_id", how="left").with_columns(*rests)


def _fill_up(told: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    there, unsaid = told.collect_schema().names(), {side: nw.lit(_UNSAID, nw.Int8) for side in SIDES}
    filled = {
        name: nw.coalesce(nw.col(name), none).cast(nw.Int64 if name == "suspended_months" else nw.Int8) if name in there else none
        for name, none in {**unsaid, **_RESTS}.items()
    }
    return told.select("borrower_id", **filled)


def cover(channel: str) -> nw.Expr:
    """What a channel brought in a month: null once its coverage has ended, nothing where coverage holds and none is told.

    Nothing before coverage began is no report either.
    """
    won, ago, nothing = nw.col(f"{channel}_krw"), nw.col("months_ago"), nw.lit(0, nw.Int64)
    since, until = nw.col(f"{channel}_since"), nw.coalesce(nw.col(f"{channel}_until"), nw.col("sales_until"))
    in_time = nw.when(ago <= since).then(nw.coalesce(won, nothing))
    told = nw.when(~since.is_null() & (nw.coalesce(won, nothing) == 0)).then(in_time).otherwise(won)
    return nw.when(until.is_null() | (ago >= until)).then(told).alias(f"{channel}_krw")


def bit(place: nw.Expr) -> nw.Expr:
    """The number with one bit set: the months of a borrower are the bits of one number, which needs no join of month with month."""
    return (nw.lit(2, nw.Int64) ** place).cast(nw.Int64)


def has_bit(months: str, place: nw.Expr) -> nw.Expr:
    """Whether a month is among those of a column of bits."""
    return nw.col(months) // bit(place) % 2 == 1


def _list_covered(reading: Reading) -> nw.LazyFrame[Any]:
    """One row per borrower of whom coverage says more than that sales come."""
    names = {"sales": "sales", **SUBJECTS}
    first, last = nw.col("from_on"), nw.col("until_on")
    rows = reading.rows("coverage").filter(nw.col("subject").is_in(list(names.values())), first <= reading.as_of)
    since = reading.months_ago("from_on") - (first.dt.day() > 1).cast(nw.Int32)
    until = nw.when(last.is_null()).then(nw.lit(-HORIZON, nw.Int32)).otherwise(reading.months_ago("until_on") + 1 - _ends_month("until_on"))
    rows = rows.with_columns(since=_within(since), until=_within(until))
    spans = rows.group_by("borrower_id", "subject").agg(nw.col("since").max(), nw.col("until").min())
    # that sales come at all is told of nearly everybody, and says nothing while it lasts
    spans = spans.filter((nw.col("subject") != "sales") | (nw.col("until") > 0))
    of = {name: nw.col("subject") == subject for name, subject in names.items()}
    sides = {f"{name}_{side}": nw.when(named).then(nw.col(side)) for name, named in of.items() for side in ("since", "until")}
    return spans.with_columns(**sides).group_by("borrower_id").agg(nw.col(*sides).max())


def _within(months: nw.Expr) -> nw.Expr:
    # coverage may begin long ago and end at the end of time: small types hold neither
    return nw.max_horizontal(nw.min_horizontal(months, nw.lit(HORIZON, nw.Int32)), nw.lit(-HORIZON, nw.Int32))


def _ends_month(column: str) -> nw.Expr:
    """1 where a day is the last of its month, the 28th and 29th of February both."""
    day, month = nw.col(column).dt.day(), nw.col(column).dt.month()
    short = reduce(lambda one, other: one | other, ((month == number) & (day >= last) for number, last in _LAST_DAYS.items()))
    return (short | (day == 31)).cast(nw.Int32)  # noqa: PLR2004, the longest month


def _list_suspensions(reading: Reading) -> nw.LazyFrame[Any]:
    """One row per borrower who was ever suspended."""
    kinds = ("suspension", "reopening", "closure")
    events = reading.rows("events").filter(nw.col("kind").is_in(kinds), nw.col("happened_on") <= reading.as_of)
    ever = events.filter(nw.col("kind") == kinds[0]).select("borrower_id")
    events = events.join(ever, on="borrower_id", how="semi").with_columns(
        next_on=_next("happened_on"), began=reading.months_ago("happened_on")
    )
    # a shop that reopens on the first of a month has the whole of it
    until = reading.months_ago("next_on") + (nw.col("next_on").dt.day() == 1).cast(nw.Int32)
    spans = events.with_columns(until=nw.coalesce(until, 0 * _ONE)).filter(nw.col("kind") == "suspension")
    # of two suspensions that meet in a month the later one has it: each bit once
    until = nw.max_horizontal("until", nw.coalesce(_next("began") + 1, 0 * _ONE))
    spans = spans.with_columns(until=until).filter(nw.col("until") <= nw.col("began"), nw.col("until") < HORIZON)
    began = nw.min_horizontal(nw.col("began"), nw.lit(HORIZON, nw.Int32))
    months = spans.with_columns(suspended_months=bit(began + 1) - bit(nw.col("until")))
    return months.group_by("borrower_id").agg(nw.col("suspended_months").sum())


def _next(column: str) -> nw.Expr:
    return nw.col(column).shift(-1).over("borrower_id", order_by=["happened_on", "kind"])


def _list_suspended(reading: Reading) -> nw.LazyFrame[Any]:
    """One row per borrower whose businesses are suspended, as the register says, and none trades."""
    rows = read_represented(reading)
    statuses = {status: nw.when(nw.col("trading_status") == status).then(_ONE) for status in ("trading", "suspended")}
    counts = rows.with_columns(**statuses).group_by("borrower_id").agg(nw.col(*statuses).count())
    rows = counts.filter(nw.col("suspended") > 0, nw.col("trading") == 0)
    return rows.select("borrower_id", is_suspended=_ONE)


def read_represented(reading: Reading) -> nw.LazyFrame[Any]:
    """One row per business the borrower represents, as far as known."""
    return reading.rows("businesses").filter(nw.coalesce(nw.col("is_representative"), nw.lit(True)))
