"""What holders, owners and operators tell beside the signals: facts, past awards, what programmes have left, the lenders."""

from __future__ import annotations

import numpy as np
import polars as pl

from signals.simulate.lending import name_lenders
from signals.simulate.loan_reports import GUARANTORS
from signals.simulate.months import Calendar
from signals.simulate.people import Floats, Ints, People
from signals.simulate.registers import hear_first
from signals.simulate.reports import as_dates, as_spans, make_table
from signals.simulate.streams import draw_chances, draw_days, draw_normals, open_stream

TOLD_SHARE = 0.30  # of owners, who told their household income, or whether they own the premises; set here
OWNS_PREMISES = 0.18
INCOME_MEDIAN_PCT, INCOME_SIGMA = 90.0, 0.45
PLANS_TOLD = 0.08  # of closures, told one to three months ahead
PLANS_DENIED = 0.005
VOUCHER_SALES_KRW, VOUCHER_KRW, VOUCHER_TAKEN = 104_000_000, 250_000, 0.06  # FACTS P01; the share is set here
VOUCHER_BUDGET_KRW = 579_000_000_000  # FACTS P01
PACKAGE_TAKEN = 0.12  # of the closed; FACTS 2.5: 54,518 asked in 2025 against a million closures
PROGRAMMES = ("management_stability_voucher", "hope_return_package", "new_start_fund", "pre_delinquency_workout")
STATUS_MONTHS = 6


def report_facts(seed: int, block: int, people: People, yearly: dict[int, Floats], turns: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Make the table `facts`: tax-year sales from the tax office, the rest told by owners and caseworkers."""
    rng = open_stream(seed, block, "facts")
    parts = [*_tell_tax_sales(rng, people, yearly, calendar), _tell_plans(rng, turns), _deny_plans(rng, people, calendar)]
    size = draw_normals(rng, people.count)
    income = np.rint(INCOME_MEDIAN_PCT * np.exp(INCOME_SIGMA * size)).astype(np.int64)
    owns = pl.Series(["false", "true"]).gather((draw_chances(rng, people.count) < OWNS_PREMISES).astype(np.int64))
    parts.append(_tell(rng, people, "household_income_pct", pl.Series(income).cast(pl.String), calendar))
    parts.append(_tell(rng, people, "owns_premises", owns, calendar))
    return make_table("facts", pl.concat(parts, how="diagonal").to_dict(), calendar)


def _tell_tax_sales(rng: np.random.Generator, people: People, yearly: dict[int, Floats], calendar: Calendar) -> list[pl.DataFrame]:
    """Tell each closed tax year's sales, settled between February and July."""
    parts = []
    for year, sales in yearly.items():
        january = int(calendar.days_in(np.array([calendar.index_of(year + 1, 1)]), np.array([1]))[0])
        told = np.maximum(january + draw_days(rng, 31, 200, people.count), hear_first(people, calendar))
        frame = pl.DataFrame({
            "borrower_id": people.ids, "value": pl.Series(np.rint(sales).astype(np.int64)).cast(pl.String), "known_on": as_dates(told),
            "valid_from_on": as_dates(np.full(people.count, january)),
        })  # fmt: skip
        filed = pl.Series(people.covered["tax_year_sales_krw"] & (sales > 0) & (people.opened < january))
        parts.append(frame.with_columns(fact=pl.lit("tax_year_sales_krw"), source=pl.lit("holder")).filter(filed))
    return parts


def _tell_plans(rng: np.random.Generator, turns: pl.DataFrame) -> pl.DataFrame:
    """Tell of some closures ahead of time."""
    closing = turns.filter(pl.col("kind") == "closure").select("borrower_id", "happened_on")
    told = pl.Series(draw_chances(rng, closing.height) < PLANS_TOLD)
    ahead = as_spans(draw_days(rng, 30, 90, closing.height))
    later = as_spans(draw_days(rng, 0, 5, closing.height))
    source = pl.Series(["owner", "caseworker"]).gather(draw_days(rng, 0, 1, closing.height))
    since = pl.col("happened_on") - ahead
    return closing.select(
        "borrower_id", fact=pl.lit("plans_to_close"), value=pl.lit("true"), source=source, valid_from_on=since,
        known_on=since + later,
    ).filter(told)  # fmt: skip


def _deny_plans(rng: np.random.Generator, people: People, calendar: Calendar) -> pl.DataFrame:
    denied = _tell(rng, people, "plans_to_close", pl.repeat("false", people.count, eager=True), calendar)
    return denied.filter(pl.Series(draw_chances(rng, denied.height) < PLANS_DENIED / TOLD_SHARE))


def _tell(rng: np.random.Generator, people: People, fact: str, value: pl.Series, calendar: Calendar) -> pl.DataFrame:
    """Tell one fact of some owners, in the last ten months."""
    since = calendar.until - draw_days(rng, 5, 300, people.count)
    told = pl.Series((draw_chances(rng, people.count) < TOLD_SHARE) & (since > hear_first(people, calendar)))
    source = pl.Series(["owner", "caseworker"]).gather(draw_days(rng, 0, 1, people.count))
    return pl.DataFrame(
        {"borrower_id": people.ids, "value": value, "source": source, "valid_from_on": as_dates(since),
         "known_on": as_dates(since + draw_days(rng, 0, 5, people.count))}
    ).with_columns(fact=pl.lit(fact)).filter(told)  # fmt: skip


def report_awards(seed: int, block: int, people: People, turns: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Make the table `awards_history`: last year's vouchers, and packages for the closed."""
    rng = open_stream(seed, block, "awards")
    last_year = int(calendar.starts[calendar.year() == calendar.year()[-1]][0]) - draw_days(rng, 40, 300, people.count)
    entitled = people.covered["awards_history"] & (people.annual_sales < VOUCHER_SALES_KRW) & (people.opened < last_year)
    took = pl.Series(entitled & (draw_chances(rng, people.count) < VOUCHER_TAKEN))
    vouchers = _award(rng, people.ids, as_dates(last_year), np.full(people.count, VOUCHER_KRW), PROGRAMMES[0]).filter(took)
    closed = turns.filter((pl.col("kind") == "closure") & pl.Series(people.covered["awards_history"]).gather(turns["who"]))
    when = closed["happened_on"] + as_spans(draw_days(rng, 30, 150, closed.height))
    amounts = draw_days(rng, 10, 40, closed.height).astype(np.int64) * 100_000
    packages = _award(rng, closed["borrower_id"], when, amounts, PROGRAMMES[1])
    chosen = pl.Series(draw_chances(rng, closed.height) < PACKAGE_TAKEN)
    once = packages.filter(chosen).unique(["borrower_id"], keep="first", maintain_order=True)
    heard = pl.DataFrame({"borrower_id": people.ids, "heard": as_dates(hear_first(people, calendar))})
    awards = pl.concat([vouchers, once]).join(heard, on="borrower_id", how="left", maintain_order="left")
    return make_table(
        "awards_history", awards.with_columns(pl.max_horizontal("known_on", "heard").alias("known_on")).drop("heard").to_dict(), calendar
    )


def _award(rng: np.random.Generator, ids: pl.Series, when: pl.Series, amounts: Ints, programme: str) -> pl.DataFrame:
    later = as_spans(draw_days(rng, 5, 30, len(ids)))
    frame = pl.DataFrame({"borrower_id": ids, "awarded_on": when, "amount_krw": amounts})
    return frame.with_columns(programme_id=pl.lit(programme), known_on=pl.col("awarded_on") + later)


def report_programmes(calendar: Calendar) -> pl.DataFrame:
    """Make the table `programme_status`: what each operator said was left, on the first of each of the last months."""
    days, spent = calendar.starts[-STATUS_MONTHS:], calendar.month_of_year()[-STATUS_MONTHS:] / 12
    dated = pl.DataFrame({"status_on": as_dates(days), "known_on": as_dates(days + 1)})
    parts = []
    for programme in PROGRAMMES:
        left = (VOUCHER_BUDGET_KRW * (1 - spent)).astype(np.int64) // VOUCHER_KRW * VOUCHER_KRW
        named = dated.with_columns(programme_id=pl.lit(programme), region_code=pl.lit("00"), is_open=pl.lit(value=True))
        counted = programme == PROGRAMMES[0]
        parts.append(named.with_columns(
            remaining_krw=pl.Series(left) if counted else pl.lit(None, pl.Int64),
            remaining_places=pl.Series(left // VOUCHER_KRW) if counted else pl.lit(None, pl.Int64),
        ))  # fmt: skip
    return make_table("programme_status", pl.concat(parts).to_dict(), calendar)


def report_lenders(calendar: Calendar) -> pl.DataFrame:
    """Make the table `lenders`: those that lend, and the foundations that guarantee."""
    named = name_lenders()
    ids = [*named["lender_id"], *GUARANTORS]
    kinds = [*named["kind"], *["guarantee"] * len(GUARANTORS)]
    return make_table("lenders", {
        "lender_id": ids, "kind": kinds, "known_on": as_dates(np.full(len(ids), calendar.opens)),
        "is_ccrs_member": [True] * len(ids), "is_fund_member": [kind != "capital" for kind in kinds],
    }, calendar)  # fmt: skip
