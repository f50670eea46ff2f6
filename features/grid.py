"""The leaves on polars: each column of a view is folded once into months by borrowers, and every window is folded from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from features.formula import Aggregate, look_back
from features.held import HeldReading, hold, name_borrowers
from features.reading import Reading
from features.views import VIEWS

_ROWS_AT_ONCE = 150_000
_FOLDS = {"sum": np.add, "count": np.add, "max": np.maximum, "min": np.minimum}
_START = {"sum": 0, "count": 0, "max": np.iinfo(np.int64).min, "min": np.iinfo(np.int64).max}


def fill_grid(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.LazyFrame:
    """Fill the leaves of each view from polars tables once the frame is collected: the same values as `join_views`, sooner.

    One row per borrower_id named in borrowers, loans or repayments; one column per leaf, Int32 for counts and Int64 for all
    else, which must be whole numbers. Null where the borrower has no row in the view or, for largest and smallest, no value.
    """
    kinds = {leaf.name: pl.Int32() if leaf.how == "count" else pl.Int64() for part in leaves.values() for leaf in part}
    return pl.defer(lambda: _fill(reading, leaves).select("borrower_id", *kinds), schema={"borrower_id": pl.String(), **kinds})


def _fill(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.DataFrame:
    names = name_borrowers(reading)
    held = hold(reading, names)
    # the views of one table one after the other, long histories first, so that a view of the newest months finds them held
    views = sorted(leaves, key=lambda view: (VIEWS[view].months, -look_back(leaves[view])))
    return pl.DataFrame([names, *(column for view in views for column in _fill_view(held, view, leaves[view], names.len()))])


def _fill_view(reading: HeldReading, view: str, leaves: Sequence[Aggregate], borrowers: int) -> Iterator[pl.Series]:
    filled = _Filled(leaves, borrowers)
    for rows in _read_rows(reading, view, leaves).iter_slices(_ROWS_AT_ONCE):
        filled.add(rows)
    return filled.tell()


def _read_rows(reading: HeldReading, view: str, leaves: Sequence[Aggregate]) -> pl.DataFrame:
    """Those rows of a view that are of somebody named: what its leaves fold, with 0 for null, and beside it what is known."""
    back = [pl.col("months_back").fill_null(-1)] if any(leaf.window for leaf in leaves) else []
    folded = [pl.col(of).fill_null(0).alias(f"{of} folded") for of in sorted({leaf.of for leaf in leaves if leaf.how != "count"})]
    known = [pl.col(of).is_not_null().alias(f"{of} known") for of in sorted({leaf.of for leaf in leaves})]
    rows = VIEWS[view].rows(reading, look_back(leaves)).to_native().select("borrower_id", *back, *folded, *known)
    found: pl.DataFrame = rows.filter(pl.col("borrower_id").is_not_null()).collect(engine="streaming")
    return found


class _Filled:
    """The leaves of one view for all borrowers, as far as rows were added; the order of rows is of no account."""

    def __init__(self, leaves: Sequence[Aggregate], borrowers: int) -> None:
        """Begin with nobody present."""
        self.present = np.zeros(borrowers, np.bool_)
        self.leaves = {leaf: np.full(borrowers, _START[leaf.how], np.int64) for leaf in leaves}
        self.months = look_back(leaves) + 1
        self.by_column: dict[tuple[str, bool], list[Aggregate]] = {}
        for leaf in leaves:
            self.by_column.setdefault((leaf.of, leaf.window is not None), []).append(leaf)

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows: where they come borrower by borrower, their grid stays in the cache of the processor."""
        numbers = rows["borrower_id"].to_numpy()
        self.present[numbers] = True
        first, last = int(numbers.min()), int(numbers.max()) + 1
        owners, width = numbers.astype(np.int64) - first, last - first
        grids = {False: _Grid(owners, 1, width)}
        if "months_back" in rows.columns:
            grids[True] = _Grid(_place(owners, rows["months_back"].to_numpy(), self.months, width), self.months, width)
        for (of, by_month), leaves in self.by_column.items():
            folded = grids[by_month].fold(rows, of, {leaf.how for leaf in leaves})
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
    """Place each row in months by borrowers, month after month; one cell past them all is for what no window reaches."""
    return np.where((back >= 0) & (back < months), owners + back.astype(np.int64) * width, months * width)


@dataclass(frozen=True)
class _Grid:
    """The cells of some rows among months by borrowers: a window is a run of whole months, whatever the feature."""

    cells: np.ndarray
    months: int
    width: int

    def fold(self, rows: pl.DataFrame, of: str, hows: set[str]) -> dict[str, np.ndarray]:
        """Fold one column into the cells, each way that is asked for."""
        known = rows[f"{of} known"].to_numpy()
        is_whole = bool(known.all())
        cells = self.cells if is_whole else self.cells[known]
        folded = {"count": self._all_rows if is_whole else self._count(cells)} if "count" in hows else {}
        if hows - {"count"}:
            values = rows[f"{of} folded"].to_numpy()
            values = (values if is_whole else values[known]).astype(np.int64, copy=False)
        for how in hows - {"count"}:
            grid = np.full(self.months * self.width + 1, _START[how], np.int64)
            _FOLDS[how].at(grid, cells, values)
            folded[how] = self._shape(grid)
        return folded

    @cached_property
    def _all_rows(self) -> np.ndarray:
        # the count of every column without nulls
        return self._count(self.cells)

    def _count(self, cells: np.ndarray) -> np.ndarray:
        return self._shape(np.bincount(cells, minlength=self.months * self.width + 1))

    def _shape(self, grid: np.ndarray) -> np.ndarray:
        return grid[:-1].reshape(self.months, self.width)
