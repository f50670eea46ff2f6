"""Debt burden: how much is owed, to whom, against what, and how soon it falls due."""

from __future__ import annotations

from features.feature import Feature, Worse
from features.formula import (
    Aggregate,
    Value,
    Window,
    change,
    difference,
    first_known,
    hundredth,
    last_months,
    month_back,
    none_is_zero,
    ratio,
)
from features.sales import SALES_12M

_THEME = "debt burden"
_BALANCE = Aggregate("repayments", "sum", "balance_krw", month_back(0))


def _repaid(of: str, window: Window) -> Value:
    paid, against = {"owed": ("paid_of_owed_krw", "owed_krw"), "line": ("paid_of_line_krw", "line_paid_krw")}[of]
    return ratio(Aggregate("repayments", "sum", paid, window), Aggregate("repayments", "sum", against, window))


def _used(window: Window) -> Value:
    return ratio(Aggregate("repayments", "sum", "drawn_krw", window), Aggregate("repayments", "sum", "line_krw", window))


def _of_loans(column: str) -> Aggregate:
    return Aggregate("loans", "sum", column)


def _share_of_loans(name: str, part: str, whole: str, words: tuple[str, str], known: str, worse: Worse = None) -> Feature:
    in_ko, in_en = words
    return Feature(
        name=name,
        theme=_THEME,
        label_ko=f"{in_ko} 대출의 비중",
        label_en=f"The share of the loans {in_en}",
        value=ratio(none_is_zero(_of_loans(part)), _of_loans(whole)),
        unit="share",
        worse=worse,
        meaning=f"Part of what is owed on open loans that is {in_en}.",
        null_means=f"no open loan with a balance and a known {known}",
        says_ko=f"{in_ko} 대출은 전체의 {{value}}입니다.",
        says_en=f"{{value}} of the loans is {in_en}.",
    )


_EARLIER = Window(3, 5)

DEBT: tuple[Feature, ...] = (
    Feature(
        name="balance_krw",
        theme=_THEME,
        label_ko="대출 잔액",
        label_en="The balance of the loans",
        value=_BALANCE,
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
            ratio(
                Aggregate("repayments", "sum", "balance_krw", last_months(3)),
                Aggregate("repayments", "count", "balance_krw", last_months(3)),
            ),
            ratio(Aggregate("repayments", "sum", "balance_krw", _EARLIER), Aggregate("repayments", "count", "balance_krw", _EARLIER)),
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
        label_en="The payments of the last three months relative to the balance",
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
        label_en="The payments of the last three months relative to the credit lines",
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
        says_ko="최근 6개월 동안 가장 많이 납입한 달의 금액은 {value}입니다.",
        says_en="The largest payment of the last six months was {value}.",
    ),
    Feature(
        name="loans_count",
        theme=_THEME,
        label_ko="이용 중인 대출 건수",
        label_en="The number of open loans",
        value=Aggregate("loans", "count", "row"),
        unit="loans",
        meaning="Loans with something owed at a status of the last three months, or opened in them and not yet reported.",
        null_means="no open loan is known",
        says_ko="이용 중인 대출은 {value}입니다.",
        says_en="The borrower has {value} open.",
    ),
    Feature(
        name="new_loans_6m",
        theme=_THEME,
        label_ko="최근 6개월 신규 대출 건수",
        label_en="The number of loans opened in the last six months",
        value=Aggregate("loans", "sum", "opened_lately"),
        unit="loans",
        worse="up",
        meaning="Open loans whose opening month is one of the six calendar months that end with that of as_of.",
        null_means="no open loan with a known opening day",
        says_ko="최근 6개월 동안 새로 받은 대출은 {value}입니다.",
        says_en="In the last six months, new borrowing came to {value}.",
        zero_says_ko="최근 6개월 동안 새로 받은 대출이 없습니다.",
        zero_says_en="In the last six months, no loan was opened.",
    ),
    Feature(
        name="debt_to_sales",
        theme=_THEME,
        label_ko="연매출 대비 대출 잔액",
        label_en="The balance of the loans relative to a year's sales",
        value=ratio(_BALANCE, first_known(SALES_12M, Aggregate("borrowers", "max", "annual_sales_krw"))),
        unit="share",
        worse="up",
        meaning="Loan balance over the sales of twelve months (of the last closed tax year where monthly sales are not known).",
        null_means="balance or sales unknown, or no sales",
        says_ko="대출 잔액은 연매출의 {value}입니다.",
        says_en="The loans come to {value} of a year's sales.",
    ),
    Feature(
        name="maturing_90d_krw",
        theme=_THEME,
        label_ko="90일 안에 만기가 오는 대출 잔액",
        label_en="The balance falling due within 90 days",
        value=_of_loans("maturing_krw"),
        unit="won",
        meaning="What is owed on open loans that fall due whole from as_of to 90 days after it.",
        null_means="no open loan with a known day of maturity",
        says_ko="90일 안에 만기가 오는 대출 잔액은 {value}입니다.",
        says_en="Within 90 days, {value} falls due whole.",
        zero_says_ko="90일 안에 만기가 오는 대출이 없습니다.",
        zero_says_en="No loan falls due whole within 90 days.",
    ),
    _share_of_loans(
        "maturing_share_90d", "maturing_krw", "dated_krw", ("90일 안에 만기가 오는", "falling due whole within 90 days"), "day of maturity"
    ),
    _share_of_loans(
        "nonbank_share",
        "nonbank_krw",
        "lender_known_krw",
        ("은행이 아닌 금융회사에서 받은", "owed to lenders other than banks"),
        "lender",
        "up",
    ),
    _share_of_loans(
        "guaranteed_share", "guaranteed_krw", "guarantee_known_krw", ("공적 보증이 있는", "under a public guarantee"), "guarantee"
    ),
    _share_of_loans("secured_share", "secured_krw", "security_known_krw", ("담보가 있는", "secured by property"), "security"),
    Feature(
        name="interest_rate_pct",
        theme=_THEME,
        label_ko="평균 대출 금리",
        label_en="The mean interest rate",
        value=hundredth(ratio(_of_loans("priced_hundredths"), _of_loans("priced_thousands"))),
        unit="per cent",
        meaning="Yearly interest of the open loans, weighted by what is owed, per cent.",
        null_means="no open loan with a known rate and balance",
        says_ko="대출의 평균 금리는 연 {value}입니다.",
        says_en="The mean interest on the loans is {value} a year.",
    ),
)
