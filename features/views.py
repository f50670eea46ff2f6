"""The views features aggregate: rows of one or two source tables, each with its time counted back from as_of.

Every view has `borrower_id` and `row` (always 1); views by month also have `months_back`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw

from features.context import read_represented
from features.places import place_shops
from features.reading import STALE_AFTER_MONTHS, Reading
from features.selling import read_openings, read_sales

ADJUSTMENT_MONTHS = 24  # so long a debt adjustment stands in the public record
CLOSURE_MONTHS = 24
MATURING_DAYS = 90
LATELY_MONTHS = 6
QUARTER_MONTHS = 3
LOW_SCORE = 744  # an official sign
BUREAUS = ("nice", "kcb", "other")  # the order in which they are believed
BANKS = ("bank", "policy", "guarantee")  # every other known kind of lender counts as non-bank
TAXES = ("national_tax", "local_tax")
INSURANCES = ("health_insurance", "pension", "employment_insurance")
UTILITIES = ("electricity", "gas", "water")
ADJUSTMENTS = ("early_adjustment", "workout", "rehabilitation")
COVERED = ("arrears", "events")  # the tables whose silence coverage can turn into a no


@dataclass(frozen=True)
class View:
    """One view: the tables without which it is empty, what a row is, and how its rows are made.

    `helpers` are tables that make its rows truer where they are there. `rows` takes the reading and how many months of history
    the declared windows ask for. `months` names the table whose newest months it looks at.
    """

    tables: tuple[str, ...]
    meaning: str
    rows: Callable[[Reading, int], nw.LazyFrame[Any]]
    helpers: tuple[str, ...] = ()
    months: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """All tables its rows are made of, where they are there."""
        return (*self.tables, *self.helpers)


def _one() -> nw.Expr:
    return nw.lit(1, nw.Int32)


def _count_back(rows: nw.LazyFrame[Any], key: str) -> nw.LazyFrame[Any]:
    # counted from the newest known month of the key, so that a late report shifts no lag
    newest = nw.col("months_ago").min().over(key)
    back = nw.when(newest <= STALE_AFTER_MONTHS).then(nw.col("months_ago") - newest).otherwise(nw.col("months_ago"))
    return rows.with_columns(months_back=back.cast(nw.Int32))


def _since(reading: Reading, table: str, month: str, history: int) -> nw.LazyFrame[Any]:
    return reading.since(table, month, history + STALE_AFTER_MONTHS)


def read_repayments(reading: Reading, history: int) -> nw.LazyFrame[Any]:
    """One row per loan and month, counted back from the loan's own newest month.

    A payment that falls due only after as_of is not yet missing: its month joins no comparison of paid and due.
    """
    has_paid = (nw.col("due_on").is_null() | (nw.col("due_on") <= reading.as_of)) & ~nw.col("paid_krw").is_null()
    has_due, has_balance, has_line = nw.col("due_krw") > 0, nw.col("balance_krw") > 0, nw.col("limit_krw") > 0
    is_late, is_drawn = nw.col("days_past_due") > 0, ~nw.col("balance_krw").is_null()
    rows = _count_back(_since(reading, "repayments", "due_month", history), "loan_id")
    return rows.with_columns(
        row=_one(),
        is_late=is_late.cast(nw.Int32),
        late_month=nw.when(is_late).then(nw.col("months_back")),
        late_balance_krw=nw.when(is_late, has_balance).then(nw.col("balance_krw")).otherwise(nw.when(is_drawn).then(nw.lit(0, nw.Int64))),
        full_month=nw.when(has_paid, has_due, nw.col("paid_krw") >= nw.col("due_krw")).then(nw.col("months_back")),
        short=nw.when(has_paid, has_due).then((nw.col("paid_krw") < nw.col("due_krw")).cast(nw.Int32)),
        missed=nw.when(has_paid, has_due).then((nw.col("paid_krw") <= 0).cast(nw.Int32)),
        due_known_krw=nw.when(has_paid, has_due).then(nw.col("due_krw")),
        paid_of_due_krw=nw.when(has_paid, has_due).then(nw.col("paid_krw")),
        owed_krw=nw.when(has_paid, has_balance).then(nw.col("balance_krw")),
        paid_of_owed_krw=nw.when(has_paid, has_balance).then(nw.col("paid_krw")),
        line_paid_krw=nw.when(has_paid, has_line).then(nw.col("limit_krw")),
        paid_of_line_krw=nw.when(has_paid, has_line).then(nw.col("paid_krw")),
        line_krw=nw.when(has_line, is_drawn).then(nw.col("limit_krw")),
        full_line=nw.when(has_line, is_drawn).then((nw.col("balance_krw") * 10 >= nw.col("limit_krw") * 9).cast(nw.Int32)),
        drawn_krw=nw.when(has_line).then(nw.col("balance_krw")),
    )


def read_loans(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, a loan book is of now
    """One row per loan not known to have ended: with something owed at a status of the last three months, or opened in them and not yet reported."""
    loans = _with_lender(reading).with_columns(months_open=reading.months_ago("opened_on"))
    if "repayments" in reading.tables:
        statuses = _count_back(_since(reading, "repayments", "due_month", 0), "loan_id").filter(nw.col("months_back") == 0)
        newest = statuses.select("loan_id", "balance_krw", "days_past_due", _one().alias("reported"))
    else:
        nothing = {"balance_krw": nw.lit(None, nw.Int64), "days_past_due": nw.lit(None, nw.Int32), "reported": nw.lit(None, nw.Int32)}
        newest = loans.select("loan_id", **nothing)
    loans = loans.join(newest, on="loan_id", how="left")
    is_new = nw.col("reported").is_null() & nw.col("months_open").is_between(0, STALE_AFTER_MONTHS)
    is_owed = ~nw.col("reported").is_null() & (nw.col("balance_krw").is_null() | (nw.col("balance_krw") != 0))
    owed = nw.when(is_new).then(nw.col("principal_krw")).otherwise(nw.when(nw.col("balance_krw") > 0).then(nw.col("balance_krw")))
    loans = loans.filter(is_new | is_owed).with_columns(owed_krw=owed)
    return _describe_lenders(_describe_loans(loans, reading))


def _with_lender(reading: Reading) -> nw.LazyFrame[Any]:
    loans = reading.rows("loans")
    if "lenders" not in reading.tables:
        return loans.with_columns(kind=nw.lit(None, nw.String))
    return loans.join(reading.rows("lenders"), on="lender_id", how="left")


def _describe_loans(loans: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    owed, no_won, is_dated = nw.col("owed_krw"), nw.lit(0, nw.Int64), ~nw.col("matures_on").is_null()
    matures = nw.col("matures_on").is_between(reading.as_of, reading.as_of + timedelta(days=MATURING_DAYS))
    # whole numbers, so that sums are stable, and small enough for the largest sum lent
    thousands = owed // 1_000
    hundredths = (nw.col("annual_rate_pct") * 100 + 0.5).floor().cast(nw.Int64)
    return loans.with_columns(
        row=_one(),
        opened_lately=nw.when(~nw.col("months_open").is_null()).then((nw.col("months_open") < LATELY_MONTHS).cast(nw.Int32)),
        months_open=nw.when(nw.col("months_open") >= 0).then(nw.col("months_open")),
        dated_krw=nw.when(is_dated).then(owed),
        maturing_krw=nw.when(matures).then(owed).otherwise(nw.when(is_dated).then(no_won)),
        maturing=nw.when(is_dated).then(matures.cast(nw.Int32)),
        maturity_days=nw.when(nw.col("matures_on") >= reading.as_of).then(0 - reading.days_ago("matures_on")),
        purpose_known_krw=nw.when(~nw.col("purpose").is_null()).then(owed),
        household_krw=nw.when(nw.col("purpose") == "household").then(owed),
        household_late_days=nw.when(nw.col("purpose") == "household").then(nw.col("days_past_due")),
        guarantee_known_krw=nw.when(~nw.col("is_guaranteed").is_null()).then(owed),
        guaranteed_krw=nw.when(nw.col("is_guaranteed")).then(owed),
        guarantor_krw=nw.when(~nw.col("is_guaranteed").is_null(), ~nw.col("guarantor_id").is_null()).then(owed),
        security_known_krw=nw.when(~nw.col("is_secured").is_null()).then(owed),
        secured_krw=nw.when(nw.col("is_secured")).then(owed),
        priced_thousands=nw.when(~nw.col("annual_rate_pct").is_null()).then(thousands),
        priced_hundredths=thousands * hundredths,
    )


def _describe_lenders(loans: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    owed, is_known, is_lately = nw.col("owed_krw"), ~nw.col("kind").is_null(), nw.col("opened_lately")
    is_nonbank = ~nw.col("kind").is_in(BANKS)
    return loans.with_columns(
        lender_known_krw=nw.when(is_known).then(owed),
        nonbank_krw=nw.when(is_nonbank).then(owed),
        nonbank=nw.when(is_known).then(is_nonbank.cast(nw.Int32)),
        new_nonbank=nw.when(is_known).then(is_nonbank.cast(nw.Int32) * is_lately),
        new_nonbank_krw=nw.when(is_known).then(is_nonbank.cast(nw.Int32) * is_lately * owed),
    )


def read_arrears(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, open however old
    """One row per unpaid tax, premium or bill, cleared or not."""
    rows = reading.rows("arrears").filter(nw.col("since_on") <= reading.as_of)
    is_open = nw.col("cleared_on").is_null() | (nw.col("cleared_on") > reading.as_of)
    is_new = nw.col("since_on") >= reading.month_start(LATELY_MONTHS - 1)
    is_newest = nw.col("since_on") >= reading.month_start(QUARTER_MONTHS - 1)
    open_of = {"insurance": INSURANCES, "utility": UTILITIES, "telecom": ("telecom",), "rent": ("rent",), "tax": TAXES}
    return rows.with_columns(
        row=_one(),
        is_open=nw.when(is_open).then(_one()),
        open_krw=nw.when(is_open).then(nw.col("amount_krw")),
        open_days=nw.when(is_open).then(reading.days_ago("since_on")),
        begun_lately=nw.when(is_new).then(_one()),
        begun_this_quarter=nw.when(is_newest).then(_one()),
        begun_and_cleared=nw.when(is_new).then((~is_open).cast(nw.Int32)),
        **{f"open_{name}_krw": nw.when(is_open, nw.col("kind").is_in(kinds)).then(nw.col("amount_krw")) for name, kinds in open_of.items()},
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
    rows, best = rows.with_columns(best=code.min().over("borrower_id")), nw.col("best")
    rows = rows.filter(nw.col("bureau_rank") == best // 100 % len(BUREAUS))
    low = nw.when(~nw.col("credit_score").is_null()).then((nw.col("credit_score") <= LOW_SCORE).cast(nw.Int32))
    return rows.with_columns(row=_one(), low_score=low, months_back=(nw.col("months_ago") - best % 100).cast(nw.Int32))


def read_borrowers(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, one row each
    """One row per borrower."""
    return place_shops(reading.rows("borrowers"), reading).with_columns(row=_one(), open_days=reading.days_ago("opened_on"))


def read_businesses(reading: Reading, history: int) -> nw.LazyFrame[Any]:  # noqa: ARG001, one row each
    """One row per business the borrower represents, as far as known."""
    rows = read_represented(reading)
    status, one, none, closed_on = nw.col("trading_status"), _one(), nw.lit(0, nw.Int32), nw.col("closed_on")
    is_closed = nw.coalesce(closed_on <= reading.as_of, nw.lit(False)) | nw.coalesce(status == "closed", nw.lit(False))
    is_lately = nw.when(~closed_on.is_null()).then((closed_on >= reading.month_start(CLOSURE_MONTHS - 1)).cast(nw.Int32))
    return place_shops(rows, reading).with_columns(
        row=one,
        open_days=reading.days_ago("opened_on"),
        trading=nw.when(status == "trading").then(one),
        suspended=nw.when(status == "suspended").then(one),
        running=nw.when(is_closed).then(none).otherwise(one),
        closed_lately=nw.when(is_closed).then(is_lately).otherwise(none),
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


_TELL_OF_SHOPS = ("coverage", "events", "businesses")
VIEWS: dict[str, View] = {
    "repayments": View(("repayments",), "loan months", read_repayments, months="repayments"),
    "loans": View(("loans",), "loans not ended", read_loans, months="repayments"),
    "sales": View(("sales",), "finished months of sales", read_sales, _TELL_OF_SHOPS, "sales"),
    "openings": View(("sales", "borrowers"), "first months of newer shops", read_openings, _TELL_OF_SHOPS, "sales"),
    "arrears": View(("arrears",), "unpaid taxes, premiums and bills", read_arrears),
    "credit": View(("credit",), "months of one bureau", read_credit, months="credit"),
    "borrowers": View(("borrowers",), "the borrower", read_borrowers),
    "businesses": View(("businesses",), "businesses represented", read_businesses),
    "events": View(("events",), "events", read_events),
    "coverage": View(("coverage",), "what is reported of whom", read_coverage),
}
