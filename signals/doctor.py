"""What is installed, reachable, stale or broken, and how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

import polars as pl

from signals.buckets import count_buckets, has_layout
from signals.check_reports import read_check_reports
from signals.delta import is_table
from signals.errors import DeungdaeError, SettingsError
from signals.objects import refuse_unreachable, remove_file, write_parquet
from signals.offices import load_offices
from signals.packs import find_missing_packs
from signals.records.database import open_database
from signals.records.forgotten import count_unfinished, read_forgotten
from signals.records.runs import find_newest_run
from signals.settings import Settings
from signals.sources import Source, name_sources
from signals.sources.reach import reach_source
from signals.sources.rights import describe_right, say_basis
from signals.tables import TABLES

PACKAGES = (
    "polars",
    "deltalake",
    "dataframely",
    "great-expectations",
    "lightgbm",
    "scikit-learn",
    "narwhals",
    "apache-airflow",
    "sqlalchemy",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: how it is and, where it is not well, how to mend it."""

    what: str
    is_well: bool
    state: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a night needs, and change nothing but the database's migrations."""
    store = list(_examine_store(settings))
    findings = [_examine_python(), *(_examine_package(name) for name in PACKAGES), _examine_home(settings.home), *store]
    if not settings.home.is_dir():
        return findings
    return [
        *findings,
        _examine_lot_key(settings),
        _examine_offices(settings),
        *_examine_sources(settings),
        *(_examine_lake(settings) if all(finding.is_well for finding in store) else ()),
        _examine_champion(settings),
        *_examine_nights(settings),
    ]


def _examine_python() -> Finding:
    is_new = sys.version_info >= (3, 11)
    return Finding("Python", is_new, sys.version.split()[0], "" if is_new else "install Python 3.11 or newer")


def _examine_package(name: str) -> Finding:
    try:
        return Finding(name, is_well=True, state=version(name))
    except PackageNotFoundError:
        return Finding(name, is_well=False, state="not installed", mend="run `make setup`")


def _examine_home(home: Path) -> Finding:
    if home.is_dir():
        return Finding("HOME", is_well=True, state=str(home))
    return Finding("HOME", is_well=False, state=f"{home} is not there", mend="run `make nightly`, or a night with --home")


def _examine_lot_key(settings: Settings) -> Finding:
    is_shipped = settings.lot_key == Settings.model_fields["lot_key"].default
    state = "the shipped one: whoever knows it can foresee who wins a tie" if is_shipped else "set"
    return Finding("lot key", is_well=True, state=state, mend="set DEUNGDAE_LOT_KEY to a secret of your own" if is_shipped else "")


def _examine_forgotten(settings: Settings) -> Finding:
    with open_database(settings.records_url).begin() as connection:
        unfinished = count_unfinished(connection)
        try:
            forgotten = len(read_forgotten(connection, settings.pseudonym_key).marks)
        except SettingsError as error:
            return Finding("forgotten", is_well=False, state=error.what, mend=error.next_step)
    if unfinished:
        return Finding("forgotten", is_well=False, state=f"{unfinished} erasures broken off", mend="run `deungdae forget` for them again")
    is_shipped = settings.pseudonym_key == Settings.model_fields["pseudonym_key"].default
    mend = "set DEUNGDAE_PSEUDONYM_KEY to a secret before the first is forgotten" if is_shipped and not forgotten else ""
    return Finding(
        "forgotten", is_well=True, state=f"{forgotten} borrowers" + (", marked by the shipped key" if is_shipped else ""), mend=mend
    )


def _examine_offices(settings: Settings) -> Finding:
    try:
        return Finding("offices", is_well=True, state=f"{len(load_offices(settings.home))} offices")
    except DeungdaeError as error:
        return Finding("offices", is_well=False, state=error.what, mend=error.next_step)


def _examine_sources(settings: Settings) -> Iterator[Finding]:
    """Look whether each source can be reached, and on what right it is read; nothing of it is read."""
    try:
        found = name_sources(settings.locate_sources())
    except SettingsError as error:
        yield Finding("sources", is_well=False, state=f"{error.what} ({error.where})", mend=error.next_step)
        return
    if not found:
        mend = f"write {settings.places.sources}, set DEUNGDAE_SOURCES, or name them with --source"
        yield Finding("sources", is_well=True, state="none named", mend=mend)
    for source in found:
        yield _examine_source(source, needs_basis=settings.require_legal_basis)


def _examine_source(source: Source, *, needs_basis: bool) -> Finding:
    what, notes = f"source {source.source_id}", describe_right(source)["notes"]
    try:
        state = f"reached: {reach_source(source)}"
    except DeungdaeError as error:
        return Finding(what, is_well=False, state=error.what, mend=error.next_step)
    is_refused = needs_basis and source.basis is None
    mend = "describe it in a source file (docs/connect-a-lender.md)" if source.basis is None else ""
    return Finding(what, not is_refused, "; ".join([state, *(notes or [say_basis(source)])]), mend)


def _examine_store(settings: Settings) -> Iterator[Finding]:
    """Write, read and remove an object: Arrow, polars and Delta each have a client of their own."""
    if settings.store is None:
        return
    place = f"{settings.store.rstrip('/')}/.examined-{uuid4().hex}.parquet"
    try:
        refuse_unreachable(settings.store)
        write_parquet(pl.DataFrame({"is_written": [True]}), place)
        pl.read_parquet(place)
        remove_file(place)
    except DeungdaeError as error:
        yield Finding("object store", is_well=False, state=f"{settings.store}: {error.what}", mend=error.next_step)
    except (OSError, pl.exceptions.PolarsError) as error:
        mend = "check what docs/object-store.md says the key must allow"
        yield Finding("object store", is_well=False, state=f"{settings.store} can't be read ({type(error).__name__})", mend=mend)
    else:
        yield Finding("object store", is_well=True, state=f"{settings.store} can be reached, written and read")


def _examine_lake(settings: Settings) -> Iterator[Finding]:
    home = settings.places
    if not has_layout(home):
        yield Finding("lake", is_well=False, state="empty: no borrower was ever taken in", mend="run a night with --source")
        return
    yield Finding("lake", is_well=True, state=f"{count_buckets(home)} buckets of borrowers")
    absent = [name for name in TABLES if not is_table(home.table(name))]
    required = [name for name in absent if TABLES[name].is_required]
    state = f"never arrived: {', '.join(absent)}" if absent else "all tables have arrived"
    yield Finding("tables", not required, state, "have the missing required table sent" if required else "")


def _examine_champion(settings: Settings) -> Finding:
    models = settings.places.models
    if any((models / "promotions").glob("*.json")) or (models / "champion.json").is_file():  # as `models.acts` keeps and kept it
        return Finding("champion", is_well=True, state="there is one")
    return Finding("champion", is_well=True, state="none: nights are scored by the scorecard of official signs", mend="`deungdae train`")


def _examine_nights(settings: Settings) -> Iterator[Finding]:
    try:
        with open_database(settings.records_url).begin() as connection:
            newest = find_newest_run(connection)
    except SettingsError as error:
        yield Finding("database", is_well=False, state=error.what, mend="check DEUNGDAE_DATABASE_URL and that it is reachable")
        return
    yield Finding("database", is_well=True, state="reachable and migrated")
    yield _examine_forgotten(settings)
    if newest is None:
        yield Finding("nights", is_well=False, state="none published", mend="`deungdae night`")
        return
    yield Finding("nights", is_well=True, state=f"newest: {newest['as_of']}")
    with open_database(settings.records_url).begin() as connection:
        is_missing = find_missing_packs(settings.places, connection, newest["as_of"])
    yield Finding(
        "packs",
        not is_missing,
        "not those of the newest night" if is_missing else "in their place",
        "run that night again" if is_missing else "",
    )
    for check in read_check_reports(settings.places, newest["as_of"]):
        mend = "" if check.failure is None else "have the file mended and sent again, then run the night again"
        yield Finding(f"source {check.source_id} on {newest['as_of']}", check.failure is None, check.failure or "arrived", mend)
