"""What is usual for a night: which earlier nights it is laid beside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

YEAR, MONTHS, SINCE, TRAINING = "year", "months", "since", "training"
_MONTHS_BACK, _WEEK, _DAY, _LEAST, _MOST = 6, timedelta(days=7), timedelta(days=1), 3, 12


def choose_usual(as_of: date, nights: Iterable[date], since: date | None = None) -> tuple[str, list[date]]:
    """Choose what `as_of` is laid beside of the given nights before it, the newest first, and say which they are.

    `year`: the nights within a week of that day a year ago, where there are three or more. Else `months`: those of the same day of
    the month, or the day before or after, in the six months before; the last day of a month is laid beside the last days of others.
    Else, where `since` is given (the first night of what a person took for the new usual; none before it counts): the newest dozen since.
    Else `training`: none.

    >>> choose_usual(date(2026, 2, 28), [date(2026, 1, 31), date(2026, 1, 28), date(2025, 12, 30)])
    ('months', [datetime.date(2026, 1, 31), datetime.date(2025, 12, 30)])
    """
    earlier = sorted({night for night in nights if night < as_of and (since is None or night >= since)}, reverse=True)
    year_ago = go_back(as_of, 12)
    last_year = [night for night in earlier if abs(night - year_ago) <= _WEEK]
    if len(last_year) >= _LEAST:
        return YEAR, last_year
    like = [go_back(as_of, back) for back in range(1, _MONTHS_BACK + 1)]
    alike = [night for night in earlier if any(abs(night - day) <= _DAY for day in like)]
    if alike:
        return MONTHS, alike
    return (SINCE, earlier[:_MOST]) if since and earlier else (TRAINING, [])


def go_back(day: date, months: int) -> date:
    """Name the same day of the month so many months before; for the last day of a month the last day.

    >>> go_back(date(2026, 3, 30), 1), go_back(date(2026, 2, 28), 1)
    (datetime.date(2026, 2, 28), datetime.date(2026, 1, 31))
    """
    index = day.year * 12 + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - _DAY
    is_last = (day + _DAY).day == 1
    return last if is_last else first.replace(day=min(day.day, last.day))
