"""The months in which a shop sold, and what each channel brought: cards, platforms, cash receipts, each where it is reported.

A month in which the shop rested is marked, so that nobody reads it as a month without sales.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from operator import add, or_
from typing import Any

import narwhals as nw

from features.context import CHANNELS, HORIZON, SIDES, bit, cover, has_bit, join_context, read_represented
from features.festivals import name_festivals
from features.reading import STALE_AFTER_MONTHS, Reading

NEWER_MONTHS = 18  # who opened since has no whole year to look back on, with the first months left out
_YEAR, _QUARTER = 12, 3


def read_sales(reading: Reading, history: int) -> nw.LazyFrame[Any]:
    """One row per borrower and finished month, counted back from its newest known month.

    `<channel>_krw`: won, null where the channel is not reported; `sales_krw`: the known ones together; `channels`: which they
    are; `row`: 1. All of these are null in a month of rest; `earned_krw` is not. `like_…`: the same without the months that hold a festival in only one of two years.
    """
    rows = _sell(_read_months(reading, history + STALE_AFTER_MONTHS + _YEAR), reading)
    newest, ago = nw.col("newest"), nw.col("months_ago")
    rows = rows.filter(ago <= history + STALE_AFTER_MONTHS).with_columns(
        months_back=nw.when(newest <= STALE_AFTER_MONTHS).then(ago - newest).otherwise(ago).cast(nw.Int32),
        channels=_name_channels(),
        counted_card_krw=nw.when(~nw.col("card_sales_count").is_null()).then(nw.col("card_krw")),
    )
    is_alike = ~_holds_festival_once(reading)
    like = {f"like_{name}": nw.when(is_alike).then(nw.col(name)) for name in ("row", *(f"{channel}_krw" for channel in CHANNELS))}
    return rows.with_columns(**like)


def read_openings(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, the first months only
    """One row per newer shop and month of its first three whole ones, as far as they lie before its newest three."""
    opened = _find_newer(reading)
    rows = _read_months(reading, NEWER_MONTHS - 1 + _YEAR).join(opened, on="borrower_id", how="inner")
    since = nw.col("opened_ago") - nw.col("months_ago")
    return _sell(rows, reading).filter(since >= 1, since <= _QUARTER, nw.col("months_ago") >= nw.col("newest") + _QUARTER)


def _read_months(reading: Reading, months: int) -> nw.LazyFrame[Any]:
    # a month counts once it is over
    unfinished = 1 if (reading.as_of + timedelta(days=1)).month == reading.as_of.month else 0
    rows = reading.since("sales", "sales_month", months).filter(nw.col("months_ago") >= unfinished)
    columns = {f"{channel}_krw": nw.col(column) for channel, column in CHANNELS.items()}
    return rows.select("borrower_id", "card_sales_count", "months_ago", **columns)


def _sell(rows: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    """What is known of each month, its shop's newest month beside it; in months of rest only what was earned all the same."""
    rows = join_context(rows, reading).with_columns(cover(channel) for channel in CHANNELS).drop(*SIDES)
    known = [nw.col(f"{channel}_krw") for channel in CHANNELS]
    sales = reduce(add, (nw.coalesce(won, nw.lit(0, nw.Int64)) for won in known))
    # whoever no longer reports cards no longer counts them either
    counted = nw.when(~nw.col("card_krw").is_null()).then(nw.col("card_sales_count"))
    rows = rows.filter(reduce(or_, (~won.is_null() for won in known))).with_columns(sales_krw=sales, card_sales_count=counted)
    ago, has_sales = nw.col("months_ago"), nw.col("sales_krw") > 0
    rows = rows.with_columns(
        newest=ago.min().over("borrower_id"),
        last_sale=nw.when(has_sales).then(ago).min().over("borrower_id"),
        idle_months=nw.when(~has_sales, ~has_bit("suspended_months", ago)).then(bit(ago)).sum().over("borrower_id"),
    )
    # a shop that sold nothing since that month a year ago has not paused but stopped
    is_season = has_bit("idle_months", ago + _YEAR) & (nw.coalesce(nw.col("last_sale"), nw.lit(HORIZON, nw.Int32)) < ago + _YEAR)
    rests = has_bit("suspended_months", ago) | (~has_sales & (is_season | (nw.col("is_suspended") == 1)))
    traded = {
        name: nw.when(~nw.col("rests")).then(nw.col(name))
        for name in ("sales_krw", "card_sales_count", *(f"{channel}_krw" for channel in CHANNELS))
    }
    rows = rows.with_columns(rests=rests, earned_krw=nw.col("sales_krw")).drop(
        "last_sale", "idle_months", "suspended_months", "is_suspended"
    )
    return rows.with_columns(row=nw.when(~nw.col("rests")).then(nw.lit(1, nw.Int32)), **traded)


def _find_newer(reading: Reading) -> nw.LazyFrame[Any]:
    """One row per borrower whose oldest shop opened in the last months: when, in months ago, and the half-year of it."""
    shops = [reading.rows("borrowers"), *([read_represented(reading)] if "businesses" in reading.tables else [])]
    days = nw.concat([rows.select("borrower_id", "opened_on") for rows in shops])
    is_newer = nw.col("opened_on") >= reading.month_start(NEWER_MONTHS)
    # few are newer: whoever else has an older shop is taken away from them, instead of looking for everybody's oldest
    newer = days.filter(is_newer).group_by("borrower_id").agg(nw.col("opened_on").min())
    newer = newer.join(days.filter(~is_newer).select("borrower_id"), on="borrower_id", how="anti")
    day = nw.col("opened_on").dt
    half = day.year().cast(nw.Int32) * 2 + (day.month() > _YEAR // 2).cast(nw.Int32)
    return newer.select("borrower_id", opened_ago=reading.months_ago("opened_on"), opened_half=half)


def _name_channels() -> nw.Expr:
    known = ((~nw.col(f"{channel}_krw").is_null()).cast(nw.Int32) * 2**place for place, channel in enumerate(CHANNELS))
    return nw.when(~nw.col("rests")).then(reduce(add, known))


def _holds_festival_once(reading: Reading) -> nw.Expr:
    """Whether a month of the newest quarter, or of that a year before, holds a festival that the same month of the other year does not.

    Nowhere, where both quarters hold the same: then they are alike as a whole.
    """
    lone = (nw.lit(False), *(_stands(newest, back) for newest in range(STALE_AFTER_MONTHS + 1) for back in _list_lone(reading, newest)))
    return reduce(or_, lone)


def _stands(newest: int, back: int) -> nw.Expr:
    return (nw.col("newest") == newest) & nw.col("months_back").is_in([back, back + _YEAR])


def _list_lone(reading: Reading, newest: int) -> list[int]:
    quarters = [[reading.month_start(newest + back + year) for back in range(_QUARTER)] for year in (0, _YEAR)]
    if name_festivals(quarters[0]) == name_festivals(quarters[1]):
        return []
    pairs = enumerate(zip(*quarters, strict=True))
    return [back for back, (now, before) in pairs if name_festivals([now]) != name_festivals([before])]
