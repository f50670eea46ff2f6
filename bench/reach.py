"""How far back the features really read each table by month: asked of the views themselves, so that no benchmark holds a number of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from features import FEATURES
from features.feature import list_leaves
from features.formula import look_back
from features.reading import READS, Reading
from features.views import VIEWS
from signals.tables import TABLES


@dataclass(frozen=True)
class _Asked(Reading):
    """A reading of tables without rows that notes what is asked for."""

    months: dict[str, tuple[str, int]] = field(default_factory=dict)

    def between(self, table: str, month: str, months_ago: int) -> nw.LazyFrame[Any]:
        self.months[table] = month, max(months_ago, self.months.get(table, (month, 0))[1])
        return super().between(table, month, months_ago)


def find_reach(as_of: date) -> dict[str, tuple[str, int]]:
    """Find, of each table read by month, its month and how many months before that of `as_of` are looked at."""
    empty = {table: nw.from_native(pl.LazyFrame(schema=TABLES[table].polars_schema)) for table in READS}
    asked = _Asked(empty, as_of)
    leaves = list_leaves(FEATURES)
    for view in sorted({leaf.view for leaf in leaves}):
        VIEWS[view].rows(asked, look_back([leaf for leaf in leaves if leaf.view == view]))
    return asked.months
