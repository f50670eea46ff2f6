"""Rows that speak of something not known yet: they wait, and are tried again the next night."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from signals.tables import TABLES


def name_wait(table: str) -> str | None:
    """The name of the rule under which a table's orphans wait; None: the table waits for nothing.

    >>> name_wait("repayments")
    'loan_id|not known yet'
    """
    waits_for = TABLES[table].waits_for
    return None if waits_for is None else f"{TABLES[waits_for].key[0]}|not known yet"


def part_orphans(rows: pl.DataFrame, table: str, known: Iterable[pl.LazyFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part a table's good rows into those whose fact is known and orphans, which come with `rules`.

    `known`: rows of the table that it waits for, of the lake and of tonight, in the order in which they are to be looked through
    until nothing is missing. With none at all everything is an orphan.
    """
    rule, waits_for = name_wait(table), TABLES[table].waits_for
    if rule is None or waits_for is None:
        return rows, rows.clear().with_columns(rules=pl.lit(None, dtype=pl.String))
    key = TABLES[waits_for].key[0]
    missing = rows.select(pl.col(key).unique())
    for frame in known:
        if missing.is_empty():
            break
        found = frame.select(key).join(missing.lazy(), on=key, how="semi").collect(engine="streaming")
        missing = missing.join(found, on=key, how="anti")
    if missing.is_empty():
        return rows, rows.clear().with_columns(rules=pl.lit(None, dtype=pl.String))
    orphans = rows.join(missing, on=key, how="semi", maintain_order="left").with_columns(rules=pl.lit(rule))
    return rows.join(missing, on=key, how="anti", maintain_order="left"), orphans
