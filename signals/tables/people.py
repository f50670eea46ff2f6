"""Borrowers, their businesses, what is known of them, and what they agreed to."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from signals.tables.contract import WON, Known, among


class Borrowers(Known):
    """One row per borrower (a person or a corporation with loans) and version; the pseudonym comes from one linking body. Required."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="Pseudonym of the borrower, the same at all holders.")
    region_code = dy.String(nullable=True, description="First two digits of the administrative region (dated code); null: unknown.")
    district_code = dy.String(nullable=True, description="District (first five digits of the region code); null: unknown.")
    industry_code = dy.String(nullable=True, description="Main industry, KSIC code, with its section letter first or bare; null: unknown.")
    legal_form = dy.String(nullable=True, check=among("sole", "corporation"), description="sole or corporation; null: unknown.")
    opened_on = dy.Date(nullable=True, description="The day the oldest business still known opened; null: unknown.")
    employees = dy.Int64(nullable=True, min=0, description="Regular employees, the owner not counted; null: unknown.")
    annual_sales_krw = dy.Int64(nullable=True, min=-WON, max=WON, description="Sales of the last closed tax year, won; null: unknown.")
    owner_birth_year = dy.Int64(nullable=True, min=1880, max=2100, description="Birth year; for the fairness report only; null: unknown.")
    owner_sex = dy.String(nullable=True, check=among("F", "M"), description="F or M; for the fairness report only; null: unknown.")


class Businesses(Known):
    """One row per business and version; a borrower may have several."""

    business_id = dy.String(primary_key=True, min_length=1, description="Pseudonym of the business.")
    borrower_id = dy.String(min_length=1, description="The borrower it belongs to.")
    is_representative = dy.Bool(nullable=True, description="Whether the borrower represents it; null: unknown.")
    opened_on = dy.Date(nullable=True, description="The day it opened; null: unknown.")
    closed_on = dy.Date(nullable=True, description="The day it closed; null: not closed as far as known.")
    trading_status = dy.String(
        nullable=True, check=among("trading", "suspended", "closed"), description="As the tax office says; null: unknown."
    )
    industry_code = dy.String(nullable=True, description="Industry, KSIC code, with its section letter first or bare; null: unknown.")
    region_code = dy.String(nullable=True, description="Region code; null: unknown.")
    district_code = dy.String(nullable=True, description="District code; null: unknown.")

    @dy.rule()
    def closed_after_opened(cls) -> pl.Expr:
        """A business can't close before it opened."""
        return pl.col("closed_on") >= pl.col("opened_on")


class Facts(Known):
    """One row per borrower, fact, first day of validity and version: what eligibility rules ask and no signal brings."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    fact = dy.String(primary_key=True, min_length=1, description="The fact's name, declared in guidance/facts.py.")
    valid_from_on = dy.Date(primary_key=True, description="The first day it held.")
    value = dy.String(min_length=1, description="The value as text, read by the fact's declared type.")
    source = dy.String(check=among("holder", "owner", "caseworker"), description="Who said so.")
    valid_until_on = dy.Date(nullable=True, description="The last day it held; null: still holds as far as known.")


class Consents(Known):
    """One row per borrower, purpose and version: what processing rests on."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    purpose = dy.String(primary_key=True, check=among("link", "score", "contact", "share"), description="What for.")
    granted_on = dy.Date(description="The day it was granted.")
    withdrawn_on = dy.Date(nullable=True, description="The day it was withdrawn; null: stands.")
    legal_basis = dy.String(nullable=True, description="The statute or the consent form; null: consent form not named.")


class Coverage(Known):
    """One row per borrower, source, subject and first day: the holder reports that subject for this borrower, so no row there means no."""

    borrower_id = dy.String(primary_key=True, min_length=1, description="The borrower.")
    source_id = dy.String(primary_key=True, min_length=1, description="The source that reports.")
    subject = dy.String(primary_key=True, min_length=1, description="A table name, or the name of a fact.")
    from_on = dy.Date(primary_key=True, description="The first day covered.")
    until_on = dy.Date(nullable=True, description="The last day covered; null: still covered.")
