"""Facts that lenders, the credit bureau and the tax office bring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from guidance.told_facts import read_whole
from signals.tables.signs import TAX_KINDS

DEFAULT_DAYS = 90


def find_overdue_facts(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Find who is overdue, as lenders report: one row per borrower_id with a month of repayment; days, each loan's newest month."""
    overdue = _newest_months(tables).group_by("borrower_id").agg(days_past_due=pl.col("days_past_due").max())
    return overdue.with_columns(days_past_due_90_any=pl.col("days_past_due") >= DEFAULT_DAYS)


def find_debt_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find what is owed, as lenders report: one row per borrower_id with a loan; debts in won.

    A sum is null when any loan in it lacks its balance, its day or whether it is secured.
    """
    return _sum_debts(read_whole(tables, "loans"), _newest_months(tables).drop("borrower_id"), as_of)


def _newest_months(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    rows = read_whole(tables, "repayments")
    return rows.group_by("loan_id").agg(pl.col("borrower_id", "days_past_due", "balance_krw").max_by("due_month"))


def _sum_debts(loans: pl.LazyFrame, newest: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    owed, is_secured, opened_on = pl.col("balance_krw").clip(lower_bound=0), pl.col("is_secured"), pl.col("opened_on")
    half_year_ago = pl.lit(as_of).dt.offset_by("-6mo")
    is_owed = owed.fill_null(1) > 0
    sums = {"loans_debt_krw": owed, "secured_debt_krw": owed * is_secured, "unsecured_debt_krw": owed * ~is_secured,
            "new_debt_krw": owed * (opened_on > half_year_ago)}  # fmt: skip
    return (
        loans.join(newest, on="loan_id", how="left")
        .group_by("borrower_id")
        .agg(
            *(_sum_if_known(part.filter(is_owed)).alias(name) for name, part in sums.items()),
            oldest_loan_days=(pl.lit(as_of) - opened_on.min()).dt.total_days(),
        )
        .with_columns(new_debt_share_6m=pl.when(pl.col("loans_debt_krw") > 0).then(pl.col("new_debt_krw") / pl.col("loans_debt_krw"))
                      .when(pl.col("loans_debt_krw") == 0).then(0.0))
        .drop("new_debt_krw")
    )  # fmt: skip


def _sum_if_known(part: pl.Expr) -> pl.Expr:
    return pl.when(part.null_count() == 0).then(part.sum())


def find_credit_facts(tables: Mapping[str, pl.LazyFrame], as_of: date, max_age_days: int) -> pl.LazyFrame:
    """Find what the bureaus report: one row per borrower_id; the newest score (NICE before others) and all debt in won.

    Null: no report within `max_age_days`.
    """
    fresh = (pl.lit(as_of) - pl.col("credit_month")).dt.total_days() <= max_age_days
    rows = read_whole(tables, "credit").filter(pl.col("credit_month") <= as_of, fresh)
    newest = rows.group_by("borrower_id", "bureau").agg(
        pl.col("credit_score").drop_nulls().max_by(pl.col("credit_month").filter(pl.col("credit_score").is_not_null())),
        pl.col("debt_krw").max_by("credit_month"),
    )
    nice = pl.col("credit_score").filter(pl.col("bureau") == "nice").max()
    return newest.group_by("borrower_id").agg(
        credit_score=pl.coalesce(nice, pl.col("credit_score").min()), bureau_debt_krw=pl.col("debt_krw").max()
    )


def find_arrears_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find unpaid tax: one row per borrower_id that ever had any; won unpaid now, and the age of the oldest in days.

    Null: none is known to be unpaid, which means none only where the arrears of this borrower are covered.
    """
    is_open = (pl.col("since_on") <= as_of) & (pl.col("cleared_on").is_null() | (pl.col("cleared_on") > as_of))
    rows = read_whole(tables, "arrears").filter(pl.col("kind").is_in(TAX_KINDS))
    age = (pl.lit(as_of) - pl.col("since_on")).dt.total_days()
    return rows.group_by("borrower_id").agg(
        tax_arrears_krw=pl.when(is_open.any()).then(pl.col("amount_krw").filter(is_open).sum()),
        tax_arrears_oldest_days=age.filter(is_open).max(),
    )
