"""One night at a time per HOME."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import psutil
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import OperationalError

from signals.errors import NightError
from signals.records.schema import LEASES

_NAME, _POLL_SECONDS = "night", 1.0


def name_process() -> str:
    """Name this process so that another can see whether it still lives."""
    return f"process|{socket.gethostname()}|{_describe_process(os.getpid())}"


def take_lease(connection: Connection, holder: str, lasts: timedelta) -> bool:
    """Take or renew the lease for `holder`; False while another holds it and lives.

    A process of this machine holds it while it lives; any other holder until `lasts` has passed since it last renewed.
    """
    now = datetime.now(UTC)
    row = connection.execute(select(LEASES).where(LEASES.c.name == _NAME)).first()
    if row and row.holder != holder and not _is_over(row.holder, _read_moment(row.renewed_at), now, lasts):
        return False
    connection.execute(delete(LEASES).where(LEASES.c.name == _NAME))
    connection.execute(insert(LEASES).values(name=_NAME, holder=holder, renewed_at=now))
    return True


def release_lease(engine: Engine, holder: str) -> None:
    """Give the lease back, where `holder` has it."""
    with engine.begin() as connection:
        connection.execute(delete(LEASES).where(LEASES.c.name == _NAME, LEASES.c.holder == holder))


def wait_for_lease(engine: Engine, holder: str, lasts: timedelta, patience: timedelta, on_wait: Callable[[], None] | None = None) -> None:
    """Wait until `holder` has the lease; raises `NightError` when `patience` runs out."""
    ends = time.monotonic() + patience.total_seconds()
    has_waited = False
    while True:
        with engine.begin() as connection:
            if take_lease(connection, holder, lasts):
                return
        if time.monotonic() > ends:
            raise NightError(
                "another night holds the lease",
                engine.url.database or "",
                "two nights at once could reserve a place twice",
                "wait for it to end, or stop it",
            )
        if on_wait and not has_waited:
            on_wait()
        has_waited = True
        time.sleep(_POLL_SECONDS)


@contextmanager
def keep_renewing(engine: Engine, holder: str, lasts: timedelta) -> Iterator[None]:
    """Renew the lease now and then while the block runs, however long it takes."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(lasts.total_seconds() / 4):
            with suppress(OperationalError), engine.begin() as connection:  # a long transaction is in the way: the next turn will do
                take_lease(connection, holder, lasts)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _is_over(holder: str, renewed_at: datetime, now: datetime, lasts: timedelta) -> bool:
    kind, _, rest = holder.partition("|")
    host, _, started = rest.partition("|")
    if kind == "process" and host == socket.gethostname():
        return started != _describe_process(int(started.partition("@")[0]))
    return now - renewed_at > lasts


def _read_moment(kept: datetime) -> datetime:
    """SQLite gives the moment back without its zone, PostgreSQL in the zone of the session."""
    return kept.replace(tzinfo=UTC) if kept.tzinfo is None else kept


def _describe_process(pid: int) -> str | None:
    """A process by its number and start: a number alone may be another's by now; None: it is dead, even if nobody has buried it yet."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{pid}@{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
