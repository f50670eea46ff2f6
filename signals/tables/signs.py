"""Sales, arrears, events, and what the programmes' operators report."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from signals.tables.contract import WON, Known, among

DEFAULT_KINDS = ("default_90d", "subrogation", "workout", "rehabilitation", "bankruptcy")
OTHER_KINDS = ("early_adjustment", "suspension", "closure", "reopening")
TAX_KINDS = ("national_tax", "local_tax")
INSURANCE_KINDS = ("health_insurance", "pension", "employment_insurance")
BILL_KINDS = ("electricity", "gas", "water", "telecom", "rent")

SALES_SUBJECTS = {
    "card_sales": "card_sales_krw",
    "platform_sales": "platform_sales_krw",
    "cash_receipts": "cash_receipt_krw",
}  # of coverage


class Sales(Known):
    """One row per borrower, month and version."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    sales_month = dy.Date(primary_key=True, description="First day of the month.")
    card_sales_krw = dy.Int64(min=-WON, max=WON, description="Card sales, won (net of returns).")
    card_sales_count = dy.Int64(nullable=True, min=0, description="Card sales, number; null: unknown.")
    platform_sales_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="Sales through platforms, won; null: not covered.")
    cash_receipt_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="Cash sales with receipt, won; null: not covered.")

    @dy.rule()
    def month_is_its_first_day(cls) -> pl.Expr:
        """Months are written as their first day."""
        return pl.col("sales_month").dt.day() == 1


class Arrears(Known):
    """One row per unpaid tax, premium or bill and version (not loans: those are overdue)."""

    arrears_id = dy.String(primary_key=True, min_length=1, description="The unpaid item.")
    borrower_id = dy.String(min_length=1, description="Who owes it.")
    kind = dy.String(check=among(*BILL_KINDS, *TAX_KINDS, *INSURANCE_KINDS), description="What kind of bill.")
    since_on = dy.Date(description="The day it became overdue.")
    amount_krw = dy.Int64(min=0, max=WON, description="What is unpaid, won.")
    cleared_on = dy.Date(nullable=True, description="The day it was paid; null: still unpaid as far as known.")

    @dy.rule()
    def cleared_after_it_began(cls) -> pl.Expr:
        """A bill can't be cleared before it was overdue."""
        return pl.col("cleared_on") >= pl.col("since_on")


class Events(Known):
    """One row per borrower, kind, day and version: what happened to the loans or the shop."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    kind = dy.String(primary_key=True, check=among(*DEFAULT_KINDS, *OTHER_KINDS), description="What happened.")
    happened_on = dy.Date(primary_key=True, description="The day it happened.")

    @dy.rule()
    def known_not_before_it_happened(cls) -> pl.Expr:
        """Nothing is known before it happened."""
        return pl.col("known_on") >= pl.col("happened_on")


class ProgrammeStatus(Known):
    """One row per programme, region and day: what its operator says remains."""

    programme_id = dy.String(primary_key=True, min_length=1, description="The programme.")
    region_code = dy.String(primary_key=True, min_length=1, description="The region, or 00 for the whole country.")
    status_on = dy.Date(primary_key=True, description="The day the operator speaks of.")
    remaining_krw = dy.Int64(nullable=True, min=0, max=WON, description="Won left; null: not said.")
    remaining_places = dy.Int64(nullable=True, min=0, description="Places left; null: not said.")
    is_open = dy.Bool(description="Whether applications are taken.")


class AwardsHistory(Known):
    """One row per borrower, programme and day of award, from the operators' records."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    programme_id = dy.String(primary_key=True, min_length=1, description="The programme.")
    awarded_on = dy.Date(primary_key=True, description="The day of the award.")
    amount_krw = dy.Int64(min=0, max=WON, description="What was awarded, won.")
