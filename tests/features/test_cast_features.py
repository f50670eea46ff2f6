"""The main features of the named shops, to be read as a manual."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features import build_features
from features.catalogue import BY_NAME
from models.scorecard import SIGNS, score_signs
from signals.errors import InputError
from tests.cast import BAKERY, CAFE, CAST_AS_OF, FISHMONGER, HAIRDRESSER, TAXI, cast_tables
from tests.features.worlds import know, make_world

# One line per feature; then shop = value, `-` for null.
EXPECTED = """
days_past_due           bakery=41 fishmonger=8 tailor=- florist=- taxi=0 grocer=95
days_past_due_1m_ago    bakery=11 fishmonger=2 grocer=64
days_past_due_2m_ago    bakery=0 grocer=34
days_past_due_max_6m    bakery=41 guesthouse=0 tailor=-
days_past_due_max_12m   guesthouse=34 tailor=20
days_past_due_rise_3m   bakery=41 grocer=91
overdue_days_6m         bakery=46 grocer=94 noodle=0
late_months_12m         bakery=3 guesthouse=2 tailor=1
months_since_late       bakery=0 guesthouse=6 tailor=8 noodle=-
paid_share_3m           bakery=0.3333 carpenter=- noodle=1
paid_share_12m          bakery=0.75 carpenter=1
missed_payments_6m      bakery=3 carpenter=0
balance_krw             noodle=50000000 tailor=- taxi=9000000
utilisation             cafe=0.95 bakery=-
loans_count             noodle=2 tailor=- taxi=1
debt_to_sales           bakery=0.381 noodle=0.2083 hairdresser=0.2083 taxi=-
maturing_90d_krw        guesthouse=21000000 bakery=0 taxi=-
nonbank_share           taxi=1 bakery=0
guaranteed_share        noodle=0.16
interest_rate_pct       noodle=4.68
sales_12m_krw           bakery=84000000 hairdresser=-
sales_change_yoy        bakery=-0.5 noodle=0.1111 delivery=0.1429 hairdresser=-
sales_change_3m         bakery=-0.5 delivery=0.0667
zero_sales_months_6m    bookshop=0 bakery=0 hairdresser=-
arrears_krw             hairdresser=6000000 cafe=420000 bakery=0 florist=- taxi=-
arrears_count           hairdresser=1 bakery=0 taxi=-
tax_arrears_krw         hairdresser=6000000 cafe=0
arrears_oldest_days     hairdresser=273 cafe=51 bakery=0
arrears_new_6m          hairdresser=1 cafe=1
credit_score            cafe=700 noodle=910 bakery=-
credit_score_change_12m cafe=-120 noodle=0
credit_score_change_3m  cafe=-30
lenders_count           cafe=3 noodle=2
nonbank_debt_change_6m  cafe=0.2 noodle=0
enquiries_3m            cafe=3
years_open              florist=3.0007 taxi=-
employees               noodle=3 taxi=-
is_in_adjustment        guesthouse=1 bakery=0 florist=-
is_suspended            bookshop=1 bakery=0 taxi=-
overdue_loans_count          bakery=1 fishmonger=1 noodle=0 tailor=-
overdue_loans_share          bakery=1 noodle=0
overdue_balance_krw          bakery=32000000 noodle=0 tailor=-
days_past_due_max_3m         bakery=41 guesthouse=0 tailor=-
days_past_due_trend_12m      bakery=16.7778 guesthouse=-5.1111
days_past_due_volatility_12m bakery=4.6364 noodle=0
late_months_in_a_row         bakery=2 grocer=4 guesthouse=0 tailor=-
late_30_months_12m           grocer=3 bakery=1 tailor=0
short_payments_12m           bakery=3 guesthouse=2 carpenter=0
months_since_full_payment    bakery=2 carpenter=4 noodle=0
paid_share_trend_12m         bakery=-0.4167 noodle=0 carpenter=-
household_days_past_due      grocer=95 bakery=-
full_lines_count             cafe=1 bakery=-
unused_lines_krw             cafe=1500000 bakery=-
debt_service_to_sales_12m    bakery=0.1429 noodle=0.085 hairdresser=0.1 taxi=-
newest_loan_months           bakery=28 tailor=-
oldest_loan_months           noodle=28
nonbank_loans_count          taxi=1 bakery=0
new_nonbank_loans_6m         taxi=0
new_nonbank_6m_krw           taxi=0
guarantor_share              noodle=0.16 bakery=0
household_share              grocer=1 bakery=0
maturing_loans_90d           guesthouse=1 bakery=0 taxi=-
next_maturity_days           guesthouse=50 noodle=215 taxi=-
interest_to_sales            noodle=0.0098 hairdresser=0.0125 bakery=0.0248
insurance_arrears_krw        cafe=420000 hairdresser=0 taxi=-
utility_arrears_krw          hairdresser=0 taxi=-
telecom_arrears_krw          bakery=0
rent_arrears_krw             bakery=0
insurance_arrears_count      cafe=1 hairdresser=0 taxi=-
arrears_kinds_count          hairdresser=1 cafe=1 bakery=0 taxi=-
arrears_to_sales             hairdresser=0.0833 cafe=0.0035 bakery=0 taxi=-
arrears_new_3m               hairdresser=1 cafe=1 bakery=0
arrears_new_trend_6m         hairdresser=1 bakery=0
arrears_cleared_share_6m     hairdresser=1 cafe=0 bakery=-
credit_score_change_6m       cafe=-60
credit_score_min_12m         cafe=700 noodle=910
credit_score_range_12m       cafe=110 noodle=0
low_score_months_12m         cafe=5 noodle=0
lenders_change_6m            cafe=0
debt_change_12m              cafe=0 bakery=-
bureau_nonbank_share         cafe=0.5 noodle=0
enquiries_12m                cafe=12
enquiries_trend_12m          cafe=0
all_debt_to_sales            cafe=0.5 noodle=0.25
official_signs_count         bakery=5 cafe=5 grocer=5 hairdresser=1 noodle=1 taxi=0 florist=-
is_closed                    bakery=0 taxi=-
businesses_count             bakery=1 bookshop=1 taxi=-
businesses_closed_24m        bakery=0
newest_business_years        florist=3.0007
suspension_days_ago          bookshop=152 bakery=-
annual_sales_krw             bakery=96000000 taxi=-
sales_per_person_krw         bakery=42000000 noodle=60000000 florist=48000000 taxi=-
"""
CASES = [(line.split()[0], *case.split("=")) for line in EXPECTED.strip().splitlines() for case in line.split()[1:]]


def build(tables: dict[str, pl.DataFrame], as_of: date = CAST_AS_OF) -> pl.DataFrame:
    return build_features(know(tables, as_of), as_of).collect()


def value_of(rows: pl.DataFrame, owner: str, feature: str) -> float | None:
    return rows.filter(pl.col("borrower_id") == owner)[feature].item()


def value_built(owner: str, feature: str, tables: dict[str, pl.DataFrame], as_of: date = CAST_AS_OF) -> float | None:
    """Build one feature alone, which has the value it has among all."""
    return value_of(build_features(know(tables, as_of), as_of, [BY_NAME[feature]]).collect(), owner, feature)


@pytest.fixture(scope="module")
def shops() -> pl.DataFrame:
    return build(cast_tables())


@pytest.mark.parametrize(("feature", "shop", "value"), CASES)
def test_a_shop_of_the_cast_has_the_value_a_person_would_count(shops: pl.DataFrame, feature: str, shop: str, value: str) -> None:
    (found,) = shops.filter(pl.col("borrower_id").str.starts_with(shop))[feature]
    assert found == (None if value == "-" else pytest.approx(float(value), abs=1e-4))


def test_a_month_reported_late_shifts_no_lag() -> None:
    """In mid-November nobody has reported November yet."""
    november = build(cast_tables(), date(2026, 11, 14))
    assert [value_of(november, BAKERY, name) for name in ("days_past_due", "days_past_due_1m_ago", "late_months_3m")] == [41, 11, 2]


def test_a_loan_without_news_for_longer_than_three_months_is_no_part_of_the_present() -> None:
    assert value_built(BAKERY, "days_past_due", cast_tables(), date(2027, 1, 31)) == 41
    assert value_built(BAKERY, "days_past_due", cast_tables(), date(2027, 2, 1)) is None


def test_a_payment_whose_day_has_not_come_is_not_missing() -> None:
    tables = cast_tables()
    early = tables["repayments"].with_columns(known_on=pl.min_horizontal("known_on", pl.lit(date(2026, 10, 2))))
    rows = build({**tables, "repayments": early}, date(2026, 10, 15))
    assert value_of(rows, BAKERY, "missed_payments_6m") == 2
    assert value_of(rows, BAKERY, "paid_share_1m") is None


def test_an_unfinished_month_is_not_read_as_a_fall_in_sales() -> None:
    tables = cast_tables()
    partial = tables["sales"].with_columns(
        known_on=date(2026, 10, 1), card_sales_krw=pl.when(pl.col("sales_month") == date(2026, 10, 1)).then(0).otherwise(8_000_000)
    )
    assert value_built(BAKERY, "sales_change_3m", {**tables, "sales": partial}, date(2026, 10, 30)) == 0
    assert value_built(BAKERY, "sales_change_3m", {**tables, "sales": partial}, date(2026, 10, 31)) == pytest.approx(-1 / 3)


def test_no_row_means_none_only_while_coverage_lasts() -> None:
    tables = cast_tables()
    ended = tables["coverage"].with_columns(until_on=date(2026, 10, 30))
    assert value_built(FISHMONGER, "arrears_krw", tables) == 0
    assert value_built(FISHMONGER, "arrears_krw", {**tables, "coverage": ended}) is None
    assert value_built(HAIRDRESSER, "arrears_krw", {**tables, "coverage": ended}) == 6_000_000


def test_the_scores_of_two_bureaus_are_never_mixed() -> None:
    """Once NICE falls silent for long, KCB speaks alone, without a change against NICE."""
    tables = cast_tables()
    quiet = tables["credit"].filter((pl.col("bureau") == "kcb") | (pl.col("credit_month") < date(2026, 6, 1)))
    rows = build({**tables, "credit": quiet})
    assert value_of(rows, "cafe-by-the-river", "credit_score") == 850
    assert value_of(rows, "cafe-by-the-river", "credit_score_change_12m") is None


def test_a_reopened_shop_is_no_longer_suspended() -> None:
    tables = {name: frame for name, frame in cast_tables().items() if name != "businesses"}
    reopening = (
        tables["events"].filter(pl.col("kind") == "suspension").with_columns(kind=pl.lit("reopening"), happened_on=date(2026, 10, 1))
    )
    bookshop = "bookshop-on-the-hill"
    assert value_built(bookshop, "is_suspended", tables) == 1
    assert value_built(bookshop, "is_suspended", {**tables, "events": pl.concat([tables["events"], reopening])}) == 0


def test_tables_that_name_nobody_are_refused() -> None:
    with pytest.raises(InputError, match="no table names a borrower"):
        build({"sales": cast_tables()["sales"]})


def amend(table: str, is_it: pl.Expr, **columns: object) -> dict[str, pl.DataFrame]:
    """The cast with some rows told otherwise."""
    tables = cast_tables()
    told = [
        pl.when(is_it).then(value if isinstance(value, pl.Expr) else pl.lit(value)).otherwise(pl.col(name))
        for name, value in columns.items()
    ]
    return {**tables, table: tables[table].with_columns(expr.alias(name) for expr, name in zip(told, columns, strict=True))}


def values_of(tables: dict[str, pl.DataFrame], owner: str, features: list[str]) -> list[float | None]:
    rows = build(tables)
    return [value_of(rows, owner, feature) for feature in features]


def test_a_loan_taken_in_summer_from_a_savings_bank_is_new_borrowing_from_a_non_bank() -> None:
    tables = amend("loans", pl.col("borrower_id") == TAXI, opened_on=date(2026, 8, 5))
    new = ["new_loans_6m", "new_nonbank_loans_6m", "new_nonbank_6m_krw", "newest_loan_months"]
    assert values_of(tables, TAXI, new) == [1, 1, 9_000_000, 2]
    from_the_bank = amend("loans", pl.col("borrower_id") == BAKERY, opened_on=date(2026, 8, 5))
    assert values_of(from_the_bank, BAKERY, new) == [1, 0, 0, 2]


@pytest.mark.parametrize(
    ("kind", "name"), [("gas", "utility"), ("telecom", "telecom"), ("rent", "rent"), ("pension", "insurance"), ("local_tax", "tax")]
)
def test_each_kind_of_bill_counts_under_its_own_name(kind: str, name: str) -> None:
    names = ["utility", "telecom", "rent", "insurance", "tax"]
    tables = amend("arrears", pl.col("arrears_id") == "A-3", kind=kind)
    found = values_of(tables, CAFE, [f"{of}_arrears_krw" for of in names])
    assert found == [420_000 if of == name else 0 for of in names]


def test_bills_of_one_kind_say_nothing_of_another_where_coverage_is_silent() -> None:
    tables = cast_tables()
    silent = {**tables, "coverage": tables["coverage"].clear()}
    names = ["arrears_kinds_count", "insurance_arrears_count", "arrears_new_trend_6m", "utility_arrears_krw", "rent_arrears_krw"]
    assert values_of(silent, HAIRDRESSER, names) == [1, None, 1, None, None]


def test_bills_that_began_in_spring_are_a_falling_trend() -> None:
    tables = amend("arrears", pl.col("arrears_id") == "A-2", since_on=date(2026, 5, 1))
    assert values_of(tables, HAIRDRESSER, ["arrears_new_3m", "arrears_new_6m", "arrears_new_trend_6m"]) == [0, 1, -1]


def test_a_line_half_repaid_leaves_room() -> None:
    newest = (pl.col("borrower_id") == CAFE) & (pl.col("due_month") == date(2026, 10, 1))
    tables = amend("repayments", newest, balance_krw=15_000_000)
    names = ["utilisation", "utilisation_change_3m", "full_lines_count", "unused_lines_krw"]
    assert values_of(tables, CAFE, names) == [0.5, pytest.approx(-0.45), 0, 15_000_000]


def test_what_the_bureau_newly_counts_shows_in_the_trends() -> None:
    newest = (pl.col("borrower_id") == CAFE) & (pl.col("bureau") == "nice") & (pl.col("credit_month") == date(2026, 10, 1))
    tables = amend("credit", newest, lenders_count=5, debt_krw=90_000_000, enquiries_count=4)
    names = ["lenders_change_6m", "debt_change_12m", "enquiries_trend_12m", "enquiries_12m", "all_debt_to_sales"]
    assert values_of(tables, CAFE, names) == [2, pytest.approx(0.5), pytest.approx(0.75), 15, pytest.approx(0.75)]


def test_a_month_nobody_reported_ends_the_row_of_late_months() -> None:
    tables = cast_tables()
    gap = tables["repayments"].filter((pl.col("borrower_id") != BAKERY) | (pl.col("due_month") != date(2026, 9, 1)))
    names = ["late_months_in_a_row", "late_months_3m", "days_past_due_volatility_12m"]
    assert values_of({**tables, "repayments": gap}, BAKERY, names) == [1, 1, pytest.approx(10 / 9)]


def test_a_shop_that_moves_is_closed_at_one_place_alone() -> None:
    tables = amend("businesses", pl.col("borrower_id") == BAKERY, closed_on=date(2025, 1, 1), trading_status="closed")
    names = ["is_closed", "businesses_count", "businesses_closed_24m", "newest_business_years"]
    assert values_of(tables, BAKERY, names) == [1, 0, 1, pytest.approx(2801 / 365.25)]
    new = tables["businesses"].filter(pl.col("borrower_id") == BAKERY)
    new = new.with_columns(business_id=pl.lit("B:new"), opened_on=date(2025, 1, 1), closed_on=None, trading_status=pl.lit("trading"))
    moved = {**tables, "businesses": pl.concat([tables["businesses"], new.cast(dict(tables["businesses"].schema))])}
    assert values_of(moved, BAKERY, names) == [0, 1, 1, pytest.approx(668 / 365.25)]


def test_the_signs_counted_are_those_of_the_scorecard() -> None:
    """All but the public debt adjustment, which is help and no sign of DESIGN's list."""
    rows = build_features(know(make_world(3, borrowers=80), date(2026, 2, 10)), date(2026, 2, 10)).collect()
    counted = score_signs(rows).select(pl.sum_horizontal(sign.name for sign in SIGNS if sign.name != "in_adjustment"))
    assert rows["official_signs_count"].fill_null(0).to_list() == counted.to_series().to_list()
    assert rows["official_signs_count"].max() >= 6
