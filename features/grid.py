"""The leaves on polars: ids as small numbers, and for each column one array of months by borrowers, filled once for all windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from features.formula import Aggregate
from features.reading import READS, Reading
from features.views import VIEWS
from signals.tables import HOLDERS

import os
_ROWS_AT_ONCE = int(os.environ.get('RAO','150000')); ENG=os.environ.get('ENG','streaming')
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
    numbers = _number_by()
    # borrowers are named first, so that whoever is numbered later is nobody's row
    named = _name_borrowers(reading, numbers["borrower_id"])

    def fill(views: list[str]) -> list[pl.Series]:
        held = _Held(reading.tables, reading.as_of, numbers)
        return [column for view in views for column in _fill_view(_read_rows(held, view, leaves[view], named.len()), leaves[view], named.len())]

    # polars and numpy share the cores best when two views are on their way at once
    with ThreadPoolExecutor(2) as workers:
        columns = [column for part in workers.map(fill, _share_out(leaves)) for column in part]
    return pl.DataFrame([named.cast(pl.String), *columns]).select("borrower_id", *(leaf.name for part in leaves.values() for leaf in part))


def _share_out(leaves: Mapping[str, Sequence[Aggregate]]) -> list[list[str]]:
    """Each view by months for itself, and with the largest those of now, which find its newest months held."""
    by_month = [view for view in leaves if _look_back(leaves[view])]
    largest = sorted(by_month, key=lambda view: -len(leaves[view]))[:1]
    return [[*largest, *(view for view in leaves if view not in by_month)], *([view] for view in by_month if view not in largest)]


def _name_borrowers(reading: Reading, numbers: pl.Categorical) -> pl.Series:
    ids = pl.col("borrower_id")
    tables = [reading.rows(table).to_native().select(ids) for table in HOLDERS if table in reading.tables]
    # rows come mostly borrower by borrower: the first of a run speaks for it
    runs = pl.concat([rows.filter(ids.ne_missing(ids.shift())) for rows in tables]).collect(engine="streaming")
    # in order, so that numbers rise where rows are sorted by borrower
    return runs.unique().sort(ids)["borrower_id"].cast(numbers)


def _look_back(leaves: Sequence[Aggregate]) -> int:
    return max((leaf.window.last for leaf in leaves if leaf.window), default=0)


def _number_by() -> dict[str, pl.Categorical]:
    return {name: pl.Categorical(pl.Categories.random()) for name in ("borrower_id", "loan_id")}


@dataclass(frozen=True)
class _Held(Reading):
    """A reading that numbers borrowers and loans, for numbers group and index in a fraction of the time of text, and holds what it last read."""

    numbers: Mapping[str, pl.Categorical]
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


def _read_rows(reading: _Held, view: str, leaves: Sequence[Aggregate], borrowers: int) -> pl.DataFrame:
    """The columns of a view its leaves fold, nulls as 0, beside each whether it is known."""
    months = ("months_back",) if any(leaf.window for leaf in leaves) else ()
    folded = [pl.col(of).fill_null(0) for of in sorted({leaf.of for leaf in leaves if leaf.how != "count"} - set(months))]
    known = [pl.col(of).is_not_null().alias(_known(of)) for of in sorted({leaf.of for leaf in leaves})]
    back = [pl.col(name).fill_null(-1) for name in months]
    rows = VIEWS[view].rows(reading, _look_back(leaves)).to_native().select("borrower_id", *back, *folded, *known)
    return rows.filter(pl.col("borrower_id") < borrowers).collect(engine=ENG)


def _known(of: str) -> str:
    return f"{of} is known"


def _fill_view(rows: pl.DataFrame, leaves: Sequence[Aggregate], borrowers: int) -> Iterable[pl.Series]:
    filled = _Filled(leaves, borrowers)
    for part in rows.iter_slices(_ROWS_AT_ONCE):
        filled.add(part)
    return filled.tell()


class _Filled:
    """The leaves of one view for all borrowers, as far as rows were added."""

    def __init__(self, leaves: Sequence[Aggregate], borrowers: int) -> None:
        self.present = np.zeros(borrowers, np.bool_)
        self.leaves = {leaf: np.full(borrowers, _START[leaf.how], np.int64) for leaf in leaves}
        self.scratch: dict[str, np.ndarray] = {}
        self.months = _look_back(leaves) + 1
        self.by_column: dict[tuple[str, bool], list[Aggregate]] = {}
        for leaf in leaves:
            self.by_column.setdefault((leaf.of, leaf.window is not None), []).append(leaf)

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows: a few borrowers keep their grid of months in the cache of the processor."""
        numbers = rows["borrower_id"].to_numpy()
        first, last = int(numbers.min()), int(numbers.max()) + 1
        self.present[numbers] = True
        owners = numbers.astype(np.int64) - first
        grids = {False: _Grid(owners, 1, last - first)}
        if "months_back" in rows.columns:
            grids[True] = _Grid(_place(owners, rows["months_back"].to_numpy(), self.months, last - first), self.months, last - first)
        for (of, by_month), leaves in self.by_column.items():
            folded = grids[by_month].fold(rows, of, {leaf.how for leaf in leaves}, self.scratch)
            for leaf in leaves:
                window = slice(leaf.window.first, leaf.window.last + 1) if leaf.window else slice(0, 1)
                part, fold = self.leaves[leaf][first:last], _FOLDS[leaf.how]
                fold(part, fold.reduce(folded[leaf.how][window], axis=0), out=part)

    def tell(self) -> Iterator[pl.Series]:
        """Tell the leaves, null where a borrower has none."""
        for leaf, values in self.leaves.items():
            known = self.present if leaf.how in ("sum", "count") else values != _START[leaf.how]
            column = pl.Series(leaf.name, values, dtype=pl.Int32 if leaf.how == "count" else pl.Int64)
            yield column if known.all() else column.set(pl.Series(~known), None)


def _place(owners: np.ndarray, back: np.ndarray, months: int, width: int) -> np.ndarray:
    """Each row's cell in a grid of months by borrowers; one cell past them all is for what no window reaches."""
    return np.where((back >= 0) & (back < months), owners + back.astype(np.int64) * width, months * width)


@dataclass(frozen=True)
class _Grid:
    """The cells of some rows among months by borrowers."""

    cells: np.ndarray
    months: int
    width: int

    @cached_property
    def rows(self) -> np.ndarray:
        """How many rows each cell has."""
        return self._count(self.cells)

    def fold(self, rows: pl.DataFrame, of: str, hows: set[str], scratch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Fold one column into the cells, each way that is asked for."""
        known = rows[_known(of)].to_numpy()
        known = None if known.all() else known
        cells = self.cells if known is None else self.cells[known]
        grids = {"count": self.rows if known is None else self._count(cells)} if "count" in hows else {}
        if hows - {"count"}:
            values = rows[of].to_numpy()
            values = (values if known is None else values[known]).astype(np.int64, copy=False)
            for how in hows - {"count"}:
                grid = scratch.setdefault(how, np.empty(0, np.int64))
                if len(grid) < self.months * self.width + 1:
                    grid = scratch[how] = np.empty(2 * self.months * self.width + 1, np.int64)
                grid = grid[: self.months * self.width + 1]
                grid.fill(_START[how])
                _FOLDS[how].at(grid, cells, values)
                grids[how] = self._shape(grid)
        return grids

    def _count(self, cells: np.ndarray) -> np.ndarray:
        return self._shape(np.bincount(cells, minlength=self.months * self.width + 1))

    def _shape(self, grid: np.ndarray) -> np.ndarray:
        return grid[:-1].reshape(self.months, self.width)
