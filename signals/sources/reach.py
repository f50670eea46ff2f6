"""Whether a source can be reached now: cheap, for nothing of it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from signals.errors import DeungdaeError, InputError, SettingsError
from signals.sources import name_sources, open_source
from signals.sources.places import say_place
from signals.sources.rights import WITHOUT_BASIS, say_basis, say_purposes
from signals.sources.source import Source
from signals.sources.trial import FileCheck, Problem


def reach_source(source: Source) -> str:
    """Say what a night would find at a source's place: how many files or tables, none of them read.

    Raises `InputError` or `SettingsError` when it can't be reached: no such folder, a database that does not answer, an object
    store that does not list.
    """
    try:
        pieces = list(open_source(source, {}, Path()))
    except OSError as error:
        raise InputError(
            f"the source can't be reached ({type(error).__name__})",
            source.where,
            "nothing of it can be read",
            "check the place and the credentials",
        ) from None
    return f"{len(pieces)} tables" if source.kind == "database" else f"{len(pieces)} files"


def check_places(locations: Sequence[str]) -> list[FileCheck]:
    """Check the sources that a night would read: each location with what it names, on what right, and whether it can be reached."""
    return [_check_location(location) for location in locations]


def _check_location(location: str) -> FileCheck:
    shown = say_place(location)
    try:
        found = name_sources([location])
    except SettingsError as error:
        return FileCheck(shown, problems=(Problem(f"{error.what} ({error.where})"),), problems_count=1)
    about, problems = [], []
    for source in found:
        right = WITHOUT_BASIS if source.basis is None else f"{say_basis(source)} | {say_purposes(source)}"
        about.append((f"자료원 · source {source.source_id}", f"{source.kind} | {right}"))
        try:
            about.append((f"찾음 · found of {source.source_id}", reach_source(source)))
        except DeungdaeError as error:
            problems.append(Problem(f"{source.source_id}: {error.what} ({error.where})"))
    return FileCheck(shown, problems=tuple(problems), problems_count=len(problems), about=about)
