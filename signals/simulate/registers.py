"""The tables `borrowers`, `consents` and `coverage`: who is known, what they agreed to, who reports on them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar, Days
from signals.simulate.people import REGION_CODES, Floats, People, draw_districts
from signals.simulate.reports import as_dates, as_spans, make_table
from signals.simulate.sales import Trade
from signals.simulate.streams import draw_chances, draw_days, draw_normals, open_stream

WOMEN, BIRTH_YEAR_MEAN, BIRTH_YEAR_SIGMA, BIRTH_YEARS = 0.40, 1971, 11, (1936, 2005)  # set here, apart from every risk
TAX_MONTH = 7  # the year's sales are settled by July
PURPOSES = {"link": 0.995, "score": 0.99, "contact": 0.95}
CONTACT_WITHDRAWN = 0.02
# Who reports what; a subject is a table or a fact.
SOURCES = {
    "sales": "card_networks", "arrears": "utilities", "credit": "bureaus", "events": "credit_information", "businesses": "nts",
    "tax_year_sales_krw": "nts", "awards_history": "semas",
}  # fmt: skip


def hear_first(people: People, calendar: Calendar) -> Days:
    """Give the day each borrower was first reported: not before the window opened."""
    return np.maximum(calendar.starts[people.entry], calendar.opens)


def hide_some(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    """Leave a small share of regions unknown."""
    known = pl.Series(draw_chances(rng, len(values)) >= rates.NO_REGION)
    return pl.DataFrame({"value": values, "is_known": known}).select(pl.when("is_known").then("value")).to_series()


def sum_tax_years(people: People, trade: Trade, calendar: Calendar) -> dict[int, Floats]:
    """Sum each closed calendar year's sales, won: months not simulated, or before the opening, count as the mean of the others.

    A shop that did not sell at all has 0.
    """
    years = calendar.year()
    was_open = calendar.ends >= people.opened[:, None]
    yearly = {}
    for year in sorted(set(years.tolist())):
        inside = years == year
        sold, counted = trade.total[:, inside].sum(axis=1), was_open[:, inside].sum(axis=1)
        yearly[year] = sold.astype(np.float64) / np.maximum(counted, 1) * 12
    return yearly


def report_borrowers(seed: int, block: int, people: People, yearly: dict[int, Floats], calendar: Calendar) -> pl.DataFrame:
    """Make the table `borrowers`: first heard of, and again each July with the last tax year's sales."""
    rng, heard = open_stream(seed, block, "borrowers"), hear_first(people, calendar)
    base = _describe(rng, people)
    versions = [base.with_columns(known_on=as_dates(heard), annual_sales_krw=_won(people.annual_sales))]
    for year, sales in yearly.items():
        july = np.full(people.count, calendar.index_of(year + 1, TAX_MONTH))
        told = calendar.days_in(july, draw_days(rng, 1, 20, people.count))
        version = base.with_columns(known_on=as_dates(told), annual_sales_krw=_won(sales))
        versions.append(version.filter(pl.Series((told > heard) & (told <= calendar.until))))
    return make_table("borrowers", pl.concat(versions).to_dict(), calendar)


def _describe(rng: np.random.Generator, people: People) -> pl.DataFrame:
    birth = BIRTH_YEAR_MEAN + BIRTH_YEAR_SIGMA * draw_normals(rng, people.count)
    is_woman = draw_chances(rng, people.count) < WOMEN
    frame = pl.DataFrame(
        {
            "borrower_id": people.ids,
            "region_code": hide_some(rng, pl.Series(REGION_CODES).gather(people.region)),
            "district_code": draw_districts(rng, people.region),
            "industry_code": pl.Series([kind.code for kind in rates.INDUSTRIES]).gather(people.industry),
            "legal_form": pl.Series(["corporation", "sole"]).gather(people.is_sole.astype(np.int64)),
            "opened_on": as_dates(people.opened),
            "employees": people.employees,
            "owner_birth_year": np.clip(birth, *BIRTH_YEARS).astype(np.int64),
            "owner_sex": pl.Series(["M", "F"]).gather(is_woman.astype(np.int64)),
        }
    )
    return frame.with_columns(district_code=pl.when(pl.col("region_code").is_not_null()).then("district_code"))


def report_consents(seed: int, block: int, people: People, calendar: Calendar) -> pl.DataFrame:
    """Make the table `consents`: nearly all agreed to be linked, scored and called; a few withdrew from being called."""
    rng, heard = open_stream(seed, block, "consents"), hear_first(people, calendar)
    given = pl.DataFrame({"borrower_id": people.ids, "granted_on": as_dates(heard), "known_on": as_dates(heard)})
    agreed = {
        purpose: given.filter(pl.Series(draw_chances(rng, people.count) < share)).with_columns(
            purpose=pl.lit(purpose), withdrawn_on=pl.lit(None, pl.Date), legal_basis=pl.lit(f"consent form: {purpose}")
        )
        for purpose, share in PURPOSES.items()
    }
    contact = agreed["contact"]
    left = contact["granted_on"] + as_spans(draw_days(rng, 30, 900, contact.height))
    back = contact.with_columns(withdrawn_on=left, known_on=left + timedelta(days=1))
    chosen = pl.Series(draw_chances(rng, contact.height) < CONTACT_WITHDRAWN)
    return make_table("consents", pl.concat([*agreed.values(), back.filter(chosen)]).to_dict(), calendar)


def report_coverage(people: People, calendar: Calendar) -> pl.DataFrame:
    """Make the table `coverage`: which source reports what on whom, from the day they were first heard of."""
    heard = as_dates(hear_first(people, calendar))
    base = pl.DataFrame({"borrower_id": people.ids, "from_on": heard, "known_on": heard})
    parts = [
        base.with_columns(source_id=pl.lit(source), subject=pl.lit(subject)).filter(pl.Series(people.covered[subject]))
        for subject, source in SOURCES.items()
    ]
    return make_table("coverage", pl.concat(parts).to_dict(), calendar)


def _won(values: Floats) -> pl.Series:
    return pl.Series(np.rint(values).astype(np.int64))
