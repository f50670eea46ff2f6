"""The upkeep of a HOME: let go what is past its time, sort the lake's buckets, and delete the files no kept night needs."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import polars as pl
from deltalake import DeltaTable

from signals.buckets import has_layout
from signals.compaction import compact_table, count_past, drop_rows, find_scattered, list_data_files
from signals.delta import list_stored, open_table, scan_stored
from signals.errors import NightError
from signals.home import Home
from signals.objects import list_files, refuse_unreachable
from signals.products import PRODUCTS
from signals.records.database import open_database
from signals.records.runs import find_newest_run, forget_nights, read_pins
from signals.retention import find_first_kept, find_horizon, find_old_folders, keep_rows, note_first_kept, read_first_kept
from signals.settings import Settings
from signals.tables import TABLES
from signals.turns import hold_lease
from signals.vacuum import vacuum_drafts, vacuum_table

Counts = dict[str, int]


@dataclass(frozen=True)
class Upkeep:
    """What maintenance did (or would do) to one table or folder.

    `files` are those a reader of the newest version opens; `bytes` is what lies on the disk, kept earlier versions with it.
    `rows_expired` were past their time; `files_removed` were deleted from the disk.
    """

    name: str
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows_expired: int = 0
    files_removed: int = 0


def find_day(settings: Settings) -> date:
    """Say by which day to count where none is given: the newest published night; raises `NightError` where there is none."""
    _refuse_nothing(settings)
    with open_database(settings.records_url).begin() as connection:
        newest = find_newest_run(connection)
    if newest is None:
        raise NightError("no night is published yet", str(settings.home), "nobody can say how old anything is", "name a day with --as-of")
    return date.fromisoformat(str(newest["as_of"]))


def run_maintenance(
    settings: Settings,
    as_of: date,
    steps: tuple[str, ...] = (),
    *,
    is_dry: bool = False,
    on_step: Callable[[str], None] = print,
    on_wait: Callable[[], None] | None = None,
) -> list[Upkeep]:
    """Run the named steps of `STEPS` (none named: all), under the lease of this HOME; what became of each table and folder.

    `as_of` is the day by which age is counted. Safe to run again, at once or after a kill: each change is one commit, and what
    a kill left half-done is deleted by the next vacuum. With `is_dry` nothing is changed, and what would be done is told of the
    HOME as it stands. Raises `NightError` where there is no lake, or the lease is not had in time.
    """
    _refuse_nothing(settings)
    done: dict[str, Counts] = {}
    # whoever only looks need not wait
    with nullcontext() if is_dry else hold_lease(open_database(settings.records_url), settings, on_wait):
        before = _measure(settings.places)
        for step in steps or STEPS:
            on_step(f"{as_of} {step}")
            done[step] = STEPS[step](settings, as_of, is_dry=is_dry)
        after = _measure(settings.places)
    return _sum_up(before, after, done, is_dry=is_dry)


def run_task(step: str, as_of: str) -> list[dict[str, Any]]:
    """Run one step for a scheduler: settings from the environment, what was done as plain values."""
    return [upkeep.__dict__ for upkeep in run_maintenance(Settings.read(), date.fromisoformat(as_of), (step,))]


def expire(settings: Settings, as_of: date, *, is_dry: bool = False) -> Counts:
    """Let go the rows, nights and folders that are past their time; rows (of a folder: files) per table and folder.

    Nights go first: from then on none can be read or built again that would miss what goes after them. However late `as_of`
    is, rows are no older than the newest published night says, for that night and the next read them.
    """
    home = settings.places
    first_kept, newest = _let_nights_go(settings, as_of, is_dry=is_dry)
    expired = Counter[str]()
    for name, table in TABLES.items():
        horizon = find_horizon(table, min(as_of, newest or as_of), first_kept)
        if horizon is not None:
            keep = partial(keep_rows, table=table, horizon=horizon)
            expired[name] = sum(count_past(home, name, keep).values()) if is_dry else drop_rows(home, name, keep)
    for name in PRODUCTS:
        expired[name] = _expire_product(home.product(name), first_kept, is_dry=is_dry)
    return expired + Counter(_expire_folders(settings, as_of, first_kept, is_dry=is_dry))


def compact(settings: Settings, _as_of: date, *, is_dry: bool = False) -> Counts:
    """Write each scattered bucket of the lake anew as one sorted file; how many files fewer a reader opens, per table."""
    rewrite = find_scattered if is_dry else compact_table
    scattered = {name: rewrite(settings.places, name, settings.compact_from_files) for name in TABLES}
    return {name: sum(files - 1 for files in buckets.values()) for name, buckets in scattered.items()}


def vacuum(settings: Settings, _as_of: date, *, is_dry: bool = False) -> Counts:
    """Delete the files that neither the newest version nor a kept night needs; how many per table."""
    home = settings.places
    with open_database(settings.records_url).begin() as connection:
        pins = read_pins(connection)
    removed = {name: len(vacuum_table(home.table(name), pins.get(name, ()), is_dry=is_dry)) for name in TABLES}
    first_kept = read_first_kept(home)
    for name in PRODUCTS:
        removed[name] = len(vacuum_table(home.product(name), pins.get(name, ()), first_kept, is_dry=is_dry))
    return removed | {"drafts": len(vacuum_drafts(home, is_dry=is_dry))}


STEPS: dict[str, Callable[..., Counts]] = {step.__name__: step for step in (expire, compact, vacuum)}
FOLDERS = ("packs", "quarantine", "data_docs", "arrivals", "drafts")


def _let_nights_go(settings: Settings, as_of: date, *, is_dry: bool) -> tuple[date, date | None]:
    """Take back the existence of nights past their time; from which on they are kept, and the newest of them."""
    with open_database(settings.records_url).begin() as connection:
        run = find_newest_run(connection)
        newest = run["as_of"] if run else None
        wanted = find_first_kept(as_of, settings.keep_nights_months, newest)
        first_kept = max(wanted, read_first_kept(settings.places) or wanted) if is_dry else note_first_kept(settings.places, wanted)
        if not is_dry:
            forget_nights(connection, first_kept)
    return first_kept, newest


def _expire_product(place: str, first_kept: date, *, is_dry: bool) -> int:
    """Delete the rows of nights that are no longer kept, in one commit."""
    table = open_table(place)
    if table is None:
        return 0
    past = int(scan_stored(place).filter(pl.col("as_of") < first_kept).select(pl.len()).collect().item())
    if past and not is_dry:
        table.delete(f"as_of < '{first_kept}'")
    return past


def _expire_folders(settings: Settings, as_of: date, first_kept: date, *, is_dry: bool) -> Counts:
    """Delete old folders, each named after its night; the newest of each kind stays."""
    home = settings.places
    checks, waiting = as_of - timedelta(days=settings.keep_checks_days), as_of - timedelta(days=settings.keep_arrivals_days)
    places = {
        "packs": (home.root / "packs", first_kept),
        "quarantine": (home.quarantine, checks),
        "data_docs": (home.docs / "data_docs", checks),
        "arrivals": (home.arrivals, waiting),
    }
    counts = {}
    for name, (place, before) in places.items():
        old = find_old_folders((folder for folder in place.glob("*") if folder.is_dir()), before)
        counts[name] = sum(file.is_file() for folder in old for file in folder.rglob("*"))
        for folder in [] if is_dry else old:
            shutil.rmtree(folder)
    return counts


def _measure(home: Home) -> dict[str, tuple[int, int]]:
    """Count of each table the files a reader opens, and its bytes on the disk."""
    found = {}
    for name, place in list_stored(home).items():
        files = list_files(place)
        size = sum(file.size for file in files if ".parquet" in file.name and not file.name.startswith("_delta_log"))
        found[name] = (list_data_files(DeltaTable(place)).height, size)
    return found


def _sum_up(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], done: dict[str, Counts], *, is_dry: bool
) -> list[Upkeep]:
    """Put together what was done; of a dry run the files after are those there would be once buckets are sorted."""
    expired, merged, removed = (done.get(step, {}) for step in STEPS)
    tables = []
    for name, (files, size) in before.items():
        files_after, size_after = (files - merged.get(name, 0), size) if is_dry else after[name]
        tables.append(Upkeep(name, files, files_after, size, size_after, expired.get(name, 0), removed.get(name, 0)))
    folders = [Upkeep(name, files_removed=expired.get(name, 0) + removed.get(name, 0)) for name in FOLDERS]
    return [*tables, *(folder for folder in folders if folder.files_removed)]


def _refuse_nothing(settings: Settings) -> None:
    refuse_unreachable(settings.store)
    if not has_layout(settings.places):
        raise NightError("there is no lake here", str(settings.home), "there is nothing to maintain", "name the HOME of your nights")
