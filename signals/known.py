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

    Only the keys with more than one version are sorted; they are few (decision 0003).

    >>> rows = pl.LazyFrame({"lender_id": ["A", "A"], "kind": ["bank", "card"],
    ...                      "known_on": [date(2026, 1, 1), date(2026, 2, 1)]})
    >>> as_known(rows, "lenders", date(2026, 1, 31)).collect()["kind"].to_list()
    ['bank']
    """
    contract = TABLES[table]
    names = frame.collect_schema().names()
    key = list(contract.key)
    seen = frame.filter(_was_known(names, as_of))
    many = seen.group_by(key).len().filter(pl.col("len") > 1).select(key)
    single = seen.join(many, on=key, how="anti")
    order = ["known_on", *(name for name in PROVENANCE if name in names)]
    newest = seen.join(many, on=key, how="semi").sort(order, maintain_order=True).unique(key, keep="last", maintain_order=True)
    known = pl.concat([single, newest])
    if "is_retracted" in names:
        known = known.filter(~pl.col("is_retracted").fill_null(value=False))
    return known.select(name for name in contract.columns if name in names and name != "is_retracted")


def _was_known(names: list[str], as_of: date) -> pl.Expr:
    known = pl.col("known_on") <= as_of
    return known & (pl.col("pulled_for") <= as_of) if "pulled_for" in names else known
