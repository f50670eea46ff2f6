"""How old the newest news of each borrower is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl


def measure_staleness(tables: Mapping[str, pl.LazyFrame], as_of: date, stale_after_days: int) -> pl.DataFrame:
    """Say how many days ago the newest repayment news of each borrower came.

    One row per borrower with a repayment: `stale_days` (days from that news to `as_of`), `is_stale` (more than
    `stale_after_days`). A borrower without a row never had repayment news.
    """
    newest = tables["repayments"].group_by("borrower_id").agg(stale_days=(pl.lit(as_of) - pl.col("known_on").max()).dt.total_days())
    return newest.with_columns(is_stale=pl.col("stale_days") > stale_after_days).collect()
