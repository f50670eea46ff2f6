"""Which earlier nights a night may be compared with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

_COUNTRY = "KR"  # whose banks send
_SATURDAY = 5


def is_rest_day(day: date) -> bool:
    """Say whether banks rest on a day: a Saturday, a Sunday or a public holiday of Korea, those in lieu included.

    >>> [is_rest_day(date(2026, 10, day)) for day in (8, 9, 10, 11, 12)]  # the 9th is Hangul Day, a Friday
    [False, True, True, True, False]
    """
    return day.weekday() >= _SATURDAY or day in _list_holidays(day.year)


@cache
def _list_holidays(year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(_COUNTRY, years=[year]))


def name_kind(night: date) -> str:
    """Say what kind of night it is: what lenders send differs most around the end of a month, then between working days and days of rest.

    The last day of a month, the first and the second are kinds of their own: a month's statuses come on one of them, and the
    day after is quiet again.

    >>> [name_kind(date(2026, 10, day)) for day in (31, 1, 2, 3, 5)]
    ['last day', 'first day', 'second day', 'rest day', 'rest day']
    """
    if (night + timedelta(days=1)).day == 1:
        return "last day"
    near = {1: "first day", 2: "second day"}
    return near.get(night.day) or ("rest day" if is_rest_day(night) else "working day")


def find_like_nights(as_of: date, nights: Iterable[date], most: int = 12) -> list[date]:
    """Find the nights before `as_of` that are of its kind, the newest first, at most so many.

    >>> october = [date(2026, 10, day) for day in range(1, 32)]
    >>> [night.day for night in find_like_nights(date(2026, 10, 14), october, 4)]
    [13, 12, 8, 7]
    """
    return sorted({night for night in nights if night < as_of and name_kind(night) == name_kind(as_of)}, reverse=True)[:most]
