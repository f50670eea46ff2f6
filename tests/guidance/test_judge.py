"""Who is eligible for what: true, false, or unknown with its question."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from guidance.catalogue import load_catalogue, make_catalogue
from guidance.facts import FACTS
from guidance.judge import find_words, judge_eligibility
from signals.products import PRODUCTS
from tests.guidance.worlds import make_programme

AS_OF = date(2026, 9, 30)
SHIPPED = load_catalogue()
VOUCHER = "management_stability_voucher"
FITS = {
    "tax_year_sales_krw": 80_000_000, "opened_on": date(2019, 5, 2), "trading_status": "trading", "is_excluded_industry": False,
    "awards": [], "is_awards_history_covered": True,
}  # fmt: skip


def people(*said: dict[str, Any]) -> pl.DataFrame:
    """Facts of some borrowers; what is not said is unknown."""
    schema = {"borrower_id": pl.String, "owner_state": pl.String, "level": pl.String, **{fact.name: fact.kind for fact in FACTS.values()}}
    rows = [{"borrower_id": f"b{number}", "owner_state": "watch", "level": "caution", **one} for number, one in enumerate(said)]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def verdict(programme: str = VOUCHER, **facts: Any) -> tuple[bool | None, list[str], list[str]]:
    judged = judge_eligibility(people(facts), SHIPPED, AS_OF).filter(pl.col("programme_id") == programme)
    return judged.select("is_eligible", "unmet", "questions").row(0)


def test_whoever_meets_all_is_eligible_with_no_words() -> None:
    assert verdict(**FITS) == (True, [], [])


def test_an_unmet_condition_is_said_in_words() -> None:
    assert verdict(**{**FITS, "trading_status": "closed"}) == (False, ["휴업이나 폐업 중이 아니어야 합니다"], [])


def test_an_unknown_fact_is_a_question_never_a_refusal() -> None:
    assert verdict(**{**FITS, "tax_year_sales_krw": None}) == (None, [], ["2025년에 신고한 매출이 얼마인가요?"])


def test_what_is_known_to_fail_fails_whatever_else_is_unknown_and_every_reason_is_listed() -> None:
    eligible, unmet, questions = verdict(trading_status="closed", is_excluded_industry=True)
    assert (eligible, len(unmet), len(questions)) == (False, 2, 3)


def test_what_would_hold_either_way_needs_no_question() -> None:
    eligible, _, questions = verdict(
        "new_start_fund", opened_on=date(2018, 1, 1), trading_status="trading", days_past_due_90_any=True, total_debt_krw=10,
        is_fund_excluded_industry=False, awards=[], is_awards_history_covered=True,
    )  # fmt: skip
    assert (eligible, questions) == (True, [])


@pytest.mark.parametrize(
    ("awards", "covered", "eligible"),
    [
        ([f"{VOUCHER}@2026-02-09"], None, False),
        ([f"{VOUCHER}@2026-02-08"], True, True),
        (["other@2026-03-01"], True, True),
        (["other@2026-03-01"], False, None),
        (None, None, None),
    ],
)
def test_a_voucher_is_had_once_in_its_window(awards: list[str] | None, covered: bool | None, eligible: bool | None) -> None:
    assert verdict(**{**FITS, "awards": awards, "is_awards_history_covered": covered})[0] is eligible


def test_what_must_come_first_is_read_from_past_awards() -> None:
    catalogue = make_catalogue([make_programme("second", must_come_first=["first"])])
    known = {"days_past_due": 0, "is_awards_history_covered": True}
    judged = judge_eligibility(
        people({**known, "awards": ["first@2020-01-01"]}, {**known, "awards": []}, {"days_past_due": 0}), catalogue, AS_OF
    )
    assert judged["is_eligible"].to_list() == [True, False, None]


def test_the_flagged_are_judged_for_everything_offered_and_others_only_where_eligible_and_served() -> None:
    frame = people(
        {"level": "alert"},
        {"level": "watch", **FITS},
        {"level": "watch"},
        {"level": "none", "owner_state": "healthy", **FITS},
        {"level": None, "owner_state": "watch", **FITS},
    )
    judged = judge_eligibility(frame, SHIPPED, AS_OF)
    assert judged.filter(pl.col("borrower_id") == "b0").height == 4
    assert judged.filter(pl.col("borrower_id") != "b0").select("borrower_id", "programme_id", "is_eligible").rows() == [
        ("b1", VOUCHER, True),
        ("b4", VOUCHER, True),
    ]


def test_nothing_is_judged_that_is_not_offered_that_day() -> None:
    judged = judge_eligibility(people({"level": "alert"}), SHIPPED, date(2026, 12, 19))
    assert VOUCHER not in judged["programme_id"].to_list()


@pytest.mark.parametrize("frame", [people(), people({"level": "none", "owner_state": "healthy"})])
def test_a_night_without_anyone_to_judge_has_an_empty_product(frame: pl.DataFrame) -> None:
    judged = judge_eligibility(frame, SHIPPED, AS_OF)
    assert judged.height == 0
    assert judged.schema == pl.DataFrame(schema=dict(PRODUCTS["verdicts"].columns)).schema


def test_every_word_is_there_in_both_languages() -> None:
    for name in SHIPPED.programmes:
        for condition in find_words(SHIPPED, name).values():
            assert all((condition.unmet_ko, condition.unmet_en, condition.question_ko, condition.question_en))
    assert find_words(SHIPPED, VOUCHER)["once_per_window"].unmet_en == "Management Stability Voucher: already had in this window"


@pytest.mark.parametrize(
    ("programme", "asked"), [(VOUCHER, "경영안정 바우처를 올해 이미 받으셨나요?"), ("new_start_fund", "새출발기금을 받으신 적이 있나요?")]
)
def test_the_question_about_earlier_support_names_the_programme(programme: str, asked: str) -> None:
    assert asked in verdict(programme)[2]
