"""What a source is, and the pieces in which it hands over its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Source:
    """One place facts come from: its name in the lake, where it lies, and on what right it may be read.

    `kind`: folder (canonical Parquet), drop (a lender's own files, told by a mapping) or database. `tables`: the mapping of a
    drop, table by table (`signals.sources.mapping.TableMapping`). `priority`: of two sources that say different things of one
    fact on one day, the higher is believed. `basis` (statute, consent, pseudonymised) and `legal_basis`, which names it, are
    None for a folder given by hand. `purposes`: score (the night), train. `every_days`: how often news is due; None: not said.
    `window_days`: how far before its watermark a database is read again.
    """

    source_id: str
    place: str
    kind: str = "folder"
    priority: int = 0
    legal_basis: str | None = None
    purposes: tuple[str, ...] = ("score", "train")
    every_days: int | None = None
    window_days: int = 31
    tables: Mapping[str, Any] = field(default_factory=dict, hash=False)
    name_ko: str | None = None
    name_en: str | None = None
    basis: str | None = None


@dataclass(frozen=True)
class Piece:
    """One file of a source, or one table of its database.

    `file`: its name inside the source. `digest`: what its bytes say; None: it is no file, and is read by its watermark.
    `read` gives its rows: the table's declared columns in their declared types, `file` and `line` (counted from 1 as a
    person would: the line of a text file, the row of a Parquet file). It raises `InputError` for what can't be used.

    A drop's rows also carry the text column `unreadable`: null where all is well, else what could not be read in the row,
    as rules joined by a comma: `balance_krw|not a number` (the value itself is null there and is never repeated),
    `row|too few fields` (all values of the row are null). Such rows are to be set aside by these names, not judged further.
    `translate.py` and `raw.py` name these rules.
    """

    table: str
    file: str
    digest: str | None
    read: Callable[[], pl.LazyFrame]


Since = Mapping[str, date]
"""By table: the first `known_on` still to be read from a database; a table that is not named is read whole."""
