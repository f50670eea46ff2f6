"""Forgetting a borrower: erasure beats append-only (decision 0020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, select

from signals.delta import read_histories
from signals.erase_files import erase_from_files, erase_from_packs, hash_redacted_packs
from signals.erase_tables import erase_from_lake, erase_from_products, find_owned, purge_files
from signals.errors import SettingsError
from signals.forgotten import NOBODY, Forgotten
from signals.home import Home
from signals.objects import refuse_unreachable
from signals.records.database import open_database
from signals.records.forgotten import complete_forgetting, erase_records, mark_forgotten, read_forgotten, redact_runs, vacuum_records
from signals.records.schema import RUNS
from signals.settings import Settings
from signals.turns import hold_lease

Step = Callable[[str], None]


@dataclass(frozen=True)
class Erasure:
    """What an erasure took: rows of the records, the lake, the products and loose files; nights pinned anew, packs emptied."""

    records: int
    files: int
    lake: int
    products: int
    nights: tuple[date, ...]
    packs: tuple[Path, ...]


def forget_borrower(
    borrower_id: str, settings: Settings, on_step: Step | None = None, on_wait: Callable[[], None] | None = None
) -> Erasure:
    """Erase every trace of a borrower under HOME and in the operational database, and mark them so that nothing comes back.

    Safe to run again, and must be where it was broken off: the mark comes first, each step finds what is still there. It
    takes the lease of HOME. `on_step` is told each step's name, never the id. Raises `SettingsError` when HOME is not there
    or the pseudonym key has changed, `NightError` when a night holds the lease longer than patience.
    """
    if not settings.home.is_dir() or not borrower_id:
        what = "HOME is not there" if borrower_id else "no borrower was named"
        raise SettingsError(what, str(settings.home), "there is nobody to forget", "give the id and --home")
    refuse_unreachable(settings.store)
    records = open_database(settings.records_url)
    with hold_lease(records, settings, on_wait):
        return _erase(borrower_id, settings, records, on_step or (lambda _: None))


def read_who_is_forgotten(settings: Settings) -> Forgotten:
    """Read who was forgotten in this HOME, of whom nothing may be read again; nobody where there is no HOME."""
    if not settings.home.is_dir():
        return NOBODY
    with open_database(settings.records_url).begin() as connection:
        return read_forgotten(connection, settings.pseudonym_key)


def _erase(borrower_id: str, settings: Settings, records: Engine, on_step: Step) -> Erasure:
    home = settings.places
    on_step("records")
    with records.begin() as connection:
        mark_forgotten(connection, borrower_id, settings.pseudonym_key)
        told = erase_records(connection, borrower_id)
    on_step("files")  # before the lake, which alone knows whose a loan is
    owned = find_owned(home, borrower_id)
    files = erase_from_files(home, borrower_id, owned)
    packs = erase_from_packs(home, borrower_id)
    on_step("lake")
    lake = erase_from_lake(home, borrower_id, owned)
    on_step("products")
    products = erase_from_products(home, borrower_id, _read_runs(records))
    on_step("nights")
    with records.begin() as connection:
        nights = redact_runs(connection, read_histories(home), hash_redacted_packs(home))
    _clean_up(borrower_id, settings, home, records, on_step)
    return Erasure(told, files, lake, products, tuple(nights), tuple(packs))


def _clean_up(borrower_id: str, settings: Settings, home: Home, records: Engine, on_step: Step) -> None:
    on_step("old files")
    purge_files(home, _read_runs(records))
    on_step("database")
    vacuum_records(records)
    with records.begin() as connection:
        complete_forgetting(connection, borrower_id, settings.pseudonym_key)


def _read_runs(records: Engine) -> list[dict[str, object]]:
    with records.begin() as connection:
        return [dict(row) for row in connection.execute(select(RUNS.c.as_of, RUNS.c.receipts)).mappings()]
