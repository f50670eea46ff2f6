"""A profile adds up over the parts of a delivery; a shift is an effect size, and few rows do not cry wolf."""

import random
from collections import Counter
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.profile import (
    NULL,
    OTHER,
    add_profiles,
    average_shares,
    list_null_limits,
    measure_null_share,
    measure_shift,
    profile_rows,
    split_profile,
)
from signals.tables import TABLES
from signals.tables.contract import WON

ARREARS = st.fixed_dictionaries(
    {
        "pulled_from": st.sampled_from(["bank", "은행"]),
        "arrears_id": st.sampled_from("abc"),
        "kind": st.sampled_from(["gas", "rent", "a name", None]),
        "amount_krw": st.none() | st.integers(-(2**63), 2**63 - 1),
        "known_on": st.just(date(2026, 10, 1)),
    }
)


def arrears(rows: list[dict[str, object]]) -> pl.DataFrame:
    kinds = {"pulled_from": pl.String, **TABLES["arrears"].polars_schema}
    return pl.DataFrame(rows, schema={name: kinds[name] for name in ("pulled_from", "arrears_id", "kind", "amount_krw", "known_on")})


@given(first=st.lists(ARREARS, max_size=12), second=st.lists(ARREARS, max_size=12))
def test_the_profiles_of_two_parts_add_up_to_the_profile_of_both(first, second) -> None:
    whole = profile_rows(arrears(first + second), "arrears")
    assert add_profiles([profile_rows(arrears(first), "arrears"), profile_rows(arrears(second), "arrears")]).equals(whole)


@given(rows=st.lists(ARREARS, min_size=1, max_size=12))
def test_each_column_of_a_profile_counts_every_row_once_and_keeps_no_undeclared_text(rows) -> None:
    profile = profile_rows(arrears(rows), "arrears")
    assert set(profile.group_by("column").agg(pl.col("n").sum())["n"]) == {len(rows)}
    kinds = split_profile(add_profiles([profile.with_columns(pulled_from=pl.lit("all"))]))["all"]["kind"]
    named = Counter(OTHER if row["kind"] == "a name" else row["kind"] or NULL for row in rows)
    assert kinds == named


def test_the_part_of_a_number_is_its_sign_and_its_size_to_a_factor_of_two() -> None:
    amounts = [0, 1, 2, 3, 7, 8, -1, -(2**62), 2**63 - 1, None]
    rows = arrears([{"pulled_from": "b", "amount_krw": amount} for amount in amounts])
    assert split_profile(profile_rows(rows, "arrears"))["b"]["amount_krw"] == {
        NULL: 1, "0": 1, "1": 1, "2": 2, "3": 1, "4": 1, "-1": 1, "-63": 1, "63": 1,
    }  # fmt: skip


def test_rates_and_flags_have_parts_too() -> None:
    rows = pl.DataFrame({"pulled_from": "b", "annual_rate_pct": [0.5, 3.0, None, float("nan")]})
    assert split_profile(profile_rows(rows, "loans"))["b"]["annual_rate_pct"] == {"0": 1, "2": 1, NULL: 2}
    open_ones = pl.DataFrame({"pulled_from": "b", "is_open": [True, True, False, None]})
    assert split_profile(profile_rows(open_ones, "programme_status"))["b"]["is_open"] == {"true": 2, "false": 1, NULL: 1}


def parts(values: list[int]) -> dict[str, int]:
    rows = arrears([{"pulled_from": "b", "amount_krw": value} for value in values])
    return split_profile(profile_rows(rows, "arrears"))["b"]["amount_krw"]


def draw(generator: random.Random, rows: int) -> list[int]:
    return [0 if generator.random() < 0.2 else round(generator.lognormvariate(15, 1.5)) for _ in range(rows)]


@pytest.mark.parametrize(("rows", "seeds"), [(50, 60), (200, 40), (1000, 10), (20_000, 3)])
def test_the_same_business_is_no_shift_however_few_or_many_its_rows(rows: int, seeds: int) -> None:
    shifts = []
    for generator in map(random.Random, range(seeds)):
        usual = average_shares([parts(draw(generator, rows)) for _ in range(4)])
        shifts.append(measure_shift(parts(draw(generator, rows)), usual))
    assert max(shifts) < TABLES["arrears"].limits.shift_warns


@pytest.mark.parametrize("rows", [100, 200, 20_000])
def test_won_turned_thousand_won_fails_even_a_small_source(rows: int) -> None:
    generator = random.Random(1)
    usual = average_shares([parts(draw(generator, rows)) for _ in range(4)])
    changed = parts([value // 1000 for value in draw(generator, rows)])
    assert measure_shift(changed, usual) > TABLES["arrears"].limits.shift_fails


def test_more_rows_of_the_same_are_no_greater_shift() -> None:
    tonight, usual = {"1": 3000, "2": 7000}, {"1": 0.5, "2": 0.5}
    many = {part: 100 * n for part, n in tonight.items()}
    assert measure_shift(many, usual) == pytest.approx(measure_shift(tonight, usual), rel=0.05)


def test_no_rows_on_a_side_are_no_shift() -> None:
    assert measure_shift({}, {"1": 1.0}) == measure_shift({"1": 5}, {}) == 0
    assert measure_null_share({}) is None


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_limits_speak_of_declared_columns_and_codes_that_the_row_rules_let_in(table) -> None:
    limits = table.limits
    assert {*limits.nulls, *limits.codes, *limits.watched} <= set(table.columns)
    assert set(limits.nulls).isdisjoint(table.needed_columns)
    assert {*table.key, "known_on"} <= set(list_null_limits(table.name))
    for column, codes in limits.codes.items():
        checks = getattr(table.schema.columns()[column], "check", None) or {}
        for check in checks.values():
            verdicts = pl.DataFrame({column: [*codes, "never declared"]}).select(check(pl.col(column)))[column].to_list()
            assert verdicts == [True] * len(codes) + [False]
    assert all(table.polars_schema[name].is_numeric() or table.polars_schema[name] == pl.Boolean for name in limits.watched)


def test_no_sum_is_too_large_for_a_part() -> None:
    assert parts([WON, -WON]) == {"50": 1, "-50": 1}
