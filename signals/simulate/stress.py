"""Hidden stress, month by month, and what it does to the shop itself: open, suspended, closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.people import REGION_CODES, Flags, Floats, Ints, People
from signals.simulate.streams import TOWN, draw_chances, draw_normals, open_stream

TRADING, SUSPENDED, CLOSED = 0, 1, 2


@dataclass(frozen=True)
class Weather:
    """What many share: stress by industry (with the whole economy in it) and by region, one row per month."""

    industry: Floats
    region: Floats

    def feel(self, people: People, month: int) -> Floats:
        """Give each borrower's shared stress in a month."""
        return np.asarray(self.industry[month, people.industry] + self.region[month, people.region])


@dataclass(frozen=True)
class Course:
    """How it went: one row per borrower, one column per month.

    `own` is the passing part of stress, `shared` the weather's; `shop` is TRADING, SUSPENDED or CLOSED.
    """

    own: Floats
    shared: Floats
    shop: Ints

    def passing(self) -> Floats:
        """Give the stress that may pass: own and shared, without fragility."""
        return self.own + self.shared


def draw_weather(seed: int, calendar: Calendar) -> Weather:
    """Draw the common factors of the town, before and apart from any borrower."""
    rng, months = open_stream(seed, TOWN, "weather"), calendar.length
    economy = _wander(rng, months, 1, rates.ECONOMY_SIGMA)
    industry = _wander(rng, months, len(rates.INDUSTRIES), rates.INDUSTRY_SIGMA)
    return Weather(economy + industry, _wander(rng, months, len(REGION_CODES), rates.REGION_SIGMA))


def walk_stress(seed: int, block: int, people: People, weather: Weather, calendar: Calendar) -> Course:
    """Walk a block of borrowers through the months: stress moves, shops suspend, close and reopen."""
    rng, months = open_stream(seed, block, "stress"), calendar.length
    own = np.zeros((people.count, months), np.float32)
    shared, shop = np.zeros_like(own), np.zeros((people.count, months), np.int8)
    passing = draw_normals(rng, people.count) * rates.OWN_SIGMA
    status = np.zeros(people.count, np.int8)
    for month in range(months):
        shared[:, month] = weather.feel(people, month)
        passing = _move(rng, passing)
        stress = people.fragility + passing + shared[:, month]
        here = people.entry <= month
        status = np.where(here, _move_shop(rng, status, stress, people, int(calendar.starts[month])), status)
        newly_closed = (status == CLOSED) & (shop[:, month - 1] != CLOSED) if month else status == CLOSED
        passing = passing + rates.CLOSURE_BLOW * newly_closed.astype(np.float32)
        own[:, month], shop[:, month] = passing, status
    return Course(own, shared, shop)


def blow_drift() -> float:
    """Give the mean of a month's blows, for those who forecast."""
    return rates.BLOW_CHANCE * (rates.BLOW_LEAST + rates.BLOW_MEAN)


def step_sigma() -> float:
    """Give the standard deviation of a month's ordinary shock, which keeps the whole at OWN_SIGMA."""
    return float(rates.OWN_SIGMA * np.sqrt(1 - rates.OWN_PERSISTENCE**2))


def _wander(rng: np.random.Generator, months: int, many: int, sigma: float) -> Floats:
    shocks = draw_normals(rng, months, many) * np.float32(sigma)
    shocks[1:] *= np.float32(np.sqrt(1 - rates.FACTOR_PERSISTENCE**2))
    for month in range(1, months):
        shocks[month] += np.float32(rates.FACTOR_PERSISTENCE) * shocks[month - 1]
    return shocks


def _move(rng: np.random.Generator, passing: Floats) -> Floats:
    struck = draw_chances(rng, len(passing)) < rates.BLOW_CHANCE
    force = rates.BLOW_LEAST + rng.standard_exponential(len(passing), dtype=np.float32) * rates.BLOW_MEAN
    shock = draw_normals(rng, len(passing)) * step_sigma() + struck * force
    return (passing * rates.OWN_PERSISTENCE + shock).astype(np.float32)


def _move_shop(rng: np.random.Generator, status: Ints, stress: Floats, people: People, today: int) -> Ints:
    """Move each shop's status by one month's chances."""
    chance = draw_chances(rng, people.count)
    trading, suspended, closed = status == TRADING, status == SUSPENDED, status == CLOSED
    closing = closure_chance(people, stress, today)
    pausing = rates.SUSPENSION_CHANCE * np.exp(rates.SUSPENSION_PER_STRESS * stress)
    moved = np.where(trading & (chance < closing), CLOSED, status)
    moved = np.where(trading & (chance >= closing) & (chance < closing + pausing), SUSPENDED, moved)
    moved = np.where(suspended & (chance < rates.RESUME_CHANCE), TRADING, moved)
    moved = np.where(suspended & (chance > 1 - rates.GIVE_UP_CHANCE), CLOSED, moved)
    return np.where(closed & (chance < rates.REOPENING_CHANCE), TRADING, moved).astype(np.int8)


def closure_chance(people: People, stress: Floats, today: int) -> Floats:
    """Give the monthly chance of closing: young shops, some trades, and stress."""
    years = (today - people.opened) / 365.25
    edges, yearly = zip(*rates.CLOSURE_BY_AGE, strict=True)
    by_age = np.array(yearly)[np.searchsorted(edges[:-1], years, side="right")]
    monthly = -np.log1p(-by_age) / 12 * rates.CLOSURE_SCALE * people.industry_values("closure_multiple")
    return np.asarray(np.clip(monthly * np.exp(rates.CLOSURE_PER_STRESS * stress), 0, 0.3), dtype=np.float32)


def lag(values: Floats, months: int) -> Floats:
    """Shift columns so that each month holds the value of `months` earlier (the first one where there is none).

    >>> lag(np.array([[1.0, 2.0, 3.0]], np.float32), 1).tolist()
    [[1.0, 1.0, 2.0]]
    """
    return np.concatenate([np.repeat(values[:, :1], months, axis=1), values[:, : values.shape[1] - months]], axis=1)


def is_here(people: People, calendar: Calendar) -> Flags:
    """Tell, per borrower and month, who had come by then."""
    here: Flags = np.arange(calendar.length) >= people.entry[:, None]
    return here
