"""A dozen named shops, known to every test: canonical tables, all known by `CAST_AS_OF`.

The bakery on Elm Street, 41 days late, is the one to remember. Money is in won; lists run from the newest month back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from signals.tables import TABLES

CAST_AS_OF = date(2026, 10, 31)

BAKERY = "bakery-on-elm-street"  # 41 days late, sales falling, nothing unpaid otherwise
NOODLES = "noodle-shop-at-the-harbour"  # pays two loans as agreed
FLORIST = "florist-at-the-station"  # a register entry and nothing else
TAXI = "taxi-of-mr-kim"  # a loan, but in no register
TAILOR = "tailor-in-the-old-town"  # was 20 days late on a loan that ended eight months ago
CAFE = "cafe-by-the-river"  # lives on its credit line, three lenders, score fell by 120
HAIRDRESSER = "hairdresser-on-market-street"  # 6 million won of tax unpaid, one bill paid since
BOOKSHOP = "bookshop-on-the-hill"  # suspended since June
FISHMONGER = "fishmonger-on-the-pier"  # its lender's October report has not come
CARPENTER = "carpenter-at-the-mill"  # on a payment holiday since July
GUESTHOUSE = "guesthouse-on-the-coast"  # in early adjustment, its loan falls due in December
GROCER = "grocer-in-the-north"  # 95 days late: in crisis
KITCHEN = "delivery-kitchen"  # no cards any more, all through platforms

_PEOPLE: tuple[tuple[str, str, str, date, int, int], ...] = (
    (BAKERY, "11", "C10712", date(2019, 3, 1), 1, 96_000_000),
    (NOODLES, "26", "I56111", date(2014, 5, 1), 3, 240_000_000),
    (FLORIST, "41", "G47851", date(2023, 10, 31), 0, 48_000_000),
    (TAILOR, "46", "S95393", date(1999, 9, 1), 0, 36_000_000),
    (CAFE, "11", "I56221", date(2021, 6, 15), 2, 120_000_000),
    (HAIRDRESSER, "47", "S96112", date(2017, 1, 2), 1, 72_000_000),
    (BOOKSHOP, "43", "G47612", date(2011, 4, 1), 0, 30_000_000),
    (FISHMONGER, "26", "G47212", date(2016, 8, 8), 1, 84_000_000),
    (CARPENTER, "52", "C16229", date(2009, 2, 1), 2, 102_000_000),
    (GUESTHOUSE, "51", "I55103", date(2018, 7, 1), 1, 60_000_000),
    (GROCER, "28", "G47121", date(2015, 11, 1), 0, 54_000_000),
    (KITCHEN, "31", "I56199", date(2022, 2, 1), 0, 90_000_000),
)


def cast_tables() -> dict[str, pl.DataFrame]:
    """Give the canonical tables of the cast, as their holders reported them: each fact known by `CAST_AS_OF`."""
    return {
        "borrowers": _cast_borrowers(),
        "loans": _cast_loans(),
        "repayments": _cast_repayments(),
        "sales": _cast_sales(),
        "arrears": _cast_arrears(),
        "credit": _cast_credit(),
        "events": _frame("events", [(GUESTHOUSE, "early_adjustment", date(2026, 4, 10)), (BOOKSHOP, "suspension", date(2026, 6, 1))]),
        "businesses": _cast_businesses(),
        "coverage": _cast_coverage(),
        "lenders": _frame("lenders", [("HANBIT", "bank", True, True), ("DOTORI", "savings", True, False), ("NARA", "policy", True, True)]),
    }


def month(back: int) -> date:
    """The first day of the month so many months before that of `CAST_AS_OF`."""
    index = CAST_AS_OF.year * 12 + CAST_AS_OF.month - 1 - back
    return date(index // 12, index % 12 + 1, 1)


def _month_end(back: int) -> date:
    return month(back - 1) - timedelta(days=1)


def _frame(table: str, rows: Sequence[Sequence[Any]], known_on: Sequence[date] | None = None) -> pl.DataFrame:
    """Rows in the order of the table's columns after known_on and is_retracted; missing ones at the end are null."""
    schema = {name: kind for name, kind in TABLES[table].polars_schema.items() if name not in ("known_on", "is_retracted")}
    whole = [(*row, *[None] * (len(schema) - len(row))) for row in rows]
    days = known_on or [CAST_AS_OF] * len(rows)
    return pl.DataFrame(whole, schema=schema, orient="row").with_columns(known_on=pl.Series(list(days), dtype=pl.Date))


def _cast_borrowers() -> pl.DataFrame:
    rows = [
        (name, region, f"{region}110", industry, "sole", opened, employees, sales, 1975, "F")
        for name, region, industry, opened, employees, sales in _PEOPLE
    ]
    return _frame("borrowers", rows)


def _cast_loans() -> pl.DataFrame:
    def loan(owner: str, lender: str, principal: int, rate: float, ends: date | None, *, guaranteed: bool) -> tuple[Any, ...]:
        purpose = "household" if owner == GROCER else "business"
        guarantor = "HARBOUR" if owner == NOODLES and guaranteed else None
        return (f"{lender}:{owner}", owner, lender, "term", principal, rate, date(2024, 6, 3), ends, guaranteed, False, purpose, guarantor)

    return _frame(
        "loans",
        [
            loan(BAKERY, "HANBIT", 40_000_000, 6.5, date(2029, 6, 3), guaranteed=True),
            loan(NOODLES, "HANBIT", 60_000_000, 5.0, date(2029, 6, 3), guaranteed=False),
            loan(NOODLES, "NARA", 20_000_000, 3.0, date(2027, 6, 3), guaranteed=True),
            loan(TAXI, "DOTORI", 15_000_000, 11.0, None, guaranteed=False),
            loan(TAILOR, "HANBIT", 10_000_000, 6.0, date(2026, 6, 3), guaranteed=False),
            loan(CAFE, "DOTORI", 30_000_000, 14.0, None, guaranteed=False),
            loan(HAIRDRESSER, "HANBIT", 25_000_000, 6.0, date(2028, 6, 3), guaranteed=True),
            loan(BOOKSHOP, "NARA", 20_000_000, 3.5, date(2028, 6, 3), guaranteed=True),
            loan(FISHMONGER, "HANBIT", 30_000_000, 6.0, date(2028, 6, 3), guaranteed=False),
            loan(CARPENTER, "HANBIT", 50_000_000, 6.0, date(2029, 6, 3), guaranteed=False),
            loan(GUESTHOUSE, "NARA", 35_000_000, 3.5, date(2026, 12, 20), guaranteed=True),
            loan(GROCER, "DOTORI", 22_000_000, 12.0, date(2027, 6, 3), guaranteed=False),
            loan(KITCHEN, "HANBIT", 18_000_000, 6.0, date(2028, 6, 3), guaranteed=False),
        ],
    )


# lender, owner: days past due from the newest month back (0 before that), balance, and what fell due and was paid each month
_STATUSES: Mapping[tuple[str, str], tuple[list[int], int, int, int]] = {
    ("HANBIT", BAKERY): ([41, 11, 0, 0, 5], 32_000_000, 1_000_000, 1_000_000),
    ("HANBIT", NOODLES): ([], 42_000_000, 1_200_000, 1_200_000),
    ("NARA", NOODLES): ([], 8_000_000, 500_000, 500_000),
    ("DOTORI", TAXI): ([], 9_000_000, 400_000, 400_000),
    ("HANBIT", TAILOR): ([20], 0, 300_000, 300_000),
    ("DOTORI", CAFE): ([3], 28_500_000, 500_000, 500_000),
    ("HANBIT", HAIRDRESSER): ([], 15_000_000, 600_000, 600_000),
    ("NARA", BOOKSHOP): ([], 12_000_000, 400_000, 400_000),
    ("HANBIT", FISHMONGER): ([8, 2], 20_000_000, 700_000, 700_000),
    ("HANBIT", CARPENTER): ([], 30_000_000, 1_000_000, 1_000_000),
    ("NARA", GUESTHOUSE): ([0, 0, 0, 0, 0, 0, 34, 12], 21_000_000, 800_000, 800_000),
    ("DOTORI", GROCER): ([95, 64, 34, 4], 16_000_000, 900_000, 900_000),
    ("HANBIT", KITCHEN): ([], 11_000_000, 450_000, 450_000),
}
_MONTHS = 15
_NEWEST = {TAILOR: 8, FISHMONGER: 1}  # how many months ago the newest status is of
_HOLIDAY = range(4)


def _cast_repayments() -> pl.DataFrame:
    rows, known = [], []
    for (lender, owner), (late, balance, due, paid) in _STATUSES.items():
        newest = _NEWEST.get(owner, 0)
        for back in range(newest, _MONTHS):
            days = late[back - newest] if back - newest < len(late) else 0
            on_holiday = owner == CARPENTER and back in _HOLIDAY
            fell_due, was_paid = (0, 0) if on_holiday else (due, 0 if days > 0 else paid)
            limit = 30_000_000 if owner == CAFE else None
            rows.append((f"{lender}:{owner}", month(back), owner, _month_end(back), fell_due, was_paid, balance, limit, days))
            known.append(_month_end(back))
    return _frame("repayments", rows, known)


def _cast_sales() -> pl.DataFrame:
    # card and platform sales: newest three months, the nine before, the year before that
    streams = {
        BAKERY: ((4_000_000, 0), (8_000_000, 0), (8_000_000, 0)),
        NOODLES: ((20_000_000, 0), (20_000_000, 0), (18_000_000, 0)),
        BOOKSHOP: ((0, 0), (2_000_000, 0), (2_500_000, 0)),
        KITCHEN: ((0, 8_000_000), (4_000_000, 3_500_000), (7_000_000, 0)),
    }
    rows = [
        (owner, month(back), card, None, platform)
        for owner, (lately, before, last_year) in streams.items()
        for back in range(_MONTHS)
        for card, platform in [lately if back < 3 else before if back < 12 else last_year]
    ]
    return _frame("sales", rows)


def _cast_arrears() -> pl.DataFrame:
    return _frame(
        "arrears",
        [
            ("A-1", HAIRDRESSER, "national_tax", date(2026, 1, 31), 6_000_000),
            ("A-2", HAIRDRESSER, "electricity", date(2026, 8, 1), 150_000, date(2026, 9, 1)),
            ("A-3", CAFE, "health_insurance", date(2026, 9, 10), 420_000),
        ],
    )


def _cast_credit() -> pl.DataFrame:
    def standing(owner: str, bureau: str, back: int, score: int, lenders: int, nonbank: int) -> tuple[Any, ...]:
        return (owner, bureau, month(back), score, lenders, 60_000_000, nonbank, 1)

    cafe = [standing(CAFE, "nice", back, 700 + 10 * back, 3, 30_000_000 - 2_000_000 * back) for back in range(_MONTHS)]
    noodles = [standing(NOODLES, "kcb", back, 910, 2, 0) for back in range(_MONTHS)]
    return _frame("credit", [*cafe, *noodles, standing(CAFE, "kcb", 0, 850, 1, 0)])


def _cast_businesses() -> pl.DataFrame:
    rows = []
    for name, region, industry, opened, _, _ in _PEOPLE:
        status = "suspended" if name == BOOKSHOP else "trading"
        rows.append((f"B:{name}", name, True, opened, None, status, industry, region, f"{region}110"))
    return _frame("businesses", rows)


def _cast_coverage() -> pl.DataFrame:
    sources = {"arrears": "utilities", "events": "credit_information", "sales": "card_networks"}
    uncovered = {FLORIST, TAXI}
    owners = [name for name, *_ in _PEOPLE if name not in uncovered]
    rows = [(name, source, subject, date(2024, 1, 1)) for name in owners for subject, source in sources.items()]
    return _frame("coverage", rows)
