"""The catalogue of programmes: dated text files, read strictly."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from guidance.programme import Programme
from signals.codes.dated import hash_dated_lists
from signals.errors import SettingsError

SHIPPED = Path(__file__).parent / "programmes"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a programme's file, and where; a warning does not stop a night."""

    file: Path
    line: int
    what: str
    is_warning: bool = False

    def __str__(self) -> str:
        """The fault on one line, as compilers write it."""
        return f"{self.file}:{self.line}: {'warning: ' if self.is_warning else ''}{self.what}"


@dataclass(frozen=True)
class Lines:
    """Where each key of a programme's file stands."""

    by_path: dict[tuple[str | int, ...], int]

    def find(self, *path: str | int) -> int:
        """The line of a key, or of the nearest heading above it; 1 where even that is missing."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.by_path:
                return self.by_path[path[:end]]
        return 1


@dataclass(frozen=True)
class ProgrammeFile:
    """One programme as its file says it."""

    file: Path
    lines: Lines
    programme: Programme


@dataclass(frozen=True)
class Catalogue:
    """All programmes by id, and what they and the dated lists say in one hash."""

    programmes: dict[str, Programme]
    catalogue_hash: str

    def offered(self, as_of: date) -> tuple[Programme, ...]:
        """The programmes that may be offered on a day: active, and inside their window; by id."""
        return tuple(programme for programme in self.programmes.values() if programme.is_offered(as_of))

    def allotted(self) -> tuple[Programme, ...]:
        """The programmes whose operator gave us places; by id, whatever their window."""
        return tuple(programme for programme in self.programmes.values() if programme.mode == "allot")


def make_catalogue(programmes: Sequence[Programme]) -> Catalogue:
    """Make a catalogue of programmes already read."""
    ordered = {programme.id: programme for programme in sorted(programmes, key=lambda one: one.id)}
    digest = sha256(hash_dated_lists().encode())
    for programme in ordered.values():
        digest.update(programme.model_dump_json().encode())
    return Catalogue(ordered, digest.hexdigest())


def load_catalogue(folders: Sequence[Path] = (SHIPPED,)) -> Catalogue:
    """Load every programme of the folders; a later folder overrides an earlier one by id. A missing folder is empty.

    Raises `SettingsError` with file and line at the first fault in how a file is written; whether its worked examples come
    true and its windows last is for `check_programmes` to say.
    """
    files, faults = read_programmes(folders)
    if faults:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise SettingsError(f"{first.what}{more}", f"{first.file}:{first.line}", "an owner could be sent to the wrong support",
                            "mend the file, then run: deungdae programmes check")  # fmt: skip
    return make_catalogue([read.programme for read in files])


def read_programmes(folders: Sequence[Path]) -> tuple[list[ProgrammeFile], list[Fault]]:
    """Read every `*.toml` of the folders: the programmes that stand after overriding, and every fault in how they are written."""
    by_id: dict[str, ProgrammeFile] = {}
    faults: list[Fault] = []
    for folder in folders:
        seen: dict[str, Path] = {}
        for file in sorted(folder.glob("*.toml")):
            read = _read_file(file)
            if isinstance(read, list):
                faults += read
                continue
            name = read.programme.id
            if name in seen:
                faults.append(Fault(file, read.lines.find("id"), f"id {name!r} is already taken by {seen[name].name} in the same folder"))
            seen[name], by_id[name] = file, read
    return [by_id[name] for name in sorted(by_id)], faults


def _read_file(file: Path) -> ProgrammeFile | list[Fault]:
    try:
        text = file.read_text(encoding="utf-8")
        values: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError:
        return [Fault(file, 1, "the file is not UTF-8 text")]
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        return [Fault(file, int(at.group(1)) if at else len(text.splitlines()), f"not TOML: {error}")]
    lines = find_lines(text)
    try:
        return ProgrammeFile(file, lines, Programme.model_validate(values))
    except ValidationError as error:
        return [Fault(file, lines.find(*one["loc"]), _say(one["loc"], one["msg"], one["input"])) for one in error.errors()]


def _say(path: tuple[int | str, ...], message: str, value: object) -> str:
    name = ".".join(str(part) for part in path)
    shown = "" if isinstance(value, dict | list) else f" (it says {value!r})"
    return f"{name}: {message.removeprefix('Value error, ')}{shown}" if name else message.removeprefix("Value error, ")


def find_lines(text: str) -> Lines:
    """Find the line of every heading and key of a TOML text.

    >>> find_lines(chr(10).join(['id = "p"', "[[rule]]", 'sql = "a > 1"'])).find("rule", 0, "sql")
    3
    """
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    here: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if many := re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line):
            counts[many[1]] = counts.get(many[1], -1) + 1
            here = (many[1], counts[many[1]])
        elif one := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            first, *rest = one[1].split(".")
            here = (first, counts[first], *rest) if first in counts else (first, *rest)
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            found.setdefault((*here, key[1]), number)
            continue
        else:
            continue
        found.setdefault(here, number)
        found.setdefault(here[:1], number)
    return Lines(found)
