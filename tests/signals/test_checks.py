"""Rows that break a rule are set aside with its name; the gate counts what polars counts."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from signals.checks import judge_rows
from signals.gate import judge_arrival

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


def judge(tmp_path: Path, good: int, bad: int) -> tuple[bool, tuple[str, ...]]:
    rows = repayments(*[{} for _ in range(good + bad)]).with_columns(is_accepted=pl.int_range(good + bad) < good)
    (report,) = judge_arrival("bank", [("repayments", rows, good + bad)], tmp_path)
    return report.is_passed, report.warnings


@pytest.mark.slow
def test_the_gate_refuses_a_mostly_broken_delivery_warns_of_a_partly_broken_one_and_writes_data_docs(tmp_path: Path) -> None:
    assert judge(tmp_path / "a", good=100, bad=0) == (True, ())
    passed, warnings = judge(tmp_path / "b", good=90, bad=10)
    assert passed
    assert warnings == ("expect_column_values_to_be_in_set on is_accepted: 90.0 % pass, 99 % needed",)
    assert judge(tmp_path / "c", good=40, bad=60)[0] is False
    assert "is_accepted" in next((tmp_path / "b" / "validations").rglob("*.html")).read_text()


@pytest.mark.slow
def test_great_expectations_counts_what_polars_counts(tmp_path: Path) -> None:
    rows = repayments(*[{"due_month": date(2026, 3, 1 + number % 3)} for number in range(60)])
    accepted, aside = judge_rows(rows, "repayments")
    arrival = pl.concat([accepted.with_columns(is_accepted=True), aside.drop("rules").with_columns(is_accepted=False)])
    (report,) = judge_arrival("bank", [("repayments", arrival, arrival.height)], tmp_path)
    assert f"{100 * accepted.height / rows.height:.1f} % pass" in report.failures[0]


def test_an_empty_arrival_needs_no_gate(tmp_path: Path) -> None:
    assert judge_arrival("bank", [("repayments", repayments({}).clear().with_columns(is_accepted=True), 0)], tmp_path) == []
