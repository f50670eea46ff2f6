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

_LENDERS = ("bank", "mutual", "savings", "card", "capital", "policy", "guarantee", "other")

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "borrowers",
            Borrowers,
            ("borrower_id",),
            is_required=True,
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
            limits=Limits(fresh_days=62, watched=("card_sales_krw", "platform_sales_krw", "cash_receipt_krw")),
        ),
        Table(
            "arrears",
            Arrears,
            ("arrears_id",),
            limits=Limits(fresh_days=62, codes={"kind": (*BILL_KINDS, *TAX_KINDS, *INSURANCE_KINDS)}, watched=("amount_krw",)),
        ),
        Table(
            "credit",
            Credit,
            ("borrower_id", "bureau", "credit_month"),
            limits=Limits(
                fresh_days=62,
                nulls={"credit_score": 0.2, "debt_krw": 0.2},
                codes={"bureau": ("nice", "kcb", "other")},
                watched=("credit_score", "debt_krw", "nonbank_debt_krw", "lenders_count"),
            ),
        ),
        Table("events", Events, ("borrower_id", "kind", "happened_on"), limits=Limits(codes={"kind": (*DEFAULT_KINDS, *OTHER_KINDS)})),
        Table(
            "businesses",
            Businesses,
            ("business_id",),
            limits=Limits(
                nulls={"trading_status": 0.2, "industry_code": 0.2},
                codes={"trading_status": ("trading", "suspended", "closed")},
                watched=("is_representative",),
            ),
        ),
        Table("facts", Facts, ("borrower_id", "fact", "valid_from_on"), limits=Limits(codes={"source": ("holder", "owner", "caseworker")})),
        Table("coverage", Coverage, ("borrower_id", "source_id", "subject", "from_on")),
        Table("lenders", Lenders, ("lender_id",), limits=Limits(codes={"kind": _LENDERS})),
        Table(
            "programme_status",
            ProgrammeStatus,
            ("programme_id", "region_code", "status_on"),
            limits=Limits(fresh_days=31, watched=("remaining_krw", "is_open")),
        ),
        Table(
            "consents",
            Consents,
            ("borrower_id", "purpose"),
            limits=Limits(codes={"purpose": ("link", "score", "contact", "share")}),
        ),
        Table("awards_history", AwardsHistory, ("borrower_id", "programme_id", "awarded_on"), limits=Limits(watched=("amount_krw",))),
    )
}

HOLDERS = ("borrowers", "loans", "repayments")  # whoever is named in one of them is a borrower

__all__ = ["HOLDERS", "TABLES", "Limits", "Table"]
