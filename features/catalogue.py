"""All features, theme by theme: the one list everything else goes by."""

from __future__ import annotations

from features.arrears import ARREARS
from features.business import BUSINESS
from features.credit import CREDIT
from features.debt import DEBT
from features.feature import Feature
from features.loans import LOANS
from features.overdue import OVERDUE
from features.repayment import REPAYMENT
from features.sales import SALES, SELLING
from features.signs import SIGNS

FEATURES: tuple[Feature, ...] = (*REPAYMENT, *OVERDUE, *DEBT, *LOANS, *SALES, *SELLING, *ARREARS, *CREDIT, *SIGNS, *BUSINESS)
BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}


def feature_names() -> tuple[str, ...]:
    """The columns of the features table beside borrower_id, in order."""
    return tuple(BY_NAME)


def directions() -> dict[str, int]:
    """Feature to monotone constraint: 1 where more is worse, -1 where less is worse, else 0."""
    return {feature.name: feature.direction for feature in FEATURES}


def themes() -> dict[str, str]:
    """Feature to theme, as `THEMES` names it in English."""
    return {feature.name: feature.theme for feature in FEATURES}
