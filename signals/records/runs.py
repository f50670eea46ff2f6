"""The rows that make a night exist."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from signals.records.schema import RUNS

_RIDES_ALONG = ("committed_at", "code_version", "ledger_sequence")


def find_run(connection: Connection, as_of: date) -> RowMapping | None:
    """Find the row of one night; None where the night does not exist."""
    return connection.execute(select(RUNS).where(RUNS.c.as_of == as_of)).mappings().first()


def find_newest_run(connection: Connection, before: date | None = None) -> RowMapping | None:
    """Find the newest published night, or the newest before a day; None where there is none."""
    wanted = select(RUNS).order_by(RUNS.c.as_of.desc()).limit(1)
    return connection.execute(wanted if before is None else wanted.where(RUNS.c.as_of < before)).mappings().first()


def list_nights(connection: Connection, before: date) -> list[date]:
    """List the published nights before a day, the newest first."""
    return list(connection.execute(select(RUNS.c.as_of).where(RUNS.c.as_of < before).order_by(RUNS.c.as_of.desc())).scalars())


def is_backfill(connection: Connection, as_of: date) -> bool:
    """Say whether a night comes after a later one was published and so reserves nothing.

    A night that was published in its turn and is run again is no backfill: its reservations stand.
    """
    own = find_run(connection, as_of)
    return has_later(connection, as_of) if own is None else bool(own["is_backfill"])


def has_later(connection: Connection, as_of: date) -> bool:
    """Say whether a later night is published."""
    newest = connection.execute(select(func.max(RUNS.c.as_of))).scalar()
    return newest is not None and as_of < newest


def write_run(connection: Connection, run: dict[str, Any]) -> bool:
    """Commit a night's row within the caller's transaction; False, and nothing written, where the very same row stands."""
    kept = find_run(connection, run["as_of"])
    if kept and all(kept[name] == value for name, value in run.items() if name not in _RIDES_ALONG):
        return False
    connection.execute(delete(RUNS).where(RUNS.c.as_of == run["as_of"]))
    connection.execute(insert(RUNS).values(**run, committed_at=datetime.now(UTC)))
    return True


def forget_nights(connection: Connection, before: date) -> int:
    """Take back the existence of the nights before a day, within the caller's transaction; say how many there were."""
    return int(connection.execute(delete(RUNS).where(RUNS.c.as_of < before)).rowcount)


def read_pins(connection: Connection) -> dict[str, set[int]]:
    """Read which Delta versions the nights that exist rest on, by source table and product."""
    pins: dict[str, set[int]] = {}
    for receipts in connection.execute(select(RUNS.c.receipts)).scalars():
        for table, receipt in receipts.items():
            if receipt["version"] is not None:
                pins.setdefault(table, set()).add(int(receipt["version"]))
    return pins
