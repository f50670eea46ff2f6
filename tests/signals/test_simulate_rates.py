"""The town's rates lie near the published ones, its signs come in their order, and its truth is true."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from itertools import pairwise

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from signals.known import as_known
from signals.simulate import Town, simulate_town
from signals.simulate.rates import TARGETS
from signals.tables.signs import DEFAULT_KINDS

UNTIL = date(2026, 10, 31)
ORIGINS_12M = [date(2024, 3, 31), date(2024, 9, 30), date(2025, 3, 31), date(2025, 9, 30)]
ORIGINS_180D = [date(2024, 6, 30), date(2024, 11, 30), date(2025, 5, 31), date(2025, 10, 31), date(2026, 3, 31)]


@pytest.fixture(scope="module")
def town() -> Town:
    return simulate_town(borrowers=40_000, months=36, seed=7, until=UNTIL)


@pytest.fixture(scope="module")
def worst(town: Town) -> pl.DataFrame:
    """One row per borrower and month: the worst loan, by the newest version."""
    rows = as_known(town.tables["repayments"].lazy(), "repayments", UNTIL).filter(pl.col("balance_krw") > 0)
    return rows.group_by("borrower_id", "due_month").agg(pl.col("days_past_due").max()).collect()


@pytest.fixture(scope="module")
def events(town: Town) -> pl.DataFrame:
    return town.tables["events"]


def find_crises(events: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    chosen = events.filter(pl.col("kind").is_in(DEFAULT_KINDS), pl.col("happened_on") > after, pl.col("happened_on") <= until)
    return chosen.select("borrower_id").unique()


def list_safe(events: pl.DataFrame, worst: pl.DataFrame, origin: date) -> pl.DataFrame:
    """List the live borrowers not in crisis, as DESIGN defines it."""
    live = worst.filter(pl.col("due_month") == origin.replace(day=1), pl.col("days_past_due") < 90)
    return live.join(find_crises(events, origin - timedelta(365), origin), on="borrower_id", how="anti")


def measure_first_default(events: pl.DataFrame, worst: pl.DataFrame) -> float:
    shares = []
    for origin in ORIGINS_12M:
        safe = list_safe(events, worst, origin)
        shares.append(safe.join(find_crises(events, origin, origin + timedelta(365)), on="borrower_id", how="semi").height / safe.height)
    return sum(shares) / len(shares)


def measure_overdue(worst: pl.DataFrame, days: int) -> float:
    shares = [(worst.filter(pl.col("due_month") == origin.replace(day=1))["days_past_due"] >= days).mean() for origin in ORIGINS_180D]
    return sum(shares) / len(shares)


def measure_closure(town: Town, events: pl.DataFrame) -> float:
    shares = []
    for origin in ORIGINS_12M:
        turns = events.filter(pl.col("kind").is_in(["closure", "reopening"]), pl.col("happened_on") <= origin)
        newest = turns.sort("happened_on").group_by("borrower_id").agg(pl.col("kind").last())
        here = town.tables["borrowers"].filter(pl.col("known_on") <= origin).select("borrower_id").unique()
        trading = here.join(newest.filter(pl.col("kind") == "closure"), on="borrower_id", how="anti")
        within = pl.col("happened_on").is_between(origin, origin + timedelta(365), closed="right")
        closing = events.filter(pl.col("kind") == "closure", within)
        shares.append(trading.join(closing, on="borrower_id", how="semi").height / trading.height)
    return sum(shares) / len(shares)


@pytest.fixture(scope="module")
def found(town: Town, worst: pl.DataFrame) -> dict[str, float]:
    """The shares of borrowers and of balance 30 days past due, by who they are and who lends, over all months."""
    is_late = pl.col("days_past_due") >= 30
    later = worst.select("borrower_id", pl.col("due_month").dt.offset_by("-3mo"), is_later=is_late)
    pairs = worst.select("borrower_id", "due_month", is_late=is_late).join(later, on=["borrower_id", "due_month"])
    kinds = town.tables["borrowers"].sort("known_on").unique("borrower_id", keep="last")
    rows = worst.join(kinds, on="borrower_id").with_columns(is_late=is_late, section=pl.col("industry_code").str.head(1))
    late = rows.select(
        all=pl.col("is_late").mean(),
        F=pl.col("is_late").filter(section="F").mean(),
        I=pl.col("is_late").filter(section="I").mean(),
        small=pl.col("is_late").filter(pl.col("annual_sales_krw") < 30_000_000).mean(),
        alone=pl.col("is_late").filter(employees=0).mean(),
        staffed=pl.col("is_late").filter(pl.col("employees") > 0).mean(),
    ).row(0, named=True)
    return {
        "entry_3m": pairs.filter(~pl.col("is_late"))["is_later"].mean(),
        "persistence_3m": pairs.filter("is_late")["is_later"].mean(),
        "construction": late["F"] / late["all"],
        "food_lodging": late["I"] / late["all"],
        "small_sales": late["small"] / late["all"],
        "no_employee_multiple": late["alone"] / late["staffed"],
        **measure_lenders(town),
    }


def measure_lenders(town: Town) -> dict[str, float]:
    """By the newest version of each loan month: what is owed to whom, and the part of it 30 days past due."""
    newest = town.tables["repayments"].sort("known_on").unique(["loan_id", "due_month"], keep="last")
    kinds = town.tables["loans"].unique("loan_id").select("loan_id", "lender_id").join(town.tables["lenders"], on="lender_id")
    owed = newest.join(kinds.select("loan_id", "kind"), on="loan_id")
    late = pl.col("balance_krw").filter(pl.col("days_past_due") >= 30).sum()
    sums = {kind: (total, part) for kind, total, part in owed.group_by("kind").agg(pl.col("balance_krw").sum(), late=late).rows()}
    others = [sums[kind] for kind in sums if kind not in {"bank", "policy"}]
    total, overdue, other = sum(one[0] for one in sums.values()), sum(one[1] for one in sums.values()), sum(one[0] for one in others)
    return {
        "nonbank_share": other / total,
        "balance_1m": overdue / total,
        "nonbank_multiple": sum(one[1] for one in others) / other / (sums["bank"][1] / sums["bank"][0]),
    }


@pytest.mark.parametrize("name", list(TARGETS))
def test_the_towns_rates_lie_in_their_bands(
    town: Town, events: pl.DataFrame, worst: pl.DataFrame, found: dict[str, float], name: str
) -> None:
    newest = town.tables["credit"].filter(pl.col("credit_month") == date(2026, 9, 1))
    measures = {name: (lambda share=share: share) for name, share in found.items()} | {
        "first_default_12m": partial(measure_first_default, events, worst),
        "stock_90d": partial(measure_overdue, worst, 90),
        "arrears_1m": partial(measure_overdue, worst, 30),
        "closure_12m": partial(measure_closure, town, events),
        "three_lenders": (newest["lenders_count"] >= 3).mean,
    }
    measured = measures[name]()
    assert TARGETS[name].low <= measured <= TARGETS[name].high, f"{name}: {measured:.4f}; {TARGETS[name].definition}"


def test_loans_are_about_one_and_a_half_rows_a_borrower_and_two_fifths_outside_the_banks(town: Town) -> None:
    month = town.tables["repayments"].filter(pl.col("due_month") == date(2026, 6, 1)).unique("loan_id")
    assert 1.4 < month.height / month["borrower_id"].n_unique() < 1.75
    kinds = town.tables["loans"].unique("loan_id").select("loan_id", "lender_id").join(town.tables["lenders"], on="lender_id")
    balance = month.join(kinds, on="loan_id").group_by(is_bank=pl.col("kind").is_in(["bank", "policy"])).agg(pl.col("balance_krw").sum())
    banks, others = balance.sort("is_bank", descending=True)["balance_krw"]
    assert 0.32 < others / (banks + others) < 0.45


def test_most_defaults_are_ninety_days_overdue(events: pl.DataFrame) -> None:
    kinds = dict(events.filter(pl.col("kind").is_in(DEFAULT_KINDS))["kind"].value_counts().iter_rows())
    assert set(kinds) == set(DEFAULT_KINDS)
    assert kinds["default_90d"] > max(count for kind, count in kinds.items() if kind != "default_90d") * 2


def test_the_truth_is_calibrated_and_tells_who_will_default(town: Town, events: pl.DataFrame, worst: pl.DataFrame) -> None:
    parts = []
    for origin in ORIGINS_180D:
        truth = town.truth.filter(pl.col("as_of") == origin).join(list_safe(events, worst, origin), on="borrower_id", how="semi")
        soon = find_crises(events, origin, origin + timedelta(180)).with_columns(defaulted=pl.lit(1))
        parts.append(truth.join(soon, on="borrower_id", how="left").with_columns(pl.col("defaulted").fill_null(0)))
    judged = pl.concat(parts)
    expected, real = judged["hazard_180d"].sum(), judged["defaulted"].sum()
    # An origin is five months from the next: nearly independent, so a Poisson error with some room.
    assert abs(expected - real) < 4 * real**0.5
    assert roc_auc_score(judged["defaulted"].to_numpy(), judged["hazard_180d"].to_numpy()) > 0.88
    for low, high in pairwise([0, 0.002, 0.01, 0.05, 0.2, 0.6, 1]):
        group = judged.filter(pl.col("hazard_180d").is_between(low, high, closed="left"))
        expected, real = group["hazard_180d"].sum(), group["defaulted"].sum()
        assert real > 0
        assert abs(expected - real) < 4 * expected**0.5 + 0.06 * expected, (low, high, expected, real)


def test_who_is_ninety_days_overdue_has_no_hazard(town: Town, worst: pl.DataFrame) -> None:
    month_end = date(2025, 12, 31)
    fallen = worst.filter(pl.col("due_month") == date(2025, 12, 1), pl.col("days_past_due") >= 90)
    assert fallen.height > 500
    assert town.truth.filter(pl.col("as_of") == month_end).join(fallen, on="borrower_id", how="semi").height == 0


def trace_sign(defaults: pl.DataFrame, signs: pl.DataFrame, month: str, sign: pl.Expr) -> dict[int, float]:
    """Measure a sign over all defaulters by the months that were left until their default."""
    told = signs.with_columns(at=pl.col(month).dt.year() * 12 + pl.col(month).dt.month())
    until = defaults.with_columns(falls=pl.col("happened_on").dt.year() * 12 + pl.col("happened_on").dt.month())
    rows = until.join(told, on="borrower_id").with_columns(lead=pl.col("falls") - pl.col("at")).filter(pl.col("lead").is_between(0, 12))
    return dict(rows.group_by("lead").agg(sign).iter_rows())


def trace_signs(town: Town, events: pl.DataFrame, worst: pl.DataFrame) -> list[dict[int, float]]:
    """Trace, up to each first default: the fall of sales on the year, of the score in a month, new unpaid bills, late loans."""
    first = events.filter(pl.col("kind") == "default_90d").sort("happened_on").unique("borrower_id", keep="first")
    defaults = first.filter(pl.col("happened_on") > date(2025, 4, 1)).select("borrower_id", "happened_on")
    on_the_year = (pl.col("card_sales_krw") / pl.col("card_sales_krw").shift(12)).log().over("borrower_id")
    sold = town.tables["sales"].sort("borrower_id", "sales_month").with_columns(change=on_the_year).filter(pl.col("change").is_finite())
    in_a_month = (pl.col("credit_score").shift(1) - pl.col("credit_score")).over("borrower_id")
    scored = town.tables["credit"].sort("borrower_id", "credit_month").with_columns(fall=in_a_month)
    return [
        trace_sign(defaults, sold, "sales_month", -pl.col("change").mean()),
        trace_sign(defaults, scored, "credit_month", pl.col("fall").mean()),
        trace_sign(defaults, town.tables["arrears"].unique("arrears_id"), "since_on", pl.len()),
        trace_sign(defaults, worst, "due_month", (pl.col("days_past_due") > 0).mean()),
    ]


def test_sales_fall_before_the_score_before_arrears_before_repayment_before_default(
    town: Town, events: pl.DataFrame, worst: pl.DataFrame
) -> None:
    *early, late = trace_signs(town, events, worst)
    # Once instalments are missed, from the third month before default, the score falls for that alone.
    sales, score, arrears = (max(range(4, 13), key=trace.__getitem__) for trace in early)
    repayment = max(lead for lead, share in late.items() if share > 0.5)
    assert sales > score > arrears > repayment > 0
    assert sales - repayment in {3, 4, 5}
