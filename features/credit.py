"""Credit standing: how one bureau sees the borrower, counted back from its newest month."""

from __future__ import annotations

from features.feature import Feature
from features.formula import Aggregate, difference, last_months, month_back, ratio

_THEME = "credit standing"


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
    Feature(
        name="enquiries_3m",
        theme=_THEME,
        label_ko="최근 3개월 신용조회 횟수",
        label_en="The number of credit enquiries in the last three months",
        value=Aggregate("credit", "sum", "enquiries_count", last_months(3)),
        unit="enquiries",
        worse="up",
        meaning="Credit enquiries in the bureau's newest three months.",
        null_means="no bureau reports enquiries for these months",
        says_ko="최근 3개월 동안 신용조회는 {value} 있었습니다.",
        says_en="In the last three months lenders made {value} about the borrower.",
        zero_says_ko="최근 3개월 동안 신용조회가 없었습니다.",
        zero_says_en="In the last three months there was no credit enquiry.",
    ),
)
