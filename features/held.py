"""A reading for polars: ids as small numbers, and the newest months of a table held while several views look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from features.reading import READS, Reading
from signals.tables import HOLDERS

SMALL = ("borrowers", "businesses", "events", "coverage")


@dataclass(frozen=True)
class HeldReading(Reading):
    """A reading in which borrowers and loans are numbered: numbers group and index in a fraction of the time of text.

    A borrower_id is the place in `names`, null for whoever is not named there; a loan_id is a categorical. The table last
    asked for its newest months stays in memory, and so do the small tables that several views look at.
    """

    names: pl.Enum
    loans: pl.Categorical
    held: dict[str, tuple[int, pl.DataFrame]] = field(default_factory=dict)
    small: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, table: str) -> nw.LazyFrame[Any]:
        """The declared columns of one table, as a reading has them, with numbers for ids."""
        if table not in SMALL:
            return self._number(table)
        if table not in self.small:
            self.small[table] = self._number(table).to_native().collect(engine="streaming")
        return nw.from_native(self.small[table].lazy())

    def _number(self, table: str) -> nw.LazyFrame[Any]:
        # a loan stays a categorical: the numbers behind it mean something only as long as one is in memory
        numbers = {
            "borrower_id": pl.col("borrower_id").cast(self.names, strict=False).to_physical(),
            "loan_id": pl.col("loan_id").cast(self.loans),
        }
        rows = super().rows(table).to_native()
        numbered: pl.LazyFrame = rows.with_columns(number for name, number in numbers.items() if name in READS[table])
        return nw.from_native(numbered)

    def since(self, table: str, month: str, months_ago: int) -> nw.LazyFrame[Any]:
        """Its rows of the newest months, read once for all views that look no further back than the first that asked."""
        reach, rows = self.held.get(table, (-1, pl.DataFrame()))
        if reach < months_ago:
            self.held.clear()
            reach, rows = months_ago, self._read(table, month, months_ago)
            self.held[table] = reach, rows
        return nw.from_native(rows.lazy() if reach == months_ago else rows.lazy().filter(pl.col("months_ago") <= months_ago))

    def _read(self, table: str, month: str, months_ago: int) -> pl.DataFrame:
        rows: pl.DataFrame = self.between(table, month, months_ago).to_native().collect(engine="streaming")
        rows = rows.with_columns(self._count_months(rows[month], months_ago))
        # the flag speeds up what groups by borrower; on unsorted rows it would make groups twice
        return rows.with_columns(pl.col("borrower_id").set_sorted()) if rows["borrower_id"].is_sorted() else rows

    def _count_months(self, days: pl.Series, months_ago: int) -> pl.Series:
        # a few years have fewer days than a table has rows, so the calendar is asked once for each day
        oldest = self.month_start(months_ago)
        calendar = pl.date_range(oldest, self.as_of, eager=True).alias("day").to_frame()
        months: pl.Series = nw.from_native(calendar).select(months_ago=self.months_ago("day")).to_native()["months_ago"]
        return months.gather((days.to_physical() - (oldest - date(1970, 1, 1)).days).cast(pl.UInt32)).alias("months_ago")


def name_borrowers(reading: Reading) -> pl.Series:
    """The borrowers named in borrowers, loans or repayments of polars tables: each id once, in order."""
    ids = pl.col("borrower_id")
    tables: list[pl.LazyFrame] = [reading.rows(table).to_native().select(ids) for table in HOLDERS if table in reading.tables]
    # rows come mostly borrower by borrower: the first of a run speaks for it
    runs = [rows.filter(ids.ne_missing(ids.shift())) for rows in tables]
    return pl.concat(runs).collect(engine="streaming")["borrower_id"].drop_nulls().unique().sort()


def hold(reading: Reading, names: pl.Series) -> HeldReading:
    """Number the borrowers of polars tables by their place in `names`."""
    return HeldReading(reading.tables, reading.as_of, pl.Enum(names), pl.Categorical(pl.Categories.random()))
