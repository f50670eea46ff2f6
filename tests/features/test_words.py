"""Values and reasons in words."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features import word_reasons
from features.catalogue import BY_NAME
from features.formula import find_peer_medians
from features.units import spell_value, with_topic_particle
from signals.errors import InputError
from signals.products import PRODUCTS, conform_product

SPELLED = [
    (0.0, "won", "0원", "0 won"),
    (9_999.0, "won", "9,999원", "9,999 won"),
    (250_000.0, "won", "25만원", "250,000 won"),
    (99_999_999.0, "won", "1억원", "99,999,999 won"),
    (1_234_560_000.0, "won", "12억 3,456만원", "1,234,560,000 won"),
    (-32_000_000.0, "won", "-3,200만원", "-32,000,000 won"),
    (41.0, "days", "41일", "41 days"),
    (1.0, "days", "1일", "1 day"),
    (0.9512, "share", "95.1%", "95.1%"),
    (-0.5, "change", "50% 줄었습니다", "has fallen by 50%"),
    (0.0004, "change", "그대로입니다", "has stayed the same"),
    (-0.1, "gap", "10% 낮습니다", "is 10% lower"),
    (0.0, "gap", "차이가 없습니다", "is no different"),
    (-120.0, "points change", "120점 낮아졌습니다", "has fallen by 120 points"),
    (0.051, "share change", "5.1%포인트 늘었습니다", "has risen by 5.1 percentage points"),
    (-0.0, "days", "0일", "0 days"),
    (1.0, "flag", "있습니다", "is"),
    (2.0, "bills change", "2건 늘었습니다", "has risen by 2 unpaid items"),
    (-0.25, "enquiries change", "0.2회 줄었습니다", "has fallen by 0.2 enquiries"),
    (1.0, "lenders change", "1곳 늘었습니다", "has risen by 1 lender"),
    (5.0, "signs", "5개", "5 signs"),
    (1.0, "lines", "1건", "1 credit line"),
    (2.0, "kinds", "2가지", "2 kinds"),
]


@pytest.mark.parametrize(("value", "unit", "in_ko", "in_en"), SPELLED)
def test_a_value_is_spelled_as_people_say_it(value: float, unit: str, in_ko: str, in_en: str) -> None:
    assert spell_value(value, unit) == (in_ko, in_en)


def test_a_shop_that_grew_less_than_others_is_not_said_to_have_shrunk() -> None:
    for feature in BY_NAME.values():
        if find_peer_medians(feature.value):
            in_ko, in_en = feature.say(-0.1)
            assert ("줄었" in in_ko, "fallen" in in_en, "10% 낮습니다" in in_ko, "is 10% lower" in in_en) == (False, False, True, True)


@pytest.mark.parametrize("name", ["zero_sales_months_6m", "zero_sales_months_12m", "months_since_sale"])
@pytest.mark.parametrize("value", [0.0, 2.0])
def test_who_rests_is_not_said_to_sell(name: str, value: float) -> None:
    """In a month of rest nothing may have been sold: 0 counts the other months alone."""
    in_ko, in_en = BY_NAME[name].say(value)
    assert "(휴업·비수기 제외)" in in_ko
    assert "rest not counted" in in_en


def test_the_particle_follows_the_last_syllable() -> None:
    assert [with_topic_particle(noun) for noun in ("매출", "신용점수", "업력(년)")] == ["매출은", "신용점수는", "업력(년)은"]


def test_reasons_keep_rows_order_and_columns_and_gain_their_words() -> None:
    reasons = pl.DataFrame({
        "borrower_id": ["b", "b", "a", "a"],
        "position": [1, 2, 1, 2],
        "feature": ["tax_arrears_krw", "months_since_late", "is_in_crisis", "sales_change_yoy"],
        "theme": ["t"] * 4,
        "contribution": [0.9, 0.2, 100.0, 0.1],
        "value": [6_000_000.0, None, 1.0, float("nan")],
    })  # fmt: skip
    worded = word_reasons(reasons)
    assert_frame_equal(worded.select(reasons.columns[:-1]), reasons.select(reasons.columns[:-1]))
    assert worded["text_ko"].to_list() == [
        "세금 체납액은 600만원입니다.",
        "최근 12개월 동안 확인된 연체가 없습니다.",
        "최근 12개월 안에 채무불이행 사실이 확인되었거나 90일 이상 연체 중입니다.",
        "전년 같은 기간 대비 매출 변동은 확인되지 않습니다.",
    ]
    assert worded["text_en"][3] == "The change in sales on the year is not known."
    assert conform_product("reasons", worded).columns == list(PRODUCTS["reasons"].columns)


def test_no_reasons_are_no_trouble() -> None:
    nothing = pl.DataFrame(schema={"borrower_id": pl.String, "feature": pl.String, "value": pl.Float64})
    assert word_reasons(nothing).schema["text_ko"] == pl.String


def test_a_reason_nobody_declared_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="horoscope"):
        word_reasons(pl.DataFrame({"feature": ["horoscope"], "value": [1.0]}))
