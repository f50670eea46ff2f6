"""What no kept version needs: files that were replaced, and what killed writers left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from deltalake import DeltaTable

from signals.delta import open_table
from signals.home import Home
from signals.objects import list_files, remove_file


def vacuum_table(place: str, pins: Iterable[int], first_kept: date | None = None, *, is_dry: bool = False) -> list[str]:
    """Delete the files of a Delta table that neither the newest version nor a pinned one needs; say which.

    Leftovers of killed writers go too, so nobody may be writing: the caller holds the lease. Of a product, files that speak
    only of nights before `first_kept` go although pinned versions name them: readers of the nights that are kept skip them.
    """
    table = open_table(place)
    if table is None:
        return []
    kept = sorted({version for version in pins if version <= table.version()})
    gone = _list_unneeded(table, place, kept)
    if gone and not is_dry:
        table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True, keep_versions=kept)
    unfinished = [f"{place}/{name}" for name, *_ in list_files(place) if ".parquet#" in name]  # a write that was never finished
    others = [*unfinished, *_list_let_go(table, place, gone, first_kept)]
    for file in [] if is_dry else others:
        remove_file(file)
    return sorted([*gone, *others])


def vacuum_drafts(home: Home, *, is_dry: bool = False) -> list[Path]:
    """Delete the products that a killed night was still putting together; say which files."""
    waiting = home.staging
    files = sorted(waiting.glob("**/*.parquet"))
    if files and not is_dry:
        shutil.rmtree(waiting)
    return files


def _list_unneeded(table: DeltaTable, place: str, kept: list[int]) -> list[str]:
    """Delta names what it ever removed; what of that is still there."""
    named = table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=True, keep_versions=kept)
    there = {file.name for file in list_files(place)}
    return sorted(f"{place}/{name}" for name in {*named} & there)


def _list_let_go(table: DeltaTable, place: str, gone: list[str], first_kept: date | None) -> list[str]:
    """What only pinned versions name and speaks of nights that are let go: readers of another night pass over it unopened."""
    if first_kept is None:
        return []
    spared = set(_list_unneeded(table, place, [])) - set(gone)
    return sorted(file for file in spared if _find_night(file) < first_kept)


def _find_night(file: str) -> date:
    """A product's files lie in a folder of their night."""
    return date.fromisoformat(file.split("/")[-2].removeprefix("as_of="))
