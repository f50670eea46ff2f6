"""The days a model learns from: plain dates, settled before any data is touched."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta


def list_origins(
    first_known: date,
    known_by: date,
    horizon_days: int,
    *,
    min_history_days: int = 0,
    max_origins: int = 12,
    outcomes_from: date | None = None,
) -> list[date]:
    """List the month ends whose whole horizon is known by `known_by`, oldest first, at most the newest `max_origins`.

    `first_known` is the first day anything was known; an origin needs `min_history_days` behind it, unless no origin
    has them (a short history is better than none). `outcomes_from` is the first day a default event was known (null:
    no such events): an origin whose horizon ended before it would take its label from repayments alone, which is
    another definition, and is left out.

    >>> list_origins(date(2005, 4, 1), date(2005, 10, 31), 31, outcomes_from=date(2005, 10, 31))
    [datetime.date(2005, 9, 30)]
    """
    horizon = timedelta(days=horizon_days)
    ends = [end for end in _month_ends(first_known, known_by) if end + horizon <= known_by]
    told = [end for end in ends if outcomes_from is None or end + horizon >= outcomes_from]
    settled = [end for end in told if end - first_known >= timedelta(days=min_history_days)]
    return (settled or told)[-max_origins:]


def _month_ends(first: date, last: date) -> list[date]:
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(month // 12, month % 12 + 1, monthrange(month // 12, month % 12 + 1)[1]) for month in months]
