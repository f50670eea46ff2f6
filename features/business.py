"""Business profile: the shop itself. Age, size and standing, never who the owner is."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature
from features.formula import Aggregate, Formula, first_known, highest_known, years_of, zero_where_covered

_THEME = "business profile"
_YES, _NO = nw.lit(1, nw.Int32), nw.lit(0, nw.Int32)

_SUSPENDED_BY_EVENT = Formula(
    (Aggregate("events", "min", "suspended_days"), Aggregate("events", "min", "ended_days")),
    lambda suspended, ended: nw.when(suspended < nw.coalesce(ended, suspended + 1)).then(_YES),
)
_SUSPENDED_BY_STATUS = Formula(
    (
        Aggregate("businesses", "count", "trading_status"),
        Aggregate("businesses", "count", "trading"),
        Aggregate("businesses", "count", "suspended"),
    ),
    lambda known, trading, suspended: nw.when(known > 0).then(nw.when(suspended > 0, trading == 0).then(_YES).otherwise(_NO)),
)

BUSINESS: tuple[Feature, ...] = (
    Feature(
        name="years_open",
        theme=_THEME,
        label_ko="업력",
        label_en="The age of the business",
        value=years_of(first_known(Aggregate("borrowers", "max", "open_days"), Aggregate("businesses", "max", "open_days"))),
        unit="years",
        meaning="Years since the oldest business opened.",
        null_means="no opening day is known",
        says_ko="사업을 시작한 지 {value} 되었습니다.",
        says_en="The business opened {value} ago.",
    ),
    Feature(
        name="employees",
        theme=_THEME,
        label_ko="상시 근로자 수",
        label_en="The number of employees",
        value=Aggregate("borrowers", "max", "employees"),
        unit="people",
        meaning="Regular employees, the owner not counted.",
        null_means="the number is not known",
        says_ko="상시 근로자는 {value}입니다(대표자 제외).",
        says_en="The regular staff is {value}, the owner not counted.",
    ),
    Feature(
        name="is_in_adjustment",
        theme=_THEME,
        label_ko="공적 채무조정 이용 여부",
        label_en="Whether a public debt adjustment is under way",
        value=zero_where_covered(Aggregate("events", "max", "adjustment"), "events"),
        unit="flag",
        meaning="1: an early adjustment, workout or rehabilitation began in the last two years, as long as the public record keeps it; 0: none.",
        null_means="no event is reported of this borrower and coverage names nobody who would",
        says_ko="공적 채무조정을 이용하고 {value}.",
        says_en="The borrower {value} in a public debt adjustment begun in the last two years.",
    ),
    Feature(
        name="is_suspended",
        theme=_THEME,
        label_ko="휴업 여부",
        label_en="Whether the business is suspended",
        value=highest_known(zero_where_covered(_SUSPENDED_BY_EVENT, "events"), _SUSPENDED_BY_STATUS),
        unit="flag",
        worse="up",
        meaning="1: suspended and not since reopened or closed, by the events or by the standing of every business still known; 0: not.",
        null_means="neither an event, a covering holder nor a business's standing is known",
        says_ko="휴업 상태에 {value}.",
        says_en="The business {value} suspended.",
    ),
)
