"""The leaves on polars: ids as small numbers, and for each column one array of months by borrowers, filled once for all windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import narwhals as nw
import numpy as np
import polars as pl

from features.formula import Aggregate
from features.reading import READS, Reading
from features.views import VIEWS
from signals.tables import HOLDERS

_FOLDS = {"sum": np.add, "max": np.maximum, "min": np.minimum}


def fill_grid(reading: Reading, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.LazyFrame:
    """Fill the leaves of each view from polars tables when the frame is collected; equal to a join of grouped views.

    One row per borrower_id named in borrowers, loans or repayments, one column per leaf: Int32 for counts, Int64 for all
    else. Null where the borrower has no row in the view, or, for largest and smallest, no value in the window.
    """
    kinds = {leaf.name: pl.Int32() if leaf.how == "count" else pl.Int64() for part in leaves.values() for leaf in part}
    return pl.defer(lambda: _fill(_Numbered(reading.tables, reading.as_of), leaves), schema={"borrower_id": pl.String(), **kinds})


@dataclass(frozen=True)
class _Numbered(Reading):
    """A reading whose borrowers and loans are numbered from 0: numbers group, join and index in a fraction of the time of text."""

    numbers: Mapping[str, pl.Categorical] = field(
        default_factory=lambda: {name: pl.Categorical(pl.Categories.random()) for name in ("borrower_id", "loan_id")}
    )

    def rows(self, table: str) -> nw.LazyFrame[Any]:
        numbered = (pl.col(name).cast(kind).to_physical() for name, kind in self.numbers.items() if name in READS[table])
        return nw.from_native(super().rows(table).to_native().with_columns(*numbered))


def _fill(reading: _Numbered, leaves: Mapping[str, Sequence[Aggregate]]) -> pl.DataFrame:
    # borrowers are named first, so that who is numbered later is nobody's row
    named = _name_borrowers(reading)
    columns = [column for view, part in leaves.items() for column in _fill_view(reading, view, part, named.height)]
    names = [leaf.name for part in leaves.values() for leaf in part]
    return named.cast(pl.String).with_columns(columns).select("borrower_id", *names)


def _name_borrowers(reading: _Numbered) -> pl.DataFrame:
    ids = pl.col("borrower_id")
    # rows come mostly borrower by borrower: only the first of a run is looked at
    tables = [reading.tables[table].to_native().select(ids).filter(ids.ne_missing(ids.shift())) for table in HOLDERS if table in reading.tables]
    return pl.concat(tables).select(ids.cast(reading.numbers["borrower_id"])).unique().collect(engine="streaming").sort(ids.to_physical())


def _fill_view(reading: Reading, view: str, leaves: Sequence[Aggregate], borrowers: int) -> Iterator[pl.Series]:
    history = max((leaf.window.last for leaf in leaves if leaf.window), default=0)
    months = ["months_back"] if any(leaf.window for leaf in leaves) else []
    wanted = sorted({leaf.of for leaf in leaves})
    rows = VIEWS[view].rows(reading, history).to_native().select("borrower_id", *months, *(f for f in wanted if f not in months))
    rows = rows.filter(pl.col("borrower_id") < borrowers).collect(engine="streaming")
    return _Grid(rows, history + 1, borrowers).fill(leaves)


@dataclass(frozen=True)
class _Grid:
    """The rows of one view, each with its cell: its borrower's number, in the month it lies back."""

    rows: pl.DataFrame
    months: int
    borrowers: int

    def fill(self, leaves: Sequence[Aggregate]) -> Iterator[pl.Series]:
        """Fill the leaves, column by column, so that one grid is held at a time."""
        for of in sorted({leaf.of for leaf in leaves}):
            whole = [leaf for leaf in leaves if leaf.of == of and not leaf.window]
            months = [leaf for leaf in leaves if leaf.of == of and leaf.window]
            if whole:
                yield from self._fill_column(of, whole, self._owners, 1)
            if months:
                yield from self._fill_column(of, months, self._cells, self.months)

    @cached_property
    def _owners(self) -> np.ndarray:
        return self.rows["borrower_id"].cast(pl.Int64).to_numpy()

    @cached_property
    def _cells(self) -> np.ndarray:
        """Month by month, so that a window is a run of whole rows of the grid; -1 for months no window reaches."""
        back = pl.col("months_back")
        cell = pl.when(back.is_between(0, self.months - 1)).then(back.cast(pl.Int64) * self.borrowers + pl.col("borrower_id"))
        return self.rows.select(cell.fill_null(-1)).to_series().to_numpy()

    @cached_property
    def _present(self) -> pl.Series:
        return pl.Series(np.bincount(self._owners, minlength=self.borrowers) > 0)

    def _fill_column(self, of: str, leaves: Sequence[Aggregate], cells: np.ndarray, months: int) -> Iterator[pl.Series]:
        values = self.rows[of]
        inside = values.is_not_null().to_numpy() & (cells >= 0)
        cells, values = cells[inside], values.fill_null(0).to_numpy()[inside]
        counts = np.bincount(cells, minlength=months * self.borrowers).reshape(months, self.borrowers)
        grids = {how: self._fold(how, cells, values, months) for how in {leaf.how for leaf in leaves} - {"count"}}
        for leaf in leaves:
            window = slice(leaf.window.first, leaf.window.last + 1) if leaf.window else slice(0, 1)
            count = counts[window].sum(axis=0)
            if leaf.how == "count":
                filled, known = pl.Series(leaf.name, count, pl.Int32), self._present
            else:
                filled = pl.Series(leaf.name, _FOLDS[leaf.how].reduce(grids[leaf.how][window], axis=0))
                known = self._present if leaf.how == "sum" else pl.Series(count > 0)
            yield pl.select(pl.when(known).then(filled).alias(leaf.name)).to_series()

    def _fold(self, how: str, cells: np.ndarray, values: np.ndarray, months: int) -> np.ndarray:
        limits = np.iinfo(np.int64)
        start = {"sum": 0, "max": limits.min, "min": limits.max}[how]
        grid = np.full(months * self.borrowers, start, np.int64)
        _FOLDS[how].at(grid, cells, values.astype(np.int64))
        return grid.reshape(months, self.borrowers)
