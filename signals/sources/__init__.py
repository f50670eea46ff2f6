"""Where facts come from: one adapter per kind of source, one way to read them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.sources.folder import read_folder
from signals.tables import TABLES


@dataclass(frozen=True)
class Source:
    """One place facts come from: its name in the lake, and where it lies."""

    source_id: str
    location: str


def list_sources(locations: Sequence[str]) -> list[Source]:
    """Name each location by its last part; two of one name are told apart by their place in the list.

    >>> [source.source_id for source in list_sources(["/data/a/town", "/data/b/town"])]
    ['town', 'town-2']
    """
    names: list[str] = []
    for location in locations:
        name = re.sub(r"[^\w-]", "_", Path(location).resolve().name) or "source"
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return [Source(name, location) for name, location in zip(names, locations, strict=True)]


def read_source(source: Source) -> dict[str, pl.LazyFrame]:
    """Read every canonical table of one source, all versions, with `pulled_from` (the source's id), `file` and `line` on each row.

    Raises `InputError` when a file can't be used as it is.
    """
    tables = read_folder(Path(source.location))
    return {name: frame.with_columns(pulled_from=pl.lit(source.source_id)) for name, frame in tables.items()}


def read_sources(locations: Sequence[str]) -> dict[str, pl.LazyFrame]:
    """Read the canonical tables of several sources together, all versions, as training and backtests need them.

    Raises `InputError` when a file can't be used as it is, or when no source has one of the required tables.
    """
    found = [read_source(source) for source in list_sources(locations)]
    tables = {name: [tables[name] for tables in found if name in tables] for name in TABLES}
    missing = [name for name, table in TABLES.items() if table.is_required and not tables[name]]
    if missing:
        raise InputError(
            f"missing required table {', '.join(missing)}",
            ", ".join(locations),
            "without borrowers, loans and repayments nobody can be scored",
            f"put {missing[0]}.parquet there",
        )
    return {name: pl.concat(frames, how="diagonal") for name, frames in tables.items() if frames}
