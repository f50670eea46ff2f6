"""Arrears of tax, insurance and utilities: bills unpaid on as_of. No row means none only where coverage says so."""

from __future__ import annotations

from features.debt import YEARLY_SALES
from features.feature import Feature
from features.formula import Aggregate, Value, count_above, difference, none_is_zero, none_where_zero, ratio, total, zero_where_covered

_THEME = "arrears of tax, insurance and utilities"
_NULL = "nothing is reported of this borrower and coverage names nobody who would"
_NEW_6M, _NEW_3M = (Aggregate("arrears", "sum", column) for column in ("begun_lately", "begun_this_quarter"))
# twice the newest quarter less the half year is the newest quarter less the one before
_TREND = zero_where_covered(difference(total(none_is_zero(_NEW_3M), none_is_zero(_NEW_3M)), _NEW_6M), "arrears")
_KINDS = ("tax", "insurance", "utility", "telecom", "rent")


def _sum(column: str) -> Value:
    return zero_where_covered(Aggregate("arrears", "sum", column), "arrears")


def _unpaid(name: str, kind: tuple[str, str], meaning: str) -> Feature:
    in_ko, in_en = kind
    return Feature(
        name=f"{name}_arrears_krw",
        theme=_THEME,
        label_ko=in_ko,
        label_en=f"The amount unpaid of {in_en}",
        value=_sum(f"open_{name}_krw"),
        unit="won",
        worse="up",
        meaning=meaning,
        null_means=_NULL,
        says_ko=f"{in_ko}은 {{value}}입니다.",
        says_en=f"What is unpaid of {in_en} comes to {{value}}.",
        zero_says_ko=f"확인된 {in_ko}이 없습니다.",
        zero_says_en=f"Nothing is known to be unpaid of {in_en}.",
    )


def _begun(column: str, months: int, in_words: str) -> Feature:
    return Feature(
        name=f"arrears_new_{months}m",
        theme=_THEME,
        label_ko=f"최근 {months}개월에 새로 생긴 체납·미납 건수",
        label_en=f"The number of bills that became overdue in the last {in_words} months",
        value=_sum(column),
        unit="bills",
        worse="up",
        meaning=f"Taxes, premiums and bills that became overdue in the {in_words} calendar months ending with that of as_of, paid since or not.",
        null_means=_NULL,
        says_ko=f"최근 {months}개월 동안 새로 생긴 세금·보험료·공과금의 체납·미납은 {{value}}입니다.",
        says_en=f"The last {in_words} months brought {{value}} of tax, insurance or utilities, some perhaps paid since.",
        zero_says_ko=f"최근 {months}개월 동안 새로 생긴 체납·미납이 없습니다.",
        zero_says_en=f"The last {in_words} months brought no unpaid taxes, premiums or bills.",
    )


ARREARS: tuple[Feature, ...] = (
    Feature(
        name="arrears_krw",
        theme=_THEME,
        label_ko="체납·미납 금액",
        label_en="The amount of unpaid taxes, premiums and bills",
        value=_sum("open_krw"),
        unit="won",
        worse="up",
        meaning="Taxes, premiums and bills unpaid on as_of.",
        null_means=_NULL,
        says_ko="세금·보험료·공과금의 체납·미납 금액은 {value}입니다.",
        says_en="Unpaid taxes, premiums and bills add up to {value}.",
        zero_says_ko="확인된 세금·보험료·공과금 체납·미납이 없습니다.",
        zero_says_en="No unpaid taxes, premiums or bills are known.",
    ),
    Feature(
        name="arrears_count",
        theme=_THEME,
        label_ko="체납·미납 건수",
        label_en="The number of unpaid taxes, premiums and bills",
        value=_sum("is_open"),
        unit="bills",
        worse="up",
        meaning="How many taxes, premiums and bills are unpaid on as_of.",
        null_means=_NULL,
        says_ko="세금·보험료·공과금의 체납·미납은 {value}입니다.",
        says_en="Taxes, premiums and bills show {value}.",
        zero_says_ko="확인된 세금·보험료·공과금 체납·미납이 없습니다.",
        zero_says_en="No unpaid taxes, premiums or bills are known.",
    ),
    Feature(
        name="tax_arrears_krw",
        theme=_THEME,
        label_ko="세금 체납액",
        label_en="The amount of unpaid tax",
        value=_sum("open_tax_krw"),
        unit="won",
        worse="up",
        meaning="National and local tax unpaid on as_of (5 million won is an official sign).",
        null_means=_NULL,
        says_ko="세금 체납액은 {value}입니다.",
        says_en="Unpaid tax adds up to {value}.",
        zero_says_ko="확인된 세금 체납이 없습니다.",
        zero_says_en="No unpaid tax is known.",
    ),
    Feature(
        name="arrears_oldest_days",
        theme=_THEME,
        label_ko="가장 오래된 체납·미납의 경과일수",
        label_en="The age of the oldest unpaid bill",
        value=zero_where_covered(Aggregate("arrears", "max", "open_days"), "arrears"),
        unit="days",
        worse="up",
        meaning="Days since the oldest tax, premium or bill still unpaid fell due; 0 where none is.",
        null_means=_NULL,
        says_ko="가장 오래된 체납·미납은 {value}째입니다.",
        says_en="The oldest unpaid tax, premium or bill has been open for {value}.",
        zero_says_ko="확인된 세금·보험료·공과금 체납·미납이 없습니다.",
        zero_says_en="No unpaid taxes, premiums or bills are known.",
    ),
    _begun("begun_lately", 6, "six"),
    _unpaid("insurance", ("사회보험료 체납액", "social insurance"), "Health, pension and employment insurance premiums unpaid on as_of."),
    _unpaid("utility", ("공과금 미납액", "electricity, gas and water"), "Electricity, gas and water bills unpaid on as_of."),
    _unpaid("telecom", ("통신요금 미납액", "telephone and internet"), "Telephone and internet bills unpaid on as_of."),
    _unpaid("rent", ("임차료 미납액", "rent"), "Rent unpaid on as_of."),
    Feature(
        name="insurance_arrears_count",
        theme=_THEME,
        label_ko="사회보험료 체납 건수",
        label_en="The number of unpaid insurance premiums",
        value=zero_where_covered(none_where_zero(Aggregate("arrears", "count", "open_insurance_krw")), "arrears"),
        unit="bills",
        worse="up",
        meaning="Insurance premiums unpaid on as_of; one is billed each month for each insurance.",
        null_means=_NULL,
        says_ko="사회보험료 체납은 {value}입니다.",
        says_en="Social insurance shows {value}.",
        zero_says_ko="확인된 사회보험료 체납이 없습니다.",
        zero_says_en="No unpaid insurance premium is known.",
    ),
    Feature(
        name="arrears_kinds_count",
        theme=_THEME,
        label_ko="체납·미납이 있는 항목의 수",
        label_en="The number of kinds of bills unpaid",
        value=zero_where_covered(
            none_where_zero(count_above(0, *(Aggregate("arrears", "count", f"open_{kind}_krw") for kind in _KINDS))), "arrears"
        ),
        unit="kinds",
        worse="up",
        meaning="How many of five kinds have something unpaid on as_of: taxes, insurance, electricity with gas and water, telephone, rent.",
        null_means=_NULL,
        says_ko="세금·사회보험료·공과금·통신요금·임차료 가운데 체납·미납이 있는 항목은 {value}입니다.",
        says_en="Of taxes, insurance, utilities, telephone and rent, something is unpaid in {value}.",
        zero_says_ko="확인된 세금·보험료·공과금 체납·미납이 없습니다.",
        zero_says_en="No unpaid taxes, premiums or bills are known.",
    ),
    Feature(
        name="arrears_to_sales",
        theme=_THEME,
        label_ko="연매출 대비 체납·미납 금액",
        label_en="The amount of unpaid bills relative to a year's sales",
        value=ratio(_sum("open_krw"), YEARLY_SALES),
        unit="share",
        worse="up",
        meaning="Taxes, premiums and bills unpaid on as_of over a year's sales.",
        null_means="nothing is reported of this borrower and coverage names nobody who would, or sales unknown or none",
        says_ko="세금·보험료·공과금의 체납·미납 금액은 연매출의 {value}입니다.",
        says_en="Unpaid taxes, premiums and bills come to {value} of a year's sales.",
        zero_says_ko="확인된 세금·보험료·공과금 체납·미납이 없습니다.",
        zero_says_en="No unpaid taxes, premiums or bills are known.",
    ),
    _begun("begun_this_quarter", 3, "three"),
    Feature(
        name="arrears_new_trend_6m",
        theme=_THEME,
        label_ko="직전 3개월 대비 새로 생긴 체납·미납 건수",
        label_en="The change in the number of bills that became overdue",
        value=_TREND,
        unit="bills change",
        meaning="Bills that became overdue in the newest three calendar months less those of the three before; no constraint, for a steady number is no better.",
        null_means=_NULL,
        says_ko="최근 3개월에 새로 생긴 체납·미납이 그 전 3개월과 비교해 {value}.",
        says_en="Compared with the three months before, the number of bills that became overdue in the last three {value}.",
    ),
    Feature(
        name="arrears_cleared_share_6m",
        theme=_THEME,
        label_ko="최근 6개월에 생긴 체납·미납 중 납부된 비율",
        label_en="The share of the bills of the last six months that has been paid since",
        value=ratio(Aggregate("arrears", "sum", "begun_and_cleared"), Aggregate("arrears", "sum", "begun_lately")),
        unit="share",
        meaning="Of the bills that became overdue in the six calendar months ending with that of as_of, how many are paid; no constraint, for one more bill that is paid late raises it too.",
        null_means="no bill is known to have become overdue in these months",
        says_ko="최근 6개월에 새로 생긴 체납·미납 가운데 {value}가 납부되었습니다.",
        says_en="Of the bills that became overdue in the last six months, {value} has been paid since.",
        zero_says_ko="최근 6개월에 새로 생긴 체납·미납 가운데 납부가 확인된 것은 아직 없습니다.",
        zero_says_en="Of the bills that became overdue in the last six months, none is known to be paid yet.",
    ),
)
