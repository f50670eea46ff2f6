"""What is known of a borrower: null means unknown, and no row means no only where the subject is covered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from guidance.facts import FACTS, STATE_FACTS, build_facts, build_state_facts
from signals.codes.industries import left_out
from signals.newest import keep_newest_months
from signals.tables import TABLES

AS_OF = date(2026, 9, 30)


def tables_of(**rows: list[Mapping[str, Any]]) -> dict[str, pl.LazyFrame]:
    """Tables from rows that name only the columns they care for; one borrower, the bakery, unless said otherwise."""
    rows.setdefault("borrowers", [{"borrower_id": "bakery"}])
    whole = {}
    for name, said in rows.items():
        named = [{"borrower_id": "bakery", "known_on": date(2026, 1, 1), **row} for row in said]
        there = {column: kind for column, kind in TABLES[name].polars_schema.items() if any(column in row for row in named)}
        whole[name] = pl.LazyFrame([{column: row.get(column) for column in there} for row in named], schema=there)
    return whole


def facts_of(**rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    return build_facts(tables_of(**rows), AS_OF).filter(pl.col("borrower_id") == "bakery").row(0, named=True)


def covers(subject: str) -> Mapping[str, Any]:
    return {"source_id": "s", "subject": subject, "from_on": date(2020, 1, 1)}


def test_without_any_table_but_borrowers_everything_is_unknown_and_the_borrower_counts_as_inside() -> None:
    known = {name: value for name, value in facts_of().items() if value is not None}
    assert known == {"borrower_id": "bakery", "is_inside_capital": True, "is_awards_history_covered": False}


def test_every_fact_is_a_typed_column_and_every_borrower_one_row() -> None:
    frame = build_facts(tables_of(borrowers=[{"borrower_id": "b"}, {"borrower_id": "a"}]), AS_OF)
    assert frame["borrower_id"].to_list() == ["a", "b"]
    assert dict(frame.drop("borrower_id").schema) == {fact.name: fact.kind for fact in FACTS.values()}


def test_every_fact_says_what_it_means_and_how_to_ask() -> None:
    said = [(fact.meaning, fact.question_ko, fact.question_en, fact.unit, fact.holder) for fact in FACTS.values()]
    assert all(all(words) for words in said)
    assert all(fact.question_ko.endswith("?") and fact.question_en.endswith("?") for fact in FACTS.values())


def repayment(loan: str, month: date, days: int, balance: int | None = 100) -> Mapping[str, Any]:
    return {"loan_id": loan, "due_month": month, "days_past_due": days, "balance_krw": balance}


def test_days_past_due_are_those_of_the_worst_loan_in_its_newest_month() -> None:
    facts = facts_of(repayments=[
        repayment("one", date(2026, 8, 1), 0), repayment("one", date(2026, 7, 1), 95),
        repayment("two", date(2026, 9, 1), 12), repayment("two", date(2026, 8, 1), 3),
    ])  # fmt: skip
    assert (facts["days_past_due"], facts["days_past_due_90_any"]) == (12, False)


def loan(name: str, **said: Any) -> Mapping[str, Any]:
    return {"loan_id": name, "is_secured": False, "opened_on": date(2024, 1, 1), **said}


def test_debts_add_up_and_new_debt_is_a_share_of_them() -> None:
    facts = facts_of(
        loans=[loan("one", is_secured=True), loan("two", opened_on=date(2026, 6, 1)), loan("gone", opened_on=None)],
        repayments=[
            repayment("one", date(2026, 9, 1), 0, 300),
            repayment("two", date(2026, 9, 1), 0, 100),
            repayment("two", date(2026, 8, 1), 0, 150),
            repayment("gone", date(2025, 9, 1), 0, 0),
        ],
    )
    assert [facts[name] for name in ("total_debt_krw", "secured_debt_krw", "unsecured_debt_krw", "new_debt_share_6m")] == [
        400,
        300,
        100,
        0.25,
    ]


def test_facts_are_the_same_from_the_newest_months_alone_and_those_that_name_a_state_the_same_by_themselves() -> None:
    tables = tables_of(
        borrowers=[{"borrower_id": "bakery"}, {"borrower_id": "tailor"}],
        loans=[loan("one"), loan("two")],
        repayments=[repayment("one", date(2026, 9, 1), 12, 300), repayment("one", date(2026, 8, 1), 95, 400),
            repayment("two", date(2026, 8, 1), 3)],
        events=[{"kind": "workout", "happened_on": date(2026, 3, 1), "borrower_id": "tailor"}],
        facts=[{"fact": "plans_to_close", "value": "true", "valid_from_on": date(2026, 9, 1), "source": "owner"}],
        coverage=[covers("events")],
    )  # fmt: skip
    whole, newest = build_facts(tables, AS_OF), tables | {"repayments": keep_newest_months(tables["repayments"])}
    assert_frame_equal(build_facts(newest, AS_OF), whole)
    named = build_state_facts(newest, AS_OF)
    assert_frame_equal(named, whole.select("borrower_id", *STATE_FACTS))
    assert named.rows() == [("bakery", "trading", True, False, 12), ("tailor", None, None, True, None)]


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    facts = facts_of(
        loans=[loan("one"), loan("two", is_secured=None)],
        repayments=[repayment("one", AS_OF.replace(day=1), 0), repayment("two", AS_OF.replace(day=1), 0, None)],
    )
    assert [facts[name] for name in ("total_debt_krw", "secured_debt_krw", "unsecured_debt_krw", "new_debt_share_6m")] == [None] * 4


def test_all_debt_is_the_larger_of_what_bureau_and_lenders_report_and_the_score_is_the_newest_of_nice() -> None:
    month = {"credit_month": date(2026, 8, 1)}
    facts = facts_of(
        loans=[loan("one")], repayments=[repayment("one", date(2026, 9, 1), 0, 300)],
        credit=[
            {"bureau": "nice", "credit_score": 800, "debt_krw": 900, **month}, {"bureau": "nice", "credit_score": 850, "credit_month": date(2026, 7, 1)},
            {"bureau": "kcb", "credit_score": 600, **month},
        ],
    )  # fmt: skip
    assert (facts["total_debt_krw"], facts["credit_score"]) == (900, 800)


def test_an_old_score_is_unknown() -> None:
    assert facts_of(credit=[{"bureau": "nice", "credit_score": 800, "credit_month": date(2026, 3, 1)}])["credit_score"] is None


NO_ROW = [
    ("events", "has_default_event", False), ("events", "is_in_adjustment", False), ("events", "trading_status", "trading"),
    ("arrears", "tax_arrears_krw", 0), ("arrears", "tax_arrears_oldest_days", 0), ("awards_history", "awards", []),
    ("owns_premises", "owns_premises", False), ("plans_to_close", "plans_to_close", None), ("tax_year_sales_krw", "tax_year_sales_krw", None),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "fact", "no"), NO_ROW)
def test_no_row_means_no_only_where_the_subject_is_covered(subject: str, fact: str, no: Any) -> None:
    assert facts_of(coverage=[covers(subject)])[fact] == no
    assert facts_of(coverage=[{**covers(subject), "until_on": date(2026, 9, 29)}])[fact] is None
    assert facts_of(coverage=[{**covers(subject), "borrower_id": "florist"}])[fact] is None


def test_a_cleared_tax_says_nothing_of_others_unless_arrears_are_covered() -> None:
    cleared = {"arrears_id": "x", "kind": "local_tax", "since_on": date(2026, 1, 1), "amount_krw": 5, "cleared_on": date(2026, 2, 1)}
    assert facts_of(arrears=[cleared])["tax_arrears_krw"] is None
    assert facts_of(arrears=[cleared], coverage=[covers("arrears")])["tax_arrears_krw"] == 0


def test_unpaid_taxes_add_up_and_utility_bills_are_not_taxes() -> None:
    row = {"since_on": date(2026, 9, 20), "amount_krw": 5}
    facts = facts_of(arrears=[
        {**row, "arrears_id": "1", "kind": "national_tax", "since_on": date(2026, 6, 22)}, {**row, "arrears_id": "2", "kind": "local_tax"},
        {**row, "arrears_id": "3", "kind": "electricity"},
    ])  # fmt: skip
    assert (facts["tax_arrears_krw"], facts["tax_arrears_oldest_days"]) == (10, 100)


def test_a_default_counts_for_a_year_and_an_adjustment_for_ten() -> None:
    facts = facts_of(events=[{"kind": "workout", "happened_on": date(2025, 9, 30)}])
    assert (facts["has_default_event"], facts["is_in_adjustment"]) == (None, True)
    assert facts_of(events=[{"kind": "subrogation", "happened_on": date(2025, 10, 1)}])["has_default_event"] is True


def told(value: str, begins: date = date(2026, 1, 1), fact: str = "tax_year_sales_krw", **said: Any) -> Mapping[str, Any]:
    return {"fact": fact, "valid_from_on": begins, "value": value, "source": "holder", **said}


def test_the_newest_told_value_that_still_holds_counts() -> None:
    old, new = told("70", date(2025, 12, 1)), told("80")
    assert facts_of(facts=[new, old])["tax_year_sales_krw"] == 80
    assert facts_of(facts=[old, {**new, "valid_until_on": date(2026, 9, 29)}])["tax_year_sales_krw"] == 70


@pytest.mark.parametrize("row", [told("80", date(2025, 1, 1)), told("80", date(2027, 1, 1)), told("a lot")])
def test_a_told_value_too_old_not_yet_valid_or_unreadable_is_unknown(row: Mapping[str, Any]) -> None:
    assert facts_of(facts=[row])["tax_year_sales_krw"] is None


@pytest.mark.parametrize(("word", "flag"), [("true", True), ("Yes", True), ("0", False), ("no", False), ("maybe", None)])
def test_a_flag_is_read_from_plain_words(word: str, flag: bool | None) -> None:
    assert facts_of(facts=[told(word, fact="owns_premises", source="owner")])["owns_premises"] is flag


def test_a_shop_trades_as_long_as_one_business_does() -> None:
    shop = {"opened_on": date(2020, 1, 1)}
    both = [
        {**shop, "business_id": "1", "trading_status": "closed", "closed_on": date(2026, 1, 1)},
        {**shop, "business_id": "2", "trading_status": "trading", "opened_on": date(2024, 1, 1)},
    ]
    facts = facts_of(businesses=both)
    assert (facts["trading_status"], facts["opened_on"], facts["closed_on"]) == ("trading", date(2024, 1, 1), None)
    facts = facts_of(businesses=both[:1])
    assert (facts["trading_status"], facts["closed_on"], facts["days_trading"]) == ("closed", date(2026, 1, 1), 2192)


def test_a_closure_known_after_the_business_record_counts_and_one_known_before_it_does_not() -> None:
    business = {"business_id": "1", "trading_status": "trading", "known_on": date(2026, 5, 1)}
    closure = {"kind": "closure", "happened_on": date(2026, 4, 1)}
    later = facts_of(businesses=[business], events=[{**closure, "known_on": date(2026, 6, 1)}])
    assert (later["trading_status"], later["closed_on"]) == ("closed", date(2026, 4, 1))
    assert facts_of(businesses=[business], events=[{**closure, "known_on": date(2026, 4, 2)}])["trading_status"] == "trading"
    unsaid = {**business, "trading_status": None}
    assert facts_of(businesses=[unsaid], events=[{**closure, "known_on": date(2026, 4, 2)}])["trading_status"] == "closed"


def test_days_suspended_run_from_the_last_suspension() -> None:
    facts = facts_of(
        events=[
            {"kind": "suspension", "happened_on": date(2026, 9, 1)},
            {"kind": "reopening", "happened_on": date(2026, 3, 1)},
            {"kind": "suspension", "happened_on": date(2026, 1, 1)},
        ]
    )
    assert (facts["trading_status"], facts["days_suspended"]) == ("suspended", 29)


@pytest.mark.parametrize(
    ("code", "today", "inside"),
    [
        ("11", "11", True),
        ("28", "28", True),
        ("41", "41", True),
        ("42", "51", False),
        ("46", "12", False),
        ("99", None, True),
        (None, None, True),
    ],
)
def test_a_region_reads_as_today_and_an_unknown_one_counts_as_inside(code: str | None, today: str | None, inside: bool) -> None:
    facts = facts_of(borrowers=[{"borrower_id": "bakery", "region_code": code}])
    assert (facts["region_code"], facts["is_inside_capital"]) == (today, inside)


def test_a_region_code_of_an_earlier_day_is_kept_as_it_was_then() -> None:
    frame = build_facts(tables_of(borrowers=[{"borrower_id": "bakery", "region_code": "46"}]), date(2026, 6, 30))
    assert frame["region_code"].to_list() == ["46"]


def place_facts(own: Mapping[str, Any], *shops: Mapping[str, Any]) -> str | None:
    businesses = [{"business_id": str(number), **shop} for number, shop in enumerate(shops)]
    facts = facts_of(borrowers=[{"borrower_id": "bakery", **own}], businesses=businesses)
    region: str | None = facts["region_code"]
    return region


def test_a_district_that_moved_tells_the_region_and_the_shops_place_counts_only_whole() -> None:
    gunwi = {"region_code": "47", "district_code": "47720"}
    assert place_facts(gunwi, {}) == "27"
    assert place_facts({}, gunwi) == "27"
    assert place_facts({"region_code": "11"}, gunwi) == "11"
    assert place_facts({"district_code": "26110"}, gunwi) == "26"
    assert place_facts({}, {"district_code": "26110"}, {"region_code": "11"}) == "26"


def test_an_industry_reads_with_its_letter_and_an_unknown_one_is_a_question() -> None:
    codes = ("industry_code", "is_excluded_industry")
    bar, made_up = (facts_of(borrowers=[{"borrower_id": "bakery", "industry_code": code}]) for code in ("56211", "Z1"))
    assert [bar[name] for name in codes] == ["I56211", True]
    assert [made_up[name] for name in codes] == [None, None]


@pytest.mark.parametrize(
    ("said", "told_sales", "is_small"),
    [
        ({"annual_sales_krw": 80_000_000}, None, True),
        ({"annual_sales_krw": 80_000_000, "employees": 5}, None, False),
        ({"annual_sales_krw": None}, None, None),
        ({"annual_sales_krw": None}, "80000000", True),
        ({"annual_sales_krw": 80_000_000}, "9000000000", False),
    ],
)
def test_a_small_business_is_told_by_trade_workers_and_the_newest_sales(
    said: Mapping[str, Any], told_sales: str | None, is_small: bool | None
) -> None:
    borrower = {"borrower_id": "bakery", "industry_code": "I56111", "employees": 2, **said}
    facts = facts_of(borrowers=[borrower], facts=[] if told_sales is None else [told(told_sales)])
    assert facts["is_small_business"] is is_small


def test_an_industry_is_in_force_only_from_its_day() -> None:
    codes = pl.DataFrame({"industry_code": ["I56211"]})
    assert codes.select(left_out(pl.col("industry_code"), "policy_funds", date(2017, 7, 1))).item() is True
    assert codes.select(left_out(pl.col("industry_code"), "policy_funds", date(2017, 6, 30))).item() is False


def test_past_awards_are_listed_and_later_ones_are_not() -> None:
    rows = [{"programme_id": "p", "awarded_on": day, "amount_krw": 1} for day in (date(2026, 9, 30), date(2025, 1, 1), date(2026, 10, 1))]
    assert facts_of(awards_history=rows)["awards"] == ["p@2025-01-01", "p@2026-09-30"]


def test_neither_age_nor_sex_is_a_fact_that_a_rule_may_name() -> None:
    assert not [name for name in FACTS if "birth" in name or "sex" in name or "age" in name.split("_")]
