"""Debt burden, month by month: how much is owed and drawn, how it moves, and what it asks of the sales."""

from __future__ import annotations

from features.feature import Feature
from features.formula import (
    Aggregate,
    Value,
    Window,
    change,
    difference,
    first_known,
    last_months,
    month_back,
    ratio,
)
from features.sales import SALES_12M

_THEME = "debt burden"

# what a year brings: the monthly sales, or where they are not known those of the last closed tax year
YEARLY_SALES = first_known(SALES_12M, Aggregate("borrowers", "max", "annual_sales_krw"))


def _balance(window: Window) -> Aggregate:
    return Aggregate("repayments", "sum", "balance_krw", window)


def _line(column: str) -> Aggregate:
    return Aggregate("repayments", "sum", column, month_back(0))


def _repaid(of: str, window: Window) -> Value:
    paid, against = {"owed": ("paid_of_owed_krw", "owed_krw"), "line": ("paid_of_line_krw", "line_paid_krw")}[of]
    return ratio(Aggregate("repayments", "sum", paid, window), Aggregate("repayments", "sum", against, window))


def _used(window: Window) -> Value:
    return ratio(Aggregate("repayments", "sum", "drawn_krw", window), Aggregate("repayments", "sum", "line_krw", window))


_EARLIER = Window(3, 5)

DEBT: tuple[Feature, ...] = (
    Feature(
        name="balance_krw",
        theme=_THEME,
        label_ko="대출 잔액",
        label_en="The balance of the loans",
        value=_balance(month_back(0)),
        unit="won",
        meaning="What is owed on all loans, each at its newest month; loans without news for three months are left out.",
        null_means="no loan reports a balance",
        says_ko="대출 잔액은 모두 {value}입니다.",
        says_en="The loans add up to {value}.",
    ),
    Feature(
        name="credit_limit_krw",
        theme=_THEME,
        label_ko="한도대출의 한도",
        label_en="The credit limit",
        value=Aggregate("repayments", "sum", "limit_krw", month_back(0)),
        unit="won",
        meaning="The limits of all credit lines at their newest month.",
        null_means="no credit line is known",
        says_ko="한도대출의 한도는 모두 {value}입니다.",
        says_en="The credit lines allow {value} in all.",
    ),
    Feature(
        name="utilisation",
        theme=_THEME,
        label_ko="한도 사용률",
        label_en="The share of the credit lines in use",
        value=_used(month_back(0)),
        unit="share",
        worse="up",
        meaning="Balance over limit of the credit lines, at their newest month.",
        null_means="no credit line with a balance is known",
        says_ko="대출 한도의 {value}를 사용하고 있습니다.",
        says_en="{value} of the credit lines is in use.",
    ),
    Feature(
        name="utilisation_6m",
        theme=_THEME,
        label_ko="최근 6개월 평균 한도 사용률",
        label_en="The share of the credit lines in use over the last six months",
        value=_used(last_months(6)),
        unit="share",
        worse="up",
        meaning="Balances over limits of the credit lines, summed over the newest six months.",
        null_means="no credit line with a balance is known",
        says_ko="최근 6개월 동안 대출 한도의 평균 {value}를 사용했습니다.",
        says_en="Over the last six months, {value} of the credit lines was in use on average.",
    ),
    Feature(
        name="utilisation_change_3m",
        theme=_THEME,
        label_ko="최근 3개월 한도 사용률 변동",
        label_en="The three-month change in the use of the credit lines",
        value=difference(_used(month_back(0)), _used(month_back(3))),
        unit="share change",
        meaning="Utilisation now less that three months before.",
        null_means="one of the two months has no credit line with a balance",
        says_ko="한도 사용률이 3개월 전과 비교해 {value}.",
        says_en="Compared with three months ago, the use of the credit lines {value}.",
    ),
    Feature(
        name="balance_change_6m",
        theme=_THEME,
        label_ko="최근 6개월 대출 잔액 변동",
        label_en="The six-month change in the balance of the loans",
        value=change(
            ratio(_balance(last_months(3)), Aggregate("repayments", "count", "balance_krw", last_months(3))),
            ratio(_balance(_EARLIER), Aggregate("repayments", "count", "balance_krw", _EARLIER)),
        ),
        unit="change",
        meaning="Mean balance of a loan in the newest three months against the three before, as a relative change.",
        null_means="one of the two quarters has no balance above zero",
        says_ko="최근 3개월의 평균 대출 잔액이 그 전 3개월과 비교해 {value}.",
        says_en="Compared with the three months before, the mean balance of the last three months {value}.",
    ),
    Feature(
        name="balance_max_6m_krw",
        theme=_THEME,
        label_ko="최근 6개월 중 최고 대출 잔액",
        label_en="The highest balance of the last six months",
        value=Aggregate("repayments", "max", "balance_krw", last_months(6)),
        unit="won",
        meaning="The highest balance of any one loan in the newest six months.",
        null_means="no loan reports a balance",
        says_ko="최근 6개월 동안 한 대출의 잔액이 가장 높았을 때는 {value}이었습니다.",
        says_en="At its highest in the last six months, the balance of one loan was {value}.",
    ),
    Feature(
        name="paid_to_balance_3m",
        theme=_THEME,
        label_ko="최근 3개월 잔액 대비 납입 비율",
        label_en="What was paid in the last three months relative to the balance",
        value=_repaid("owed", last_months(3)),
        unit="share",
        worse="down",
        meaning="Paid over balance, both summed over the newest three months that have a balance.",
        null_means="no month with a balance and a payment status is known",
        says_ko="최근 3개월 동안 매달 대출 잔액의 평균 {value}를 납입했습니다.",
        says_en="In the last three months, {value} of the balance was paid each month on average.",
    ),
    Feature(
        name="paid_to_limit_3m",
        theme=_THEME,
        label_ko="최근 3개월 한도 대비 납입 비율",
        label_en="What was paid in the last three months relative to the credit lines",
        value=_repaid("line", last_months(3)),
        unit="share",
        meaning="Paid over limit of the credit lines, both summed over the newest three months; one who uses little also pays little.",
        null_means="no credit line with a payment status is known",
        says_ko="최근 3개월 동안 매달 대출 한도의 평균 {value}를 납입했습니다.",
        says_en="In the last three months, payments came to {value} of the credit lines each month on average.",
    ),
    Feature(
        name="paid_max_6m_krw",
        theme=_THEME,
        label_ko="최근 6개월 중 최고 납입액",
        label_en="The largest payment of the last six months",
        value=Aggregate("repayments", "max", "paid_krw", last_months(6)),
        unit="won",
        meaning="The most paid on one loan in one of the newest six months.",
        null_means="no payment status is known",
        says_ko="최근 6개월 동안 한 대출에 한 달 동안 가장 많이 납입한 금액은 {value}입니다.",
        says_en="The most paid on one loan in one of the last six months was {value}.",
    ),
    Feature(
        name="debt_to_sales",
        theme=_THEME,
        label_ko="연매출 대비 대출 잔액",
        label_en="The balance of the loans relative to a year's sales",
        value=ratio(_balance(month_back(0)), YEARLY_SALES),
        unit="share",
        worse="up",
        meaning="Loan balance over the sales of twelve months (of the last closed tax year where monthly sales are not known).",
        null_means="balance or sales unknown, or no sales",
        says_ko="대출 잔액은 연매출의 {value}입니다.",
        says_en="The loans come to {value} of a year's sales.",
    ),
    Feature(
        name="full_lines_count",
        theme=_THEME,
        label_ko="한도를 90% 이상 사용한 한도대출 건수",
        label_en="The number of credit lines at least nine tenths in use",
        value=_line("full_line"),
        unit="lines",
        worse="up",
        meaning="Credit lines of which at least 90 % is in use, at their newest month.",
        null_means="no credit line with a balance is known",
        says_ko="한도를 90% 이상 사용한 한도대출은 {value}입니다.",
        says_en="At least nine tenths is in use on {value}.",
        zero_says_ko="한도를 90% 이상 사용한 한도대출이 없습니다.",
        zero_says_en="No credit line is nine tenths or more in use.",
    ),
    Feature(
        name="unused_lines_krw",
        theme=_THEME,
        label_ko="한도대출의 남은 한도",
        label_en="What the credit lines still allow",
        value=difference(_line("line_krw"), _line("drawn_krw")),
        unit="won",
        worse="down",
        meaning="Limits of the credit lines less what is drawn, at their newest month; below zero where more is drawn than allowed.",
        null_means="no credit line with a balance is known",
        says_ko="한도대출의 남은 한도는 모두 {value}입니다.",
        says_en="The credit lines still allow {value}.",
    ),
    Feature(
        name="debt_service_to_sales_12m",
        theme=_THEME,
        label_ko="연매출 대비 최근 12개월 원리금 상환 부담",
        label_en="What fell due in the last twelve months relative to a year's sales",
        value=ratio(Aggregate("repayments", "sum", "due_known_krw", last_months(12)), YEARLY_SALES),
        unit="share",
        worse="up",
        meaning="What fell due on all loans in the newest twelve months over a year's sales.",
        null_means="nothing is known to have fallen due, or sales unknown or none",
        says_ko="최근 12개월 동안 갚아야 했던 원리금은 연매출의 {value}입니다.",
        says_en="What fell due in the last twelve months comes to {value} of a year's sales.",
    ),
)
