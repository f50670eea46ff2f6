"""Which earlier nights a night may be compared with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

_SATURDAY = 5


def name_kind(night: date) -> str:
    """Say what kind of night it is: what lenders send differs most around the end of a month, then between week and weekend.

    The last day of a month, the first and the second are kinds of their own: a month's statuses come on one of them, and the
    day after is quiet again.

    >>> [name_kind(date(2026, 10, day)) for day in (31, 1, 2, 3, 5)]
    ['last day', 'first day', 'second day', 'weekend', 'weekday']
    """
    if (night + timedelta(days=1)).day == 1:
        return "last day"
    near = {1: "first day", 2: "second day"}
    return near.get(night.day) or ("weekend" if night.weekday() >= _SATURDAY else "weekday")


def find_like_nights(as_of: date, nights: Iterable[date], most: int = 12) -> list[date]:
    """Find the nights before `as_of` that are of its kind, the newest first, at most so many.

    >>> october = [date(2026, 10, day) for day in range(1, 32)]
    >>> [night.day for night in find_like_nights(date(2026, 10, 14), october, 4)]
    [13, 12, 9, 8]
    """
    return sorted({night for night in nights if night < as_of and name_kind(night) == name_kind(as_of)}, reverse=True)[:most]
