"""Small random worlds: a few borrowers with every table, reported late, corrected and sometimes missing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from signals.known import as_known
from signals.tables import TABLES

FIRST_MONTH = 2025 * 12  # January 2025
MONTHS = 22
KINDS = ("electricity", "national_tax", "pension", "telecom", "rent", "health_insurance")
SUBJECTS = ("arrears", "events", "sales", "platform_sales")
PLACES = (("56111", "42", None), ("I56", "51", None), ("I56221", None, "51110"), ("G47", "11", "11110"), (None, None, None))
EVENTS = ("early_adjustment", "workout", "suspension", "reopening", "closure")


def make_world(seed: int, borrowers: int = 5) -> dict[str, pl.DataFrame]:
    """Canonical tables with all their versions; some of them known only after any as_of a test may choose."""
    rng = np.random.default_rng(seed)
    owners = [f"b{number}" for number in range(borrowers)]
    loans = [(f"l{number}", owners[rng.integers(borrowers)], f"bank{rng.integers(3)}") for number in range(2 * borrowers)]
    return {
        "borrowers": _frame("borrowers", [_borrower(rng, owner) for owner in owners if rng.random() < 0.8]),
        "loans": _frame("loans", [_loan(rng, *loan) for loan in loans]),
        "repayments": _frame("repayments", [row for loan in loans for row in _statuses(rng, *loan[:2])]),
        "sales": _frame("sales", [row for owner in owners[1:] for row in _sales(rng, owner)]),
        "arrears": _frame("arrears", [_bill(rng, number, owners) for number in range(2 * borrowers)]),
        "credit": _frame("credit", [row for owner in owners[:-1] for row in _credit(rng, owner)]),
        "events": _frame("events", _events(rng, owners)),
        "businesses": _frame("businesses", [_business(rng, number, owners) for number in range(borrowers)]),
        "coverage": _frame("coverage", [_cover(rng, owner, subject) for owner in owners[::2] for subject in SUBJECTS]),
        "lenders": _frame("lenders", [{"lender_id": "bank0", "kind": "bank"}, {"lender_id": "bank1", "kind": "savings"}], date(2025, 1, 1)),
    }


def know(world: dict[str, pl.DataFrame], as_of: date) -> dict[str, pl.LazyFrame]:
    """The world as known on a day, as the night hands it to the features."""
    return {name: as_known(frame.lazy(), name, as_of) for name, frame in world.items()}


def draw_day(rng: np.random.Generator) -> date:
    """A day on which there is history and a future."""
    return date(2025, 10, 1) + timedelta(days=int(rng.integers(0, 250)))


def _frame(table: str, rows: list[dict[str, Any]], known_on: date | None = None) -> pl.DataFrame:
    schema = {name: kind for name, kind in TABLES[table].polars_schema.items() if name != "is_retracted"}
    if known_on:
        rows = [{**row, "known_on": known_on} for row in rows]
    return pl.DataFrame(rows, schema=schema).unique([*TABLES[table].key, "known_on"], maintain_order=True)


def _month(index: int) -> date:
    return date((FIRST_MONTH + index) // 12, (FIRST_MONTH + index) % 12 + 1, 1)


def _later(rng: np.random.Generator, day: date, most: int) -> date:
    return day + timedelta(days=int(rng.integers(0, most)))


def _maybe(rng: np.random.Generator, value: Any) -> Any:
    return value if rng.random() < 0.85 else None


def _won(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 4)) * int(rng.integers(1, 5_000_000))


def _borrower(rng: np.random.Generator, owner: str) -> dict[str, Any]:
    opened = date(2015, 5, 5) if rng.random() < 0.7 else _later(rng, date(2024, 11, 20), 200)
    industry, region, district = PLACES[rng.integers(len(PLACES))]
    return {
        "borrower_id": owner, "region_code": region, "district_code": district, "industry_code": industry,
        "opened_on": _maybe(rng, opened), "employees": _maybe(rng, 2), "annual_sales_krw": _maybe(rng, _won(rng)),
        "owner_birth_year": 1970, "owner_sex": "F", "known_on": date(2025, 2, 1),
    }  # fmt: skip


def _loan(rng: np.random.Generator, loan: str, owner: str, lender: str) -> dict[str, Any]:
    opened = _later(rng, date(2025, 1, 1), 500)
    return {
        "loan_id": loan, "borrower_id": owner, "lender_id": lender, "product": "term", "principal_krw": 20_000_000,
        "annual_rate_pct": _maybe(rng, 7.25), "opened_on": _maybe(rng, opened), "matures_on": _maybe(rng, opened + timedelta(days=400)),
        "is_guaranteed": _maybe(rng, bool(rng.random() < 0.5)), "is_secured": _maybe(rng, False),
        "purpose": _maybe(rng, ("business", "household")[rng.integers(2)]), "guarantor_id": "g0" if rng.random() < 0.3 else None, "known_on": opened,
    }  # fmt: skip


def _statuses(rng: np.random.Generator, loan: str, owner: str) -> list[dict[str, Any]]:
    first, last = sorted(rng.integers(0, MONTHS, 2))
    rows = []
    for index in range(first, last + 1):
        for _ in range(1 + (rng.random() < 0.2)):  # the second is a correction
            due = _month(index) + timedelta(days=24)
            rows.append({
                "loan_id": loan, "due_month": _month(index), "borrower_id": owner, "due_on": _maybe(rng, due), "due_krw": _maybe(rng, _won(rng)),
                "paid_krw": _maybe(rng, _won(rng)), "balance_krw": _maybe(rng, _won(rng)), "limit_krw": _maybe(rng, 10_000_000),
                "days_past_due": int(rng.integers(0, 3) * rng.integers(0, 60)), "known_on": _later(rng, due, 40),
            })  # fmt: skip
    return rows


def _sales(rng: np.random.Generator, owner: str) -> list[dict[str, Any]]:
    # some are on platforms only later, some rest in the same month each year
    platform_since, rest = int(rng.integers(-MONTHS, MONTHS)), int(rng.integers(12)) if rng.random() < 0.3 else MONTHS
    return [
        {"borrower_id": owner, "sales_month": _month(index), "card_sales_krw": 0 if index % 12 == rest else _won(rng),
         "card_sales_count": _maybe(rng, int(rng.integers(0, 50))),
         "platform_sales_krw": None if index < platform_since else 0 if index % 12 == rest else _won(rng),
         "known_on": _later(rng, _month(index + 1), 30)}
        for index in range(MONTHS) if rng.random() < 0.9
    ]  # fmt: skip


def _credit(rng: np.random.Generator, owner: str) -> list[dict[str, Any]]:
    return [
        {"borrower_id": owner, "bureau": bureau, "credit_month": _month(index), "credit_score": _maybe(rng, int(rng.integers(300, 1000))),
         "lenders_count": _maybe(rng, int(rng.integers(0, 6))), "debt_krw": _maybe(rng, _won(rng)), "nonbank_debt_krw": _maybe(rng, _won(rng)),
         "enquiries_count": _maybe(rng, int(rng.integers(0, 4))), "known_on": _later(rng, _month(index + 1), 30)}
        for bureau in ("nice", "kcb") for index in range(MONTHS) if rng.random() < 0.8
    ]  # fmt: skip


def _bill(rng: np.random.Generator, number: int, owners: list[str]) -> dict[str, Any]:
    since = _later(rng, date(2025, 1, 1), 500)
    return {
        "arrears_id": f"a{number}", "borrower_id": owners[rng.integers(len(owners))], "kind": KINDS[rng.integers(len(KINDS))], "since_on": since,
        "amount_krw": 1 + _won(rng), "cleared_on": None if rng.random() < 0.5 else since + timedelta(days=90), "known_on": _later(rng, since, 30),
    }  # fmt: skip


def _events(rng: np.random.Generator, owners: list[str]) -> list[dict[str, Any]]:
    days = [(owner, EVENTS[rng.integers(5)], _later(rng, date(2025, 1, 1), 500)) for owner in owners for _ in range(2)]
    return [{"borrower_id": owner, "kind": kind, "happened_on": day, "known_on": _later(rng, day, 30)} for owner, kind, day in days]


def _business(rng: np.random.Generator, number: int, owners: list[str]) -> dict[str, Any]:
    status = ("trading", "suspended", "closed")[rng.integers(3)]
    industry, region, district = PLACES[rng.integers(len(PLACES))]
    return {
        "business_id": f"s{number}", "borrower_id": owners[rng.integers(len(owners))], "opened_on": date(2012, 3, 4) if rng.random() < 0.3 else None,
        "closed_on": _later(rng, date(2023, 6, 1), 900) if status == "closed" else None, "trading_status": _maybe(rng, status),
        "industry_code": industry, "region_code": region, "district_code": district, "known_on": _later(rng, date(2025, 2, 1), 400),
    }  # fmt: skip


def _cover(rng: np.random.Generator, owner: str, subject: str) -> dict[str, Any]:
    return {
        "borrower_id": owner,
        "source_id": "holder",
        "subject": subject,
        "from_on": _later(rng, date(2025, 1, 1), 400),
        "until_on": date(2025, 12, 31) if subject.endswith("sales") and rng.random() < 0.3 else None,
        "known_on": date(2025, 1, 1),
    }
