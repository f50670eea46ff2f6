"""What a source is, and the pieces in which it hands over its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from signals.sources.places import say_place


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

    @property
    def where(self) -> str:
        """Where people find it, without a password."""
        return say_place(self.place)


@dataclass(frozen=True)
class Piece:
    """One file of a source, or one table of its database.

    `file`: its name inside the source. `stamp`: its size and the moment it was written, by which a file that was read before
    is known again without reading it; None: it is no file, and is read by its watermark. `digest` says what its bytes are.
    `read` gives its rows: the table's declared columns in their declared types, `file` and `line` (counted from 1 as a
    person would: the line of a text file, the row of a Parquet file). It raises `InputError` for what can't be used. Where
    a value of a row can't be read it is null, and the text column `unreadable` says which and why, as a rule is named:
    `balance_krw|not a number`, several joined by a comma, never the value; null: all was read. `row|too few fields` and
    `row|too many fields`: all values of the row are null. Such rows are to be set aside under these names.
    """

    table: str
    file: str
    stamp: str | None
    read: Callable[[], pl.LazyFrame]
    digest: Callable[[], str] = str


Since = Mapping[str, date]
"""By table: the first `known_on` still to be read from a database; a table that is not named is read whole."""
