"""What the table `facts` tells of each borrower, and which awards they had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import polars as pl

from signals.tables import TABLES

YES, NO = ("true", "yes", "1"), ("false", "no", "0")


class ToldFact(Protocol):
    """What of a declared fact is needed to read it."""

    @property
    def name(self) -> str:
        """The fact's name."""

    @property
    def kind(self) -> Any:
        """Its polars type."""

    @property
    def max_age_days(self) -> int | None:
        """Older is unknown."""

    @property
    def may_ask(self) -> bool:
        """Whether the owner's word counts."""


def read_whole(tables: Mapping[str, pl.LazyFrame], name: str) -> pl.LazyFrame:
    """Give a table with all its declared columns: a missing column is null, a missing table has no rows."""
    schema = TABLES[name].polars_schema
    if name not in tables:
        return pl.LazyFrame(schema=schema)
    there = tables[name].collect_schema().names()
    return tables[name].select(
        pl.col(column).cast(kind) if column in there else pl.lit(None, dtype=kind).alias(column) for column, kind in schema.items()
    )


def find_told_facts(tables: Mapping[str, pl.LazyFrame], as_of: date, told: Sequence[ToldFact]) -> pl.LazyFrame:
    """Find what was told of each borrower: one row per borrower_id with any told fact, one column per fact.

    The newest row that holds on `as_of` counts. Null: not told, too old, told by someone whose word does not count for this
    fact, or a value that does not read as the fact's type.
    """
    rows = read_whole(tables, "facts").filter(
        pl.col("fact").is_in([fact.name for fact in told]),
        pl.col("valid_from_on") <= as_of,
        pl.col("valid_until_on").is_null() | (pl.col("valid_until_on") >= as_of),
    )
    age = (pl.lit(as_of) - pl.col("valid_from_on")).dt.total_days()
    # Marked before they are grouped: to filter inside each group takes twice as long.
    marked = rows.select(
        "borrower_id",
        *(_read_value(pl.col("value"), fact.kind).alias(fact.name) for fact in told),
        *(pl.when(_counts(fact, age)).then("valid_from_on").alias(f"{fact.name} since") for fact in told),
    )
    return marked.group_by("borrower_id").agg(pl.col(fact.name).max_by(f"{fact.name} since") for fact in told)


def _counts(fact: ToldFact, age: pl.Expr) -> pl.Expr:
    counts = pl.col("fact") == fact.name
    if fact.max_age_days is not None:
        counts &= age <= fact.max_age_days
    return counts if fact.may_ask else counts & (pl.col("source") == "holder")


def _read_value(value: pl.Expr, kind: Any) -> pl.Expr:
    if kind != pl.Boolean:
        return value.cast(kind, strict=False)
    word = value.str.to_lowercase()
    return pl.when(word.is_in(YES)).then(True).when(word.is_in(NO)).then(False).otherwise(None)


def find_awards(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find the past awards: one row per borrower_id that had any, `awards` a sorted list of programme_id@date."""
    rows = read_whole(tables, "awards_history").filter(pl.col("awarded_on") <= as_of)
    award = pl.format("{}@{}", "programme_id", pl.col("awarded_on").dt.to_string("%Y-%m-%d"))
    return rows.group_by("borrower_id").agg(awards=award.sort())
