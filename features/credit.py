"""Credit standing: how one bureau sees the borrower, counted back from its newest month."""

from __future__ import annotations

from typing import Literal

from features.debt import YEARLY_SALES
from features.feature import Feature
from features.formula import Aggregate, Value, change, difference, last_months, month_back, ratio

_THEME = "credit standing"
_QUARTER = 3


def _newest(column: str, months: int = 0) -> Aggregate:
    return Aggregate("credit", "max", column, month_back(months))


def _score_change(months: int, sign: str) -> Feature:
    return Feature(
        name=f"credit_score_change_{months}m",
        theme=_THEME,
        label_ko=f"최근 {months}개월 신용점수 변동",
        label_en=f"The {months}-month change in the credit score",
        value=difference(_newest("credit_score"), _newest("credit_score", months)),
        unit="points change",
        worse="down",
        meaning=f"Credit score now less that of the same bureau {months} months before{sign}.",
        null_means="the bureau has no score for one of the two months",
        says_ko=f"신용점수가 {months}개월 전과 비교해 {{value}}.",
        says_en=f"Compared with {months} months ago, the credit score {{value}}.",
    )


def _enquiries(months: int) -> Value:
    return Aggregate("credit", "sum", "enquiries_count", last_months(months))


def _enquiries_a_month(months: int) -> Value:
    return ratio(_enquiries(months), Aggregate("credit", "count", "enquiries_count", last_months(months)))


def _extreme(how: Literal["max", "min"]) -> Aggregate:
    return Aggregate("credit", how, "credit_score", last_months(12))


def _enquiries_made(months: int) -> Feature:
    span_ko, span_en = f"최근 {months}개월", "last three months" if months == _QUARTER else "last twelve months"
    return Feature(
        name=f"enquiries_{months}m",
        theme=_THEME,
        label_ko=f"{span_ko} 신용조회 횟수",
        label_en=f"The number of credit enquiries in the {span_en}",
        value=_enquiries(months),
        unit="enquiries",
        worse="up",
        meaning=f"Credit enquiries in the bureau's newest {'three' if months == _QUARTER else 'twelve'} months.",
        null_means="no bureau reports enquiries for these months",
        says_ko=f"{span_ko} 동안 신용조회는 {{value}} 있었습니다.",
        says_en=f"In the {span_en} lenders made {{value}} about the borrower.",
        zero_says_ko=f"{span_ko} 동안 신용조회가 없었습니다.",
        zero_says_en=f"In the {span_en} there was no credit enquiry.",
    )


CREDIT: tuple[Feature, ...] = (
    Feature(
        name="credit_score",
        theme=_THEME,
        label_ko="신용점수",
        label_en="The credit score",
        value=_newest("credit_score"),
        unit="points",
        worse="down",
        meaning="Newest score of one bureau (NICE, else KCB, else another); 839 and 744 are official bounds.",
        null_means="no bureau has scored the borrower in the last three months",
        says_ko="신용점수는 {value}입니다.",
        says_en="The credit score is {value}.",
    ),
    _score_change(12, " (a fall of 100 is an official sign)"),
    _score_change(6, ""),
    _score_change(3, ""),
    Feature(
        name="lenders_count",
        theme=_THEME,
        label_ko="대출 금융회사 수",
        label_en="The number of lenders",
        value=_newest("lenders_count"),
        unit="lenders",
        worse="up",
        meaning="Institutions the borrower owes, as the bureau counts them (two, three or more are official signs).",
        null_means="no bureau reports it for its newest month",
        says_ko="대출을 받은 금융회사는 {value}입니다.",
        says_en="Loans are owed to {value}.",
    ),
    Feature(
        name="nonbank_debt_change_6m",
        theme=_THEME,
        label_ko="최근 6개월 비은행 대출 변동",
        label_en="The six-month change in debt to lenders other than banks",
        value=ratio(difference(_newest("nonbank_debt_krw"), _newest("nonbank_debt_krw", 6)), _newest("debt_krw", 6)),
        unit="change",
        worse="up",
        meaning="Change of debt to lenders other than banks in six months, relative to all debt six months before.",
        null_means="the bureau lacks one of the two months, or there was no debt then",
        says_ko="은행이 아닌 금융회사의 대출이 6개월 전 전체 대출 대비 {value}.",
        says_en="Relative to all debt six months ago, debt to lenders other than banks {value}.",
    ),
    _enquiries_made(3),
    _enquiries_made(12),
    Feature(
        name="enquiries_trend_12m",
        theme=_THEME,
        label_ko="12개월 평균 대비 최근 3개월 신용조회",
        label_en="The monthly number of credit enquiries in the last three months against twelve",
        value=difference(_enquiries_a_month(3), _enquiries_a_month(12)),
        unit="enquiries change",
        meaning="Credit enquiries a month in the bureau's newest three months less those in its newest twelve; no constraint, for who is always asking never rises.",
        null_means="no bureau reports enquiries for these months",
        says_ko="최근 3개월의 월평균 신용조회가 12개월 평균과 비교해 {value}.",
        says_en="Compared with twelve months, the monthly number of credit enquiries in the last three {value}.",
    ),
    Feature(
        name="credit_score_min_12m",
        theme=_THEME,
        label_ko="최근 12개월의 최저 신용점수",
        label_en="The lowest credit score of the last twelve months",
        value=_extreme("min"),
        unit="points",
        worse="down",
        meaning="Lowest score of the bureau's newest twelve months.",
        null_means="the bureau has no score for these months",
        says_ko="최근 12개월 동안 신용점수가 가장 낮았을 때는 {value}이었습니다.",
        says_en="At its lowest in the last twelve months, the credit score was {value}.",
    ),
    Feature(
        name="credit_score_range_12m",
        theme=_THEME,
        label_ko="최근 12개월 신용점수의 변동폭",
        label_en="The swing of the credit score over twelve months",
        value=difference(_extreme("max"), _extreme("min")),
        unit="points",
        meaning="Highest less lowest score of the bureau's newest twelve months; no constraint, for a score may also swing upwards.",
        null_means="the bureau has no score for these months",
        says_ko="최근 12개월 동안 가장 높은 신용점수와 가장 낮은 신용점수의 차이는 {value}입니다.",
        says_en="In the last twelve months, the highest and the lowest credit score lay {value} apart.",
        zero_says_ko="최근 12개월 동안 신용점수가 그대로였습니다.",
        zero_says_en="In the last twelve months, the credit score stayed the same.",
    ),
    Feature(
        name="low_score_months_12m",
        theme=_THEME,
        label_ko="최근 12개월 중 신용점수가 744점 이하였던 달의 수",
        label_en="The number of months with a credit score at or below 744 in the last twelve",
        value=Aggregate("credit", "sum", "low_score", last_months(12)),
        unit="months",
        worse="up",
        meaning="Months among the bureau's newest twelve with a score at or below 744, an official bound.",
        null_means="the bureau has no score for these months",
        says_ko="최근 12개월 가운데 신용점수가 744점 이하였던 달은 {value}입니다.",
        says_en="In the last twelve months, the credit score was at or below 744 in {value}.",
        zero_says_ko="최근 12개월 동안 신용점수가 744점 이하였던 달이 없습니다.",
        zero_says_en="In the last twelve months, the credit score was never at or below 744.",
    ),
    Feature(
        name="lenders_change_6m",
        theme=_THEME,
        label_ko="최근 6개월 대출 금융회사 수 변동",
        label_en="The six-month change in the number of lenders",
        value=difference(_newest("lenders_count"), _newest("lenders_count", 6)),
        unit="lenders change",
        worse="up",
        meaning="Institutions the borrower owes now less those six months before, by the same bureau.",
        null_means="the bureau lacks one of the two months",
        says_ko="대출을 받은 금융회사 수가 6개월 전과 비교해 {value}.",
        says_en="Compared with six months ago, the number of lenders {value}.",
    ),
    Feature(
        name="debt_change_12m",
        theme=_THEME,
        label_ko="최근 12개월 전체 부채 변동",
        label_en="The twelve-month change in all debt",
        value=change(_newest("debt_krw"), _newest("debt_krw", 12)),
        unit="change",
        meaning="All debt as the bureau counts it against twelve months before, as a relative change; no constraint, for a shop that grows borrows too.",
        null_means="the bureau lacks one of the two months, or there was no debt then",
        says_ko="전체 부채가 1년 전과 비교해 {value}.",
        says_en="Compared with a year ago, all debt {value}.",
    ),
    Feature(
        name="bureau_nonbank_share",
        theme=_THEME,
        label_ko="전체 부채 중 비은행 대출의 비중",
        label_en="The share of all debt owed to lenders other than banks",
        value=ratio(_newest("nonbank_debt_krw"), _newest("debt_krw")),
        unit="share",
        worse="up",
        meaning="Debt to lenders other than banks over all debt, as the bureau counts them.",
        null_means="no bureau reports both for its newest month, or there is no debt",
        says_ko="전체 부채 가운데 은행이 아닌 금융회사의 대출은 {value}입니다.",
        says_en="Of all debt, {value} is owed to lenders other than banks.",
    ),
    Feature(
        name="all_debt_to_sales",
        theme=_THEME,
        label_ko="연매출 대비 전체 부채",
        label_en="All debt relative to a year's sales",
        value=ratio(_newest("debt_krw"), YEARLY_SALES),
        unit="share",
        worse="up",
        meaning="All debt as the bureau counts it, also with lenders that do not report to us, over a year's sales.",
        null_means="no bureau reports debt for its newest month, or sales unknown or none",
        says_ko="신용정보회사가 집계한 전체 부채는 연매출의 {value}입니다.",
        says_en="All debt the bureau counts comes to {value} of a year's sales.",
    ),
)
