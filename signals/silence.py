"""Which sources are silent tonight: failed, missing or late; and what their silence means for coverage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, case, func, select

from signals.buckets import count_buckets
from signals.home import Home
from signals.lake import scan_lake
from signals.like_nights import is_rest_day
from signals.records.schema import DELIVERIES
from signals.tables import TABLES
from signals.tables.signs import SALES_SUBJECTS

# Whom a source speaks of: what it says of them month after month, and the loans it gave them.
TELLING = ("repayments", "sales", "credit", "loans")
_WEEK = 7
_NEWS = {
    "source_id": pl.String, "table_name": pl.String, "first_on": pl.Date, "last_good_on": pl.Date, "newest_known_on": pl.Date,
    "failed_on": pl.Date,
}  # fmt: skip
_TOLD = {"borrower_id": pl.String, "source_id": pl.String, "told_on": pl.Date}
_TABLE = pl.when(pl.col("subject").is_in(list(SALES_SUBJECTS))).then(pl.lit("sales")).otherwise(pl.col("subject"))
_REPORTED_IN = pl.when(_TABLE.is_in(list(TABLES))).then(_TABLE).otherwise(pl.lit("facts"))
_ENDED = {"source_id": pl.String, "table_name": pl.String, "last_word_on": pl.Date}


@dataclass(frozen=True)
class Silence:
    """One source that is silent tonight.

    `state`: failed (nothing of it was taken in), missing (a table it used to send did not come) or late (it came and brought
    nothing new for longer than it promised, or than news holds). `tables`: what is without news. `last_good_on`: the last night that took it in;
    `last_news_on`: the newest day it ever spoke of; None: not known. `limit_days`: so long its last word still holds.
    """

    source_id: str
    state: str
    tables: tuple[str, ...]
    last_good_on: date | None
    last_news_on: date | None
    limit_days: int

    @property
    def last_word_on(self) -> date | None:
        """Until when it may be believed that nothing happened where it said nothing; None: not known.

        A delivery that was taken in and brought nothing new was a word too, unless more was promised by then.
        """
        return self.last_news_on if self.state == "late" else self.last_good_on or self.last_news_on

    def is_over(self, as_of: date) -> bool:
        """Whether its last word is older than it holds."""
        return self.last_word_on is not None and (as_of - self.last_word_on).days > self.limit_days


def read_source_news(connection: Connection, as_of: date) -> pl.DataFrame:
    """Read what each source delivered up to and with the night of `as_of`: one row per source_id and table_name, sorted.

    `first_on` and `last_good_on` (the first and the last night whose delivery was taken in), `newest_known_on` (the newest
    day it ever spoke of), `failed_on` (the last night it was refused); each null where there is none.
    """
    table, is_good = DELIVERIES.c, DELIVERIES.c.failure.is_(None)
    wanted = (
        select(
            table.source_id,
            table.table_name,
            func.min(case((is_good, table.as_of))),
            func.max(case((is_good, table.as_of))),
            func.max(table.newest_known_on),
            func.max(case((~is_good, table.as_of))),
        )
        .where(table.as_of <= as_of)
        .group_by(table.source_id, table.table_name)
    )
    rows = [tuple(row) for row in connection.execute(wanted)]
    return pl.DataFrame(rows, schema=_NEWS, orient="row").sort("source_id", "table_name")


def find_silences(
    news: pl.DataFrame, failed: Collection[str], due: Mapping[str, int | None], as_of: date, stale_after_days: int
) -> list[Silence]:
    """Find the sources that are silent on `as_of`, in the order of their names.

    `news`: as of `read_source_news`. `failed`: the sources of which nothing was taken in tonight. `due`: tonight's sources,
    and every how many days each says it sends; None: not said. A table of a source that says so is missed only when it is
    due, else a monthly sender would be missing on twenty-nine nights of thirty.
    """
    found = []
    for source_id in sorted({*failed, *due}):
        own = news.filter(pl.col("source_id") == source_id)
        state, tables = _judge_source(own, source_id in failed, due.get(source_id), as_of, stale_after_days)
        if state:
            said = own if state == "late" or tables == tuple(TABLES) else own.filter(pl.col("table_name").is_in(tables))
            days: dict[str, Any] = said.select(pl.col("last_good_on", "newest_known_on").max()).row(0, named=True)
            limit = max(stale_after_days, due.get(source_id) or 0)
            found.append(Silence(source_id, state, tables, days["last_good_on"], days["newest_known_on"], limit))
    return found


def _judge_source(
    own: pl.DataFrame, is_failed: bool, every_days: int | None, as_of: date, stale_after_days: int
) -> tuple[str, tuple[str, ...]]:
    """Say in which way a source is silent (empty: it is not) and of which tables."""
    if is_failed:
        return "failed", tuple(TABLES)
    refused = own.filter(pl.col("failed_on") == as_of)["table_name"].to_list()
    if refused:
        return "failed", tuple(refused)
    due_on = as_of - timedelta(days=every_days or 0)
    missing = own.filter(pl.col("last_good_on") < due_on)["table_name"].to_list()
    if missing:
        return "missing", tuple(missing)
    newest = own["newest_known_on"].max()
    # old files that still lie there are no word: who promised nothing is late once news would be stale
    is_late = isinstance(newest, date) and _count_days(newest, as_of, every_days) > (every_days or stale_after_days)
    return ("late", tuple(TABLES)) if is_late else ("", ())


def _count_days(newest: date, as_of: date, every_days: int | None) -> int:
    """Count the days without news; of who sends more often than weekly, working days alone: banks book nothing on days of rest."""
    days = (as_of - newest).days
    if not every_days or every_days >= _WEEK:
        return days
    return sum(not is_rest_day(newest + timedelta(days=day)) for day in range(1, days + 1))


def date_silences(silences: Iterable[Silence], home: Home, as_of: date) -> list[Silence]:
    """Give each silence whose days nobody wrote down the newest day that the lake holds of its source."""
    undated = [silence.source_id for silence in silences if silence.last_news_on is None]
    newest: dict[str, date] = {}
    for name in TABLES if undated else ():
        rows = _scan_told(home, name, undated, as_of)
        for source_id, day in rows.group_by("pulled_from").agg(pl.col("known_on").max()).collect().iter_rows() if rows is not None else ():
            newest[source_id] = max(day, newest.get(source_id, day))
    return [silence if silence.last_news_on else replace(silence, last_news_on=newest.get(silence.source_id)) for silence in silences]


def read_told(home: Home, silences: Sequence[Silence], as_of: date) -> pl.DataFrame:
    """Read of whom the silent sources spoke, bucket by bucket and their rows alone: as `keep_current` leaves it."""
    parts = [pl.DataFrame(schema=_TOLD)]
    for table in TELLING:
        sources = [silence.source_id for silence in silences if table in silence.tables]
        for bucket in range(count_buckets(home)) if sources else ():
            rows = _scan_told(home, table, sources, as_of, bucket)
            if rows is not None:
                keys = rows.group_by("borrower_id", source_id="pulled_from").agg(told_on=pl.col("known_on").max())
                parts.append(keys.collect(engine="streaming"))
    told = pl.concat(parts).group_by("borrower_id", "source_id").agg(pl.col("told_on").max())
    return keep_current(told, {silence.source_id: silence.limit_days for silence in silences})


def _scan_told(home: Home, table: str, sources: Sequence[str], as_of: date, bucket: int | None = None) -> pl.LazyFrame | None:
    lake = scan_lake(home, table, bucket)
    if lake is None:
        return None
    is_said = ~pl.col("is_retracted").fill_null(value=False)
    return lake.filter(pl.col("pulled_from").is_in(sources), pl.col("known_on") <= as_of, pl.col("pulled_for") <= as_of, is_said)


def keep_current(told: pl.DataFrame, limit_days: Mapping[str, int]) -> pl.DataFrame:
    """Keep of whom a source spoke until it fell silent: a loan repaid years ago makes nobody its borrower now.

    One row per borrower_id and source_id, sorted: `told_on`, the newest day it spoke of them, at most the source's
    `limit_days` before the newest day it spoke of anybody.

    >>> told = pl.DataFrame({"borrower_id": ["a", "b"], "source_id": ["K", "K"], "told_on": [date(2024, 1, 3), date(2026, 3, 1)]})
    >>> keep_current(told, {"K": 45})["borrower_id"].to_list()
    ['b']
    """
    limit = pl.col("source_id").replace_strict(dict(limit_days), default=0, return_dtype=pl.Int64)
    behind = (pl.col("told_on").max().over("source_id") - pl.col("told_on")).dt.total_days()
    return told.filter(behind <= limit).sort("borrower_id", "source_id")


def list_ended(silences: Iterable[Silence], as_of: date) -> pl.DataFrame:
    """List whose last word no longer holds: one row per source_id and table_name, with `last_word_on`."""
    rows = [(one.source_id, table, one.last_word_on) for one in silences if one.is_over(as_of) for table in one.tables]
    return pl.DataFrame(rows, schema=_ENDED, orient="row")


def end_silent_coverage(coverage: pl.LazyFrame, ended: pl.DataFrame) -> pl.LazyFrame:
    """End the coverage by sources that no longer report at their last word: from then on, no row means unknown, not no.

    `coverage`: the lake's rows with all versions and `pulled_from`, which names our source (the `source_id` of a coverage row
    is the holder's own name for itself). `ended`: as of `list_ended`. A subject is reported in the table of its name, a
    channel of sales in `sales`, any other in `facts`. Rows, order and columns stay; only `until_on` may come earlier, never later.
    """
    last = ended.lazy().rename({"source_id": "pulled_from", "table_name": "reported_in"})
    joined = coverage.with_columns(reported_in=_REPORTED_IN).join(
        last, on=["pulled_from", "reported_in"], how="left", maintain_order="left"
    )
    return joined.with_columns(until_on=pl.min_horizontal("until_on", "last_word_on")).drop("reported_in", "last_word_on")


def name_reporting_table(subjects: pl.DataFrame) -> pl.DataFrame:
    """Name beside each `subject` the table in which it is reported, as `reported_in`.

    >>> name_reporting_table(pl.DataFrame({"subject": ["card_sales", "credit", "owns_premises"]}))["reported_in"].to_list()
    ['sales', 'credit', 'facts']
    """
    return subjects.with_columns(reported_in=_REPORTED_IN)
