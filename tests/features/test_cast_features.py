"""The main features of the named shops, to be read as a manual."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features import build_features
from signals.errors import InputError
from tests.cast import BAKERY, CAST_AS_OF, FISHMONGER, HAIRDRESSER, cast_tables
from tests.features.worlds import know

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
"""
CASES = [(line.split()[0], *case.split("=")) for line in EXPECTED.strip().splitlines() for case in line.split()[1:]]


def build(tables: dict[str, pl.DataFrame], as_of: date = CAST_AS_OF) -> pl.DataFrame:
    return build_features(know(tables, as_of), as_of).collect()


def value_of(rows: pl.DataFrame, owner: str, feature: str) -> float | None:
    return rows.filter(pl.col("borrower_id") == owner)[feature].item()


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
    assert value_of(build(cast_tables(), date(2027, 1, 31)), BAKERY, "days_past_due") == 41
    assert value_of(build(cast_tables(), date(2027, 2, 1)), BAKERY, "days_past_due") is None


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
    assert value_of(build({**tables, "sales": partial}, date(2026, 10, 30)), BAKERY, "sales_change_3m") == 0
    assert value_of(build({**tables, "sales": partial}, date(2026, 10, 31)), BAKERY, "sales_change_3m") == pytest.approx(-1 / 3)


def test_no_row_means_none_only_while_coverage_lasts() -> None:
    tables = cast_tables()
    ended = tables["coverage"].with_columns(until_on=date(2026, 10, 30))
    assert value_of(build(tables), FISHMONGER, "arrears_krw") == 0
    assert value_of(build({**tables, "coverage": ended}), FISHMONGER, "arrears_krw") is None
    assert value_of(build({**tables, "coverage": ended}), HAIRDRESSER, "arrears_krw") == 6_000_000


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
    assert value_of(build(tables), bookshop, "is_suspended") == 1
    assert value_of(build({**tables, "events": pl.concat([tables["events"], reopening])}), bookshop, "is_suspended") == 0


def test_tables_that_name_nobody_are_refused() -> None:
    with pytest.raises(InputError, match="no table names a borrower"):
        build({"sales": cast_tables()["sales"]})
