"""What every dated list shares: how its file is read, and how a code of one day reads on another."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from signals.errors import SettingsError

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Code:
    """One code of a list, the days it was in force (None: open), and the code that came after it (None: none is known).

    `mark` says how far the row can be trusted (A to D, M: from memory). `is_capital` and `keeps_districts` speak of regions.
    """

    code: str
    words_ko: str
    words_en: str
    mark: str
    source: str
    from_on: date | None = None
    until_on: date | None = None
    successor: str | None = None
    is_capital: bool = False
    keeps_districts: bool = False

    def has_ended(self, as_of: date) -> bool:
        """Whether its last day is over."""
        return self.until_on is not None and self.until_on < as_of

    def is_in_force(self, as_of: date) -> bool:
        """Whether a day lies inside its days."""
        return not self.has_ended(as_of) and (self.from_on is None or self.from_on <= as_of)


@cache
def read_list(name: str) -> dict[str, Any]:
    """Read a shipped list by the name of its file."""
    values: dict[str, Any] = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    return values


def hash_dated_lists() -> str:
    """What the dated lists say, in one hash; part of what a night's catalogue hash stands for."""
    return sha256(b"".join(file.read_bytes() for file in sorted(HERE.glob("*.toml")))).hexdigest()


def is_row_in_force(row: Mapping[str, Any], as_of: date) -> bool:
    """Say whether a day lies inside a row's `from_on` and `until_on`; one that is absent is open."""
    return bool(row.get("from_on", as_of) <= as_of <= row.get("until_on", as_of))


def index_codes(rows: Iterable[Mapping[str, Any]], where: str) -> dict[str, Code]:
    """Index the rows of a list by code.

    Raises `SettingsError` when a code stands twice, its days run backwards, it has a successor but no last day, or its
    successor is not listed, begins before it ends, or leads back to it.
    """
    listed = [Code(**row) for row in rows]
    codes = {code.code: code for code in listed}
    if len(codes) < len(listed):
        raise _refuse("a code stands twice", where)
    for code in listed:
        if code.from_on and code.until_on and code.until_on < code.from_on:
            raise _refuse(f"{code.code} ends before it begins", where)
        if code.successor is not None:
            _check_successor(code, codes, where)
    return codes


def _check_successor(code: Code, codes: Mapping[str, Code], where: str) -> None:
    after = codes.get(code.successor or "")
    if after is None:
        raise _refuse(f"{code.code} names a successor that is not listed", where)
    if code.until_on is None:
        raise _refuse(f"{code.code} has a successor but no last day", where)
    seen = {code.code}
    walked: Code | None = after
    while walked is not None:
        if walked.code in seen:
            raise _refuse(f"the successors of {code.code} lead back to it", where)
        seen.add(walked.code)
        walked = codes.get(walked.successor or "")
    if after.from_on is not None and after.from_on <= code.until_on:
        raise _refuse(f"{code.successor} begins before {code.code} has ended", where)


def _refuse(what: str, where: str) -> SettingsError:
    return SettingsError(
        what, where, "a place or trade would be read as another", "mend the row; its days and successor are in docs/codes.md"
    )


def walk_code(code: str, codes: Mapping[str, Code], as_of: date) -> tuple[Code, ...]:
    """Walk from a code to the one it reads as on a day: the codes on the way, the last one in force; empty where none is.

    An ended code leads to its successor, and so on. A code that is not in force yet leads back to the one it came after; where
    it came after several (a merger), or nothing is known, it says nothing on that day.
    """
    if code not in codes:
        return ()
    way = [codes[code]]
    if way[0].has_ended(as_of):
        while way[-1].has_ended(as_of) and way[-1].successor is not None:
            way.append(codes[way[-1].successor])
    else:
        while not way[-1].is_in_force(as_of) and len(before := find_predecessors(way[-1].code, codes)) == 1:
            way.append(before[0])
    return tuple(way) if way[-1].is_in_force(as_of) else ()


def find_predecessors(code: str, codes: Mapping[str, Code]) -> list[Code]:
    """Find the codes that a code came after."""
    return [one for one in codes.values() if one.successor == code]
