"""Credit standing: how many of the official signs show, each counted from the feature whose bound it is."""

from __future__ import annotations

from features.arrears import ARREARS
from features.credit import CREDIT
from features.feature import Feature
from features.formula import Value, is_at_least, is_at_most, total
from features.repayment import REPAYMENT
from features.sales import SALES

# The official signs by their features; 5 business days are at least 7 days of the calendar. A score, its change and sales show by falling.
_BOUNDS: tuple[tuple[str, float], ...] = (
    ("days_past_due", 7), ("days_past_due", 15), ("days_past_due", 31), ("days_past_due", 90), ("overdue_days_6m", 31),
    ("credit_score_change_12m", -100), ("credit_score", 839), ("credit_score", 744), ("lenders_count", 2), ("lenders_count", 3),
    ("sales_change_yoy", -0.10), ("tax_arrears_krw", 5_000_000),
)  # fmt: skip
_FEATURES = {feature.name: feature for feature in (*REPAYMENT, *SALES, *ARREARS, *CREDIT)}


def _sign(name: str, bound: float) -> Value:
    feature = _FEATURES[name]
    return is_at_most(feature.value, bound) if feature.worse == "down" else is_at_least(feature.value, bound)


SIGNS: tuple[Feature, ...] = (
    Feature(
        name="official_signs_count",
        theme="credit standing",
        label_ko="현재 나타난 공식 주의 신호의 수",
        label_en="The number of official signs that show",
        value=total(*(_sign(name, bound) for name, bound in _BOUNDS)),
        unit="signs",
        worse="up",
        meaning=(
            "How many of the twelve official signs show: 5 business days, 15, 31 and 90 days overdue; more than 30 overdue days in six months; "
            "a score fall of 100 in a year; a score of 839 or 744 or less; two and three lenders; sales down by 10 % on the year; "
            "5 million won of tax unpaid. What is not known shows none."
        ),
        null_means="none of the facts that signs are read from is known",
        says_ko="공식 기준의 주의 신호 12가지 가운데 {value}가 나타나고 있습니다.",
        says_en="By the official rules, {value} of strain can be seen, out of twelve.",
        zero_says_ko="공식 기준의 주의 신호가 확인되지 않습니다.",
        zero_says_en="None of the twelve official signs of strain is known to show.",
    ),
)
