"""Where a value comes from: the rows that went into each aggregate of one feature of one borrower, for whoever doubts it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import narwhals as nw
import polars as pl

from features.build import build_features, compare_feature, find_peers
from features.catalogue import BY_NAME, FEATURES
from features.feature import Feature, list_leaves
from features.formula import Aggregate, look_back
from features.reading import READS, Reading
from features.views import VIEWS
from signals.errors import InputError


@dataclass(frozen=True)
class Part:
    """One aggregate of a feature: its value, the rows that went into it, and how many rows of the borrower did not.

    `rows` has one row per row of the aggregate's view that counts: the columns of its first source table that features read,
    `months_back` where the view has months, and the column the aggregate is over. `left_out` counts the view's other rows of the
    borrower: outside the window, or without a value. `value` null: no row counts. `missing`: tables that never came.
    """

    aggregate: Aggregate
    value: int | None
    rows: pl.DataFrame
    left_out: int
    missing: tuple[str, ...]

    @property
    def table(self) -> str:
        """The source table whose rows are shown."""
        return VIEWS[self.aggregate.view].tables[0]

    @property
    def words(self) -> str:
        """The aggregate in words.

        >>> Part(Aggregate("arrears", "sum", "open_krw"), 0, pl.DataFrame(), 0, ()).words
        'sum of open_krw over unpaid taxes, premiums and bills'
        """
        window = f", {self.aggregate.window}" if self.aggregate.window else ""
        return f"{self.aggregate.how} of {self.aggregate.of} over {VIEWS[self.aggregate.view].meaning}{window}"


def find_feature(name: str) -> Feature:
    """Find a declared feature; raises `InputError`, with the nearest names, where none is so called."""
    if name in BY_NAME:
        return BY_NAME[name]
    nearest = ", ".join(get_close_matches(name, BY_NAME)) or "see docs/features.md"
    raise InputError(f"no feature is called {name!r}", "explain-feature", "there is nothing to show", f"did you mean: {nearest}")


def trace_feature(
    tables: Mapping[str, pl.LazyFrame], as_of: date, feature: Feature, borrower_id: str, peers: pl.LazyFrame | None = None
) -> tuple[float | None, bool, list[Part]]:
    """Trace a feature of one borrower to its rows: the value, whether the borrower is known at all, and one part per aggregate.

    `tables` are canonical tables as known on `as_of`, of all borrowers or of any part that holds this one. `peers`: as of
    `features.find_peers`, among all shops; without it, the shops of these tables are the peers.

    >>> statuses = pl.LazyFrame({"loan_id": ["A-1"], "due_month": [date(2026, 5, 1)], "borrower_id": ["bakery"],
    ...                          "days_past_due": [41]})
    >>> from features.catalogue import BY_NAME
    >>> value, _, (part,) = trace_feature({"repayments": statuses}, date(2026, 5, 31), BY_NAME["days_past_due"], "bakery")
    >>> value, part.value, part.rows["days_past_due"].to_list()
    (41.0, 41, [41])
    """
    if peers is None:
        peers = find_peers(lambda make, **_: [make(tables).collect()], as_of, [feature])
    own = {name: _keep_own(frame, borrower_id) for name, frame in tables.items()}
    built = build_features(own, as_of, [feature], peers).collect()
    leaves = list_leaves([feature])
    rows = {view: _read_view(own, as_of, view) for view in {leaf.view for leaf in leaves}}
    value = built[feature.name].item() if built.height else None
    return value, bool(built.height), [_trace_part(rows[leaf.view], leaf, own) for leaf in leaves]


def trace_peers(
    tables: Mapping[str, pl.LazyFrame], as_of: date, feature: Feature, borrower_id: str, peers: pl.LazyFrame | None
) -> list[dict[str, Any]]:
    """Name the numbers of peers that a feature of one borrower is compared with: `measure`, `own` value, `median` and how many `shops`.

    Empty where `peers` is None, or nobody is so called; null what is unknown.
    """
    if peers is None:
        return []
    own = {name: _keep_own(frame, borrower_id) for name, frame in tables.items()}
    return compare_feature(own, as_of, feature, peers).drop("borrower_id").to_dicts()


def _keep_own(frame: pl.LazyFrame, borrower_id: str) -> pl.LazyFrame:
    has_borrower = "borrower_id" in frame.collect_schema().names()
    return frame.filter(pl.col("borrower_id") == borrower_id).collect().lazy() if has_borrower else frame


def _read_view(own: Mapping[str, pl.LazyFrame], as_of: date, view: str) -> pl.DataFrame | None:
    """All rows of a view that any feature may look at; None where a table it needs never came."""
    if any(table not in own for table in VIEWS[view].tables):
        return None
    reading = Reading({name: nw.from_native(frame) for name, frame in own.items()}, as_of)
    rows: pl.DataFrame = (
        VIEWS[view].rows(reading, look_back(leaf for leaf in list_leaves(FEATURES) if leaf.view == view)).to_native().collect()
    )
    return rows


def _trace_part(rows: pl.DataFrame | None, leaf: Aggregate, own: Collection[str]) -> Part:
    view = VIEWS[leaf.view]
    if rows is None:
        return Part(leaf, None, pl.DataFrame(), 0, tuple(table for table in view.tables if table not in own))
    counted = rows.filter(pl.col(leaf.of).is_not_null())
    if leaf.window:
        counted = counted.filter(pl.col("months_back").is_between(leaf.window.first, leaf.window.last))
    shown = [*READS[view.tables[0]], *(["months_back"] if leaf.window else []), leaf.of]
    order = [name for name in shown if name in counted.columns]
    kept = counted.select(*dict.fromkeys(order)).sort(order, nulls_last=True)
    return Part(leaf, _aggregate(counted[leaf.of], leaf.how, rows.height), kept, rows.height - kept.height, ())


def _aggregate(values: pl.Series, how: str, rows: int) -> int | None:
    if how == "count":
        return values.len() if rows else None
    by_name: dict[str, Callable[[list[int]], int]] = {"sum": sum, "max": max, "min": min}
    return by_name[how](values.to_list()) if values.len() else None
