"""Whose turn it is: whatever writes to a HOME holds its lease, and nothing else writes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine

from signals.records.leases import keep_renewing, name_process, release_lease, wait_for_lease
from signals.settings import Settings


@contextmanager
def keep_lease(records: Engine, settings: Settings, holder: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Wait for the lease and renew it while the block runs, without giving it back: the holder's next stage goes on under it.

    `on_wait` is told once when it must wait. Raises `NightError` where another holds the lease for longer than patience lasts.
    """
    lasts, patience = timedelta(minutes=settings.lease_minutes), timedelta(minutes=settings.patience_minutes)
    wait_for_lease(records, holder, lasts, patience, on_wait)
    with keep_renewing(records, holder, lasts):
        yield


@contextmanager
def hold_lease(records: Engine, settings: Settings, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lease as this process while the block runs, and give it back; waits and raises as `keep_lease` does."""
    holder = name_process()
    try:
        with keep_lease(records, settings, holder, on_wait):
            yield
    finally:
        release_lease(records, holder)
