"""The town's tables keep their contracts, and tell nothing too early or too late."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.errors import InputError
from signals.known import as_known
from signals.simulate import Town, simulate_town, town
from signals.simulate.people import name_borrowers
from signals.tables import TABLES

UNTIL = date(2026, 9, 17)
FACT_DAYS = [
    ("borrowers", "opened_on"), ("loans", "opened_on"), ("repayments", "due_month"), ("sales", "sales_month"), ("arrears", "since_on"),
    ("arrears", "cleared_on"), ("credit", "credit_month"), ("events", "happened_on"), ("businesses", "closed_on"), ("facts", "valid_from_on"),
    ("coverage", "from_on"), ("programme_status", "status_on"), ("consents", "granted_on"), ("consents", "withdrawn_on"),
    ("awards_history", "awarded_on"),
]  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Town:
    return simulate_town(borrowers=4_000, months=30, seed=5, until=UNTIL)


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, dtype=kind).alias(column) for column, kind in TABLES[name].polars_schema.items() if column not in frame.columns]
    return frame.with_columns(missing).select(TABLES[name].columns)


def known_today(small: Town, name: str) -> pl.DataFrame:
    return as_known(small.tables[name].lazy(), name, UNTIL).collect()


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_is_there_and_keeps_its_contract(small: Town, name: str) -> None:
    frame = small.tables[name]
    assert frame.height > 0
    assert TABLES[name].schema.filter(conform(name, frame)).failure.counts() == {}


@pytest.mark.parametrize("name", list(TABLES))
def test_nothing_is_known_after_until(small: Town, name: str) -> None:
    assert small.tables[name]["known_on"].max() <= UNTIL


@pytest.mark.parametrize(("name", "column"), FACT_DAYS)
def test_nothing_is_known_before_it_happened(small: Town, name: str, column: str) -> None:
    early = small.tables[name].filter(pl.col("known_on") < pl.col(column))
    assert early.height == 0


def test_repayments_are_known_from_the_last_day_of_their_month_and_sales_ten_days_after(small: Town) -> None:
    first = small.tables["repayments"].sort("known_on").unique(["loan_id", "due_month"], keep="first")
    after_month = (first["known_on"] - first["due_month"].dt.month_end()).dt.total_days()
    assert after_month.min() == 0
    assert after_month.median() == 0
    assert after_month.quantile(0.95) <= 3
    sales = small.tables["sales"].sort("known_on").unique(["borrower_id", "sales_month"], keep="first")
    assert 7 <= (sales["known_on"] - sales["sales_month"].dt.month_end()).dt.total_days().median() <= 15


@pytest.mark.parametrize("name", ["repayments", "sales"])
def test_a_few_rows_come_wrong_and_are_corrected_later(small: Town, name: str) -> None:
    versions = small.tables[name].group_by(TABLES[name].key).agg(pl.len(), pl.col("known_on").n_unique().alias("days"))
    corrected = versions.filter(pl.col("len") > 1)
    assert corrected["len"].to_list() == corrected["days"].to_list()
    assert 0.002 < corrected.height / versions.height < 0.004


def test_a_corrected_sale_was_first_told_too_low(small: Town) -> None:
    sales = small.tables["sales"].sort("known_on").group_by("borrower_id", "sales_month")
    told = sales.agg(pl.len(), first=pl.col("card_sales_krw").first(), last=pl.col("card_sales_krw").last())
    twice = told.filter(pl.col("len") == 2, pl.col("last") > 0)
    assert twice.height > 0
    assert twice.filter(pl.col("first") >= pl.col("last")).height == 0


def test_some_facts_are_missing(small: Town) -> None:
    borrowers = known_today(small, "borrowers")
    assert 0.01 < borrowers["region_code"].is_null().mean() < 0.03
    assert borrowers.filter(pl.col("region_code").is_null(), pl.col("district_code").is_not_null()).height == 0
    sold = small.tables["sales"]["borrower_id"].n_unique() / borrowers.height
    assert 0.5 < sold < 0.95


@pytest.mark.parametrize("subject", ["sales", "credit", "arrears", "awards_history"])
def test_only_the_covered_have_rows(small: Town, subject: str) -> None:
    covered = small.tables["coverage"].filter(pl.col("subject") == subject)["borrower_id"]
    assert 0 < len(covered) < small.tables["borrowers"]["borrower_id"].n_unique()
    assert set(small.tables[subject]["borrower_id"]) <= set(covered)


def test_every_borrower_is_asked_for_and_named_once(small: Town) -> None:
    ids = known_today(small, "borrowers")["borrower_id"]
    assert len(ids) == ids.n_unique() == 4_000
    assert ids.str.contains(r"^B[0-9a-f]{8}$").all()
    assert name_borrowers(3, 0, 200_000).n_unique() == 200_000


def test_districts_lie_in_their_region_and_codes_are_todays(small: Town) -> None:
    borrowers = known_today(small, "borrowers").drop_nulls("region_code")
    assert (borrowers["district_code"].str.slice(0, 2) == borrowers["region_code"]).all()
    assert (borrowers["district_code"].str.len_chars() == 5).all()
    assert {"42", "45"}.isdisjoint(borrowers["region_code"])
    assert {"51", "52", "11", "41"} <= set(borrowers["region_code"])


def test_rows_point_at_rows_that_exist(small: Town) -> None:
    loans, lenders = known_today(small, "loans"), known_today(small, "lenders")
    assert set(small.tables["repayments"]["loan_id"]) <= set(small.tables["loans"]["loan_id"])
    assert set(loans["lender_id"]) | set(loans["guarantor_id"].drop_nulls()) <= set(lenders["lender_id"])
    assert loans.filter(~pl.col("loan_id").str.starts_with(pl.col("lender_id"))).height == 0
    for name, table in TABLES.items():
        if table.has_borrower:
            assert set(small.tables[name]["borrower_id"]) <= set(small.tables["borrowers"]["borrower_id"]), name


def test_a_default_is_ninety_days_overdue_in_its_own_month_and_never_before(small: Town) -> None:
    worst = known_today(small, "repayments").group_by("borrower_id", "due_month").agg(pl.col("days_past_due").max())
    defaults = known_today(small, "events").filter(
        pl.col("kind") == "default_90d", pl.col("happened_on").is_between(date(2024, 6, 1), date(2026, 7, 31))
    )
    own_month = defaults.with_columns(due_month=pl.col("happened_on").dt.month_start()).join(worst, on=["borrower_id", "due_month"])
    assert own_month.height > 100
    assert (own_month["days_past_due"] >= 90).mean() > 0.99
    assert (
        own_month["days_past_due"] - 90 == (own_month["happened_on"].dt.month_end() - own_month["happened_on"]).dt.total_days()
    ).mean() > 0.98
    late = worst.filter(pl.col("days_past_due") >= 90).join(
        known_today(small, "events").filter(pl.col("kind") == "default_90d"), on="borrower_id", how="left"
    )
    had = late.group_by("borrower_id", "due_month").agg((pl.col("happened_on") <= pl.col("due_month").dt.month_end()).any().alias("had"))
    assert had["had"].fill_null(value=False).mean() > 0.99


def test_early_adjustment_brings_the_borrower_up_to_date(small: Town) -> None:
    asked = known_today(small, "events").filter(pl.col("kind") == "early_adjustment", pl.col("happened_on") < date(2026, 8, 1))
    after = asked.with_columns(due_month=pl.col("happened_on").dt.month_start()).join(
        known_today(small, "repayments"), on=["borrower_id", "due_month"]
    )
    assert after.height > 20
    assert (after["days_past_due"] == 0).mean() > 0.98


def test_a_closed_shop_sells_nothing_until_it_reopens(small: Town) -> None:
    events = known_today(small, "events")
    reopened = events.filter(pl.col("kind") == "reopening").select("borrower_id")
    closed = events.filter(pl.col("kind") == "closure").join(reopened, on="borrower_id", how="anti").select("borrower_id", "happened_on")
    # A reopening is told up to forty days late: the last months may not know of one.
    later = pl.col("sales_month").is_between("happened_on", date(2026, 6, 1), closed="right")
    sales = known_today(small, "sales").join(closed, on="borrower_id").filter(later)
    assert sales.height > 0
    assert sales["card_sales_krw"].max() == 0


def test_festival_months_and_seasons_show_in_retail(small: Town) -> None:
    retail = known_today(small, "borrowers").filter(pl.col("industry_code") == "G47").select("borrower_id")
    sales = (
        known_today(small, "sales")
        .join(retail, on="borrower_id")
        .group_by("sales_month")
        .agg(pl.col("card_sales_krw").sum())
        .sort("sales_month")
    )
    won = dict(zip(sales["sales_month"], sales["card_sales_krw"], strict=True))
    assert won[date(2025, 9, 1)] > won[date(2025, 8, 1)]
    assert won[date(2025, 1, 1)] > won[date(2025, 2, 1)]


def test_tax_year_sales_hold_from_january_after_the_year(small: Town) -> None:
    told = known_today(small, "facts").filter(pl.col("fact") == "tax_year_sales_krw")
    newest = told.filter(pl.col("valid_from_on") == date(2026, 1, 1))
    assert newest["borrower_id"].n_unique() > 2_500
    assert newest["known_on"].min() >= date(2026, 2, 1)
    assert (newest["known_on"] <= date(2026, 7, 31)).mean() > 0.98
    assert newest["value"].cast(pl.Int64).is_between(1, 10**12).all()
    assert set(known_today(small, "facts")["fact"]) == {"tax_year_sales_krw", "plans_to_close", "household_income_pct", "owns_premises"}


def test_the_same_seed_makes_the_same_town_and_another_seed_another() -> None:
    one, same, other = (simulate_town(300, 6, seed, UNTIL) for seed in (1, 1, 2))
    assert all(one.tables[name].equals(same.tables[name]) for name in one.tables)
    assert one.truth.equals(same.truth)
    assert not one.tables["repayments"].equals(other.tables["repayments"])


def test_a_larger_town_holds_the_smaller_ones_full_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town, "BLOCK", 200)
    smaller, larger = simulate_town(400, 6, 1, UNTIL), simulate_town(500, 6, 1, UNTIL)
    inside = larger.tables["repayments"].filter(pl.col("borrower_id").is_in(smaller.tables["borrowers"]["borrower_id"].unique().to_list()))
    assert inside.equals(smaller.tables["repayments"])


@pytest.mark.parametrize(("borrowers", "months"), [(0, 12), (10, 1)])
def test_too_small_a_town_is_refused(borrowers: int, months: int) -> None:
    with pytest.raises(InputError, match="ask for at least"):
        simulate_town(borrowers, months, 1, UNTIL)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 30), st.integers(2, 8), st.integers(0, 2**32), st.dates(date(2005, 1, 1), date(2040, 12, 31)))
def test_the_smallest_towns_keep_their_contracts_on_any_day(borrowers: int, months: int, seed: int, until: date) -> None:
    tiny = simulate_town(borrowers, months, seed, until)
    for name, frame in tiny.tables.items():
        assert TABLES[name].schema.filter(conform(name, frame)).failure.counts() == {}, name
        assert frame.is_empty() or frame["known_on"].max() <= until, name
    assert tiny.tables["borrowers"]["borrower_id"].n_unique() == borrowers
    assert tiny.truth["hazard_180d"].is_between(0, 1).all()
