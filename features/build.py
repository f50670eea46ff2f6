"""From known tables to one row per borrower: one group_by per view, then arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from features.catalogue import FEATURES
from features.feature import Feature
from features.formula import Aggregate, Value
from features.peers import describe_shops, join_peers, list_peer_medians, measure_peers
from features.reading import Reading
from features.views import VIEWS
from signals.errors import InputError
from signals.tables import HOLDERS


def build_features(
    tables: Mapping[str, pl.LazyFrame], as_of: date, features: Sequence[Feature] = FEATURES, peers: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """Compute every declared feature for every known borrower.

    One row per borrower_id named in borrowers, loans or repayments, in no promised order; one Float64 column per
    feature, null where unknown (each feature says what its null means). `tables` are canonical tables as known on
    `as_of`; a missing one leaves its features null. `peers`: what `measure_peers` found among all shops; without it, these tables'
    own shops are the peers. Any subset of borrowers gives the same rows as all of them, given the same peers.
    Raises `InputError` when none of borrowers, loans and repayments is there.

    >>> loans = pl.LazyFrame({"loan_id": ["A-1"], "due_month": [date(2026, 5, 1)], "borrower_id": ["bakery"],
    ...                       "days_past_due": [41]})
    >>> rows = build_features({"repayments": loans}, date(2026, 5, 31)).collect()
    >>> rows.select("borrower_id", "days_past_due", "credit_score").rows()
    [('bakery', 41.0, None)]
    """
    frames: dict[str, nw.LazyFrame[Any]] = {name: nw.from_native(frame) for name, frame in tables.items()}
    values = [feature.value for feature in features]
    medians = list_peer_medians(values)
    if medians and peers is None:
        peers = _measure_own(tables, as_of, features)
    wide = join_peers(_fill_leaves(Reading(frames, as_of), values), medians, nw.from_native(peers) if peers is not None else None)
    named = (feature.value.expr().cast(nw.Float64).alias(feature.name) for feature in features)
    built: pl.LazyFrame = wide.select("borrower_id", *named).to_native()
    return built


def _measure_own(tables: Mapping[str, pl.LazyFrame], as_of: date, features: Sequence[Feature]) -> pl.LazyFrame:
    # polars would read the tables anew for each median: here they are read once, at once
    values = build_peer_values(tables, as_of, features)
    held = values.collect(engine="streaming").lazy() if isinstance(values, pl.LazyFrame) else values
    medians = measure_peers(held)
    return medians.collect().lazy() if isinstance(medians, pl.LazyFrame) else medians


def build_peer_values(tables: Mapping[str, pl.LazyFrame], as_of: date, features: Sequence[Feature] = FEATURES) -> pl.LazyFrame:
    """Compute what peers are compared by, for the shops of some borrowers or all: what `measure_peers` takes.

    One row per borrower of whom one of the measures is known, as `features.peers` describes it. Only the few tables that sales,
    trade and place need are read: where there is a table of borrowers, whoever it does not name is nobody's peer.
    """
    medians = list_peer_medians(feature.value for feature in features)
    views = [VIEWS[leaf.view] for median in medians for leaf in median.leaves]
    needed = {table for view in views for table in (*view.tables, *view.helpers)}
    asked = needed if "borrowers" in tables else needed | set(HOLDERS)
    frames: dict[str, nw.LazyFrame[Any]] = {name: nw.from_native(frame) for name, frame in tables.items() if name in asked}
    described: pl.LazyFrame = describe_shops(_fill_leaves(Reading(frames, as_of), medians), medians).to_native()
    return described


def _fill_leaves(reading: Reading, values: Iterable[Value]) -> nw.LazyFrame[Any]:
    needed = sorted(frozenset().union(*(value.leaves for value in values)), key=lambda leaf: leaf.name)
    sums = {name: _aggregate(reading, name, leaves) for name, leaves in _by_view(needed) if _is_there(reading, name)}
    wide = _name_borrowers(reading)
    for view in sums.values():
        wide = wide.join(view, on="borrower_id", how="left")
    present = set(wide.collect_schema().names())
    absent = [nw.lit(None, nw.Int32).alias(leaf.name) for leaf in needed if leaf.name not in present]
    return wide.with_columns(*absent) if absent else wide


def _by_view(leaves: Iterable[Aggregate]) -> list[tuple[str, list[Aggregate]]]:
    found: dict[str, list[Aggregate]] = {}
    for leaf in leaves:
        found.setdefault(leaf.view, []).append(leaf)
    return sorted(found.items())


def _is_there(reading: Reading, view: str) -> bool:
    return all(table in reading.tables for table in VIEWS[view].tables)


def _aggregate(reading: Reading, view: str, leaves: list[Aggregate]) -> nw.LazyFrame[Any]:
    # every feature of a view is filled by one pass over its rows
    history = max((leaf.window.last for leaf in leaves if leaf.window), default=0)
    rows = VIEWS[view].rows(reading, history)
    return rows.group_by("borrower_id").agg(*(leaf.over_rows() for leaf in leaves))


def _name_borrowers(reading: Reading) -> nw.LazyFrame[Any]:
    named = [reading.rows(table).select("borrower_id") for table in HOLDERS if table in reading.tables]
    if not named:
        raise InputError(
            "no table names a borrower", "tables", "there is nobody to compute features for", f"give one of {', '.join(HOLDERS)}"
        )
    return nw.concat(named).unique(subset="borrower_id")
