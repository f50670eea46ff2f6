"""The canonical source tables: the one list everything else goes by."""

from __future__ import annotations

from signals.tables.contract import Table
from signals.tables.money import Credit, Lenders, Loans, Repayments
from signals.tables.people import Borrowers, Businesses, Consents, Coverage, Facts
from signals.tables.signs import Arrears, AwardsHistory, Events, ProgrammeStatus, Sales

# How long the lake keeps what: what no night that is still kept, and no window of a feature, can read any more may go.
_REPLACED = 36  # months for which a published night is kept, and so may be asked about

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "borrowers",
            Borrowers,
            ("borrower_id",),
            is_required=True,
            keep_months=_REPLACED,
            keep_because="an address or trade of long ago explains no night that is still kept",
        ),
        Table(
            "loans",
            Loans,
            ("loan_id",),
            is_required=True,
            keep_months=_REPLACED,
            keep_because="the terms as they last stood are what a repayment is read against, also of a loan long repaid",
        ),
        Table(
            "repayments",
            Repayments,
            ("loan_id", "due_month"),
            is_required=True,
            keep_months=84,
            keep_by="due_month",
            keep_because="training looks back over a whole cycle of lending and its five years of recovery",
        ),
        Table(
            "sales",
            Sales,
            ("borrower_id", "sales_month"),
            keep_months=60,
            keep_by="sales_month",
            keep_because="two years of windows, and the three for which a night is kept",
        ),
        Table(
            "arrears",
            Arrears,
            ("arrears_id",),
            keep_months=_REPLACED,
            keep_because="whether a bill was ever paid must be known as long as the bill is; how its sum changed need not be",
        ),
        Table(
            "credit",
            Credit,
            ("borrower_id", "bureau", "credit_month"),
            keep_months=60,
            keep_by="credit_month",
            keep_because="two years of windows, and the three for which a night is kept",
        ),
        Table(
            "events",
            Events,
            ("borrower_id", "kind", "happened_on"),
            keep_months=_REPLACED,
            keep_because="a bankruptcy or a closure counts for programmes that are given once in a life; only what was taken back goes",
        ),
        Table(
            "businesses",
            Businesses,
            ("business_id",),
            keep_months=_REPLACED,
            keep_because="a closed shop opens the way to programmes for years; how it stood before that does not",
        ),
        Table(
            "facts",
            Facts,
            ("borrower_id", "fact", "valid_from_on"),
            keep_months=_REPLACED,
            keep_because="each span of validity is a fact of its own, and verdicts of kept nights rest on them; only what was corrected goes",
        ),
        Table(
            "coverage",
            Coverage,
            ("borrower_id", "source_id", "subject", "from_on"),
            keep_months=_REPLACED,
            keep_because="what absence meant must be known for as long as the rows it speaks of; only what was corrected goes",
        ),
        Table(
            "lenders",
            Lenders,
            ("lender_id",),
            keep_months=_REPLACED,
            keep_because="which agreement a lender had joined matters to nights that are still kept",
        ),
        Table(
            "programme_status",
            ProgrammeStatus,
            ("programme_id", "region_code", "status_on"),
            keep_months=60,
            keep_by="status_on",
            keep_because="what was left of a programme explains the offers of kept nights, and nothing after them",
        ),
        Table(
            "consents",
            Consents,
            ("borrower_id", "purpose"),
            keep_because="each version proves on what processing rested, and may be asked for as long as anything is kept",
        ),
        Table(
            "awards_history",
            AwardsHistory,
            ("borrower_id", "programme_id", "awarded_on"),
            keep_months=_REPLACED,
            keep_because="what may be had once needs every award there was; only what was corrected goes",
        ),
    )
}

HOLDERS = ("borrowers", "loans", "repayments")  # whoever is named in one of them is a borrower

__all__ = ["HOLDERS", "TABLES", "Table"]
