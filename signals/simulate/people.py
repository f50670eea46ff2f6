"""Who lives in the town: each borrower's lasting traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.places import DISTRICTS
from signals.simulate.streams import draw_chances, draw_normals, open_stream

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]

REGION_CODES = tuple(rates.REGIONS)


@dataclass(frozen=True)
class People:
    """The borrowers of one block, one entry per borrower in every array.

    `entry` is the month index in which the borrower comes to be known, `opened` a day number, `fragility` the part of
    stress that never passes, `habit` the monthly chance of being late for no reason, `covered` who is reported on, by subject.
    """

    ids: pl.Series
    entry: Ints
    region: Ints
    industry: Ints
    opened: Ints
    employees: Ints
    annual_sales: Floats
    fragility: Floats
    habit: Floats
    lenders: Ints
    debt: Floats
    due_day: Ints
    is_sole: Flags
    has_guarantee: Flags
    covered: dict[str, Flags]

    @property
    def count(self) -> int:
        """How many borrowers."""
        return len(self.entry)

    def industry_values(self, name: str) -> Floats:
        """Give a declared number of each borrower's industry."""
        return np.array([getattr(industry, name) for industry in rates.INDUSTRIES], dtype=np.float32)[self.industry]


def name_borrowers(seed: int, start: int, count: int) -> pl.Series:
    """Make pseudonyms, never twice the same in a town: a one-to-one scrambling of the borrower's number.

    >>> name_borrowers(1, 0, 2).str.len_chars().to_list()
    [9, 9]
    """
    number = np.arange(start, start + count, dtype=np.uint32)
    shift = np.uint32(np.random.SeedSequence([seed, 1]).generate_state(1)[0])
    for odd in (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35):
        number = (number + shift) * np.uint32(odd)
        number ^= number >> np.uint32(16)
    return pl.Series("borrower_id", [f"B{value:08x}" for value in number.tolist()])


def draw_people(seed: int, block: int, ids: pl.Series, calendar: Calendar) -> People:
    """Draw the traits of a block of borrowers."""
    rng, count = open_stream(seed, block, "people"), len(ids)
    region = rng.choice(len(REGION_CODES), count, p=_shares(list(rates.REGIONS.values())))
    industry = rng.choice(len(rates.INDUSTRIES), count, p=_shares([kind.share for kind in rates.INDUSTRIES]))
    sales = np.exp(draw_normals(rng, count) * rates.ANNUAL_SALES_SIGMA) * rates.ANNUAL_SALES_MEDIAN_KRW
    employees = _draw_employees(rng, sales)
    entry, opened = _draw_beginnings(rng, count, calendar)
    years = (calendar.opens - opened) / 365.25
    fragility = _draw_fragility(rng, industry, sales, employees, years)
    return People(
        ids=ids, entry=entry, region=region, industry=industry, opened=opened, employees=employees, annual_sales=sales,
        fragility=fragility, habit=_draw_habit(rng, count), lenders=_draw_lenders(rng, fragility),
        debt=_draw_debt(rng, sales), due_day=rng.choice([5, 10, 15, 20, 25], count),
        is_sole=draw_chances(rng, count) < rates.SOLE_SHARE, has_guarantee=draw_chances(rng, count) < rates.GUARANTEED_SHARE,
        covered=_draw_coverage(rng, industry),
    )  # fmt: skip


def draw_districts(rng: np.random.Generator, region: Ints) -> pl.Series:
    """Draw a district inside each borrower's region."""
    codes = [DISTRICTS[code] for code in REGION_CODES]
    starts = np.cumsum([0, *(len(inside) for inside in codes)])[:-1]
    sizes = np.array([len(inside) for inside in codes])
    place = starts[region] + (draw_chances(rng, len(region)) * sizes[region]).astype(np.int64)
    return pl.Series([code for inside in codes for code in inside]).gather(place)


def _shares(weights: list[float]) -> npt.NDArray[np.float64]:
    return np.array(weights) / sum(weights)


def _draw_employees(rng: np.random.Generator, sales: Floats) -> Ints:
    size = np.log(sales / rates.ANNUAL_SALES_MEDIAN_KRW) / rates.ANNUAL_SALES_SIGMA
    alone = draw_chances(rng, len(sales)) < np.clip(rates.NO_EMPLOYEE_SHARE - 0.18 * size, 0.02, 0.98)
    return np.where(alone, 0, np.minimum(1 + rng.poisson(np.exp(0.3 + 0.5 * size)), 40))


def _draw_beginnings(rng: np.random.Generator, count: int, calendar: Calendar) -> tuple[Ints, Ints]:
    """Draw the month each borrower came (0: before the town's past began) and the day the shop opened."""
    late = draw_chances(rng, count) < rates.ENTRANTS_PER_YEAR * calendar.length / 12
    entry = np.where(late, rng.integers(1, max(calendar.length - 1, 2), count), 0)
    age = np.where(late, rng.exponential(1.5, count), rng.exponential(rates.YEARS_OPEN_MEAN, count) + 0.1)
    return entry, calendar.starts[entry] - (np.minimum(age, 50.0) * 365.25).astype(np.int64) - 1


def _draw_fragility(rng: np.random.Generator, industry: Ints, sales: Floats, employees: Ints, years: npt.NDArray[np.float64]) -> Floats:
    """Draw what lasts: published multiples of default, as a shift of stress, and a personal part."""
    low, high = rates.MIDDLE_AGE_YEARS
    multiple = np.log(np.array([kind.default_multiple for kind in rates.INDUSTRIES]))[industry]
    multiple += np.log(rates.SMALL_SALES_MULTIPLE) * (sales < rates.SMALL_SALES_KRW)
    multiple += np.log(rates.NO_EMPLOYEE_MULTIPLE) * (employees == 0)
    multiple += np.log(rates.MIDDLE_AGE_MULTIPLE) * ((years >= low) & (years < high))
    own = draw_normals(rng, len(sales)) * rates.FRAGILITY_SIGMA
    return np.asarray(multiple / rates.MISS_PER_STRESS + own, dtype=np.float32)


def _draw_habit(rng: np.random.Generator, count: int) -> Floats:
    sloppy = draw_chances(rng, count) < rates.SLOPPY_SHARE
    return np.where(sloppy, rates.SLOPPY_MISS, rates.TIDY_MISS).astype(np.float32)


def _draw_lenders(rng: np.random.Generator, fragility: Floats) -> Ints:
    """Draw how many institutions are owed: more where fragility is high."""
    edges = np.cumsum(rates.LENDERS_OWED)[:-1]
    mixed = (fragility / rates.FRAGILITY_SIGMA + 1.5 * draw_normals(rng, len(fragility))).argsort().argsort()
    return 1 + np.searchsorted(edges, (mixed + 0.5) / len(fragility), side="right")


def _draw_coverage(rng: np.random.Generator, industry: Ints) -> dict[str, Flags]:
    takes_cards = np.array([kind.card_share >= rates.FEW_CARDS for kind in rates.INDUSTRIES])[industry]
    shares: dict[str, Any] = {**rates.COVERAGE, "sales": np.where(takes_cards, rates.SALES_COVERAGE, rates.SALES_COVERAGE_FEW_CARDS)}
    return {subject: draw_chances(rng, len(industry)) < share for subject, share in shares.items()}


def _draw_debt(rng: np.random.Generator, sales: Floats) -> Floats:
    """Draw all debt: larger shops owe more."""
    size = np.log(sales / rates.ANNUAL_SALES_MEDIAN_KRW) / rates.ANNUAL_SALES_SIGMA
    mixed = 0.5 * size + 0.866 * draw_normals(rng, len(sales))
    return np.asarray(np.exp(mixed * rates.DEBT_SIGMA) * rates.DEBT_MEDIAN_KRW, dtype=np.float32)
