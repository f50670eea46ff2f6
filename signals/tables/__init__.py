"""The canonical source tables: the one list everything else goes by."""

from __future__ import annotations

from signals.tables.contract import Limits, Table
from signals.tables.money import Credit, Lenders, Loans, Repayments
from signals.tables.people import Borrowers, Businesses, Consents, Coverage, Facts
from signals.tables.signs import (
    BILL_KINDS,
    DEFAULT_KINDS,
    INSURANCE_KINDS,
    OTHER_KINDS,
    TAX_KINDS,
    Arrears,
    AwardsHistory,
    Events,
    ProgrammeStatus,
    Sales,
)

_DISTRICTS = "the districts that lay in 29 and 46 are unknown from 2026-07-01 on: what they became under 12 was not found (decision 0017)"
_LENDERS = ("bank", "mutual", "savings", "card", "capital", "policy", "guarantee", "other")

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
            known_defect=_DISTRICTS,
            limits=Limits(
                nulls={"region_code": 0.2, "industry_code": 0.2},
                codes={"legal_form": ("sole", "corporation"), "owner_sex": ("F", "M")},
                watched=("employees", "annual_sales_krw"),
            ),
        ),
        Table(
            "loans",
            Loans,
            ("loan_id",),
            is_required=True,
            keep_months=_REPLACED,
            keep_because="the terms as they last stood are what a repayment is read against, also of a loan long repaid",
            limits=Limits(
                nulls={"opened_on": 0.2},
                codes={"purpose": ("business", "household")},
                watched=("principal_krw", "annual_rate_pct"),
            ),
        ),
        Table(
            "repayments",
            Repayments,
            ("loan_id", "due_month"),
            is_required=True,
            keep_months=84,
            keep_by="due_month",
            keep_because="training looks back over a whole cycle of lending and its five years of recovery",
            waits_for="loans",
            limits=Limits(
                fresh_days=45,
                nulls={"due_krw": 0.2, "paid_krw": 0.2, "balance_krw": 0.1},
                watched=("due_krw", "paid_krw", "balance_krw", "days_past_due"),
            ),
        ),
        Table(
            "sales",
            Sales,
            ("borrower_id", "sales_month"),
            keep_months=60,
            keep_by="sales_month",
            keep_because="two years of windows, and the three for which a night is kept",
            limits=Limits(fresh_days=62, watched=("card_sales_krw", "platform_sales_krw", "cash_receipt_krw")),
        ),
        Table(
            "arrears",
            Arrears,
            ("arrears_id",),
            keep_months=_REPLACED,
            keep_because="whether a bill was ever paid must be known as long as the bill is; how its sum changed need not be",
            limits=Limits(fresh_days=62, codes={"kind": (*BILL_KINDS, *TAX_KINDS, *INSURANCE_KINDS)}, watched=("amount_krw",)),
        ),
        Table(
            "credit",
            Credit,
            ("borrower_id", "bureau", "credit_month"),
            keep_months=60,
            keep_by="credit_month",
            keep_because="two years of windows, and the three for which a night is kept",
            limits=Limits(
                fresh_days=62,
                nulls={"credit_score": 0.2, "debt_krw": 0.2},
                codes={"bureau": ("nice", "kcb", "other")},
                watched=("credit_score", "debt_krw", "nonbank_debt_krw", "lenders_count"),
            ),
        ),
        Table(
            "events",
            Events,
            ("borrower_id", "kind", "happened_on"),
            keep_months=_REPLACED,
            keep_because="a bankruptcy or a closure counts for programmes that are given once in a life; only what was taken back goes",
            limits=Limits(codes={"kind": (*DEFAULT_KINDS, *OTHER_KINDS)}),
        ),
        Table(
            "businesses",
            Businesses,
            ("business_id",),
            keep_months=_REPLACED,
            keep_because="a closed shop opens the way to programmes for years; how it stood before that does not",
            known_defect=_DISTRICTS,
            limits=Limits(
                nulls={"trading_status": 0.2, "industry_code": 0.2},
                codes={"trading_status": ("trading", "suspended", "closed")},
                watched=("is_representative",),
            ),
        ),
        Table(
            "facts",
            Facts,
            ("borrower_id", "fact", "valid_from_on"),
            keep_months=_REPLACED,
            keep_because="each span of validity is a fact of its own, and verdicts of kept nights rest on them; only what was corrected goes",
            limits=Limits(codes={"source": ("holder", "owner", "caseworker")}),
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
            limits=Limits(codes={"kind": _LENDERS}),
        ),
        Table(
            "programme_status",
            ProgrammeStatus,
            ("programme_id", "region_code", "status_on"),
            keep_months=60,
            keep_by="status_on",
            keep_because="what was left of a programme explains the offers of kept nights, and nothing after them",
            limits=Limits(fresh_days=31, watched=("remaining_krw", "is_open")),
        ),
        Table(
            "consents",
            Consents,
            ("borrower_id", "purpose"),
            keep_because="each version proves on what processing rested, and may be asked for as long as anything is kept",
            limits=Limits(codes={"purpose": ("link", "score", "contact", "share")}),
        ),
        Table(
            "awards_history",
            AwardsHistory,
            ("borrower_id", "programme_id", "awarded_on"),
            keep_months=_REPLACED,
            keep_because="what may be had once needs every award there was; only what was corrected goes",
            limits=Limits(watched=("amount_krw",)),
        ),
    )
}

HOLDERS = ("borrowers", "loans", "repayments")  # whoever is named in one of them is a borrower

__all__ = ["HOLDERS", "TABLES", "Limits", "Table"]
