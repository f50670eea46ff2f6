"""The table `loans`: what lenders say of each loan, and say again when it is extended."""

from __future__ import annotations

import numpy as np
import polars as pl

from signals.simulate.lending import PRODUCTS, Loans, name_lenders
from signals.simulate.months import Calendar
from signals.simulate.people import REGION_CODES, Ints, People
from signals.simulate.reports import as_dates, make_table
from signals.simulate.streams import draw_days, open_stream

GUARANTORS = tuple(f"GF{code}" for code in REGION_CODES)  # one regional credit guarantee foundation each


def report_loans(seed: int, block: int, people: People, loans: Loans, last: Ints, calendar: Calendar) -> pl.DataFrame:
    """Make the table `loans`: a bullet or a line comes again, with a later maturity, each year it is extended.

    `last` is the month index in which each loan ended.
    """
    rng = open_stream(seed, block, "loan reports")
    opened = calendar.days_in(loans.opened_month, loans.opened_day)
    told = np.maximum(opened + draw_days(rng, 1, 12, len(opened)), calendar.opens)
    ids, years = loans.loan_ids(people), _years_running(loans, calendar)
    base = pl.DataFrame({"loan_id": ids, **_describe(people, loans, opened)})
    versions = [base.with_columns(matures_on=as_dates(_mature(loans, years, calendar)), known_on=as_dates(told))]
    for year in range(calendar.length // 12 + 2):
        before, after = (_mature(loans, years + year + more, calendar) for more in (0, 1))
        known = before - draw_days(rng, 2, 20, len(before))
        runs_on = ~loans.is_way("instalments") & (last > calendar.month_index(before)) & (known > told)
        dated = base.with_columns(matures_on=as_dates(after), known_on=as_dates(known))
        versions.append(dated.filter(pl.Series(runs_on & (known <= calendar.until))))
    return make_table("loans", pl.concat(versions).to_dict(), calendar)


def _years_running(loans: Loans, calendar: Calendar) -> Ints:
    """Count the terms until the maturity that stands when we first hear of the loan."""
    heard = np.maximum(loans.opened_month, calendar.first)
    return np.where(loans.is_way("instalments"), 1, (heard - loans.opened_month) // loans.term + 1)


def _mature(loans: Loans, terms: Ints, calendar: Calendar) -> Ints:
    return calendar.days_in(loans.opened_month + loans.term * terms, loans.opened_day)


def _describe(people: People, loans: Loans, opened: Ints) -> dict[str, pl.Series]:
    is_household = np.array([item.sector == "card" for item in PRODUCTS])[loans.product]
    guarantor = pl.DataFrame({"at": pl.Series(GUARANTORS).gather(people.region[loans.borrower]), "is_so": loans.is_guaranteed})
    return {
        "borrower_id": people.ids.gather(loans.borrower),
        "lender_id": pl.Series(name_lenders()["lender_id"]).gather(loans.lender),
        "product": pl.Series([item.name for item in PRODUCTS]).gather(loans.product),
        "principal_krw": pl.Series(loans.principal.astype(np.int64)),
        "annual_rate_pct": pl.Series(loans.rate_pct.astype(np.float64)),
        "opened_on": as_dates(opened),
        "is_guaranteed": pl.Series(loans.is_guaranteed),
        "is_secured": pl.Series(loans.is_secured),
        "purpose": pl.Series(["business", "household"]).gather(is_household.astype(np.int64)),
        "guarantor_id": guarantor.select(pl.when("is_so").then("at")).to_series(),
    }
