"""What must hold for every declared feature, whichever they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features import (
    FEATURES,
    THEMES,
    Feature,
    build_features,
    build_peer_values,
    describe_features,
    directions,
    feature_names,
    measure_peers,
    themes,
)
from features.reading import READS
from signals.receipts import hash_content
from signals.tables import TABLES
from tests.cast import CAST_AS_OF, cast_tables
from tests.features.worlds import draw_day, know, make_world

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
WORLDS = settings(max_examples=5, deadline=None)
EVERY_FEATURE = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)

PROMISED = {
    *("days_past_due", "days_past_due_max_6m", "days_past_due_1m_ago", "days_past_due_2m_ago", "overdue_days_6m", "late_months_12m"),
    *("days_past_due_rise_3m", "paid_share_3m", "paid_share_12m", "months_since_late"),
    *("balance_krw", "utilisation", "balance_change_6m", "loans_count", "debt_to_sales", "maturing_90d_krw", "nonbank_share"),
    *("guaranteed_share", "paid_to_balance_3m"),
    *("overdue_loans_count", "overdue_balance_krw", "days_past_due_trend_12m", "days_past_due_volatility_12m", "late_months_in_a_row"),
    *("late_30_months_12m", "months_since_full_payment", "paid_share_trend_12m", "household_days_past_due"),
    *("full_lines_count", "unused_lines_krw", "debt_service_to_sales_12m"),
    *("nonbank_loans_count", "new_nonbank_loans_6m", "new_nonbank_6m_krw", "guarantor_share", "secured_share", "household_share"),
    *("maturing_loans_90d", "next_maturity_days", "newest_loan_months", "oldest_loan_months", "interest_to_sales"),
    *("sales_12m_krw", "sales_change_yoy", "sales_change_3m", "zero_sales_months_6m", "sales_volatility_12m"),
    *("arrears_krw", "arrears_count", "tax_arrears_krw", "arrears_oldest_days", "arrears_new_6m"),
    *("credit_score", "credit_score_change_12m", "credit_score_change_3m", "lenders_count", "nonbank_debt_change_6m", "enquiries_3m"),
    *("insurance_arrears_krw", "utility_arrears_krw", "telecom_arrears_krw", "rent_arrears_krw", "insurance_arrears_count"),
    *("arrears_kinds_count", "arrears_to_sales", "arrears_new_trend_6m", "arrears_cleared_share_6m"),
    *("credit_score_change_6m", "credit_score_min_12m", "credit_score_range_12m", "low_score_months_12m", "lenders_change_6m"),
    *("debt_change_12m", "bureau_nonbank_share", "enquiries_12m", "enquiries_trend_12m", "all_debt_to_sales"),
    *("years_open", "employees", "is_in_adjustment", "is_suspended"),
    *("is_closed", "businesses_count", "businesses_closed_24m", "suspension_days_ago", "annual_sales_krw", "sales_per_person_krw"),
}

# words that find somebody at fault
ACCUSING = re.compile(
    r"불량|사기|고의|잘못|책임|위반|태만|당신|fault|blame|fail|refus|delinquent|guilty|bad |negligen|defaulter", re.IGNORECASE
)


def build(tables: dict[str, pl.LazyFrame], as_of: date) -> pl.DataFrame:
    return build_features(tables, as_of).collect().sort("borrower_id")


@cache
def build_cast() -> pl.DataFrame:
    """The cast's own rows, which many a test compares with."""
    return build(cast(), CAST_AS_OF)


def cast() -> dict[str, pl.LazyFrame]:
    return know(cast_tables(), CAST_AS_OF)


def test_names_are_unique_and_every_promised_name_is_declared() -> None:
    assert len(set(feature_names())) == len(FEATURES)
    assert set(feature_names()) >= PROMISED


def test_every_theme_has_features_and_stands_in_the_order_of_the_plan() -> None:
    assert list(dict.fromkeys(themes().values())) == list(THEMES)


@EVERY_FEATURE
def test_a_declaration_says_what_it_is_and_what_null_means(feature: Feature) -> None:
    assert feature.meaning.endswith(".")
    assert feature.null_means
    assert re.search("[가-힣]", feature.label_ko)
    assert feature.label_en[0].isupper()
    assert directions()[feature.name] == {"up": 1, "down": -1, None: 0}[feature.worse]


@EVERY_FEATURE
@pytest.mark.parametrize("value", [None, 0.0, 1.0, -0.234, 0.5, 41.0, 123_456_789.0])
def test_both_sentences_render_whole_and_accuse_nobody(feature: Feature, value: float | None) -> None:
    in_ko, in_en = feature.say(value)
    assert re.fullmatch(r"[^{}]+(니다|니다\([^)]+\))\.", in_ko)
    assert re.fullmatch(r"[^{}가-힣]+\.", in_en)
    assert not ACCUSING.search(in_ko + in_en)


@EVERY_FEATURE
def test_a_sentence_speaks_of_its_value(feature: Feature) -> None:
    one, other = (0.0, 1.0) if feature.unit == "flag" else (3.0, 8.0)
    assert all(first != second for first, second in zip(feature.say(one), feature.say(other), strict=True))


@EVERY_FEATURE
def test_the_docs_have_a_line_with_both_sentences(feature: Feature) -> None:
    (line,) = [line for line in describe_features().splitlines() if line.startswith(f"| `{feature.name}` |")]
    assert feature.says_ko in line
    assert feature.says_en in line


def test_an_accusing_or_silent_sentence_can_not_be_declared_without_notice() -> None:
    plain = {
        "name": "x",
        "theme": "sales",
        "label_ko": "가",
        "label_en": "X",
        "value": FEATURES[0].value,
        "meaning": "X.",
        "null_means": "x",
    }
    with pytest.raises(ValueError, match="must carry"):
        Feature(**plain, unit="days", says_ko="말없음", says_en="{value}")
    with pytest.raises(ValueError, match="is not declared"):
        Feature(**plain, unit="parsec", says_ko="{value}", says_en="{value}")


def test_who_the_owner_is_never_enters() -> None:
    protected = {"owner_birth_year", "owner_sex"}
    assert not protected & {column for columns in READS.values() for column in columns}
    assert not {"facts", "consents", "awards_history"} & set(READS)
    other = cast_tables()
    other["borrowers"] = other["borrowers"].with_columns(owner_birth_year=pl.lit(1999, pl.Int64), owner_sex=pl.lit("M"))
    assert_frame_equal(build(know(other, CAST_AS_OF), CAST_AS_OF), build_cast())


def test_every_column_read_is_a_declared_column_of_its_table() -> None:
    assert {(table, column) for table, columns in READS.items() for column in columns} <= {
        (name, column) for name, table in TABLES.items() for column in table.columns
    }


def test_every_feature_is_a_number_and_every_one_is_known_for_somebody() -> None:
    rows = build_cast()
    assert rows.columns == ["borrower_id", *feature_names()]
    assert set(rows.drop("borrower_id").dtypes) == {pl.Float64}
    unknown = [name for name in feature_names() if rows[name].null_count() == rows.height]
    assert {themes()[name] for name in unknown} == {"sales"}  # a dozen shops have no peers, and nobody counts their receipts
    crowd = build(know(make_world(6, borrowers=250), date(2026, 6, 30)), date(2026, 6, 30))
    assert [name for name in unknown if crowd[name].null_count() == crowd.height] == []


@given(SEEDS)
@WORLDS
def test_later_knowledge_changes_nothing(seed: int) -> None:
    world, as_of = make_world(seed), draw_day(np.random.default_rng(seed))
    until_then = {name: frame.filter(pl.col("known_on") <= as_of) for name, frame in world.items()}
    worse_later = {name: _tell_later(frame, as_of) for name, frame in world.items()}
    then = build(know(until_then, as_of), as_of)
    assert_frame_equal(build(know(worse_later, as_of), as_of), then)


def _tell_later(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Int64]
    corrected = frame.with_columns(pl.col(name) * 3 + 7 for name in numbers).with_columns(known_on=pl.lit(as_of + timedelta(days=1)))
    return pl.concat([frame, corrected])


@given(SEEDS)
@WORLDS
def test_row_order_changes_nothing_not_even_a_byte(seed: int) -> None:
    world, as_of = make_world(seed), draw_day(np.random.default_rng(seed))
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in world.items()}
    assert hash_content(build(know(shuffled, as_of), as_of), ["borrower_id"]) == hash_content(
        build(know(world, as_of), as_of), ["borrower_id"]
    )


@given(SEEDS)
@WORLDS
def test_some_borrowers_alone_have_the_rows_they_have_among_all_given_the_same_peers(seed: int) -> None:
    world, as_of = make_world(seed), draw_day(np.random.default_rng(seed))
    some = ["b0", "b3"]
    bucket = {
        name: frame.filter(pl.col("borrower_id").is_in(some)) if "borrower_id" in frame.columns else frame for name, frame in world.items()
    }
    peers = measure_peers(build_peer_values(know(world, as_of), as_of)).collect().lazy()
    whole = build(know(world, as_of), as_of).filter(pl.col("borrower_id").is_in(some))
    alone = build_features(know(bucket, as_of), as_of, peers=peers).collect().sort("borrower_id")
    assert_frame_equal(alone, whole)


@given(SEEDS)
@WORLDS
def test_streaming_and_in_memory_agree_to_the_byte(seed: int) -> None:
    world, as_of = make_world(seed), draw_day(np.random.default_rng(seed))
    plan = build_features(know(world, as_of), as_of)
    assert hash_content(plan.collect(engine="streaming"), ["borrower_id"]) == hash_content(plan.collect(), ["borrower_id"])


def test_an_empty_history_gives_null_for_every_feature() -> None:
    empty = {name: frame.clear() for name, frame in cast_tables().items()}
    known_by_name_only = pl.DataFrame({"borrower_id": ["newcomer"], "known_on": [CAST_AS_OF]})
    rows = build(know({**empty, "borrowers": known_by_name_only}, CAST_AS_OF), CAST_AS_OF)
    assert rows.row(0) == ("newcomer", *[None] * len(FEATURES))


@pytest.mark.parametrize("missing", ["borrowers", "loans", "repayments", "sales", "arrears", "credit", "events", "businesses", "coverage"])
def test_a_missing_table_leaves_its_own_features_null_and_the_others_as_they_were(missing: str) -> None:
    whole, rest = build_cast(), build({name: frame for name, frame in cast().items() if name != missing}, CAST_AS_OF)
    lost = [feature.name for feature in FEATURES if set(feature.tables) - {"coverage"} == {missing}]
    kept = [
        feature.name
        for feature in FEATURES
        if missing not in {*feature.tables, *feature.helpers} and not (missing == "repayments" and "loans" in feature.tables)
    ]
    assert lost or missing in ("borrowers", "businesses", "coverage")  # these only help others
    assert all(rest[name].null_count() == rest.height for name in lost)
    assert_frame_equal(
        rest.select("borrower_id", *kept), whole.join(rest.select("borrower_id"), on="borrower_id", how="semi").select("borrower_id", *kept)
    )


def test_without_lenders_only_what_is_owed_to_non_banks_is_unknown() -> None:
    unknown = ["nonbank_share", "nonbank_loans_count", "new_nonbank_loans_6m", "new_nonbank_6m_krw"]
    rest = build({name: frame for name, frame in cast().items() if name != "lenders"}, CAST_AS_OF)
    assert all(rest[name].null_count() == rest.height for name in unknown)
    assert_frame_equal(rest.drop(unknown), build_cast().drop(unknown))


@dataclass(frozen=True)
class Worse:
    """A fact made worse, in every row of a table or in the newest month of each key."""

    table: str
    columns: dict[str, pl.Expr]
    month: str = ""
    key: str = "borrower_id"

    def happen_to(self, tables: dict[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
        touched = pl.col(self.month) == pl.col(self.month).max().over(self.key) if self.month else pl.lit(value=True)
        worse = [pl.when(touched).then(value).otherwise(pl.col(name)).alias(name) for name, value in self.columns.items()]
        return {**tables, self.table: tables[self.table].with_columns(worse)}


def of_newest_status(**columns: pl.Expr) -> Worse:
    return Worse("repayments", columns, "due_month", "loan_id")


def of_newest_score(**columns: pl.Expr) -> Worse:
    return Worse("credit", columns, "credit_month")


def of_trading_shop(**columns: pl.Expr) -> Worse:
    trades = pl.col("trading_status") == "trading"
    return Worse("businesses", {name: pl.when(trades).then(value).otherwise(pl.col(name)) for name, value in columns.items()})


WORSE_FACTS = {
    "more days past due": of_newest_status(days_past_due=pl.col("days_past_due") + 40),
    "less paid": of_newest_status(paid_krw=pl.col("paid_krw") // 3),
    "more owed": of_newest_status(balance_krw=pl.col("balance_krw") * 2),
    "more falls due": of_newest_status(due_krw=pl.col("due_krw") * 2),
    "smaller lines": of_newest_status(limit_krw=pl.col("limit_krw") // 2),
    "nothing sold": Worse("sales", {"card_sales_krw": pl.lit(0), "platform_sales_krw": pl.lit(0)}, "sales_month"),
    "larger bills": Worse("arrears", {"amount_krw": pl.col("amount_krw") * 2}),
    "bills never cleared": Worse("arrears", {"cleared_on": pl.lit(None, pl.Date)}),
    "lower score": of_newest_score(credit_score=pl.col("credit_score") - 60),
    "more lenders": of_newest_score(lenders_count=pl.col("lenders_count") + 2),
    "more non-bank debt": of_newest_score(nonbank_debt_krw=pl.col("nonbank_debt_krw") + 10_000_000),
    "more enquiries": of_newest_score(enquiries_count=pl.col("enquiries_count") + 3),
    "shop suspended": of_trading_shop(trading_status=pl.lit("suspended")),
    "shop closed": of_trading_shop(trading_status=pl.lit("closed"), closed_on=pl.lit(date(2026, 1, 31))),
    "dearer loans": Worse("loans", {"annual_rate_pct": pl.col("annual_rate_pct") * 1.5}),
    "another new loan": Worse(
        "loans", {"opened_on": pl.when(pl.col("lender_id") == "bank1").then(date(2026, 1, 5)).otherwise("opened_on")}
    ),
}


@pytest.fixture(scope="module")
def crowd() -> tuple[dict[str, pl.LazyFrame], pl.LazyFrame, pl.DataFrame]:
    """What is known of a crowd, what is usual among its shops, and its rows."""
    tables = {name: frame.collect().lazy() for name, frame in know(make_world(7, borrowers=120), date(2026, 2, 10)).items()}
    return tables, measure_peers(build_peer_values(tables, date(2026, 2, 10))).collect().lazy(), build(tables, date(2026, 2, 10))


@pytest.mark.parametrize("fact", WORSE_FACTS)
def test_a_worse_fact_never_turns_a_feature_of_its_table_the_good_way(
    fact: str, crowd: tuple[dict[str, pl.LazyFrame], pl.LazyFrame, pl.DataFrame]
) -> None:
    tables, peers, before = crowd  # the peers as they were: what happens to all alike is no news of one
    worse = WORSE_FACTS[fact]
    own = {feature.name: feature.direction for feature in FEATURES if feature.worse and worse.table in feature.tables}
    asked = [feature for feature in FEATURES if feature.name in own]
    after = build_features(worse.happen_to(tables), date(2026, 2, 10), asked, peers=peers).collect()
    after = before.select("borrower_id").join(after, on="borrower_id", how="left")
    turns = pl.concat(
        [((after[name] - before[name]) * sign).alias("turn").to_frame().with_columns(feature=pl.lit(name)) for name, sign in own.items()]
    )
    assert turns.filter(pl.col("turn") < -1e-12).is_empty()
    assert turns.filter(pl.col("turn") > 0).height > 5
