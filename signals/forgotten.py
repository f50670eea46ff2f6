"""Those who were forgotten: known by a keyed mark alone, so that what is still sent of them is dropped."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from signals.sources.source import Piece

NAMING = ("borrower_id", "guarantor_id")  # the columns that name a person


@dataclass(frozen=True)
class Forgotten:
    """The marks of all who were forgotten, and the key they were made with."""

    key: str
    marks: frozenset[str] = frozenset()


NOBODY = Forgotten("")


def mark_borrower(borrower_id: str, key: str) -> str:
    """Make a borrower's mark: an HMAC-SHA-256 of the id; without the key nobody can tell whose it is.

    >>> mark_borrower("B1", "secret") == mark_borrower("B1", "another")
    False
    """
    return hmac.digest(key.encode(), borrower_id.encode(), "sha256").hex()


def without_forgotten(piece: Piece, forgotten: Forgotten) -> Piece:
    """Give a piece of a source that, once read, gives no row of the forgotten."""
    if not forgotten.marks:
        return piece
    return replace(piece, read=lambda: piece.read().map_batches(partial(drop_forgotten, forgotten=forgotten), streamable=True))


def drop_forgotten(rows: pl.DataFrame, forgotten: Forgotten) -> pl.DataFrame:
    """Drop the rows of forgotten borrowers; where one is named as another's guarantor, that name becomes null.

    Nothing is looked at while nobody is forgotten; else each id is hashed once. How many rows went is the difference of heights.

    >>> rows = pl.DataFrame({"borrower_id": ["B1", "B2"]})
    >>> drop_forgotten(rows, Forgotten("secret", frozenset([mark_borrower("B1", "secret")])))["borrower_id"].to_list()
    ['B2']
    """
    named = [name for name in NAMING if name in rows.columns] if forgotten.marks else []
    for name in named:
        gone = [borrower for borrower in rows[name].drop_nulls().unique() if mark_borrower(borrower, forgotten.key) in forgotten.marks]
        is_gone = pl.col(name).is_in(gone).fill_null(value=False)
        if gone:
            rows = rows.filter(~is_gone) if name == "borrower_id" else rows.with_columns(pl.when(~is_gone).then(name).alias(name))
    return rows
