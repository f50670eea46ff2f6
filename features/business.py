"""Business profile: the shop itself. Age, size and standing, never who the owner is."""

from __future__ import annotations

import narwhals as nw

from features.debt import YEARLY_SALES
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
_RUNNING = Aggregate("businesses", "sum", "running")
_PER_PERSON = Formula(
    (YEARLY_SALES, Aggregate("borrowers", "max", "employees")),
    # the owner works there too
    lambda sales, employees: sales / (employees + 1),
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
    Feature(
        name="is_closed",
        theme=_THEME,
        label_ko="모든 사업장의 폐업 여부",
        label_en="Whether every business is closed",
        value=Formula((_RUNNING,), lambda running: nw.when(running == 0).then(_YES).otherwise(nw.when(running > 0).then(_NO))),
        unit="flag",
        worse="up",
        meaning="1: every business still known that the borrower represents is closed; 0: at least one is not, as far as known.",
        null_means="no business is known",
        says_ko="모든 사업장이 폐업한 상태에 {value}.",
        says_en="The last business still known {value} closed.",
    ),
    Feature(
        name="businesses_count",
        theme=_THEME,
        label_ko="운영 중인 사업장 수",
        label_en="The number of businesses not closed",
        value=_RUNNING,
        unit="businesses",
        meaning="Businesses the borrower represents that are not closed as far as known.",
        null_means="no business is known",
        says_ko="폐업하지 않은 사업장은 {value}입니다.",
        says_en="The borrower has {value} not closed, as far as known.",
        zero_says_ko="폐업하지 않은 사업장이 확인되지 않습니다.",
        zero_says_en="No business is known that is not closed.",
    ),
    Feature(
        name="businesses_closed_24m",
        theme=_THEME,
        label_ko="최근 24개월에 폐업한 사업장 수",
        label_en="The number of businesses closed in the last 24 months",
        value=Aggregate("businesses", "sum", "closed_lately"),
        unit="businesses",
        meaning="Businesses the borrower represents that closed in the 24 calendar months ending with that of as_of; no constraint, for a shop that moves or incorporates closes too.",
        null_means="no business is known, or not when the closed ones closed",
        says_ko="최근 24개월 동안 폐업한 사업장은 {value}입니다.",
        says_en="In the last 24 months, {value} closed.",
        zero_says_ko="최근 24개월 동안 폐업이 확인된 사업장이 없습니다.",
        zero_says_en="In the last 24 months, no business is known to have closed.",
    ),
    Feature(
        name="newest_business_years",
        theme=_THEME,
        label_ko="가장 최근에 연 사업장의 업력",
        label_en="The age of the newest business",
        value=years_of(Aggregate("businesses", "min", "open_days")),
        unit="years",
        meaning="Years since the newest business the borrower represents opened.",
        null_means="no opening day of a business is known",
        says_ko="가장 최근에 연 사업장은 문을 연 지 {value} 되었습니다.",
        says_en="The newest business opened {value} ago.",
    ),
    Feature(
        name="suspension_days_ago",
        theme=_THEME,
        label_ko="마지막 휴업 신고 이후 지난 일수",
        label_en="The time since the last suspension began",
        value=Aggregate("events", "min", "suspended_days"),
        unit="days",
        meaning="Days since the last suspension known began, whether over or not; no constraint, for a shop long reopened and one long shut look alike.",
        null_means="no suspension is known",
        says_ko="마지막 휴업이 시작된 지 {value} 지났습니다.",
        says_en="The last suspension began {value} ago.",
        zero_says_ko="오늘 휴업이 시작되었습니다.",
        zero_says_en="A suspension begins today.",
        null_says_ko="확인된 휴업 이력이 없습니다.",
        null_says_en="No suspension is known.",
    ),
    Feature(
        name="annual_sales_krw",
        theme=_THEME,
        label_ko="최근 과세연도 매출",
        label_en="What was sold in the last closed tax year",
        value=Aggregate("borrowers", "max", "annual_sales_krw"),
        unit="won",
        meaning="Sales of the last closed tax year: the shop's size also where monthly sales are not known.",
        null_means="they are not known",
        says_ko="최근 마감된 과세연도의 매출은 {value}입니다.",
        says_en="Sales of the last closed tax year were {value}.",
    ),
    Feature(
        name="sales_per_person_krw",
        theme=_THEME,
        label_ko="1인당 연매출",
        label_en="The yearly turnover per person",
        value=_PER_PERSON,
        unit="won",
        meaning="A year's sales over all who work there, the owner counted.",
        null_means="sales or the number of employees are not known",
        says_ko="대표자를 포함한 1인당 연매출은 {value}입니다.",
        says_en="A year's sales come to {value} per person, the owner counted.",
    ),
)
