"""The one definition of what we knew on a day."""

from __future__ import annotations

from datetime import date

import polars as pl

from signals.tables import TABLES

PROVENANCE = ("pulled_for", "priority", "arrival", "pulled_from", "file", "line")


def as_known(frame: pl.LazyFrame, table: str, as_of: date) -> pl.LazyFrame:
    """Keep, of a source table with all its versions, what was known at the end of `as_of`.

    One row per key of `table`: the newest version with `known_on <= as_of` (and `pulled_for <= as_of` where the
    frame comes from the lake); a key whose newest version is retracted is absent. Ties break by known_on, then the
    night it was pulled, then the priority of its source, then which of that night's deliveries brought it, then source, file
    and line, then the order of rows. The columns are those of the table that
    the frame has, without `is_retracted` and without the lake's provenance.

    Only the keys with more than one version are sorted; they are few (decision 0003). It streams, however many rows there are;
    of one bucket `signals.settled` finds the same much sooner (decision 0026).

    >>> rows = pl.LazyFrame({"lender_id": ["A", "A"], "kind": ["bank", "card"],
    ...                      "known_on": [date(2026, 1, 1), date(2026, 2, 1)]})
    >>> as_known(rows, "lenders", date(2026, 1, 31)).collect()["kind"].to_list()
    ['bank']
    """
    key, seen = list(TABLES[table].key), keep_seen(frame, as_of)
    many = seen.group_by(key).len().filter(pl.col("len") > 1).select(key)
    single = seen.join(many, on=key, how="anti")
    several = seen.join(many, on=key, how="semi")
    return keep_standing(pl.concat([single, keep_newest(several, table)]), table)


def keep_seen(frame: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the versions that were seen by the end of `as_of`: known by then and, where they come from the lake, pulled by then."""
    seen = frame.filter(pl.col("known_on") <= as_of)
    return seen.filter(pl.col("pulled_for") <= as_of) if "pulled_for" in frame.collect_schema().names() else seen


def keep_newest(seen: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Keep the newest version of each key, retracted or not, by the order that `as_known` names."""
    names = seen.collect_schema().names()
    order = ["known_on", *(name for name in PROVENANCE if name in names)]
    return seen.sort(order, maintain_order=True).unique(TABLES[table].key, keep="last", maintain_order=True)


def keep_standing(newest: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Keep the newest versions that are not retracted, and of their columns those that the table declares but the mark itself."""
    names = newest.collect_schema().names()
    if "is_retracted" in names:
        newest = newest.filter(~pl.col("is_retracted").fill_null(value=False))
    return newest.select(name for name in TABLES[table].columns if name in names and name != "is_retracted")
