"""Rows that break a rule are set aside with its name."""

from datetime import date

import polars as pl
import pytest

from signals.checks import judge_rows

DAY = date(2026, 3, 1)


def repayments(*changes: dict[str, object]) -> pl.DataFrame:
    row = {"loan_id": "L1", "borrower_id": "bakery", "due_month": DAY, "days_past_due": 0, "known_on": date(2026, 3, 31)}
    return pl.DataFrame([row | {"loan_id": f"L{number}"} | change for number, change in enumerate(changes)], infer_schema_length=None)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"days_past_due": -1}, "days_past_due|min"),
        ({"due_month": date(2026, 3, 2)}, "month_is_its_first_day"),
        ({"known_on": date(2026, 2, 1)}, "known_not_before_the_month"),
        ({"borrower_id": ""}, "borrower_id|min_length"),
        ({"paid_krw": 10**17}, "paid_krw|max"),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_aside_with_its_name(change: dict[str, object], rule: str) -> None:
    accepted, aside = judge_rows(repayments({}, change).with_columns(file=pl.lit("r.parquet"), line=pl.int_range(1, 3)), "repayments")
    assert accepted["loan_id"].to_list() == ["L0"]
    assert aside.select("loan_id", "file", "line", "rules").rows() == [("L1", "r.parquet", 2, rule)]


def test_a_negative_balance_is_let_in() -> None:
    accepted, aside = judge_rows(repayments({"balance_krw": -5}), "repayments")
    assert (accepted.height, aside.height) == (1, 0)


def test_rows_of_one_key_and_day_that_contradict_each_other_are_all_set_aside() -> None:
    rows = repayments({"loan_id": "L1", "days_past_due": 3}, {"loan_id": "L1", "days_past_due": 30}, {"loan_id": "L2"})
    accepted, aside = judge_rows(rows, "repayments")
    assert accepted["loan_id"].to_list() == ["L2"]
    assert aside["rules"].to_list() == ["primary_key", "primary_key"]


def test_an_event_cannot_be_known_before_it_happened_and_its_kind_must_be_declared() -> None:
    rows = pl.DataFrame(
        {
            "borrower_id": ["a", "b", "c"],
            "kind": ["closure", "closure", "wedding"],
            "happened_on": [DAY] * 3,
            "known_on": [DAY, date(2026, 2, 1), DAY],
        }
    )
    accepted, aside = judge_rows(rows, "events")
    assert accepted["borrower_id"].to_list() == ["a"]
    assert dict(zip(aside["borrower_id"], aside["rules"], strict=True)) == {
        "b": "known_not_before_it_happened",
        "c": "kind|check__known_code",
    }
