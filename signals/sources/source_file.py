"""A source file: one source whole, what it sends, and on what right; or `sources.toml`, which lists several."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from signals.errors import SettingsError
from signals.sources.mapping import TableMapping
from signals.sources.source import Source

_OF_FILES = ("format", "encoding", "separator", "null")  # said once for the source, or again for one table
_MOST_SAID = 10


class _SourceEntry(BaseModel):
    """One source as its file says it; every key counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    name_ko: str | None = None
    name_en: str | None = None
    place: str = Field(min_length=1)
    kind: Literal["folder", "drop", "database"]
    priority: StrictInt = 0
    basis: Literal["statute", "consent", "pseudonymised"]
    legal_basis: str = Field(min_length=1)
    purposes: tuple[Literal["score", "train"], ...] = Field(min_length=1)
    every_days: StrictInt | None = Field(default=None, ge=1)
    window_days: StrictInt = Field(default=31, ge=0)
    schema_name: str | None = Field(default=None, min_length=1, alias="schema")
    tables: dict[str, TableMapping] = {}

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, said: dict[str, Any]) -> dict[str, Any]:
        """Say of each table what was said once for all, and settle the kind."""
        shared = {name: said[name] for name in _OF_FILES if name in said}
        tables = said.get("tables", {})
        if shared and not tables:
            raise ValueError(f"{', '.join(shared)}: only a drop with [tables.…] has them")
        if isinstance(tables, dict):
            tables = {name: {**shared, **one, "table": name} if isinstance(one, dict) else one for name, one in tables.items()}
        kind = said.get("kind") or _guess_kind(str(said.get("place", "")), has_tables=bool(tables))
        return {name: value for name, value in said.items() if name not in _OF_FILES} | {"tables": tables, "kind": kind}

    @model_validator(mode="after")
    def _has_a_right_to_what_it_is_for(self) -> _SourceEntry:
        if self.basis == "pseudonymised" and "score" in self.purposes:
            raise ValueError("purposes: pseudonymised data may serve training and evaluation only, never the scoring of people")
        if not self.legal_basis.strip():
            raise ValueError("legal_basis: name the statute or the consent")
        if (self.kind == "drop") != bool(self.tables):
            raise ValueError("a drop, and only a drop, says in [tables.…] what its files hold")
        if self.schema_name is not None and self.kind != "database":
            raise ValueError("schema: only a database has one")
        if (self.kind == "database") != _is_database(self.place):
            raise ValueError(f"place: {'not a database' if self.kind == 'database' else 'a database'}, but kind is {self.kind}")
        return self


def read_source_file(path: Path) -> list[Source]:
    """Read a source file, or every source a `sources.toml` lists, in its order.

    A place that is a folder comes out absolute, counted from the file's own folder. Raises `SettingsError`, with every fault
    of the first faulty source, where a source is written wrong, names no right to its data, or has another's id.
    """
    values = _read_toml(path)
    if "source" not in values:
        return [_read_source({"id": path.stem} | values, path, "")]
    if set(values) != {"source"} or not isinstance(values["source"], list):
        raise _refuse(path, "a list of sources holds [[source]] entries and nothing else")
    sources = [_read_listed(entry, path, number) for number, entry in enumerate(values["source"], start=1)]
    ids = [source.source_id for source in sources]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise _refuse(path, f"two sources are called {', '.join(twice)}")
    return sources


def _read_listed(entry: dict[str, Any], path: Path, number: int) -> Source:
    if "file" not in entry:
        return _read_source(entry, path, f"source {number}: ")
    if set(entry) != {"file"}:
        raise _refuse(path, f"source {number}: an entry with `file` says nothing else; the file says it")
    inner = path.parent / str(entry["file"])
    values = _read_toml(inner)
    if "source" in values:
        raise _refuse(inner, "a list of sources can't hold another list")
    return _read_source({"id": inner.stem} | values, inner, "")


def _read_source(values: dict[str, Any], path: Path, where: str) -> Source:
    try:
        entry = _SourceEntry.model_validate(values)
    except ValidationError as error:
        faults = [where + _say(one["loc"], one["msg"]) for one in error.errors()]
        more = f" (and {len(faults) - _MOST_SAID} more)" if len(faults) > _MOST_SAID else ""
        raise _refuse(path, "; ".join(faults[:_MOST_SAID]) + more) from None
    said = entry.model_dump(exclude={"id", "place", "tables", "schema_name"})
    tables: dict[str, Any] = dict(entry.tables) if entry.schema_name is None else {"schema": entry.schema_name}
    return Source(source_id=entry.id, place=_settle_place(entry.place, path), tables=tables, **said)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _refuse(path, f"the source file can't be read ({error.strerror or type(error).__name__})") from error
    except UnicodeDecodeError:
        raise _refuse(path, "the source file is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise _refuse(path, f"not TOML: {error}") from error


def _say(path: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in path)
    return (f"{name}: " if name else "") + message.removeprefix("Value error, ")


def _refuse(path: Path, what: str) -> SettingsError:
    return SettingsError(
        what,
        str(path),
        "a source that is read wrongly, or without a right to it, would put wrong or unlawful rows in people's files",
        "mend the file, then run: deungdae sources check FILE; docs/connect-a-lender.md shows how it is written",
    )


def _guess_kind(place: str, *, has_tables: bool) -> str:
    if has_tables:
        return "drop"
    return "database" if _is_database(place) else "folder"


def _is_database(place: str) -> bool:
    return place.startswith("airflow:") or ("://" in place and urlsplit(place).scheme != "s3")


def _settle_place(place: str, path: Path) -> str:
    is_elsewhere = re.match(r"[\w+.-]+://", place) or place.startswith("airflow:")
    return place if is_elsewhere else str((path.parent / place).resolve())
