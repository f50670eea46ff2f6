"""From known tables to one row per borrower: one group_by per view, then arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import narwhals as nw

from features.catalogue import FEATURES
from features.feature import Feature, list_leaves
from features.formula import Aggregate, look_back
from features.grid import fill_grid
from features.reading import Reading
from features.values import work_by_rows, work_out
from features.views import VIEWS
from signals.errors import InputError
from signals.tables import HOLDERS

Frame = TypeVar("Frame")  # polars' LazyFrame, a Spark DataFrame, or what else narwhals knows as lazy


def build_features(tables: Mapping[str, Frame], as_of: date, features: Sequence[Feature] = FEATURES) -> Frame:
    """Compute every declared feature for every known borrower.

    One row per borrower_id named in borrowers, loans or repayments, in no promised order; one Float64 column per
    feature, null where unknown (each feature says what its null means). `tables` are canonical tables as known on
    `as_of`; a missing one leaves its features null. Any subset of borrowers gives the same rows as all of them.
    Raises `InputError` when none of borrowers, loans and repayments is there.

    The frames may be of any engine narwhals speaks to lazily, all of one: the result is of the same.

    >>> import polars as pl
    >>> loans = pl.LazyFrame({"loan_id": ["A-1"], "due_month": [date(2026, 5, 1)], "borrower_id": ["bakery"],
    ...                       "days_past_due": [41]})
    >>> rows = build_features({"repayments": loans}, date(2026, 5, 31)).collect()
    >>> rows.select("borrower_id", "days_past_due", "credit_score").rows()
    [('bakery', 41.0, None)]
    """
    native: Mapping[str, Any] = tables
    frames: dict[str, nw.LazyFrame[Any]] = {name: nw.from_native(frame) for name, frame in native.items()}
    built: Frame = _build(Reading(frames, as_of), features).to_native()
    return built


def _build(reading: Reading, features: Sequence[Feature]) -> nw.LazyFrame[Any]:
    needed = list_leaves(features)
    wide = fill_leaves(reading, needed)
    return work_by_rows(wide, needed, lambda rows: work_out(rows, needed, features))


def fill_leaves(reading: Reading, needed: Sequence[Aggregate]) -> nw.LazyFrame[Any]:
    """Fill the aggregates that can be filled from the tables there are.

    One row per borrower_id named in borrowers, loans or repayments, one column per aggregate whose tables are there. The
    values are those of `join_views`; polars gets them the shorter way (decision 0027).
    Raises `InputError` when none of borrowers, loans and repayments is there.
    """
    holders = [table for table in HOLDERS if table in reading.tables]
    if not holders:
        raise InputError(
            "no table names a borrower", "tables", "there is nobody to compute features for", f"give one of {', '.join(HOLDERS)}"
        )
    leaves = {view: part for view, part in _by_view(needed) if _is_there(reading, view)}
    if all(frame.implementation.is_polars() for frame in reading.tables.values()):
        return nw.from_native(fill_grid(reading, leaves))
    return join_views(reading, leaves)


def join_views(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> nw.LazyFrame[Any]:
    """Fill the aggregates of each view by one group_by of its rows, on any engine.

    One row per borrower_id named in borrowers, loans or repayments, one column per aggregate, null where the borrower
    has no row in the view.
    """
    wide = nw.concat([reading.rows(table).select("borrower_id") for table in HOLDERS if table in reading.tables]).unique("borrower_id")
    for view, part in leaves.items():
        wide = wide.join(_aggregate(reading, view, part), on="borrower_id", how="left")
    return wide


def _by_view(leaves: Iterable[Aggregate]) -> list[tuple[str, list[Aggregate]]]:
    found: dict[str, list[Aggregate]] = {}
    for leaf in leaves:
        found.setdefault(leaf.view, []).append(leaf)
    return sorted(found.items())


def _is_there(reading: Reading, view: str) -> bool:
    return all(table in reading.tables for table in VIEWS[view].tables)


def _aggregate(reading: Reading, view: str, leaves: Sequence[Aggregate]) -> nw.LazyFrame[Any]:
    # every feature of a view is filled by one pass over its rows
    rows = VIEWS[view].rows(reading, look_back(leaves))
    return rows.group_by("borrower_id").agg(*(leaf.over_rows() for leaf in leaves))
