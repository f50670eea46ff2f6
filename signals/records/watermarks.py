"""How far a source database has been read, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, func, select

from signals.records.schema import DELIVERIES


def read_watermarks(connection: Connection, source_id: str, before: date) -> dict[str, date]:
    """Read, by table, the newest `known_on` that a source had brought on the nights before a day.

    A delivery that failed does not count, and a table that brought nothing yet is not named. Only earlier nights count, so
    that a night that runs again reads the same rows again.
    """
    wanted = select(DELIVERIES.c.table_name, func.max(DELIVERIES.c.newest_known_on)).where(
        DELIVERIES.c.source_id == source_id,
        DELIVERIES.c.as_of < before,
        DELIVERIES.c.failure.is_(None),
        DELIVERIES.c.newest_known_on.is_not(None),
    )
    rows = connection.execute(wanted.group_by(DELIVERIES.c.table_name).order_by(DELIVERIES.c.table_name))
    return {row[0]: row[1] for row in rows}


def since(watermarks: Mapping[str, date], window_days: int) -> dict[str, date]:
    """Say, by table, the first `known_on` to read: a window of days before the watermark is read again, for what came late.

    >>> since({"loans": date(2026, 3, 31)}, window_days=30)
    {'loans': datetime.date(2026, 3, 1)}
    """
    return {table: date.fromordinal(max(1, newest.toordinal() - window_days)) for table, newest in watermarks.items()}
