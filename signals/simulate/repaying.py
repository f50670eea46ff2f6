"""The table `repayments`: each loan's status, month by month, as lenders send it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.lending import NO_MONTH, Loans, name_lenders
from signals.simulate.months import Calendar, Days
from signals.simulate.people import Flags, Floats, Ints, People
from signals.simulate.reports import as_dates, correct, lose_some, make_table, straggle
from signals.simulate.standing import PAID_OFF, Standing
from signals.simulate.streams import draw_days, draw_normals, open_stream
from signals.simulate.stress import Course, lag

LINE_USE, LINE_USE_PER_STRESS, LINE_USE_NOISE = -0.3, 0.55, 0.5  # log-odds of a credit line's use
LINE_INSTALMENT = 0.05  # of the balance
REPORTING_DAYS = 3  # one lender in four reports up to so many days after the month's end


@dataclass(frozen=True)
class Status:
    """The months of the window for each loan: one row per loan, one column per month.

    `behind` is instalments missed, `paid` how many were paid; `is_live` tells where there is a row, `is_last` the
    final one; `is_repaid`, per loan, whether that one was repaid.
    """

    behind: Ints
    paid: Ints
    is_live: Flags
    is_last: Flags
    is_repaid: Flags


@dataclass(frozen=True)
class Endings:
    """When each loan ends, as a month index (NO_MONTH or later: beyond the window), and whether it was repaid then."""

    last: Ints
    is_repaid: Flags


def end_loans(loans: Loans, standing: Standing, calendar: Calendar) -> Endings:
    """Find how each loan ends: repaid, left by its borrower, or paid by the guarantor."""
    repaid, left = _repay_in_the_end(loans, standing, calendar), standing.left[loans.borrower]
    called = np.full(len(standing.left), NO_MONTH)
    for kind, month, who in reversed(standing.happenings):
        if kind == "subrogation" and month >= calendar.first:
            called[who] = month
    by_guarantor = np.where(loans.is_guaranteed, called[loans.borrower], NO_MONTH)
    last = np.minimum(np.minimum(repaid, left), by_guarantor)
    paid_off = (left == last) & (standing.left_as[loans.borrower] == PAID_OFF)
    return Endings(last, (last < by_guarantor) & ((last < left) | paid_off))


def settle_loans(loans: Loans, standing: Standing, calendar: Calendar) -> tuple[Loans, Endings]:
    """Find how each loan ends, and leave out those whose borrower was gone before they began."""
    endings = end_loans(loans, standing, calendar)
    begun = loans.start <= endings.last
    kept = Loans(**{field.name: getattr(loans, field.name)[begun] for field in fields(Loans)})
    return kept, Endings(endings.last[begun], endings.is_repaid[begun])


def follow_loans(loans: Loans, endings: Endings, standing: Standing, calendar: Calendar) -> Status:
    """Follow each loan through the window."""
    first, months = calendar.first, np.arange(calendar.first, calendar.length)
    behind = count_behind(loans, standing, calendar)
    is_last = months == endings.last[:, None]
    is_live = (months >= loans.start[:, None]) & (months <= endings.last[:, None])
    paid = behind[:, first - 1 : -1] + 1 - behind[:, first:]
    paid = np.where(standing.is_adjusted[loans.borrower, first:], 0, paid)
    return Status(np.where(is_last, 0, behind[:, first:]), paid, is_live, is_last, endings.is_repaid)


def count_behind(loans: Loans, standing: Standing, calendar: Calendar) -> Ints:
    """Count instalments missed per loan and month: those let slip later are behind by less."""
    since = np.arange(calendar.length) - loans.start[:, None] + 1
    return np.asarray(np.clip(np.minimum(standing.behind[loans.borrower] - loans.spared[:, None], since), 0, None))


def _repay_in_the_end(loans: Loans, standing: Standing, calendar: Calendar) -> Ints:
    """Give the month of the last instalment: an overdue loan lives on until it is caught up."""
    due = np.arange(calendar.length) >= loans.ends[:, None]
    done = due & (count_behind(loans, standing, calendar) == 0)
    return np.where(done.any(axis=1), done.argmax(axis=1), NO_MONTH)


def report_repayments(
    seed: int, block: int, people: People, course: Course, loans: Loans, status: Status, calendar: Calendar
) -> pl.DataFrame:
    """Make the table `repayments`: known from the last day of the month on."""
    rng, window = open_stream(seed, block, "repayments"), slice(calendar.first, None)
    seen = lose_some(rng, status.is_live)
    loan, when = np.nonzero(seen)
    balance, due = owe_on_loans(rng, people, course, loans, status, calendar)
    frame = pl.DataFrame(
        {
            "loan_id": loans.loan_ids(people).gather(loan),
            "due_month": as_dates(calendar.starts[window][when]),
            "known_on": as_dates(_known(rng, loans, loan, calendar.ends[window][when])),
            "borrower_id": people.ids.gather(loans.borrower[loan]),
            "due_on": as_dates(calendar.starts[window][when] + loans.due_day[loan] - 1),
            "due_krw": _won(due[seen]),
            "paid_krw": _won(_pay(status, balance, due)[seen]),
            "balance_krw": _won(np.where(status.is_last, 0, balance)[seen]),
            "limit_krw": pl.Series(loans.principal[loan].astype(np.int64)),
            "days_past_due": count_days_past_due(loans, status, calendar)[seen],
        }
    ).with_columns(pl.when(pl.Series(loans.is_way("line")[loan])).then("limit_krw").alias("limit_krw"))
    wrong = {"paid_krw": pl.lit(0), "balance_krw": pl.col("balance_krw") + pl.col("paid_krw"), "days_past_due": _mistaken_days()}
    return make_table("repayments", correct(rng, frame, wrong).to_dict(), calendar)


def count_days_past_due(loans: Loans, status: Status, calendar: Calendar) -> Days:
    """Count the days from the oldest instalment missed to the month's end."""
    months = np.arange(calendar.first, calendar.length)
    oldest = np.clip(months - status.behind + 1, 0, calendar.length - 1)
    since = calendar.starts[oldest] + loans.due_day[:, None] - 1
    return np.where(status.behind > 0, calendar.ends[calendar.first :] - since, 0).astype(np.int32)


def owe_on_loans(
    rng: np.random.Generator, people: People, course: Course, loans: Loans, status: Status, calendar: Calendar
) -> tuple[Floats, Floats]:
    """Compute the balance at each month's end and what fell due in it, won."""
    before = np.maximum(calendar.first - np.maximum(loans.opened_month + 1, loans.start * (loans.opened_month >= 0)), 0)
    instalments = before[:, None] + np.cumsum(np.where(status.is_live, status.paid, 0), axis=1)
    down = loans.principal[:, None] * np.clip(1 - instalments / loans.term[:, None], 0, 1)
    stress = people.fragility[:, None] + lag(course.passing(), rates.CREDIT_LAG)
    noise = LINE_USE_NOISE * draw_normals(rng, len(loans.borrower))[:, None]
    use = 1 / (1 + np.exp(-(LINE_USE + noise + LINE_USE_PER_STRESS * stress[loans.borrower, calendar.first :])))
    line, paid_down = loans.is_way("line")[:, None], loans.is_way("instalments")[:, None]
    balance = np.where(line, loans.principal[:, None] * use, np.where(paid_down, down, loans.principal[:, None]))
    interest = balance * loans.rate_pct[:, None] / 1200
    part = np.where(paid_down, loans.principal[:, None] / loans.term[:, None], np.where(line, LINE_INSTALMENT * balance, 0))
    return balance, interest + part


def _pay(status: Status, balance: Floats, due: Floats) -> Floats:
    """Compute what was paid: instalments, at the end all that was owed, or nothing when it was written off."""
    whole = np.where(status.is_repaid[:, None], balance + due, 0)
    return np.where(status.is_last, whole, due * status.paid)


def _known(rng: np.random.Generator, loans: Loans, loan: Ints, ends: Days) -> Days:
    slow = (np.arange(len(name_lenders()["lender_id"])) % 4 == 3)[loans.lender[loan]]  # noqa: PLR2004
    return straggle(rng, ends + slow * draw_days(rng, 1, REPORTING_DAYS, len(ends)))


def _mistaken_days() -> pl.Expr:
    """Give the days overdue as first reported: a payment not yet booked, in a third of the rows that are corrected."""
    unbooked = (pl.col("days_past_due") == 0) & (pl.col("due_on").dt.day() > 15)  # noqa: PLR2004
    return pl.when(unbooked).then(pl.col("due_on").dt.month_end().dt.day() - pl.col("due_on").dt.day()).otherwise("days_past_due")


def _won(values: Floats) -> pl.Series:
    return pl.Series(np.rint(values).astype(np.int64))
