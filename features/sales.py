"""Sales: card, platform and cash receipts together, in finished months, counted back from the newest month known.

A month without a row is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import narwhals as nw

from features.feature import Feature
from features.formula import Aggregate, Formula, Value, Window, change, last_months, month_back, where_known

_THEME = "sales"
_QUARTER = 3
_FEWEST_MONTHS = 6  # fewer months say too little of a year


def _sold(window: Window) -> Aggregate:
    return Aggregate("sales", "sum", "sales_krw", window)


def _months(window: Window) -> Aggregate:
    return Aggregate("sales", "count", "row", window)


def _whole(window: Window) -> Value:
    return where_known(_sold(window), _months(window), window.last - window.first + 1)


def _for_a_year(sold: Value, months: Value) -> Formula:
    return Formula((sold, months), lambda won, known: nw.when(known >= _FEWEST_MONTHS).then(won * 12 / known))


def _swing(months: Sequence[Value]) -> Formula:
    """Mean change from one month to the next over mean sales, from the pairs of neighbouring months that are known."""

    def combine(*sold: nw.Expr) -> nw.Expr:
        nothing = nw.lit(0, nw.Int64)
        pairs = list(pairwise(sold))
        moves = [(later - earlier).abs() for later, earlier in pairs]
        levels = [nw.when(~move.is_null()).then(later + earlier) for move, (later, earlier) in zip(moves, pairs, strict=True)]
        known = sum(((~move.is_null()).cast(nw.Int32) for move in moves), nw.lit(0, nw.Int32))
        moved, level = (sum((nw.coalesce(part, nothing) for part in parts), nothing) for parts in (moves, levels))
        return nw.when((known >= _FEWEST_MONTHS) & (level > 0)).then(moved * 2 / level)

    return Formula(tuple(months), combine)


SALES_12M = _for_a_year(_sold(last_months(12)), _months(last_months(12)))

SALES: tuple[Feature, ...] = (
    Feature(
        name="sales_12m_krw",
        theme=_THEME,
        label_ko="최근 12개월 매출",
        label_en="The sales of the last twelve months",
        value=SALES_12M,
        unit="won",
        meaning="Sales of the newest twelve months, scaled up where a few of them are not known.",
        null_means="fewer than six of the twelve months are known",
        says_ko="최근 12개월 매출은 {value}입니다.",
        says_en="Sales of the last twelve months were {value}.",
    ),
    Feature(
        name="sales_change_yoy",
        theme=_THEME,
        label_ko="전년 같은 기간 대비 매출 변동",
        label_en="The change in sales on the year",
        value=change(_whole(last_months(_QUARTER)), _whole(Window(12, 14))),
        unit="change",
        worse="down",
        meaning="Sales of the newest three months against the same months a year before (a fall of 10 % is an official sign).",
        null_means="one of the six months is not known, or nothing was sold a year ago",
        says_ko="최근 3개월 매출이 1년 전 같은 기간과 비교해 {value}.",
        says_en="Compared with the same months a year ago, sales of the last three months {value}.",
    ),
    Feature(
        name="sales_change_3m",
        theme=_THEME,
        label_ko="직전 3개월 대비 매출 변동",
        label_en="The change in sales on the quarter before",
        value=change(_whole(last_months(_QUARTER)), _whole(Window(3, 5))),
        unit="change",
        worse="down",
        meaning="Sales of the newest three months against the three before; the season is in it.",
        null_means="one of the six months is not known, or nothing was sold in the earlier three",
        says_ko="최근 3개월 매출이 그 전 3개월과 비교해 {value}.",
        says_en="Compared with the three months before, sales of the last three months {value}.",
    ),
    Feature(
        name="zero_sales_months_6m",
        theme=_THEME,
        label_ko="최근 6개월 중 매출이 없었던 달의 수",
        label_en="The number of months without sales in the last six",
        value=Aggregate("sales", "sum", "is_zero", last_months(6)),
        unit="months",
        worse="up",
        meaning="Known months among the newest six in which nothing was sold.",
        null_means="no month of the six is known",
        says_ko="최근 6개월 가운데 매출이 없었던 달은 {value}입니다.",
        says_en="In the last six months, nothing was sold in {value}.",
        zero_says_ko="최근 6개월 동안 매출이 없었던 달이 없습니다.",
        zero_says_en="In the last six months, no month was without sales.",
    ),
    Feature(
        name="sales_volatility_12m",
        theme=_THEME,
        label_ko="월 매출의 변동폭",
        label_en="The swing of monthly sales",
        value=_swing([_sold(month_back(back)) for back in range(12)]),
        unit="share",
        meaning="Mean change from one month to the next over the mean of their sales, in the newest twelve months; no constraint, for a shop that stops selling swings no more.",
        null_means="fewer than six pairs of neighbouring months are known, or nothing was sold",
        says_ko="최근 12개월 동안 월 매출이 한 달 사이에 평균 {value}씩 달라졌습니다.",
        says_en="In the last twelve months, sales moved by {value} from month to month on average.",
    ),
)
