"""Loans, their repayment month by month, who lends, and how the bureaus see it."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from signals.tables.contract import WON, Known, among


class Loans(Known):
    """One row per loan and version. Required."""

    loan_id = dy.String(primary_key=True, min_length=1, description="The loan, prefixed with its lender.")
    borrower_id = dy.String(min_length=1, description="Who owes it.")
    lender_id = dy.String(min_length=1, description="Who lent it.")
    product = dy.String(min_length=1, description="The lender's kind of loan.")
    principal_krw = dy.Int64(min=0, max=WON, description="Sum lent, or the credit line, won.")
    annual_rate_pct = dy.Float64(nullable=True, min=0, max=100, description="Yearly interest, per cent; null: unknown.")
    opened_on = dy.Date(nullable=True, description="The day it was paid out; null: unknown.")
    matures_on = dy.Date(nullable=True, description="The day it falls due whole; null: none or unknown.")
    is_guaranteed = dy.Bool(nullable=True, description="Whether a public guarantee stands behind it; null: unknown.")
    is_secured = dy.Bool(nullable=True, description="Whether property secures it; null: unknown.")
    purpose = dy.String(nullable=True, check=among("business", "household"), description="business or household; null: unknown.")
    guarantor_id = dy.String(nullable=True, description="Who guarantees it; null: nobody or unknown.")

    @dy.rule()
    def matures_after_opened(cls) -> pl.Expr:
        """A loan can't fall due before it was paid out."""
        return pl.col("matures_on") >= pl.col("opened_on")


class Repayments(Known):
    """One row per loan, month and version: the loan-month status that lenders send. Required."""

    loan_id = dy.String(primary_key=True, min_length=1, description="The loan.")
    due_month = dy.Date(primary_key=True, description="First day of the month.")
    borrower_id = dy.String(min_length=1, description="Who owes it.")
    due_on = dy.Date(nullable=True, description="The day the payment fell due; null: unknown.")
    due_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="What fell due that month, won; null: unknown.")
    paid_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="What was paid, won; null: unknown.")
    balance_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="What is still owed, won (may be negative); null: unknown.")
    limit_krw = dy.Int64(nullable=True, min=0, max=WON, description="The credit line, won; null: none or unknown.")
    days_past_due = dy.Int64(min=0, max=36_500, description="Days overdue when reported.")

    @dy.rule()
    def month_is_its_first_day(cls) -> pl.Expr:
        """Months are written as their first day."""
        return pl.col("due_month").dt.day() == 1

    @dy.rule()
    def known_not_before_the_month(cls) -> pl.Expr:
        """A month's status can't be known before the month began."""
        return pl.col("known_on") >= pl.col("due_month")


class Lenders(Known):
    """One row per lender and version."""

    lender_id = dy.String(primary_key=True, min_length=1, description="The lender.")
    kind = dy.String(min_length=1, description="bank, mutual, savings, card, capital, policy, guarantee or other.")
    is_ccrs_member = dy.Bool(nullable=True, description="Whether it joined the credit recovery service's agreement; null: unknown.")
    is_fund_member = dy.Bool(nullable=True, description="Whether it joined the New Start Fund's agreement; null: unknown.")


class Credit(Known):
    """One row per borrower, bureau, month and version."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    bureau = dy.String(primary_key=True, check=among("nice", "kcb", "other"), description="The credit bureau.")
    credit_month = dy.Date(primary_key=True, description="First day of the month.")
    credit_score = dy.Int64(nullable=True, min=0, max=1000, description="Bureau score, 1 to 1000, higher is better; null: none.")
    lenders_count = dy.Int64(nullable=True, min=0, max=1000, description="Institutions the borrower owes; null: unknown.")
    debt_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="All debt, won; null: unknown.")
    nonbank_debt_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="Debt at lenders other than banks, won; null: unknown.")
    enquiries_count = dy.Int64(nullable=True, min=0, max=10_000, description="Credit enquiries in the month; null: unknown.")

    @dy.rule()
    def month_is_its_first_day(cls) -> pl.Expr:
        """Months are written as their first day."""
        return pl.col("credit_month").dt.day() == 1
