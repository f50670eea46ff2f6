"""Seollal and Chuseok, which follow the moon: the month in which people shop for each, year by year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

_NAMES = {"설날": "seollal", "추석": "chuseok"}
_MIDDLE = timedelta(days=4)  # the middle one of the seven days before: most of them lie in its month


@cache
def list_festivals(year: int) -> dict[str, date]:
    """List the festivals of a year, each with the first day of the month that most of the seven days before it lie in.

    People shop in the week before the day, so a festival early in a month belongs to the month that came before.

    >>> {name: str(month) for name, month in list_festivals(2026).items()}
    {'seollal': '2026-02-01', 'chuseok': '2026-09-01'}
    >>> str(list_festivals(2025)["chuseok"])  # the 6th of October
    '2025-10-01'
    """
    import holidays

    days = holidays.country_holidays("KR", years=[year], language="ko")
    named = ((day, name) for day, names in sorted(days.items()) for name in names.split("; "))
    return {_NAMES[name]: (day - _MIDDLE).replace(day=1) for day, name in named if name in _NAMES}


def name_festivals(months: Iterable[date]) -> list[str]:
    """Name the festivals that fall into some months, in order.

    >>> name_festivals([date(2026, month, 1) for month in (8, 9, 10)])
    ['chuseok']
    """
    wanted = set(months)
    years = {month.year for month in wanted}
    return sorted(name for year in years for name, month in list_festivals(year).items() if month in wanted)
