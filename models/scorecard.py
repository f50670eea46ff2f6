"""The official signs of trouble with written points: the baseline to beat, and what a night falls back on."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Sign:
    """One official sign: the points it adds when `feature` is at least (or at most) the bound.

    An unknown feature shows no sign. Signs of one kind add up: 31 days overdue carries the points of 5 and 15 too.
    """

    name: str
    points: int
    feature: str
    bound: float
    words_ko: str
    words_en: str
    source: str
    is_at_most: bool = False

    @property
    def shows(self) -> pl.Expr:
        """Whether the sign shows: never null."""
        value = pl.col(self.feature)
        is_over = value <= self.bound if self.is_at_most else value >= self.bound
        return is_over.fill_null(value=False)


_BUREAU = "FACTS §5.5: short-term delinquency shared by the credit bureaus"
_SEMAS = "FACTS §0.4: SEMAS 부실징후기업 (sign of insolvency)"
_SEJONG = "FACTS §0.4: 세종신용보증재단 분할상환 특례보증"
_BANKS = "FACTS §0.4: 은행권 연체 전 채무조정 (bank pre-delinquency scheme)"
_SIGNALS = "FACTS §1.3"

# 5 business days are at least 7 days of the calendar.
# fmt: off
SIGNS: tuple[Sign, ...] = (
    Sign("overdue_5_business_days", 10, "days_past_due", 7, "5영업일 이상 연체", "5 business days overdue or more", _BUREAU),
    Sign("overdue_15_days", 15, "days_past_due", 15, "15일 이상 연체", "15 days overdue or more", _SEMAS),
    Sign("overdue_31_days", 25, "days_past_due", 31, "31일 이상 연체", "31 days overdue or more", _SIGNALS),
    Sign("overdue_90_days", 50, "days_past_due", 90, "90일 이상 연체", "90 days overdue or more", _SIGNALS),
    Sign("overdue_over_30_days_6m", 20, "overdue_days_6m", 31, "6개월 누적 연체 30일 초과", "More than 30 overdue days in six months", _BANKS),
    Sign("in_adjustment", 25, "is_in_adjustment", 1, "공적 채무조정 중", "In public debt adjustment", _SEMAS),
    Sign("score_fall_100", 20, "credit_score_change_12m", -100, "신용점수 1년간 100점 이상 하락", "Credit score fell by 100 or more in a year", _SEJONG, True),
    Sign("score_839", 5, "credit_score", 839, "신용점수 839점 이하", "Credit score at or below 839", _SEJONG, True),
    Sign("score_744", 10, "credit_score", 744, "신용점수 744점 이하", "Credit score at or below 744", _SIGNALS, True),
    Sign("lenders_2", 2, "lenders_count", 2, "대출기관 2곳 이상", "Two lenders or more", _SEJONG),
    Sign("lenders_3", 3, "lenders_count", 3, "대출기관 3곳 이상 (다중채무)", "Three lenders or more", _SIGNALS),
    Sign("sales_fall_10", 8, "sales_change_yoy", -0.10, "매출 전년 대비 10% 이상 감소", "Sales fell by 10 % or more on the year", _SIGNALS, True),
    Sign("tax_arrears_5m", 20, "tax_arrears_krw", 5_000_000, "국세·지방세 500만원 이상 체납", "Tax arrears of 5 million won or more", _SIGNALS),
)

# The fact itself: the first reason of everyone distressed, whether or not a sign still shows.
CRISIS = Sign("in_crisis", 100, "is_in_crisis", 1, "최근 12개월 내 채무불이행 또는 90일 이상 연체", "A default within 12 months, or 90 days overdue", "DESIGN §6")
# fmt: on

SCORECARD_VERSION = "scorecard"
# 15 days overdue has the points of caution, 31 days those of alert.
CAUTION_POINTS = 25
ALERT_POINTS = 50


def score_signs(features: pl.DataFrame) -> pl.DataFrame:
    """Score each borrower by the official signs.

    One row per borrower_id, in the order of `features`: `points` (whole, 0 and up), `has_sign`, and one flag per sign
    under its name. A feature that is absent or null shows no sign.

    >>> score_signs(pl.DataFrame({"borrower_id": ["A"], "days_past_due": [20.0]}))["points"].to_list()
    [25]
    """
    absent = sorted({sign.feature for sign in SIGNS} - set(features.columns))
    known = features.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in absent)
    flags = known.select("borrower_id", **{sign.name: sign.shows for sign in SIGNS})
    points = pl.sum_horizontal(pl.col(sign.name).cast(pl.Int64) * sign.points for sign in SIGNS)
    has_sign = pl.any_horizontal(sign.name for sign in SIGNS)
    return flags.select("borrower_id", points.alias("points"), has_sign.alias("has_sign"), *[sign.name for sign in SIGNS])
