"""How each borrower stands with their lenders, month by month: instalments behind, default, and the ways out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.people import Flags, Floats, Ints, People
from signals.simulate.streams import draw_chances, open_stream
from signals.simulate.stress import CLOSED, Course

DEFAULTED = 4  # instalments behind: 90 days after the first one missed lie in that month
PAID_OFF, WRITTEN_OFF = 1, 2

Happening = tuple[str, int, Ints]  # kind of event, month index, borrowers


@dataclass(frozen=True)
class Odds:
    """Monthly odds that follow from stress, per borrower and month; months run REPAYMENT_LAG beyond the calendar.

    `fall[k]` is the odds of falling one further when k instalments behind (k up to 3).
    """

    fall: tuple[Floats, Floats, Floats, Floats]
    direct: Floats
    adjust: Floats


@dataclass(frozen=True)
class Standing:
    """What came of it: one row per borrower, one column per month.

    `behind`: instalments missed on the worst loan at the month's end. `has_relief`: in early adjustment or a plan.
    `is_adjusted`: a plan began in that month. `left` is the month in which all loans ended, `left_as` how.
    """

    behind: Ints
    has_relief: Flags
    is_adjusted: Flags
    left: Ints
    left_as: Ints
    happenings: list[Happening]


def share(odds: Floats) -> Floats:
    """Turn odds into a probability."""
    return odds / (1 + odds)


def weigh_odds(pay_stress: Floats) -> Odds:
    """Turn the stress that repayment feels into the odds of each monthly step."""
    slope = np.exp(np.float32(rates.ROLL_PER_STRESS) * pay_stress)
    miss = np.float32(rates.MISS_ODDS) * np.exp(np.float32(rates.MISS_PER_STRESS) * pay_stress)
    first, second, third = (np.float32(odds) * slope for odds in rates.ROLL_ODDS)
    direct = np.float32(rates.DIRECT_ODDS) * np.exp(np.float32(rates.DIRECT_PER_STRESS) * pay_stress)
    adjust = np.float32(rates.ADJUSTMENT_ODDS) * np.exp(np.float32(rates.ADJUSTMENT_PER_STRESS) * pay_stress)
    return Odds((miss, first, second, third), direct, adjust)


def feel_in_repayment(people: People, course: Course) -> Floats:
    """Give the stress that repayment feels: late, and so known for REPAYMENT_LAG months beyond the calendar."""
    stress = people.fragility[:, None] + course.passing()
    return np.concatenate([np.repeat(stress[:, :1], rates.REPAYMENT_LAG, axis=1), stress], axis=1)


def walk_standing(seed: int, block: int, people: People, course: Course, odds: Odds, calendar: Calendar) -> Standing:
    """Walk a block of borrowers through their instalments."""
    rng, months = open_stream(seed, block, "standing"), calendar.length
    walk = _Walk(people, calendar)
    for month in range(months):
        chances = draw_chances(rng, 3, people.count)
        walk.pay(chances, odds, month)
        walk.resolve(chances[1], month)
        walk.repay_all(chances[2], course.shop[:, month] == CLOSED, month)
        walk.note(month)
    return Standing(walk.behind, walk.has_relief, walk.is_adjusted, walk.left, walk.left_as, walk.happenings)


class _Walk:
    """The moving state of a block, month by month."""

    def __init__(self, people: People, calendar: Calendar) -> None:
        self.people, self.first, months = people, calendar.first, calendar.length
        self.now = np.zeros(people.count, np.int16)
        self.relief = np.zeros(people.count, np.int16)
        self.behind = np.zeros((people.count, months), np.int16)
        self.has_relief = np.zeros((people.count, months), np.bool_)
        self.is_adjusted = np.zeros((people.count, months), np.bool_)
        self.left = np.full(people.count, months + 1, np.int64)
        self.left_as = np.zeros(people.count, np.int8)
        self.happenings: list[Happening] = []

    def pay(self, chances: Floats, odds: Odds, month: int) -> None:
        """Let those not in default pay, fall further, ask for adjustment or go to court."""
        before = self.now
        active = (self.people.entry < month) & (self.left > month)
        in_default = active & (before >= DEFAULTED)
        paying = active & ~in_default
        fall = chance_to_fall(odds, before, month, self.relief > 0, self.people.habit)
        stay = np.array(rates.PARTIAL)[np.minimum(before, 3)] * (1 - fall)
        after = np.where(chances[0] < fall, before + 1, np.where(chances[0] < fall + stay, before, 0))
        self.now = np.where(paying, after, before + in_default).astype(np.int16)
        self._seek_help(chances[1], chances[2], odds, paying, before, month)
        self._happen("default_90d", month, paying & (self.now == DEFAULTED))

    def _seek_help(self, chance: Floats, second: Floats, odds: Odds, paying: Flags, before: Ints, month: int) -> None:
        asking = np.where(before > 0, rates.ADJUSTMENT_CHANCE, share(odds.adjust[:, month]) * (self.relief == 0))
        adjusted = paying & (chance < asking)
        to_court = paying & (chance > 1 - share(odds.direct[:, month]))
        bankrupt = to_court & (second < rates.DIRECT_BANKRUPTCY)
        self._happen("early_adjustment", month, adjusted)
        self._settle(month, adjusted)
        self._happen("rehabilitation", month, to_court & ~bankrupt)
        self._settle(month, to_court & ~bankrupt)
        self._happen("bankruptcy", month, bankrupt)
        self._leave(month, bankrupt, WRITTEN_OFF)

    def resolve(self, chance: Floats, month: int) -> None:
        """Let those long in default find a plan, go to court, or see the debt sold; the guarantor pays the lender."""
        guaranteed = self.people.has_guarantee
        self._happen("subrogation", month, guaranteed & (self.now == rates.SUBROGATION_BEHIND))
        ripe = self.now >= rates.RESOLUTION_FROM
        bounds = np.cumsum([rates.WORKOUT_CHANCE, rates.REHABILITATION_CHANCE, rates.BANKRUPTCY_CHANCE, rates.SALE_CHANCE])
        way = np.where(ripe, np.searchsorted(bounds, chance, side="right"), len(bounds))
        for number, kind in enumerate(("workout", "rehabilitation", "bankruptcy")):
            self._happen(kind, month, way == number)
        # Once a guarantor has paid, the plan is with the guarantor: the lender's loans have ended.
        planned = way <= 1
        self._settle(month, planned & ~guaranteed)
        self._leave(month, (planned & guaranteed) | (way == 2) | (way == 3), WRITTEN_OFF)  # noqa: PLR2004

    def repay_all(self, chance: Floats, closed: Flags, month: int) -> None:
        """Let some who closed and owe nothing overdue repay all and leave."""
        free = closed & (self.now == 0) & (self.left > month) & (self.people.entry < month)
        self._leave(month, free & (chance < rates.PAID_OFF_CHANCE), PAID_OFF)

    def note(self, month: int) -> None:
        """Write the month down and let relief run."""
        self.behind[:, month], self.has_relief[:, month] = self.now, self.relief > 0
        self.relief = np.maximum(self.relief - 1, 0).astype(np.int16)

    def _settle(self, month: int, who: Flags) -> None:
        self.now[who], self.relief[who] = 0, rates.RELIEF_MONTHS
        self.is_adjusted[who, month] = True

    def _leave(self, month: int, who: Flags, how: int) -> None:
        self.now[who] = 0
        # Before the window opens a newcomer like them takes the place of who leaves, so that the town does not thin out.
        if month >= self.first:
            self.left[who], self.left_as[who] = month, how

    def _happen(self, kind: str, month: int, who: Flags) -> None:
        self.happenings.append((kind, month, np.flatnonzero(who)))


def chance_to_fall(odds: Odds, behind: Ints, month: int, has_relief: Flags, habit: Floats) -> Floats:
    """Give each borrower's chance to fall one instalment further in a month."""
    today = np.stack([odds.fall[k][:, month] for k in range(DEFAULTED)])
    own = np.take_along_axis(today, np.minimum(behind, DEFAULTED - 1)[None, :].astype(np.int64), axis=0)[0]
    eased = own * np.where(has_relief, np.float32(np.exp(-rates.RELIEF)), np.float32(1))
    return np.asarray(np.minimum(share(eased) + habit * (behind == 0), 1))
