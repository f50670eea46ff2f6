"""The views features aggregate: rows of one or two source tables, each with its time counted back from as_of.

Every view has `borrower_id` and `row` (always 1); views by month also have `months_back`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw

from features.places import place_shops
from features.reading import STALE_AFTER_MONTHS, Reading
from features.selling import read_openings, read_sales

ADJUSTMENT_MONTHS = 24  # so long a debt adjustment stands in the public record
MATURING_DAYS = 90
LATELY_MONTHS = 6
BUREAUS = ("nice", "kcb", "other")  # the order in which they are believed
BANKS = ("bank", "policy", "guarantee")  # every other known kind of lender counts as non-bank
TAXES = ("national_tax", "local_tax")
ADJUSTMENTS = ("early_adjustment", "workout", "rehabilitation")
COVERED = ("arrears", "events")  # the tables whose silence coverage can turn into a no


@dataclass(frozen=True)
class View:
    """One view: the tables without which it is empty, what a row is, and how its rows are made.

    `helpers` are tables that make its rows truer where they are there. `rows` takes the reading and how many months of history the declared windows ask for.
    """

    tables: tuple[str, ...]
    meaning: str
    rows: Callable[[Reading, int], nw.LazyFrame[Any]]
    helpers: tuple[str, ...] = ()


def _one() -> nw.Expr:
    return nw.lit(1, nw.Int32)


def _count_back(rows: nw.LazyFrame[Any], key: str) -> nw.LazyFrame[Any]:
    # counted from the newest known month of the key, so that a late report shifts no lag
    rows, newest = _join_smallest(rows, key, nw.col("months_ago")), nw.col("smallest")
    back = nw.when(newest <= STALE_AFTER_MONTHS).then(nw.col("months_ago") - newest).otherwise(nw.col("months_ago"))
    return rows.with_columns(months_back=back.cast(nw.Int32))


def _join_smallest(rows: nw.LazyFrame[Any], key: str, value: nw.Expr) -> nw.LazyFrame[Any]:
    # a join keeps polars streaming; a window over the key took twice the memory
    return rows.join(rows.group_by(key).agg(value.min().alias("smallest")), on=key, how="left")


def _since(reading: Reading, table: str, month: str, history: int) -> nw.LazyFrame[Any]:
    oldest, newest = reading.month_start(history + STALE_AFTER_MONTHS), reading.as_of
    rows = reading.rows(table).filter(nw.col(month) >= oldest, nw.col(month) <= newest)
    return rows.with_columns(months_ago=reading.months_ago(month))


def read_repayments(reading: Reading, history: int) -> nw.LazyFrame[Any]:
    """One row per loan and month, counted back from the loan's own newest month.

    A payment that falls due only after as_of is not yet missing: its month joins no comparison of paid and due.
    """
    has_paid = (nw.col("due_on").is_null() | (nw.col("due_on") <= reading.as_of)) & ~nw.col("paid_krw").is_null()
    has_due, has_balance, has_line = nw.col("due_krw") > 0, nw.col("balance_krw") > 0, nw.col("limit_krw") > 0
    rows = _count_back(_since(reading, "repayments", "due_month", history), "loan_id")
    return rows.with_columns(
        row=_one(),
        late_month=nw.when(nw.col("days_past_due") > 0).then(nw.col("months_back")),
        missed=nw.when(has_paid, has_due).then((nw.col("paid_krw") <= 0).cast(nw.Int32)),
        due_known_krw=nw.when(has_paid, has_due).then(nw.col("due_krw")),
        paid_of_due_krw=nw.when(has_paid, has_due).then(nw.col("paid_krw")),
        owed_krw=nw.when(has_paid, has_balance).then(nw.col("balance_krw")),
        paid_of_owed_krw=nw.when(has_paid, has_balance).then(nw.col("paid_krw")),
        line_paid_krw=nw.when(has_paid, has_line).then(nw.col("limit_krw")),
        paid_of_line_krw=nw.when(has_paid, has_line).then(nw.col("paid_krw")),
        line_krw=nw.when(has_line, ~nw.col("balance_krw").is_null()).then(nw.col("limit_krw")),
        drawn_krw=nw.when(has_line).then(nw.col("balance_krw")),
    )


def read_loans(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, a loan book is of now
    """One row per loan not known to have ended: with something owed at a status of the last three months, or opened in them and not yet reported."""
    loans = _with_lender(reading).with_columns(months_open=reading.months_ago("opened_on"))
    if "repayments" in reading.tables:
        statuses = _count_back(_since(reading, "repayments", "due_month", 0), "loan_id").filter(nw.col("months_back") == 0)
        newest = statuses.select("loan_id", "balance_krw", _one().alias("reported"))
    else:
        newest = loans.select("loan_id").with_columns(nw.lit(None, nw.Int64).alias("balance_krw"), reported=nw.lit(None, nw.Int32))
    loans = loans.join(newest, on="loan_id", how="left")
    is_new = nw.col("reported").is_null() & nw.col("months_open").is_between(0, STALE_AFTER_MONTHS)
    is_owed = ~nw.col("reported").is_null() & (nw.col("balance_krw").is_null() | (nw.col("balance_krw") != 0))
    owed = nw.when(is_new).then(nw.col("principal_krw")).otherwise(nw.when(nw.col("balance_krw") > 0).then(nw.col("balance_krw")))
    return _describe_loans(loans.filter(is_new | is_owed).with_columns(owed_krw=owed), reading)


def _with_lender(reading: Reading) -> nw.LazyFrame[Any]:
    loans = reading.rows("loans")
    if "lenders" not in reading.tables:
        return loans.with_columns(kind=nw.lit(None, nw.String))
    return loans.join(reading.rows("lenders"), on="lender_id", how="left")


def _describe_loans(loans: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    owed, no_won = nw.col("owed_krw"), nw.lit(0, nw.Int64)
    matures = nw.col("matures_on").is_between(reading.as_of, reading.as_of + timedelta(days=MATURING_DAYS))
    # whole numbers, so that sums are stable, and small enough for the largest sum lent
    thousands = owed // 1_000
    hundredths = (nw.col("annual_rate_pct") * 100 + 0.5).floor().cast(nw.Int64)
    return loans.with_columns(
        row=_one(),
        opened_lately=nw.when(~nw.col("months_open").is_null()).then((nw.col("months_open") < LATELY_MONTHS).cast(nw.Int32)),
        dated_krw=nw.when(~nw.col("matures_on").is_null()).then(owed),
        maturing_krw=nw.when(matures).then(owed).otherwise(nw.when(~nw.col("matures_on").is_null()).then(no_won)),
        lender_known_krw=nw.when(~nw.col("kind").is_null()).then(owed),
        nonbank_krw=nw.when(~nw.col("kind").is_in(BANKS)).then(owed),
        guarantee_known_krw=nw.when(~nw.col("is_guaranteed").is_null()).then(owed),
        guaranteed_krw=nw.when(nw.col("is_guaranteed")).then(owed),
        security_known_krw=nw.when(~nw.col("is_secured").is_null()).then(owed),
        secured_krw=nw.when(nw.col("is_secured")).then(owed),
        priced_thousands=nw.when(~nw.col("annual_rate_pct").is_null()).then(thousands),
        priced_hundredths=thousands * hundredths,
    )


def read_arrears(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, open however old
    """One row per unpaid tax, premium or bill, cleared or not."""
    rows = reading.rows("arrears").filter(nw.col("since_on") <= reading.as_of)
    is_open = nw.col("cleared_on").is_null() | (nw.col("cleared_on") > reading.as_of)
    is_new = nw.col("since_on") >= reading.month_start(LATELY_MONTHS - 1)
    return rows.with_columns(
        row=_one(),
        is_open=nw.when(is_open).then(_one()),
        open_krw=nw.when(is_open).then(nw.col("amount_krw")),
        open_tax_krw=nw.when(is_open, nw.col("kind").is_in(TAXES)).then(nw.col("amount_krw")),
        open_days=nw.when(is_open).then(reading.days_ago("since_on")),
        begun_lately=nw.when(is_new).then(_one()),
    )


def read_credit(reading: Reading, history: int) -> nw.LazyFrame[Any]:
    """One row per borrower and month of one bureau, counted back from its newest month.

    The bureau is the first of NICE, KCB and others with a score in the last three months: scores of two bureaus are never mixed.
    """
    rows = _since(reading, "credit", "credit_month", history)
    second_or_last = nw.when(nw.col("bureau") == BUREAUS[1]).then(_one()).otherwise(nw.lit(2, nw.Int32))
    rows = rows.with_columns(bureau_rank=nw.when(nw.col("bureau") == BUREAUS[0]).then(nw.lit(0, nw.Int32)).otherwise(second_or_last))
    unscored = nw.col("credit_score").is_null().cast(nw.Int32) * len(BUREAUS)
    # the best bureau and its newest month in one number, so that one smallest finds both
    code = nw.when(nw.col("months_ago") <= STALE_AFTER_MONTHS).then((nw.col("bureau_rank") + unscored) * 100 + nw.col("months_ago"))
    rows, best = _join_smallest(rows, "borrower_id", code), nw.col("smallest")
    rows = rows.filter(nw.col("bureau_rank") == best // 100 % len(BUREAUS))
    return rows.with_columns(row=_one(), months_back=(nw.col("months_ago") - best % 100).cast(nw.Int32))


def read_borrowers(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, one row each
    """One row per borrower."""
    return place_shops(reading.rows("borrowers"), reading).with_columns(row=_one(), open_days=reading.days_ago("opened_on"))


def read_businesses(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, one row each
    """One row per business the borrower represents, as far as known."""
    rows = reading.rows("businesses").filter(nw.coalesce(nw.col("is_representative"), nw.lit(True)))
    status, one = nw.col("trading_status"), _one()
    return place_shops(rows, reading).with_columns(
        row=one,
        open_days=reading.days_ago("opened_on"),
        trading=nw.when(status == "trading").then(one),
        suspended=nw.when(status == "suspended").then(one),
    )


def read_events(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, few and short
    """One row per event, none later than as_of."""
    rows = reading.rows("events").filter(nw.col("happened_on") <= reading.as_of)
    kind, days = nw.col("kind"), reading.days_ago("happened_on")
    is_recent = nw.col("happened_on") > reading.month_start(ADJUSTMENT_MONTHS)
    return rows.with_columns(
        row=_one(),
        adjustment=nw.when(is_recent, kind.is_in(ADJUSTMENTS)).then(_one()),
        suspended_days=nw.when(kind == "suspension").then(days),
        ended_days=nw.when(kind.is_in(("reopening", "closure"))).then(days),
    )


def read_coverage(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, of now
    """One row per borrower, source and subject reported on as_of; a missing table can't be covered."""
    is_current = (nw.col("from_on") <= reading.as_of) & (nw.col("until_on").is_null() | (nw.col("until_on") >= reading.as_of))
    rows = reading.rows("coverage").filter(is_current)
    flags = {
        table: nw.when(nw.col("subject") == table).then(_one()) if table in reading.tables else nw.lit(None, nw.Int32) for table in COVERED
    }
    return rows.with_columns(row=_one(), **flags)


VIEWS: dict[str, View] = {
    "repayments": View(("repayments",), "loan months", read_repayments),
    "loans": View(("loans",), "loans not ended", read_loans),
    "sales": View(("sales",), "finished months of sales", read_sales, helpers=("coverage", "events", "businesses")),
    "openings": View(("sales", "borrowers"), "first months of newer shops", read_openings, helpers=("coverage", "events", "businesses")),
    "arrears": View(("arrears",), "unpaid taxes, premiums and bills", read_arrears),
    "credit": View(("credit",), "months of one bureau", read_credit),
    "borrowers": View(("borrowers",), "the borrower", read_borrowers),
    "businesses": View(("businesses",), "businesses represented", read_businesses),
    "events": View(("events",), "events", read_events),
    "coverage": View(("coverage",), "what is reported of whom", read_coverage),
}
