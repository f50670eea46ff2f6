"""What the gate judges: each source's delivery of a table, measured against what that source usually sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

import polars as pl

from signals.profile import average_shares, list_null_limits, measure_null_share, measure_shift
from signals.records.deliveries import DeliveryHistory, TableDelivery
from signals.tables import TABLES, Limits

MEASURES = {
    "source_id": pl.String,
    "rows": pl.Int64,
    "usual_rows": pl.Float64,
    "volume_share": pl.Float64,
    "accepted_share": pl.Float64,
    "days_old": pl.Int64,
    "null_excess": pl.Float64,
    "null_column": pl.String,
    "shift": pl.Float64,
    "shift_column": pl.String,
    "repeated_share": pl.Float64,
}


def measure_deliveries(
    table: str, tonight: Sequence[TableDelivery], history: DeliveryHistory, source_ids: Iterable[str], as_of: date
) -> pl.DataFrame:
    """Measure what each source delivered of a table: one row per source that delivers it tonight, or did on an earlier night.

    `source_ids`: the sources that could be read tonight; what the others do not send is said where they failed. `rows` are
    those new tonight; `usual_rows` the median over the like nights since the source's first, which brings its history (a
    night without a delivery counts as none, a refused one not at all); null: not known. `volume_share`: rows by usual rows;
    null: too few are usual to say. `accepted_share`: of all rows sent, those that break no rule; rows known from earlier
    nights have passed already, so that a few old broken rows that come every night do not lock the source out; null: none came,
    or of a source that was taken in before so few that they are only set aside. `days_old`: of the newest known_on it ever
    brought. `null_excess`: the largest excess over a limit of nulls, and its column; 0: none. `shift`: the largest, and its
    column. `repeated_share`: of the new rows, those that say twice what one key was on one day.
    """
    here = set(source_ids)
    came = {row.source_id: row for row in tonight if row.table == table and row.source_id in here}
    known = {source for source, name in history.first_nights if name == table and source in here}
    rows = [_measure_source(came.get(source) or TableDelivery(source, table), history, as_of) for source in sorted(known | came.keys())]
    return pl.DataFrame(rows, schema=MEASURES, orient="row")


def _measure_source(row: TableDelivery, history: DeliveryHistory, as_of: date) -> dict[str, Any]:
    limits = TABLES[row.table].limits
    before = _list_usual(row.source_id, row.table, history)
    enough = len(before) >= limits.least_nights
    usual = float(median(night.new_rows for night in before)) if enough else None
    days = [day for day in (row.newest_known_on, history.newest_known_on.get((row.source_id, row.table))) if day is not None]
    excess, null_column = _find_null_excess(row, before if enough else [], limits)
    shift, shift_column = _find_shift(row, before if enough else [], limits)
    sent = row.counts.get("read", 0) + row.counts.get("retried", 0)
    least = limits.least_sent if (row.source_id, row.table) in history.first_nights else 1
    return {
        "source_id": row.source_id,
        "rows": row.new_rows,
        "usual_rows": usual,
        "volume_share": row.new_rows / usual if usual is not None and usual >= limits.least_rows else None,
        "accepted_share": 1 - row.counts.get("quarantined", 0) / sent if sent >= least else None,
        "days_old": (as_of - max(days)).days if days else None,
        "null_excess": excess,
        "null_column": null_column,
        "shift": shift,
        "shift_column": shift_column,
        "repeated_share": row.counts.get("repeated", 0) / row.new_rows if row.new_rows else None,
    }


def _list_usual(source_id: str, table: str, history: DeliveryHistory) -> list[TableDelivery]:
    """List what came on the like nights after the source's first: on a night without a delivery, none."""
    first = history.first_nights.get((source_id, table))
    nights = [night for night in history.nights if first is not None and night > first]
    rows = [history.deliveries.get((night, source_id, table)) or TableDelivery(source_id, table) for night in nights]
    return [row for row in rows if row.failure is None]


def _find_null_excess(row: TableDelivery, before: Sequence[TableDelivery], limits: Limits) -> tuple[float | None, str | None]:
    """Find the worst column; one that may be null is judged only where the source usually fills it."""
    found: list[tuple[float, str]] = []
    for column, most in list_null_limits(row.table).items():
        share = measure_null_share(row.profile.get(column, {}))
        usual = measure_null_share(average_shares([night.profile.get(column, {}) for night in before]))
        fills = column not in limits.nulls or (usual is not None and usual <= most)
        if share is not None and fills and _count(row.profile[column]) >= limits.least_rows:
            found.append((max(share - most, 0.0), column))
    excess, worst = max(found, default=(None, None))
    return excess, worst if excess else None


def _find_shift(row: TableDelivery, before: Sequence[TableDelivery], limits: Limits) -> tuple[float | None, str | None]:
    found: list[tuple[float, str]] = []
    for column in (*limits.codes, *limits.watched):
        nights = [night.profile.get(column, {}) for night in before]
        if min(_count(row.profile.get(column, {})), sum(map(_count, nights))) >= limits.least_rows:
            found.append((measure_shift(row.profile[column], average_shares(nights)), column))
    return max(found, default=(None, None))


def _count(parts: Mapping[str, int]) -> int:
    return sum(parts.values())
