"""How old the news of each borrower is, and whom it is too old to speak of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import polars as pl

from signals.newest import find_newest_day

MONTHLY = ("repayments", "sales", "credit")  # what holders report month after month
SIGNS = (*MONTHLY, "loans", "arrears", "events", "businesses", "facts")  # whatever of this is new, somebody still speaks of them
CRISIS_LASTS_DAYS = 365  # the twelve months for which a default counts as a crisis (house plan §6)


def measure_staleness(tables: Mapping[str, pl.LazyFrame], as_of: date, stale_after_days: int) -> pl.DataFrame:
    """Say how many days ago the newest news of each borrower came, from whichever holder.

    One row per borrower with any sign: `stale_days` (days from the newest repayments, sales or credit to `as_of`; null:
    there never were any), `is_stale` (more than `stale_after_days`, or null), `quiet_days` (days from the newest row of any
    sign, arrears, events and told facts among them).

    >>> known = {"repayments": pl.LazyFrame({"borrower_id": ["a"], "known_on": [date(2026, 3, 1)]}),
    ...          "arrears": pl.LazyFrame({"borrower_id": ["a", "b"], "known_on": [date(2026, 4, 28), date(2026, 4, 29)]})}
    >>> measure_staleness(known, date(2026, 4, 30), 45).sort("borrower_id").rows()
    [('a', 60, True, 2), ('b', None, True, 1)]
    """
    newest = {name: find_newest_day(tables[name]) for name in SIGNS if name in tables}
    news = pl.concat(days.with_columns(is_monthly=pl.lit(name in MONTHLY)) for name, days in newest.items())
    monthly = pl.when("is_monthly").then("known_on").max()
    days = news.group_by("borrower_id").agg(
        stale_days=(pl.lit(as_of) - monthly).dt.total_days(), quiet_days=(pl.lit(as_of) - pl.col("known_on").max()).dt.total_days()
    )
    is_stale = (pl.col("stale_days") > stale_after_days).fill_null(value=True)
    return days.select("borrower_id", "stale_days", is_stale=is_stale, quiet_days="quiet_days")


def mark_silence(staleness: pl.DataFrame, told: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Mark as stale the borrowers of silent sources, from the first night: what such a source would have said is not known.

    `staleness`: as of `measure_staleness`, whose rows and order stay. `told`: borrower_id, source_id and `told_on`, the newest
    day a silent source spoke of them; of several the one longest ago counts.
    """
    days = told.group_by("borrower_id").agg(silent_days=(pl.lit(as_of) - pl.col("told_on").min()).dt.total_days())
    joined = staleness.join(days, on="borrower_id", how="left", maintain_order="left")
    return joined.with_columns(
        stale_days=pl.max_horizontal("stale_days", "silent_days"), is_stale=pl.col("is_stale") | pl.col("silent_days").is_not_null()
    ).drop("silent_days")


def find_left_out(staleness: pl.DataFrame, in_crisis: Collection[str], kept: Collection[str], left_out_after_days: int) -> pl.DataFrame:
    """Find who is left out of the night: nobody has said anything of them for more than `left_out_after_days`.

    One row per borrower_id, sorted. `kept` are never left out: they have an open case or hold a place, so a person works
    for them. Those in crisis stay for as long as a default counts as one, a year, so that the fact does not vanish with the
    lender that told it.

    >>> staleness = pl.DataFrame({"borrower_id": ["a", "b", "c"], "quiet_days": [200, 200, 180]})
    >>> find_left_out(staleness, ["b"], [], 180)["borrower_id"].to_list()
    ['a']
    """
    is_crisis, is_kept = (pl.col("borrower_id").is_in(list(names)) for names in (in_crisis, kept))
    longest = pl.when(is_crisis).then(max(left_out_after_days, CRISIS_LASTS_DAYS)).otherwise(left_out_after_days)
    return staleness.filter((pl.col("quiet_days") > longest) & ~is_kept).select("borrower_id").sort("borrower_id")
