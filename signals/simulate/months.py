"""The calendar of a town: its months as day numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int32]

BURN_IN = 18  # months lived before the window, so that it opens on a town with a past

# People shop in the week before Seollal: in January of these years, in February of others (known from 2015 to 2030).
SEOLLAL_IN_JANUARY = (2017, 2019, 2020, 2022, 2023, 2025, 2027, 2028, 2030)
JANUARY, FEBRUARY, SEPTEMBER = 0, 1, 8  # the week before Chuseok reaches into September every year


def count_days(day: date) -> int:
    """Count the days from 1970-01-01 to `day`, as polars stores dates.

    >>> count_days(date(1970, 1, 2))
    1
    """
    return (day - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Calendar:
    """The months of a town, those of its unseen past first; all days as numbers since 1970-01-01.

    `starts` and `ends` are each month's first and last day, `first` the index of the first month that is written.
    """

    starts: Days
    ends: Days
    first: int
    until: int

    @property
    def length(self) -> int:
        """How many months are lived, the unseen past included."""
        return len(self.starts)

    @property
    def opens(self) -> int:
        """The first day of the window: when the holders began to report."""
        return int(self.starts[self.first])

    def days_in(self, month: npt.NDArray[np.integer[Any]], day: npt.NDArray[np.integer[Any]]) -> Days:
        """Give the day number of a day of the month, for month indices that may lie outside the calendar."""
        first_month = self.starts[0].astype("datetime64[D]").astype("datetime64[M]")
        starts = (first_month + month).astype("datetime64[D]").astype(np.int32)
        return np.asarray(starts + day - 1, dtype=np.int32)

    def month_index(self, days: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
        """Give the index of the month a day lies in; negative before the calendar."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(months - self.starts[0].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))

    def index_of(self, year: int, month: int) -> int:
        """Give the index of a month by its year and its number from 1."""
        return (year - int(self.year()[0])) * 12 + month - 1 - int(self.month_of_year()[0])

    def month_of_year(self) -> npt.NDArray[np.int64]:
        """Give 0 for January to 11 for December, per month."""
        return self.starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12

    def year(self) -> npt.NDArray[np.int64]:
        """Give the year of each month."""
        return self.starts.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970

    def is_festival(self) -> npt.NDArray[np.bool_]:
        """Tell the months in which people shop for Seollal or Chuseok."""
        seollal = np.where(np.isin(self.year(), SEOLLAL_IN_JANUARY), JANUARY, FEBRUARY)
        month = self.month_of_year()
        return np.asarray((month == SEPTEMBER) | (month == seollal))


def lay_calendar(months: int, until: date) -> Calendar:
    """Lay out `months` months, the last the one that holds `until`, after a past of BURN_IN months.

    >>> calendar = lay_calendar(2, date(2026, 3, 15))
    >>> calendar.length, str(calendar.starts[calendar.first].astype("datetime64[D]"))
    (20, '2026-02-01')
    """
    last = np.datetime64(until, "M")
    names = np.arange(last - (months + BURN_IN - 1), last + 2, dtype="datetime64[M]")
    starts = names.astype("datetime64[D]").astype(np.int32)
    return Calendar(starts[:-1], starts[1:] - 1, BURN_IN, count_days(until))
