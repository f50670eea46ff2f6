"""How old the newest news of each borrower is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

MONTHLY = ("repayments", "sales", "credit")  # what holders report month after month


def measure_staleness(tables: Mapping[str, pl.LazyFrame], as_of: date, stale_after_days: int) -> pl.DataFrame:
    """Say how many days ago the newest monthly news of each borrower came, from whichever holder.

    One row per borrower named in repayments, sales or credit: `stale_days` (days from that news to `as_of`), `is_stale`
    (more than `stale_after_days`). A borrower without a row never had such news.
    """
    news = pl.concat(tables[name].select("borrower_id", "known_on") for name in MONTHLY if name in tables)
    newest = news.group_by("borrower_id").agg(stale_days=(pl.lit(as_of) - pl.col("known_on").max()).dt.total_days())
    return newest.with_columns(is_stale=pl.col("stale_days") > stale_after_days).collect()
