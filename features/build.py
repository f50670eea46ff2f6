"""From known tables to one row per borrower: one group_by per view, then arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

import narwhals as nw
import polars as pl

from features.catalogue import FEATURES
from features.feature import Feature, list_leaves
from features.formula import Aggregate, look_back
from features.grid import fill_grid
from features.peers import compare_with_peers, describe_shops, join_peers, list_peer_medians, measure_peers
from features.reading import Reading
from features.values import is_spark, work_by_rows, work_out
from features.views import VIEWS
from signals.errors import InputError
from signals.tables import HOLDERS

Frame = TypeVar("Frame")  # polars' LazyFrame, a Spark DataFrame, or what else narwhals knows as lazy
ByEngine = Callable[..., Iterable[Any]]  # as `signals.engines.make_by_engine` of a night: makes polars frames of what it is given


def build_features(tables: Mapping[str, Frame], as_of: date, features: Sequence[Feature] = FEATURES, peers: Any = None) -> Frame:
    """Compute every declared feature for every known borrower.

    One row per borrower_id named in borrowers, loans or repayments, in no promised order; one Float64 column per
    feature, null where unknown (each feature says what its null means). `tables` are canonical tables as known on
    `as_of`; a missing one leaves its features null. `peers`: what `find_peers` found among all shops; without it, these tables'
    own shops are the peers. Any subset of borrowers gives the same rows as all of them, given the same peers.
    Raises `InputError` when none of borrowers, loans and repayments is there.

    The frames may be of any engine narwhals speaks to lazily, all of one: the result is of the same. With Spark's, `peers` are polars'.

    >>> import polars as pl
    >>> loans = pl.LazyFrame({"loan_id": ["A-1"], "due_month": [date(2026, 5, 1)], "borrower_id": ["bakery"],
    ...                       "days_past_due": [41]})
    >>> rows = build_features({"repayments": loans}, date(2026, 5, 31)).collect()
    >>> rows.select("borrower_id", "days_past_due", "credit_score").rows()
    [('bakery', 41.0, None)]
    """
    reading, needed = _read(tables, as_of), list_leaves(features)
    medians = list_peer_medians(feature.value for feature in features)
    wide = fill_leaves(reading, needed)
    if medians and peers is None:
        wide = _hold(wide)
        shops = work_by_rows(wide, needed, lambda rows: describe_shops(rows, medians))
        peers = measure_peers(_bring(_keep_named(shops, reading)))
    usual = nw.from_native(peers) if peers is not None else None
    built: Frame = work_by_rows(wide, needed, lambda rows: work_out(join_peers(rows, medians, usual), features)).to_native()
    return built


def find_peers(make: ByEngine, as_of: date, features: Sequence[Feature] = FEATURES) -> pl.LazyFrame | None:
    """Find what is usual among the peers of all shops: the small pass before the buckets, of the columns and months it needs alone.

    One row per measure, moment, trade and place, as of `measure_peers`: the same however the shops are parted into buckets. None
    where no feature asks for peers.
    `make` is given what to make lazily of the known tables, and which `tables` that takes; it gives frames of polars.
    """
    medians = list_peer_medians(feature.value for feature in features)
    if not medians:
        return None
    tables = {table for median in medians for leaf in median.leaves for table in VIEWS[leaf.view].needs}
    shops = make(lambda known: build_peer_values(known, as_of, features), tables=sorted(tables))
    return measure_peers(pl.concat(shops).lazy()).collect().lazy()


def build_peer_values(tables: Mapping[str, Frame], as_of: date, features: Sequence[Feature] = FEATURES) -> Frame:
    """Compute what peers are compared by, for the shops of some borrowers or all: what `measure_peers` takes.

    One row per borrower of whom one of the measures is known, as `features.peers` describes it, in no promised order. Where there
    is a table of borrowers, whoever it does not name is nobody's peer.
    """
    reading = _read(tables, as_of)
    if "borrowers" in tables:
        reading = replace(
            reading, tables={name: frame for name, frame in reading.tables.items() if name not in HOLDERS or name == "borrowers"}
        )
    medians = list_peer_medians(feature.value for feature in features)
    needed = sorted(frozenset().union(*(median.leaves for median in medians)), key=lambda leaf: leaf.name)
    wide = fill_leaves(reading, needed)
    described: Frame = work_by_rows(wide, needed, lambda rows: describe_shops(rows, medians).drop("borrower_id")).to_native()
    return described


def compare_feature(tables: Mapping[str, pl.LazyFrame], as_of: date, feature: Feature, peers: pl.LazyFrame) -> pl.DataFrame:
    """Say which numbers of peers a feature compares with: one row per borrower and measure, as of `features.peers.compare_with_peers`."""
    medians = list_peer_medians([feature.value])
    needed = list_leaves([feature])
    wide = work_by_rows(_hold(fill_leaves(_read(tables, as_of), needed)), needed, lambda rows: rows)
    compared: pl.LazyFrame = compare_with_peers(wide, medians, nw.from_native(peers)).to_native()
    return compared.collect()


def _read(tables: Mapping[str, Any], as_of: date) -> Reading:
    return Reading({name: nw.from_native(frame) for name, frame in tables.items()}, as_of)


def _keep_named(shops: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    return shops.join(reading.rows("borrowers"), on="borrower_id", how="semi") if "borrowers" in reading.tables else shops


def _bring(shops: nw.LazyFrame[Any]) -> Any:
    # on Spark each row is worked on by polars, which has its peers at hand
    native: Any = shops.collect("polars").to_native().lazy() if is_spark(shops) else shops.to_native()
    return native


def _hold(wide: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    # polars would fill the leaves anew for each median: here they are filled once, at once
    return wide.collect().lazy() if wide.implementation.is_polars() else wide


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
