"""The leaves on polars: ids as small numbers, and for each column one array of months by borrowers, filled once for all windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from features.formula import Aggregate
from features.reading import READS, Reading
from features.views import VIEWS
from signals.tables import HOLDERS

_ROWS_AT_ONCE = 100_000
_FOLDS = {"sum": np.add, "count": np.add, "max": np.maximum, "min": np.minimum}
_START = {"sum": 0, "count": 0, "max": np.iinfo(np.int64).min, "min": np.iinfo(np.int64).max}


def fill_grid(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.LazyFrame:
    """Fill the leaves of each view from polars tables when the frame is collected; equal to a join of grouped views.

    One row per borrower_id named in borrowers, loans or repayments, one column per leaf: Int32 for counts, Int64 for all
    else. Null where the borrower has no row in the view, or, for largest and smallest, no value in the window.
    """
    kinds = {leaf.name: pl.Int32() if leaf.how == "count" else pl.Int64() for part in leaves.values() for leaf in part}
    return pl.defer(lambda: _fill(reading, leaves), schema={"borrower_id": pl.String(), **kinds})


def _fill(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.DataFrame:
    held = _Held(reading.tables, reading.as_of)
    # borrowers are named first, so that whoever is numbered later is nobody's row
    named = _name_borrowers(held)
    # long histories first, so that a view of the newest months finds them held
    views = sorted(leaves, key=lambda view: -_look_back(leaves[view]))
    columns = [column for view in views for column in _fill_view(held, view, leaves[view], named.len())]
    return pl.DataFrame([named.cast(pl.String), *columns]).select("borrower_id", *(leaf.name for part in leaves.values() for leaf in part))


def _name_borrowers(reading: _Held) -> pl.Series:
    ids = pl.col("borrower_id")
    tables = [Reading(reading.tables, reading.as_of).rows(table).to_native().select(ids) for table in HOLDERS if table in reading.tables]
    # rows come mostly borrower by borrower: the first of a run speaks for it
    runs = pl.concat([rows.filter(ids.ne_missing(ids.shift())) for rows in tables]).collect(engine="streaming")
    # in order, so that numbers rise where rows are sorted by borrower
    return runs.unique().sort(ids)["borrower_id"].cast(reading.numbers["borrower_id"])


def _look_back(leaves: Sequence[Aggregate]) -> int:
    return max((leaf.window.last for leaf in leaves if leaf.window), default=0)


def _number_by() -> dict[str, pl.Categorical]:
    return {name: pl.Categorical(pl.Categories.random()) for name in ("borrower_id", "loan_id")}


@dataclass(frozen=True)
class _Held(Reading):
    """A reading that numbers borrowers and loans, for numbers group and index in a fraction of the time of text, and holds what it last read."""

    numbers: Mapping[str, pl.Categorical] = field(default_factory=_number_by)
    held: dict[tuple[str, str], tuple[int, pl.DataFrame]] = field(default_factory=dict)

    def rows(self, table: str) -> nw.LazyFrame[Any]:
        """The declared columns of one table, as a reading has them, with numbers for ids."""
        return nw.from_native(self._number(super().rows(table).to_native().collect(engine="streaming")).lazy())

    def since(self, table: str, month: str, months_ago: int) -> nw.LazyFrame[Any]:
        """Its rows of the newest months, read once for all views that look no further back than the first that asked."""
        reach, rows = self.held.get((table, month), (-1, pl.DataFrame()))
        if reach < months_ago:
            self.held.clear()
            found = Reading(self.tables, self.as_of).between(table, month, months_ago).to_native().collect(engine="streaming")
            reach, rows = months_ago, self._number(found).with_columns(self._count_months(found[month], months_ago))
            self.held[table, month] = reach, rows
        return nw.from_native(rows.lazy() if reach == months_ago else rows.lazy().filter(pl.col("months_ago") <= months_ago))

    def _count_months(self, days: pl.Series, months_ago: int) -> pl.Series:
        # the days of a few years are fewer than the rows, so the calendar is asked once for each of them
        oldest = self.month_start(months_ago)
        calendar = pl.date_range(oldest, self.as_of, eager=True).alias("day").to_frame()
        months = nw.from_native(calendar).select(months_ago=self.months_ago("day")).to_native()["months_ago"]
        return months.gather((days.to_physical() - (oldest - date(1970, 1, 1)).days).cast(pl.UInt32)).alias("months_ago")

    def _number(self, rows: pl.DataFrame) -> pl.DataFrame:
        numbers = [rows[name].cast(kind).to_physical() for name, kind in self.numbers.items() if name in rows.columns]
        return rows.with_columns(number.set_sorted() if number.is_sorted() else number for number in numbers)


def _fill_view(reading: _Held, view: str, leaves: Sequence[Aggregate], borrowers: int) -> Iterable[pl.Series]:
    history = _look_back(leaves)
    columns = {"borrower_id", *(leaf.of for leaf in leaves), *(("months_back",) if any(leaf.window for leaf in leaves) else ())}
    rows = VIEWS[view].rows(reading, history).to_native().select(sorted(columns)).filter(pl.col("borrower_id") < borrowers).collect()
    filled = _Filled(leaves, borrowers)
    for part in rows.iter_slices(_ROWS_AT_ONCE):
        filled.add(part)
    return filled.tell()


class _Filled:
    """The leaves of one view for all borrowers, as far as rows were added."""

    def __init__(self, leaves: Sequence[Aggregate], borrowers: int) -> None:
        self.present = np.zeros(borrowers, np.bool_)
        self.leaves = {leaf: np.full(borrowers, _START[leaf.how], np.int64) for leaf in leaves}
        self.months = _look_back(leaves) + 1
        # a largest or smallest is known where something was counted
        self.by_column: dict[tuple[str, bool], list[Aggregate]] = {}
        for leaf in leaves:
            self.by_column.setdefault((leaf.of, leaf.window is not None), []).append(leaf)

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows; few borrowers at a time keep the grid in the cache of the processor."""
        number = rows["borrower_id"].to_numpy().astype(np.int64)
        first, last = int(number.min()), int(number.max()) + 1
        self.present[number] = True
        width = last - first
        owners = number - first
        cells = owners
        if "months_back" in rows.columns:
            back = rows["months_back"].fill_null(-1).to_numpy()
            cells = np.where((back >= 0) & (back < self.months), back * np.int64(width) + owners, self.months * width)
        whole: dict[bool, np.ndarray] = {}
        for (of, by_month), leaves in self.by_column.items():
            values, places, months = rows[of], cells if by_month else owners, self.months if by_month else 1
            has_all = not values.null_count()
            if not has_all:
                places, values = places[values.is_not_null().to_numpy()], values.drop_nulls()
            grids = {}
            for how in {leaf.how for leaf in leaves}:
                if how == "count" and has_all:
                    if by_month not in whole: whole[by_month] = _fold(how, places, values, months, width)
                    grids[how] = whole[by_month]
                else: grids[how] = _fold(how, places, values, months, width)
            for leaf in leaves:
                window = slice(leaf.window.first, leaf.window.last + 1) if leaf.window else slice(0, 1)
                total = self.leaves[leaf][first:last]
                fold = _FOLDS[leaf.how]
                fold(total, fold.reduce(grids[leaf.how][window], axis=0), out=total)

    def tell(self) -> Iterator[pl.Series]:
        """Tell the leaves, null where a borrower has none."""
        for leaf, values in self.leaves.items():
            known = self.present if leaf.how in ("sum", "count") else values != _START[leaf.how]
            filled = pl.Series(leaf.name, values, dtype=pl.Int32 if leaf.how == "count" else pl.Int64)
            yield filled if known.all() else filled.set(pl.Series(~known), None)


def _fold(how: str, places: np.ndarray, values: pl.Series, months: int, width: int) -> np.ndarray:
    size = months * width
    if how == "count":
        grid = np.bincount(places, minlength=size + 1)
    else:
        grid = np.full(size + 1, _START[how], np.int64)
        _FOLDS[how].at(grid, places, values.to_numpy().astype(np.int64, copy=False))
    return grid[:size].reshape(months, width)
