"""What features may read, and how they tell time: always as months and days before as_of, never by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw

STALE_AFTER_MONTHS = 3  # a loan, shop or bureau without news for longer is no part of the present

_ID, _DAY, _WON, _COUNT, _FLAG = nw.String(), nw.Date(), nw.Int64(), nw.Int32(), nw.Boolean()

# All that features may read. Protected attributes (owner_birth_year, owner_sex) and the facts table are left out for good.
READS: dict[str, dict[str, nw.dtypes.DType]] = {
    "borrowers": {
        "borrower_id": _ID, "opened_on": _DAY, "employees": _COUNT, "annual_sales_krw": _WON,
        "industry_code": _ID, "region_code": _ID, "district_code": _ID,
    },
    "loans": {
        "loan_id": _ID, "borrower_id": _ID, "lender_id": _ID, "principal_krw": _WON, "annual_rate_pct": nw.Float64(),
        "opened_on": _DAY, "matures_on": _DAY, "is_guaranteed": _FLAG, "is_secured": _FLAG, "purpose": _ID, "guarantor_id": _ID,
    },
    "repayments": {
        "loan_id": _ID, "borrower_id": _ID, "due_month": _DAY, "due_on": _DAY, "due_krw": _WON, "paid_krw": _WON,
        "balance_krw": _WON, "limit_krw": _WON, "days_past_due": _COUNT,
    },
    "sales": {
        "borrower_id": _ID, "sales_month": _DAY, "card_sales_krw": _WON, "card_sales_count": _WON, "platform_sales_krw": _WON, "cash_receipt_krw": _WON,
    },
    "arrears": {"borrower_id": _ID, "kind": _ID, "since_on": _DAY, "amount_krw": _WON, "cleared_on": _DAY},
    "credit": {
        "borrower_id": _ID, "bureau": _ID, "credit_month": _DAY, "credit_score": _COUNT, "lenders_count": _COUNT,
        "debt_krw": _WON, "nonbank_debt_krw": _WON, "enquiries_count": _COUNT,
    },
    "events": {"borrower_id": _ID, "kind": _ID, "happened_on": _DAY},
    "businesses": {
        "borrower_id": _ID, "is_representative": _FLAG, "opened_on": _DAY, "closed_on": _DAY, "trading_status": _ID,
        "industry_code": _ID, "region_code": _ID, "district_code": _ID,
    },
    "coverage": {"borrower_id": _ID, "subject": _ID, "from_on": _DAY, "until_on": _DAY},
    "lenders": {"lender_id": _ID, "kind": _ID},
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """The known tables as they stand on one day, and the two rulers of time: months and days before that day."""

    tables: Mapping[str, nw.LazyFrame[Any]]
    as_of: date

    def rows(self, table: str) -> nw.LazyFrame[Any]:
        """The declared columns of one table, in their declared types; an absent optional column is all null."""
        frame = self.tables[table]
        present = frame.collect_schema().names()
        columns = READS[table].items()
        return frame.select(*((nw.col(name) if name in present else nw.lit(None)).cast(kind).alias(name) for name, kind in columns))

    def since(self, table: str, month: str, months_ago: int) -> nw.LazyFrame[Any]:
        """Its rows from so many months before that of as_of until as_of, each with its `months_ago`."""
        return self.between(table, month, months_ago).with_columns(months_ago=self.months_ago(month))

    def between(self, table: str, month: str, months_ago: int) -> nw.LazyFrame[Any]:
        """Its rows from so many months before that of as_of until as_of."""
        return self.rows(table).filter(nw.col(month) >= self.month_start(months_ago), nw.col(month) <= self.as_of)

    def months_ago(self, column: str) -> nw.Expr:
        """Calendar months from the column's month to the month of as_of, which is 0."""
        day = nw.col(column).dt
        return nw.lit(self.as_of.year * 12 + self.as_of.month, nw.Int32) - (day.year().cast(nw.Int32) * 12 + day.month().cast(nw.Int32))

    def days_ago(self, column: str) -> nw.Expr:
        """Days from the column's day to as_of, which is 0."""
        # the engines share no cast from day to number, but each knows the year and the day of the year
        years = nw.col(column).dt.year().cast(nw.Int32) - 1
        ordinal = years * 365 + years // 4 - years // 100 + years // 400 + nw.col(column).dt.ordinal_day().cast(nw.Int32)
        return nw.lit(self.as_of.toordinal(), nw.Int32) - ordinal.cast(nw.Int32)

    def month_start(self, months_ago: int) -> date:
        """The first day of the month so many months before that of as_of.

        >>> Reading({}, date(2026, 2, 28)).month_start(3)
        datetime.date(2025, 11, 1)
        """
        index = self.as_of.year * 12 + self.as_of.month - 1 - months_ago
        return date(index // 12, index % 12 + 1, 1)
