"""The newest word of each loan and of each borrower: of years of months a night needs the last one several times over."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_LOAN = ["borrower_id", "loan_id"]
_SAID = ("days_past_due", "balance_krw")


def drop_outdone(rows: pl.DataFrame, key: Sequence[str], days: Sequence[str]) -> pl.DataFrame:
    """Drop each row that the very next one outdoes: the same `key`, and none of `days` earlier. Any maximum of a day stays what it was.

    Of a bucket that lies sorted hardly more than one row per key is left, found in a fraction of a grouping's time; of rows in
    any other order more are left, never too few.

    >>> rows = pl.DataFrame({"a": ["x", "x", "y", "x"], "day": [1, 2, 2, 1]})
    >>> drop_outdone(rows, ["a"], ["day"]).rows()
    [('x', 2), ('y', 2), ('x', 1)]
    """
    same = [pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in key]
    later = [(pl.col(name) <= pl.col(name).shift(-1)).fill_null(value=False) for name in days]
    if rows.is_empty():
        return rows
    # What comes after the last row is null, and would pass for another null key.
    is_outdone = rows.select(pl.all_horizontal(*same, *later) & (pl.int_range(pl.len()) < pl.len() - 1)).to_series()
    return rows.filter(~is_outdone)


def keep_newest_months(repayments: pl.LazyFrame) -> pl.LazyFrame:
    """Keep what each loan's newest month says: one row per borrower_id and loan_id, in no order; `repayments` are as known.

    `due_month`, and of `days_past_due` and `balance_krw` those that are there, of the newest month; `known_on`, the newest of all
    months. Whatever asks for a loan's newest month or for the newest day anything became known has the same answer from these rows.

    >>> from datetime import date
    >>> months = {"borrower_id": ["A", "A"], "loan_id": ["A-1", "A-1"], "due_month": [date(2026, 4, 1), date(2026, 5, 1)],
    ...           "days_past_due": [0, 9], "known_on": [date(2026, 6, 2), date(2026, 6, 1)]}
    >>> keep_newest_months(pl.LazyFrame(months)).select("days_past_due", "known_on").collect().row(0)
    (9, datetime.date(2026, 6, 2))
    """
    there = repayments.collect_schema().names()
    said, days = [name for name in _SAID if name in there], ["due_month", *(name for name in ("known_on",) if name in there)]
    rows = drop_outdone(repayments.select(*_LOAN, *days, *said).collect(), _LOAN, days)
    newest = rows.lazy().group_by(_LOAN).agg(pl.col(said).max_by("due_month"), pl.col(days).max())
    return newest.collect().lazy()


def find_newest_day(rows: pl.LazyFrame) -> pl.DataFrame:
    """Find the newest day anything became known of each borrower: one row per borrower_id, `known_on`; `rows` are of any one table.

    >>> from datetime import date
    >>> find_newest_day(pl.LazyFrame({"borrower_id": ["A", "A"], "known_on": [date(2026, 4, 1), date(2026, 5, 1)]})).row(0)
    ('A', datetime.date(2026, 5, 1))
    """
    few = drop_outdone(rows.select("borrower_id", "known_on").collect(), ["borrower_id"], ["known_on"])
    return few.group_by("borrower_id").agg(pl.col("known_on").max())
