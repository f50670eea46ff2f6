"""The canonical source tables: the one list everything else goes by."""

from __future__ import annotations

from signals.tables.contract import Table
from signals.tables.money import Credit, Lenders, Loans, Repayments
from signals.tables.people import Borrowers, Businesses, Consents, Coverage, Facts
from signals.tables.signs import Arrears, AwardsHistory, Events, ProgrammeStatus, Sales

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("borrowers", Borrowers, ("borrower_id",), is_required=True),
        Table("loans", Loans, ("loan_id",), is_required=True),
        Table("repayments", Repayments, ("loan_id", "due_month"), is_required=True),
        Table("sales", Sales, ("borrower_id", "sales_month")),
        Table("arrears", Arrears, ("arrears_id",)),
        Table("credit", Credit, ("borrower_id", "bureau", "credit_month")),
        Table("events", Events, ("borrower_id", "kind", "happened_on")),
        Table("businesses", Businesses, ("business_id",)),
        Table("facts", Facts, ("borrower_id", "fact", "valid_from_on")),
        Table("coverage", Coverage, ("borrower_id", "source_id", "subject", "from_on")),
        Table("lenders", Lenders, ("lender_id",)),
        Table("programme_status", ProgrammeStatus, ("programme_id", "region_code", "status_on")),
        Table("consents", Consents, ("borrower_id", "purpose")),
        Table("awards_history", AwardsHistory, ("borrower_id", "programme_id", "awarded_on")),
    )
}

HOLDERS = ("borrowers", "loans", "repayments")  # whoever is named in one of them is a borrower

__all__ = ["HOLDERS", "TABLES", "Table"]
