"""Arrears of tax, insurance and utilities: bills unpaid on as_of. No row means none only where coverage says so."""

from __future__ import annotations

from features.feature import Feature
from features.formula import Aggregate, zero_where_covered

_THEME = "arrears of tax, insurance and utilities"
_NULL = "nothing is reported of this borrower and coverage names nobody who would"

ARREARS: tuple[Feature, ...] = (
    Feature(
        name="arrears_krw",
        theme=_THEME,
        label_ko="체납·미납 금액",
        label_en="The amount of unpaid taxes, premiums and bills",
        value=zero_where_covered(Aggregate("arrears", "sum", "open_krw"), "arrears"),
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
        value=zero_where_covered(Aggregate("arrears", "sum", "is_open"), "arrears"),
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
        value=zero_where_covered(Aggregate("arrears", "sum", "open_tax_krw"), "arrears"),
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
    Feature(
        name="arrears_new_6m",
        theme=_THEME,
        label_ko="최근 6개월에 새로 생긴 체납·미납 건수",
        label_en="The number of bills that became overdue in the last six months",
        value=zero_where_covered(Aggregate("arrears", "sum", "begun_lately"), "arrears"),
        unit="bills",
        worse="up",
        meaning="Taxes, premiums and bills that became overdue in the six calendar months ending with that of as_of, paid since or not.",
        null_means=_NULL,
        says_ko="최근 6개월 동안 새로 생긴 세금·보험료·공과금의 체납·미납은 {value}입니다.",
        says_en="The last six months brought {value} of tax, insurance or utilities, some perhaps paid since.",
        zero_says_ko="최근 6개월 동안 새로 생긴 체납·미납이 없습니다.",
        zero_says_en="The last six months brought no unpaid taxes, premiums or bills.",
    ),
)
