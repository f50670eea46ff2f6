"""Who is champion, by which recorded act and why: an append-only row of small files, of which the newest decides.

The record is the pointer: there is no second file that could say otherwise after a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.files import name_damage, read_values, to_text, write_once
from signals.errors import SettingsError

RECORDS = "promotions"
EARLIER = "champion.json"  # what pointed to the champion before there were records; still the first act of a registry that has it
FIRST, PROMOTE, ROLL_BACK = "first", "promote", "roll back"


@dataclass(frozen=True)
class Act:
    """One act that made a model champion.

    `before` is the champion until then (null: none). `at` is when, with its offset from UTC (null: by itself, with the first
    training). `thresholds` are the risks from which its levels hold for as long as it is champion (null, in a registry from
    before there were records: those of the model). `gates` are what it passed, as of `gates.judge_gates`.
    """

    number: int
    act: str
    version: str
    before: str | None
    because: str
    at: str | None = None
    thresholds: dict[str, float] | None = None
    gates: list[dict[str, Any]] = field(default_factory=list)


def read_acts(folder: Path) -> list[Act]:
    """Read all acts of a registry, the oldest first; none where no model was ever champion.

    Raises `SettingsError` when one is damaged or missing among them.
    """
    files = sorted((folder / RECORDS).glob("[0-9]*.json"))
    acts = [_read_act(file) for file in files]
    if acts and [act.number for act in acts] != list(range(1, len(acts) + 1)):
        raise name_damage(folder / RECORDS, "an act among them is missing")
    return [_read_earlier(folder / EARLIER), *acts] if (folder / EARLIER).is_file() else acts


def find_champion(folder: Path) -> Act | None:
    """Find the act that made the present champion; null where there is none. Raises as `read_acts` does."""
    acts = read_acts(folder)
    return acts[-1] if acts else None


def record_act(folder: Path, acts: Sequence[Act], act: str, version: str, because: str, **kept: Any) -> Act:
    """Record one more act after `acts`: from then on, and for whoever reads next, `version` is champion.

    Raises `SettingsError` when another act was recorded meanwhile: nothing has changed then.
    """
    number = acts[-1].number + 1 if acts else 1
    made = Act(number, act, version, acts[-1].version if acts else None, because, **kept)
    place = folder / RECORDS / f"{number:04}.json"
    if not write_once(place, to_text(made.__dict__)):
        raise SettingsError(
            f"another model was made champion at the same moment, so {version} was not",
            str(place),
            "two champions can't score one night",
            "look at `deungdae models list`, then decide again",
        )
    return made


def find_before(acts: Sequence[Act]) -> Act | None:
    """Find the act that made the champion before the present one: roll-backs undo, so going back twice goes back two steps.

    >>> a, b = Act(1, FIRST, "A", None, ""), Act(2, PROMOTE, "B", "A", "")
    >>> find_before([a, b]).version, find_before([a, b, Act(3, ROLL_BACK, "A", "B", "")])
    ('A', None)
    """
    standing: list[Act] = []
    for act in acts:
        standing = standing[:-1] if act.act == ROLL_BACK else [*standing, act]
    return standing[-2] if len(standing) > 1 else None


def _read_act(file: Path) -> Act:
    values = read_values(file)
    try:
        act = Act(**values)
    except TypeError as error:
        raise name_damage(file, "not the record of an act") from error
    if not isinstance(act.version, str) or file.stem != f"{act.number:04}":
        raise name_damage(file, "not the record it is named after")
    return act


def _read_earlier(file: Path) -> Act:
    values = read_values(file)
    if not isinstance(values.get("version"), str):
        raise name_damage(file, "it names no version")
    return Act(0, FIRST, values["version"], None, str(values.get("because", "")))
