"""What is decided or measured between nights: append-only rows of small files, each with the first night it counts from.

That night is later than every published one, so that no night that exists is changed, not even when it is run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.files import name_damage, read_values, to_text, write_once
from signals.errors import SettingsError

RESUMPTIONS, OUTCOMES = "resumptions", "outcomes"


@dataclass(frozen=True)
class Resumption:
    """One decision that ended a shock (by its first night): from which night on, why, and when it was taken."""

    since: date
    from_on: date
    because: str
    at: str


def read_records(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Read all records of a kind in a registry, the oldest first. Raises `SettingsError` when one is damaged or missing among them."""
    files = sorted((folder / kind).glob("[0-9]*.json"))
    if [file.stem for file in files] != [f"{number:04}" for number in range(1, len(files) + 1)]:
        raise name_damage(folder / kind, "a record among them is missing")
    return [read_values(file) for file in files]


def append_record(folder: Path, kind: str, values: Mapping[str, Any]) -> None:
    """Append one record, whole or not at all; raises `SettingsError` when another was recorded meanwhile: nothing has changed then."""
    place = folder / kind / f"{len(read_records(folder, kind)) + 1:04}.json"
    if not write_once(place, to_text(dict(values))):
        raise SettingsError("another was recorded at the same moment", str(place), "one of both would be lost", "look, then do it again")


def read_resumptions(folder: Path, as_of: date) -> list[Resumption]:
    """Read the resumptions that count on a night, the oldest first. Raises as `read_records` does."""
    try:
        found = [
            Resumption(date.fromisoformat(one["since"]), date.fromisoformat(one["from_on"]), one["because"], one["at"])
            for one in read_records(folder, RESUMPTIONS)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise name_damage(folder / RESUMPTIONS, "not the record of a resumption") from error
    return [one for one in found if one.from_on <= as_of]


def record_resumption(folder: Path, since: date, from_on: date, because: str, at: str) -> Resumption:
    """End the shock that stands since a night, from the night of `from_on` on.

    Raises `SettingsError`, and changes nothing, when it was ended already or when no reason is given.
    """
    if any(one.since == since for one in read_resumptions(folder, from_on)):
        raise name_no_shock(folder, f"the shock since {since} was ended already")
    if not because.strip():
        raise SettingsError("no reason given", "--because", "nobody could say later why the model came back", "say why, in a sentence")
    made = Resumption(since, from_on, because.strip(), at)
    append_record(folder, RESUMPTIONS, {**made.__dict__, "since": since.isoformat(), "from_on": from_on.isoformat()})
    return made


def name_no_shock(folder: Path, what: str) -> SettingsError:
    """The error of a decision that has nothing to decide."""
    return SettingsError(what, str(folder / RESUMPTIONS), "there is nothing to come back from", "look at the last night's report")


def read_outcomes(folder: Path, as_of: date, after: date | None = None) -> dict[str, Any] | None:
    """Read the newest measure of outcomes that counts on a night, and from a later night on than `after`; null where there is none."""
    counting = [one for one in read_records(folder, OUTCOMES) if one.get("from_on", "") <= as_of.isoformat()]
    if not counting or (after and counting[-1]["from_on"] <= after.isoformat()):
        return None
    return counting[-1]
