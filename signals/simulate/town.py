"""A made-up town: blocks of borrowers, each from its own stream of chance, under one weather."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from signals.errors import InputError
from signals.simulate.arrears import report_arrears
from signals.simulate.borrowing import report_credit, seek_lenders
from signals.simulate.happenings import report_businesses, report_events, turn_shops
from signals.simulate.holders import report_awards, report_facts, report_lenders, report_programmes
from signals.simulate.lending import grant_loans
from signals.simulate.loan_reports import report_loans
from signals.simulate.months import Calendar, lay_calendar
from signals.simulate.people import draw_people, name_borrowers
from signals.simulate.registers import report_borrowers, report_consents, report_coverage, sum_tax_years
from signals.simulate.repaying import follow_loans, report_repayments, settle_loans
from signals.simulate.sales import report_sales, ring_tills
from signals.simulate.standing import feel_in_repayment, walk_standing, weigh_odds
from signals.simulate.stress import Weather, draw_weather, walk_stress
from signals.simulate.truth import tell_truth
from signals.tables import TABLES

BLOCK = 20_000  # borrowers simulated together; part of the town's recipe: another number makes another town
FEWEST_MONTHS = 2


@dataclass(frozen=True)
class Town:
    """A town's canonical tables, and apart from them its truth.

    `truth` has one row per borrower and month end (`as_of`): `hazard_180d`, the simulator's own probability of a default
    within 180 days, for evaluation alone. Who is 90 days overdue at a month end has no row there.
    """

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def simulate_town(borrowers: int, months: int, seed: int, until: date) -> Town:
    """Simulate a town of that many borrowers over the months up to the one that holds `until`.

    Nothing in it is known after `until`; equal arguments give equal frames. Raises `InputError` for fewer than one
    borrower or two months. For millions, `write_town_folder` holds only a part in memory.

    >>> town = simulate_town(borrowers=50, months=3, seed=7, until=date(2026, 6, 30))
    >>> town.tables["borrowers"].height, town.truth.columns
    (50, ['borrower_id', 'as_of', 'hazard_180d'])
    """
    return join_blocks(list(simulate_blocks(borrowers, months, seed, until)))


def join_blocks(blocks: list[Town]) -> Town:
    """Join blocks into one town, in their order."""
    names = [name for name in TABLES if any(name in block.tables for block in blocks)]
    tables = {name: pl.concat([block.tables[name] for block in blocks if name in block.tables]) for name in names}
    return Town(tables, pl.concat([block.truth for block in blocks]))


def simulate_blocks(borrowers: int, months: int, seed: int, until: date) -> Iterator[Town]:
    """Simulate a town block by block; what belongs to no borrower comes with the first block."""
    _refuse_too_little(borrowers, months)
    calendar = lay_calendar(months, until)
    weather = draw_weather(seed, calendar)
    for number, start in enumerate(range(0, borrowers, BLOCK), start=1):
        ids = name_borrowers(seed, start, min(BLOCK, borrowers - start))
        block = _simulate_block(seed, number, ids, weather, calendar)
        if number == 1:
            block.tables.update(lenders=report_lenders(calendar), programme_status=report_programmes(calendar))
        yield block


def _simulate_block(seed: int, block: int, ids: pl.Series, weather: Weather, calendar: Calendar) -> Town:
    """Let a block of borrowers live, then let the holders report."""
    people = draw_people(seed, block, ids, calendar)
    course = walk_stress(seed, block, people, weather, calendar)
    odds = weigh_odds(feel_in_repayment(people, course))
    standing = walk_standing(seed, block, people, course, odds, calendar)
    borrowing = seek_lenders(seed, block, people, course, standing, calendar)
    loans, endings = settle_loans(grant_loans(seed, block, people, borrowing, calendar), standing, calendar)
    trade = ring_tills(seed, block, people, course, calendar)
    turns = turn_shops(seed, block, people, course, calendar)
    yearly = sum_tax_years(people, trade, calendar)
    status = follow_loans(loans, endings, standing, calendar)
    tables = {
        "borrowers": report_borrowers(seed, block, people, yearly, calendar),
        "loans": report_loans(seed, block, people, loans, endings.last, calendar),
        "repayments": report_repayments(seed, block, people, course, loans, status, calendar),
        "sales": report_sales(seed, block, people, trade, calendar),
        "arrears": report_arrears(seed, block, people, course, calendar),
        "credit": report_credit(seed, block, people, borrowing, standing, calendar),
        "events": report_events(seed, block, people, standing, turns, calendar),
        "businesses": report_businesses(seed, block, people, turns, calendar),
        "facts": report_facts(seed, block, people, yearly, turns, calendar),
        "coverage": report_coverage(people, calendar),
        "consents": report_consents(seed, block, people, calendar),
        "awards_history": report_awards(seed, block, people, turns, calendar),
    }
    return Town(tables, tell_truth(people, course, standing, odds, calendar))


def _refuse_too_little(borrowers: int, months: int) -> None:
    if borrowers < 1:
        raise InputError(f"{borrowers} borrowers", "simulate --borrowers", "a town needs someone to live in it", "ask for at least 1")
    if months < FEWEST_MONTHS:
        raise InputError(f"{months} months", "simulate --months", "no sign has a before and an after", f"ask for at least {FEWEST_MONTHS}")
