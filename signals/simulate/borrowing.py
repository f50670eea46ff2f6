"""New borrowing and what the credit bureaus see of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.people import Flags, Floats, Ints, People
from signals.simulate.reports import as_dates, delay, lose_some, make_table
from signals.simulate.standing import Standing, share
from signals.simulate.streams import draw_chances, draw_days, draw_normals, open_stream
from signals.simulate.stress import Course, is_here, lag

NICE_SHARE = 0.65
# A bureau's score falls with what is overdue: by instalments behind, points.
SCORE_BY_BEHIND = (0, 25, 110, 170, 260)
SCORE_BOUNDS = (250, 1000)
NEW_DEBT_SHARE = 0.09  # of all debt, a new lender's loan
ENQUIRIES, ENQUIRIES_PER_STRESS = 0.10, 0.55
DEBT_FADES = 0.006  # a month, repaid in the ordinary course


@dataclass(frozen=True)
class Borrowing:
    """Where each borrower turned to a new lender, and what stress the bureaus feel, per borrower and month."""

    is_new: Flags
    stress: Floats


def seek_lenders(seed: int, block: int, people: People, course: Course, standing: Standing, calendar: Calendar) -> Borrowing:
    """Draw who turns to a new lender outside the banks: more often under stress, never when already behind."""
    rng = open_stream(seed, block, "borrowing")
    recent = lag(course.passing(), rates.CREDIT_LAG)
    passing = (recent + lag(recent, 1)) / 2
    odds = rates.BORROWING_ODDS * np.exp(np.float32(rates.BORROWING_PER_STRESS) * (passing + people.fragility[:, None] / 2))
    free = (standing.behind == 0) & ~standing.has_relief & (np.arange(calendar.length) < standing.left[:, None])
    asked = draw_chances(rng, people.count, calendar.length) < share(odds)
    return Borrowing(asked & free & is_here(people, calendar), passing)


def report_credit(seed: int, block: int, people: People, borrowing: Borrowing, standing: Standing, calendar: Calendar) -> pl.DataFrame:
    """Make the table `credit`: one bureau per borrower, known two to nine days after the month."""
    rng, window = open_stream(seed, block, "credit"), slice(calendar.first, None)
    seen = lose_some(rng, is_here(people, calendar)[:, window] & people.covered["credit"][:, None])
    who, when = np.nonzero(seen)
    lenders, debt, nonbank = owe(rng, people, borrowing, calendar)
    bureau = np.where(draw_chances(rng, people.count) < NICE_SHARE, 0, 1)
    score = score_credit(rng, people, borrowing, standing)
    fervour = np.exp(weigh_enquiries(people, borrowing)[:, window][seen])
    columns = {
        "borrower_id": people.ids.gather(who),
        "bureau": pl.Series(["nice", "kcb"]).gather(bureau[who]),
        "credit_month": as_dates(calendar.starts[window][when]),
        "known_on": as_dates(delay(rng, calendar.ends[window][when], 0, 0) + draw_days(rng, 1, 7, people.count)[who]),
        "credit_score": score[:, window][seen].astype(np.int64),
        "lenders_count": lenders[:, window][seen].astype(np.int64),
        "debt_krw": np.rint(debt[:, window][seen]).astype(np.int64),
        "nonbank_debt_krw": np.rint(nonbank[:, window][seen]).astype(np.int64),
        "enquiries_count": rng.poisson(fervour) + borrowing.is_new[:, window][seen],
    }
    return make_table("credit", columns, calendar)


def weigh_enquiries(people: People, borrowing: Borrowing) -> Floats:
    """Give the logarithm of the enquiries expected in a month."""
    felt = np.clip(borrowing.stress + people.fragility[:, None] / 2, -4, 4)
    return np.asarray(np.log(ENQUIRIES) + ENQUIRIES_PER_STRESS * felt)


def owe(rng: np.random.Generator, people: People, borrowing: Borrowing, calendar: Calendar) -> tuple[Ints, Floats, Floats]:
    """Compute institutions owed, all debt and debt outside the banks, per borrower and month."""
    new = borrowing.is_new.copy()
    new[:, : calendar.first] = False  # what was owed when the window opened is drawn as a whole
    count = np.cumsum(new, axis=1)
    size = NEW_DEBT_SHARE * np.exp(0.4 * draw_normals(rng, people.count))[:, None]
    fading = np.exp(-DEBT_FADES * np.arange(calendar.length))
    part = np.clip(rates.NONBANK_SHARE + 0.12 * people.fragility + 0.18 * draw_normals(rng, people.count), 0, 1)[:, None]
    debt = people.debt[:, None] * (fading + size * count)
    return people.lenders[:, None] + count, debt, people.debt[:, None] * (part * fading + size * count)


def score_credit(rng: np.random.Generator, people: People, borrowing: Borrowing, standing: Standing) -> Floats:
    """Compute the bureau's score: fragility, recent stress, what is overdue, and what the bureau sees that we do not."""
    lasting = rates.SCORE_MEAN + rates.SCORE_PER_FRAGILITY * people.fragility + rates.SCORE_TASTE * draw_normals(rng, people.count)
    overdue = np.array(SCORE_BY_BEHIND, dtype=np.float32)[np.minimum(standing.behind, len(SCORE_BY_BEHIND) - 1)]
    noise = rates.SCORE_NOISE * draw_normals(rng, *borrowing.stress.shape)
    score = lasting[:, None] + rates.SCORE_PER_STRESS * borrowing.stress - overdue + noise
    return np.asarray(np.clip(np.rint(score), *SCORE_BOUNDS))
