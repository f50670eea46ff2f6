"""Repayment behaviour: how the loans themselves are paid. Always the worst loan, each counted back from its own newest month."""

from __future__ import annotations

from features.feature import Feature
from features.formula import Aggregate, Value, Window, capped, count_above, difference, last_months, month_back, ratio, total

_THEME = "repayment behaviour"
_MONTH_DAYS = 30  # so that six months never hold more overdue days than half a year does


def _worst(window: Window) -> Aggregate:
    return Aggregate("repayments", "max", "days_past_due", window)


def find_worst_by_month(count: int) -> list[Value]:
    """Days past due of the worst loan in each of the newest months, the newest first."""
    return [_worst(month_back(back)) for back in range(count)]


def find_paid_share(window: Window) -> Value:
    """Paid over what fell due in the window, at most 2."""
    paid, due = (Aggregate("repayments", "sum", column, window) for column in ("paid_of_due_krw", "due_known_krw"))
    return capped(ratio(paid, due), 2)


def _days_ago(months: int) -> Feature:
    ago_ko, ago_en = f"{months}개월 전", f"{months} month{'s' if months > 1 else ''} ago"
    return Feature(
        name=f"days_past_due_{months}m_ago",
        theme=_THEME,
        label_ko=f"{ago_ko} 연체일수",
        label_en=f"The number of days past due {ago_en}",
        value=_worst(month_back(months)),
        unit="days",
        worse="up",
        meaning=f"Days past due of the worst loan, {months} month{'s' if months > 1 else ''} before each loan's newest month.",
        null_means="no loan has a status of that month",
        says_ko=f"{ago_ko}에는 연체일수가 {{value}}이었습니다.",
        says_en=f"{ago_en.capitalize()} the loan furthest behind was {{value}} past due.",
        zero_says_ko=f"{ago_ko}에는 연체가 없었습니다.",
        zero_says_en=f"{ago_en.capitalize()} no loan was past due.",
    )


def _late_months(months: int) -> Feature:
    return Feature(
        name=f"late_months_{months}m",
        theme=_THEME,
        label_ko=f"최근 {months}개월 중 연체가 있었던 달의 수",
        label_en=f"The number of months with overdue payments in the last {months}",
        value=count_above(0, *find_worst_by_month(months)),
        unit="months",
        worse="up",
        meaning=f"Months among the newest {months} in which any loan was overdue.",
        null_means="no loan has a status of these months",
        says_ko=f"최근 {months}개월 가운데 연체가 있었던 달은 {{value}}입니다.",
        says_en=f"In the last {months} months, payments were overdue in {{value}}.",
        zero_says_ko=f"최근 {months}개월 동안 연체가 있었던 달이 없습니다.",
        zero_says_en=f"In the last {months} months, no payment was overdue.",
    )


def _longest(months: int) -> Feature:
    return Feature(
        name=f"days_past_due_max_{months}m",
        theme=_THEME,
        label_ko=f"최근 {months}개월의 최장 연체일수",
        label_en=f"The longest delay of the last {months} months",
        value=_worst(last_months(months)),
        unit="days",
        worse="up",
        meaning=f"The most days past due of any loan in the newest {months} months.",
        null_means="no loan has a status of these months",
        says_ko=f"최근 {months}개월 동안 연체일수가 가장 길었을 때는 {{value}}이었습니다.",
        says_en=f"At its longest, a payment in the last {months} months was {{value}} past due.",
        zero_says_ko=f"최근 {months}개월 동안 연체가 없었습니다.",
        zero_says_en=f"In the last {months} months, no payment was overdue.",
    )


def _share_paid(months: int) -> Feature:
    span_ko, span_en = (f"최근 {months}개월", f"last {months} months") if months > 1 else ("최근 한 달", "last month")
    return Feature(
        name=f"paid_share_{months}m",
        theme=_THEME,
        label_ko=f"{span_ko}의 납입률",
        label_en=f"The share paid of what fell due in the {span_en}",
        value=find_paid_share(last_months(months)),
        unit="share",
        worse="down",
        meaning=f"Paid over what fell due, newest {months} months, at most 2; months in which nothing falls due count in neither.",
        null_means="nothing is known to have fallen due in these months",
        says_ko=f"{span_ko} 동안 내야 할 금액의 {{value}}를 납입했습니다.",
        says_en=f"Of what fell due in the {span_en}, {{value}} was paid.",
    )


REPAYMENT: tuple[Feature, ...] = (
    Feature(
        name="days_past_due",
        theme=_THEME,
        label_ko="현재 연체일수",
        label_en="The number of days past due",
        value=_worst(month_back(0)),
        unit="days",
        worse="up",
        meaning="Days past due of the worst loan, each loan at its newest month; loans without news for three months are left out.",
        null_means="no loan has a status of the last three months",
        says_ko="현재 연체일수는 {value}입니다(가장 오래 연체된 대출 기준).",
        says_en="The loan furthest behind is {value} past due.",
        zero_says_ko="현재 연체가 없습니다.",
        zero_says_en="No loan is past due.",
    ),
    *(_days_ago(months) for months in (1, 2, 3)),
    *(_longest(months) for months in (6, 12)),
    Feature(
        name="days_past_due_rise_3m",
        theme=_THEME,
        label_ko="최근 3개월 연체일수 변동",
        label_en="The three-month change in days past due",
        value=difference(_worst(month_back(0)), _worst(month_back(3))),
        unit="days change",
        meaning="Days past due now less those three months before; no constraint, for long arrears that stand still are no better.",
        null_means="one of the two months has no status",
        says_ko="연체일수가 3개월 전과 비교해 {value}.",
        says_en="Compared with three months ago, the number of days past due {value}.",
    ),
    Feature(
        name="overdue_days_6m",
        theme=_THEME,
        label_ko="최근 6개월 누적 연체일수",
        label_en="The number of overdue days in the last six months",
        value=total(*(capped(worst, _MONTH_DAYS) for worst in find_worst_by_month(6))),
        unit="days",
        worse="up",
        meaning="Overdue days in the newest six months: of each month the worst loan's, at most 30 (more than 30 in all is an official sign).",
        null_means="no loan has a status of these months",
        says_ko="최근 6개월 동안 연체된 날은 모두 {value}입니다.",
        says_en="In the last six months, payments were overdue for {value} in all.",
        zero_says_ko="최근 6개월 동안 연체된 날이 없습니다.",
        zero_says_en="In the last six months, no payment was overdue.",
    ),
    *(_late_months(months) for months in (3, 6, 12)),
    Feature(
        name="months_since_late",
        theme=_THEME,
        label_ko="마지막 연체 이후 지난 개월 수",
        label_en="The time since the last overdue payment",
        value=Aggregate("repayments", "min", "late_month", last_months(12)),
        unit="months",
        worse="down",
        meaning="Months since any loan was last overdue, 0 when it is now; twelve months are looked at.",
        null_means="no overdue month is known among the last twelve",
        says_ko="가장 최근에 연체가 있었던 때는 {value} 전입니다.",
        says_en="The last month with an overdue payment was {value} ago.",
        zero_says_ko="가장 최근 달에 연체가 있습니다.",
        zero_says_en="A payment is overdue in the newest month.",
        null_says_ko="최근 12개월 동안 확인된 연체가 없습니다.",
        null_says_en="No overdue payment is known in the last twelve months.",
    ),
    *(_share_paid(months) for months in (1, 3, 6, 12)),
    Feature(
        name="missed_payments_6m",
        theme=_THEME,
        label_ko="최근 6개월 미납 횟수",
        label_en="The number of payments not made in the last six months",
        value=Aggregate("repayments", "sum", "missed", last_months(6)),
        unit="payments",
        worse="up",
        meaning="Loan months among the newest six in which something fell due and nothing was paid.",
        null_means="nothing is known to have fallen due in these months",
        says_ko="최근 6개월 동안 납입이 없었던 횟수는 {value}입니다.",
        says_en="In the last six months, {value} fell due without anything being paid.",
        zero_says_ko="최근 6개월 동안 납입이 없었던 달이 없습니다.",
        zero_says_en="In the last six months, something was paid whenever a payment fell due.",
    ),
)
