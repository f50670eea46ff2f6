"""The simulator's own probability of default, given what only it can see."""

from __future__ import annotations

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.people import Floats, People
from signals.simulate.standing import DEFAULTED, Odds, Standing, share, weigh_odds
from signals.simulate.stress import CLOSED, Course, blow_drift, step_sigma

HORIZON_MONTHS = 6  # defaults fall on the 3rd to 26th of a month, so 180 days from a month end hold those of six months
BACKGROUND_VARIANCE = 0.003  # of the shared factors' monthly shocks, all three together


def tell_truth(people: People, course: Course, standing: Standing, odds: Odds, calendar: Calendar) -> pl.DataFrame:
    """Compute, for every month end of the window, each borrower's probability of a default within 180 days.

    One row per borrower and month end (`as_of`), for those who had come and were not 90 days overdue; `hazard_180d` is
    0 where no loan is left. It follows from the hidden state at `as_of` alone, by carrying the chance of each number of
    instalments behind through six months: repayment feels stress REPAYMENT_LAG months late, so for that long the odds
    are known; beyond, stress is expected to fade as it does, with the spread of its shocks.
    """
    parts = []
    for month in range(calendar.first, calendar.length):
        if calendar.ends[month] > calendar.until:
            continue
        scored = (people.entry <= month) & (standing.behind[:, month] < DEFAULTED)
        hazard = np.where(standing.left > month, _carry(people, course, standing, odds, month), 0.0)
        as_of = pl.Series([int(calendar.ends[month])], dtype=pl.Int32).cast(pl.Date)[0]
        ids = people.ids.filter(pl.Series(scored))
        parts.append(
            pl.DataFrame({"borrower_id": ids, "hazard_180d": hazard[scored].astype(np.float64)}).insert_column(
                1, pl.lit(as_of).alias("as_of")
            )
        )
    return pl.concat(parts)


def _carry(people: People, course: Course, standing: Standing, odds: Odds, month: int) -> Floats:
    """Carry the chances of 0, 1, 2, 3 instalments behind and of default through six months."""
    behind = standing.behind[:, month]
    chance = [(behind == k).astype(np.float64) for k in range(DEFAULTED)]
    defaulted = np.zeros(people.count)
    ease = np.where(standing.has_relief[:, month], np.exp(-rates.RELIEF), 1.0)
    staying = 1 - rates.PAID_OFF_CHANCE * (course.shop[:, month] == CLOSED)
    for ahead in range(1, HORIZON_MONTHS + 1):
        falls, direct = _look_ahead(people, course, odds, month, ahead)
        to_court = share(direct)
        fall = [share(odds_to_fall * ease) for odds_to_fall in falls]
        fall[0] = np.minimum(fall[0] + people.habit, 1)
        chance, newly = _step(chance, fall, to_court)
        chance[0] = chance[0] * staying
        defaulted += newly
    return defaulted


def _step(chance: list[Floats], fall: list[Floats], to_court: Floats) -> tuple[list[Floats], Floats]:
    """Move the chances by one month; the second answer is the chance of defaulting in it."""
    direct = sum(chance) * to_court
    held = [before * (1 - to_court) for before in chance]
    kept = [1.0, *([1 - rates.ADJUSTMENT_CHANCE] * (DEFAULTED - 1))]
    down = [held[k] * kept[k] * fall[k] for k in range(DEFAULTED)]
    level = [held[k] * kept[k] * (1 - fall[k]) * rates.PARTIAL[k] for k in range(DEFAULTED)]
    behind = [down[k - 1] + level[k] for k in range(1, DEFAULTED)]
    current = sum(held) - sum(behind) - down[-1]
    return [np.asarray(current), *behind], direct + down[-1]


def _look_ahead(people: People, course: Course, odds: Odds, month: int, ahead: int) -> tuple[tuple[Floats, ...], Floats]:
    """Give the odds of a coming month: known while repayment still feels the past, expected beyond."""
    if ahead <= rates.REPAYMENT_LAG:
        return tuple(fall[:, month + ahead] for fall in odds.fall), odds.direct[:, month + ahead]
    steps = ahead - rates.REPAYMENT_LAG
    fade = rates.OWN_PERSISTENCE ** np.arange(steps)
    own = course.own[:, month] * rates.OWN_PERSISTENCE**steps + blow_drift() * fade.sum()
    shared = course.shared[:, month] * rates.FACTOR_PERSISTENCE**steps
    variance = (step_sigma() ** 2 + BACKGROUND_VARIANCE) * (fade**2).sum()
    expected = weigh_odds((people.fragility + own + shared + 0.5 * rates.MISS_PER_STRESS * variance).astype(np.float32))
    return expected.fall, expected.direct
