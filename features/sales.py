"""Sales: card, platform and cash receipts together, in finished months, counted back from the newest month known.

A month without a row is unknown, never zero; a month in which the shop was suspended, or sold nothing in its off-season a
year before as well, is no month without sales (decision 0025).
"""

from __future__ import annotations

from features.alike import (
    Span,
    against,
    annual,
    change_alike,
    change_in_ticket,
    falls_in_a_row,
    monthly_mean,
    months_since_sale,
    months_without,
    same_channels,
    share_of_platforms,
    swing,
    worst_of_mean,
)
from features.feature import Feature
from features.formula import Aggregate, Formula, PeerMedian, Window, difference, first_known, last_months, month_back

_THEME = "sales"
_QUARTER = 3
_FEWEST_MONTHS = 6  # fewer months say too little of a year
_FEWEST_PAIRS = 4  # of the five in half a year

_NEWEST, _BEFORE, _EARLIER = Window(0, 2), Window(3, 5), Window(6, 11)
_QUARTER_NOW, _QUARTER_BEFORE = Span(_NEWEST, _QUARTER), Span(_BEFORE, _QUARTER)
_HALF_NOW, _HALF_BEFORE = Span(last_months(6), 6), Span(_EARLIER, 6)
_YEAR = Span(last_months(12), _FEWEST_MONTHS)
_MONTHS = [Aggregate("sales", "max", "sales_krw", month_back(back)) for back in range(12)]  # one row a month

SALES_12M = annual(last_months(12), _FEWEST_MONTHS)
_YOY = change_alike(Span(_NEWEST, _QUARTER, prefix="like_"), Span(Window(12, 14), _QUARTER, prefix="like_"))
_CHANGE_3M = change_alike(_QUARTER_NOW, _QUARTER_BEFORE)
_SINCE_OPENING = change_alike(_QUARTER_NOW, Span(None, _QUARTER, view="openings"))
_SWING_12M, _SWING_6M = (
    same_channels(swing(_MONTHS[:months], pairs), last_months(months)) for months, pairs in ((12, _FEWEST_MONTHS), (6, _FEWEST_PAIRS))
)

_MONTH = Aggregate("sales", "max", "newest")
_TRADE, _REGION = (first_known(Aggregate("borrowers", "max", of), Aggregate("businesses", "min", of)) for of in ("division", "region"))
_OPENED_WITH = Formula((Aggregate("openings", "max", "opened_half"), _MONTH), lambda half, month: half * 100 + month)
_PEERS_3M = PeerMedian("sales_change_3m", _CHANGE_3M, _MONTH, _TRADE, _REGION)
_PEERS_YOY = PeerMedian("sales_change_yoy", _YOY, _MONTH, _TRADE, _REGION)
_COHORT = PeerMedian("sales_change_since_opening", _SINCE_OPENING, _OPENED_WITH, _TRADE, _TRADE)

_PEERS_KO = "같은 업종·지역(점포가 적으면 더 넓은 범위)의"
_PEERS_EN = "in its trade and region (or more widely, where shops are few)"
_TOO_FEW = f"fewer than {_FEWEST_MONTHS} of the twelve months are known"
_OTHER_CHANNELS = "or what is reported (cards, platforms, cash) changed on the way"
_UNLIKE = "or what is reported of both (cards, platforms, cash) is less than half of the sales"

SALES: tuple[Feature, ...] = (
    Feature(
        name="sales_12m_krw",
        theme=_THEME,
        label_ko="최근 12개월 매출",
        label_en="What was sold in the last twelve months",
        value=SALES_12M,
        unit="won",
        meaning="Sales of the newest twelve months, scaled up where a few of them are not known.",
        null_means=_TOO_FEW,
        says_ko="최근 12개월 매출은 {value}입니다.",
        says_en="Sales of the last twelve months were {value}.",
    ),
    Feature(
        name="sales_3m_monthly_krw",
        theme=_THEME,
        label_ko="최근 3개월 월평균 매출",
        label_en="What was sold a month in the last three months",
        value=monthly_mean(_QUARTER_NOW),
        unit="won",
        meaning="Mean sales of the newest three months; no constraint, for a large shop is not a safe one.",
        null_means="one of the three months is not known, or the shop rested in it",
        says_ko="최근 3개월 월평균 매출은 {value}입니다.",
        says_en="In the last three months, sales were {value} a month.",
    ),
    Feature(
        name="sales_change_yoy",
        theme=_THEME,
        label_ko="전년 같은 기간 대비 매출 변동",
        label_en="The change in sales on the year",
        value=_YOY,
        unit="change",
        worse="down",
        meaning="Sales of the newest three months against the same months a year before, by what is reported of both, without the months that hold Seollal or Chuseok in one of the two years only (a fall of 10 % is an official sign).",
        null_means=f"one of the six months is not known, the shop rested in one, nothing was sold a year ago, {_UNLIKE}",
        says_ko="최근 3개월 매출이 1년 전 같은 기간과 비교해 {value}.",
        says_en="Compared with the same months a year ago, what was sold in the last three months {value}.",
    ),
    Feature(
        name="sales_yoy_vs_peers",
        theme=_THEME,
        label_ko="같은 업종·지역과 견준 전년 대비 매출 변동",
        label_en="The change in sales on the year against peers",
        value=against(_YOY, _PEERS_YOY),
        unit="gap",
        worse="down",
        meaning="The change in sales on the year, seen from the median shop of the same industry and region that month (of the industry, then of all shops, where fewer than 20 are known): 0 where both moved alike.",
        null_means="the change on the year is not known, of the shop or of enough peers",
        says_ko=f"최근 3개월 매출이 1년 전부터 {_PEERS_KO} 보통 점포만큼 변했을 경우와 비교해 {{value}}.",
        says_en=f"Compared with what the usual change on the year {_PEERS_EN} would give, what was sold in the last three months {{value}}.",
    ),
    Feature(
        name="sales_change_3m",
        theme=_THEME,
        label_ko="직전 3개월 대비 매출 변동",
        label_en="The change in sales on the quarter before",
        value=_CHANGE_3M,
        unit="change",
        worse="down",
        meaning="Sales of the newest three months against the three before, by what is reported of both; the season is in it.",
        null_means=f"one of the six months is not known, the shop rested in one, nothing was sold in the earlier three, {_UNLIKE}",
        says_ko="최근 3개월 매출이 그 전 3개월과 비교해 {value}.",
        says_en="Compared with the three months before, what was sold in the last three months {value}.",
    ),
    Feature(
        name="sales_change_vs_peers_3m",
        theme=_THEME,
        label_ko="같은 업종·지역과 견준 직전 3개월 대비 매출 변동",
        label_en="The change in sales on the quarter before against peers",
        value=against(_CHANGE_3M, _PEERS_3M),
        unit="gap",
        worse="down",
        meaning="The change in sales on the three months before, seen from the median shop of the same industry and region that month (of the industry, then of all shops, where fewer than 20 are known): 0 where both moved alike, so a bad season is no bad shop.",
        null_means="the change on the quarter before is not known, of the shop or of enough peers",
        says_ko=f"최근 3개월 매출이 그 전 3개월에서 {_PEERS_KO} 보통 점포만큼 변했을 경우와 비교해 {{value}}.",
        says_en=f"Compared with what the usual change on the three months before {_PEERS_EN} would give, what was sold in the last three months {{value}}.",
    ),
    Feature(
        name="sales_vs_opening_cohort",
        theme=_THEME,
        label_ko="같은 시기에 문을 연 점포와 견준 개업 이후 매출 변동",
        label_en="The change in sales since opening against shops that opened with it",
        value=against(_SINCE_OPENING, _COHORT),
        unit="gap",
        worse="down",
        meaning="For shops opened in the last 18 months: sales of the newest three months against their first three whole ones, seen from the median shop of the same industry (of any, where fewer than 20 are known) opened in the same half-year.",
        null_means="the shop opened earlier or less than seven months ago, its first or newest three months are not known, or too few shops opened with it",
        says_ko="최근 3개월 매출이 개업 초기에서 같은 시기에 문을 연 보통 점포만큼 변했을 경우와 비교해 {value}.",
        says_en="Compared with what the usual change since opening of shops that opened with it would give, what was sold in the last three months {value}.",
    ),
    Feature(
        name="sales_trend_3m_12m",
        theme=_THEME,
        label_ko="최근 1년 평균 대비 최근 3개월 매출",
        label_en="What was sold in the last three months against the year",
        value=change_alike(_QUARTER_NOW, _YEAR),
        unit="change",
        worse="down",
        meaning="Monthly sales of the newest three months against those of the newest twelve, by what is reported of both.",
        null_means=f"one of the newest three months or more than six of the twelve are not known, nothing was sold, {_UNLIKE}",
        says_ko="최근 3개월의 월평균 매출이 최근 12개월 평균과 비교해 {value}.",
        says_en="Compared with the mean of the last twelve months, what was sold a month in the last three {value}.",
    ),
    Feature(
        name="sales_change_6m",
        theme=_THEME,
        label_ko="직전 6개월 대비 매출 변동",
        label_en="The change in sales on the half-year before",
        value=change_alike(_HALF_NOW, _HALF_BEFORE),
        unit="change",
        worse="down",
        meaning="Sales of the newest six months against the six before, by what is reported of both; the season is in it.",
        null_means=f"one of the twelve months is not known, the shop rested in one, nothing was sold in the earlier six, {_UNLIKE}",
        says_ko="최근 6개월 매출이 그 전 6개월과 비교해 {value}.",
        says_en="Compared with the six months before, what was sold in the last six months {value}.",
    ),
    Feature(
        name="sales_falls_in_a_row",
        theme=_THEME,
        label_ko="매출이 연이어 줄어든 달의 수",
        label_en="The number of months in a row with falling sales",
        value=same_channels(falls_in_a_row(_MONTHS), last_months(12)),
        unit="months",
        worse="up",
        meaning="How many months in a row, up to the newest, sold less than the month before them.",
        null_means=f"one of the newest two months is not known, {_OTHER_CHANNELS}",
        says_ko="매출이 {value} 연이어 줄었습니다.",
        says_en="Sales have been falling for {value} in a row.",
        zero_says_ko="최근 달의 매출이 그 전달보다 줄지 않았습니다.",
        zero_says_en="Sales of the newest month did not fall below the month before.",
    ),
)

SELLING: tuple[Feature, ...] = (
    Feature(
        name="zero_sales_months_6m",
        theme=_THEME,
        label_ko="최근 6개월 중 매출이 없었던 달의 수",
        label_en="The number of months without sales in the last six",
        value=months_without(_MONTHS[:6]),
        unit="months",
        worse="up",
        meaning="Known months among the newest six in which nothing was sold; months of suspension and of the off-season are none of them.",
        null_means="no month of the six is known",
        says_ko="최근 6개월 가운데 매출이 없었던 달은 {value}입니다(휴업·비수기 제외).",
        says_en="In the last six months, nothing was sold in {value}, months of rest not counted.",
        zero_says_ko="최근 6개월 동안 매출이 없었던 것으로 확인된 달이 없습니다(휴업·비수기 제외).",
        zero_says_en="In the last six months, no month is known to have been without sales, months of rest not counted.",
    ),
    Feature(
        name="zero_sales_months_12m",
        theme=_THEME,
        label_ko="최근 12개월 중 매출이 없었던 달의 수",
        label_en="The number of months without sales in the last twelve",
        value=months_without(_MONTHS),
        unit="months",
        worse="up",
        meaning="Known months among the newest twelve in which nothing was sold; months of suspension and of the off-season are none of them.",
        null_means="no month of the twelve is known",
        says_ko="최근 12개월 가운데 매출이 없었던 달은 {value}입니다(휴업·비수기 제외).",
        says_en="In the last twelve months, nothing was sold in {value}, months of rest not counted.",
        zero_says_ko="최근 12개월 동안 매출이 없었던 것으로 확인된 달이 없습니다(휴업·비수기 제외).",
        zero_says_en="In the last twelve months, no month is known to have been without sales, months of rest not counted.",
    ),
    Feature(
        name="months_since_sale",
        theme=_THEME,
        label_ko="마지막 매출 이후 지난 달의 수",
        label_en="The number of months since the last sale",
        value=months_since_sale(_MONTHS),
        unit="months",
        worse="up",
        meaning="Known months since the last one that had sales, 12 at most; months of suspension and of the off-season are not counted.",
        null_means="no month of the twelve is known",
        says_ko="매출이 없는 달이 {value}째 이어지고 있습니다(휴업·비수기 제외).",
        says_en="No sales have been seen for {value}, months of rest not counted.",
        zero_says_ko="마지막 매출 이후 매출이 없는 것으로 확인된 달이 없습니다(휴업·비수기 제외).",
        zero_says_en="Since the last month with sales, none is known to have been without, months of rest not counted.",
    ),
    Feature(
        name="worst_month_share_12m",
        theme=_THEME,
        label_ko="월평균 대비 가장 저조한 달의 매출",
        label_en="What was sold in the worst month against the mean",
        value=same_channels(worst_of_mean(_MONTHS, _FEWEST_MONTHS), last_months(12)),
        unit="share",
        meaning="The month that sold least among the newest twelve, as a share of their mean; no constraint, for a fall that lasts lowers the mean as well.",
        null_means=f"{_TOO_FEW}, nothing was sold, {_OTHER_CHANNELS}",
        says_ko="최근 12개월 가운데 매출이 가장 적었던 달은 월평균의 {value}였습니다.",
        says_en="The worst of the last twelve months sold {value} of their mean.",
    ),
    Feature(
        name="sales_volatility_12m",
        theme=_THEME,
        label_ko="월 매출의 변동폭",
        label_en="The swing of monthly sales",
        value=_SWING_12M,
        unit="share",
        meaning="Mean change from one month to the next over the mean of their sales, in the newest twelve months; no constraint, for a shop that stops selling swings no more.",
        null_means=f"fewer than six pairs of neighbouring months are known, nothing was sold, {_OTHER_CHANNELS}",
        says_ko="최근 12개월 동안 월 매출이 한 달 사이에 평균 {value}씩 달라졌습니다.",
        says_en="In the last twelve months, sales moved by {value} from month to month on average.",
    ),
    Feature(
        name="sales_volatility_change",
        theme=_THEME,
        label_ko="월 매출 변동폭의 변화",
        label_en="The change in the swing of monthly sales",
        value=difference(_SWING_6M, _SWING_12M),
        unit="share change",
        meaning="The swing of the newest six months less that of the newest twelve; no constraint, as for the swing itself.",
        null_means=f"fewer than four pairs of neighbouring months in the six or six in the twelve are known, nothing was sold, {_OTHER_CHANNELS}",
        says_ko="최근 6개월의 월 매출 변동폭이 최근 12개월과 비교해 {value}.",
        says_en="Compared with the whole of the last twelve months, the swing of monthly sales in the last six {value}.",
    ),
    Feature(
        name="platform_share_6m",
        theme=_THEME,
        label_ko="플랫폼 매출 비중",
        label_en="The share of sales through platforms",
        value=share_of_platforms(_HALF_NOW),
        unit="share",
        meaning="What platforms brought of card and platform sales in the newest six months; no constraint, for neither channel is the safer one.",
        null_means="one of the six months is not known, platforms are not reported in all of them, or nothing was sold",
        says_ko="최근 6개월 카드·플랫폼 매출에서 플랫폼이 차지하는 비중은 {value}입니다.",
        says_en="Platforms brought {value} of card and platform sales in the last six months.",
    ),
    Feature(
        name="platform_share_change_6m",
        theme=_THEME,
        label_ko="플랫폼 매출 비중의 변화",
        label_en="The change in the share of sales through platforms",
        value=difference(share_of_platforms(_HALF_NOW), share_of_platforms(_HALF_BEFORE)),
        unit="share change",
        meaning="The share of platforms in the newest six months less that of the six before; no constraint, for a shop may move to platforms in good times or bad.",
        null_means="one of the twelve months is not known, platforms are not reported in all of them, or nothing was sold in a half-year",
        says_ko="플랫폼 매출 비중이 그 전 6개월과 비교해 {value}.",
        says_en="Compared with the six months before, the share of sales through platforms {value}.",
    ),
    Feature(
        name="card_sales_count_3m",
        theme=_THEME,
        label_ko="최근 3개월 카드 매출 건수",
        label_en="The number of card sales in the last three months",
        value=Aggregate("sales", "sum", "card_sales_count", _NEWEST),
        unit="sales",
        meaning="Card sales counted in the known months of the newest three; no constraint, for many small sales are no safer than few large ones.",
        null_means="no card sales are counted in the three months",
        says_ko="최근 3개월 카드 매출은 {value}입니다.",
        says_en="Cards brought {value} in the last three months.",
    ),
    Feature(
        name="average_ticket_change",
        theme=_THEME,
        label_ko="카드 매출 1건당 금액의 변동",
        label_en="The change in the average card sale",
        value=change_in_ticket(_NEWEST, _BEFORE, _QUARTER),
        unit="change",
        meaning="The average card sale of the newest three months against that of the three before; no constraint, for both dearer and smaller sales can be a bad sign.",
        null_means="card sales are not counted in one of the six months, or there were none in one of the quarters",
        says_ko="카드 매출 1건당 금액이 그 전 3개월과 비교해 {value}.",
        says_en="Compared with the three months before, the average card sale {value}.",
    ),
)
