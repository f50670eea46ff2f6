"""Who lends what: the lenders of the town, and the loans whose rows they send."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from signals.simulate.borrowing import NEW_DEBT_SHARE, Borrowing
from signals.simulate.months import Calendar
from signals.simulate.people import Flags, Floats, Ints, People
from signals.simulate.streams import draw_chances, draw_days, draw_normals, open_stream

# Kind of lender: prefix, how many there are, the share of their side's loans, and the side: a bank or the state.
SECTORS: tuple[tuple[str, str, int, float, bool], ...] = (
    ("bank", "BK", 12, 0.88, True), ("policy", "PF", 1, 0.12, True),
    ("mutual", "MU", 7, 0.52, False), ("savings", "SB", 6, 0.18, False), ("card", "CD", 5, 0.18, False), ("capital", "CP", 4, 0.12, False),
)  # fmt: skip


@dataclass(frozen=True)
class Product:
    """A kind of loan: `way` is how it is repaid: instalments, bullet (extended yearly) or line."""

    name: str
    sector: str
    share: float
    way: str
    term_months: int
    rate_pct: float
    is_secured_share: float


PRODUCTS: tuple[Product, ...] = (
    Product("working_capital", "bank", 0.45, "bullet", 12, 4.6, 0.45),
    Product("facility", "bank", 0.40, "instalments", 96, 4.4, 0.80),
    Product("overdraft", "bank", 0.15, "line", 12, 5.4, 0.05),
    Product("policy_loan", "policy", 1.00, "instalments", 60, 3.4, 0.0),
    Product("mutual_working_capital", "mutual", 0.55, "bullet", 12, 5.6, 0.70),
    Product("mutual_facility", "mutual", 0.45, "instalments", 84, 5.8, 0.75),
    Product("savings_business", "savings", 1.00, "instalments", 60, 11.5, 0.10),
    Product("card_loan", "card", 0.60, "instalments", 36, 14.5, 0.0),
    Product("card_line", "card", 0.40, "line", 12, 16.0, 0.0),
    Product("equipment", "capital", 1.00, "instalments", 48, 9.5, 0.30),
)
MORE_LOANS = (0.45, 0.38, 0.17)  # rows of a borrower who owes two or more: one, two, three; about 1.6 rows each in all (DESIGN 3)
NEW_LOAN_SEEN = 0.35  # of those who turn to a new lender, whose loan is a row
NONBANK_CHANCE, NONBANK_PER_FRAGILITY = 0.44, 0.32
OLDEST_MONTHS = 48
OPENED_IN_WINDOW = 0.12  # of second and third loans
NO_MONTH = 10_000
LENDER_SKEW = 1.5  # above 1: the first lender of a sector is the largest
RATE_BOUNDS_PCT = (1.5, 19.9)  # the law's ceiling is 20


@dataclass(frozen=True)
class Loans:
    """The loans of a block, one entry per loan in every array.

    `borrower` indexes the block's people, `product` PRODUCTS; `lender` indexes the list of lenders. `opened_month` and
    `due_day` say when it was paid out and falls due; `start` is the first month index with a row, `ends` the month it is
    repaid as agreed (NO_MONTH: beyond). `spared`: how many instalments the borrower lets slip elsewhere before this one.
    """

    borrower: Ints
    slot: Ints
    product: Ints
    lender: Ints
    principal: Floats
    rate_pct: Floats
    opened_month: Ints
    opened_day: Ints
    term: Ints
    start: Ints
    ends: Ints
    due_day: Ints
    spared: Ints
    is_guaranteed: Flags
    is_secured: Flags

    def is_way(self, way: str) -> Flags:
        """Tell which loans are repaid that way."""
        return np.array([product.way == way for product in PRODUCTS])[self.product]

    def loan_ids(self, people: People) -> pl.Series:
        """Name the loans: lender, borrower, number."""
        names = pl.Series(name_lenders()["lender_id"]).gather(self.lender)
        ids = people.ids.gather(self.borrower).str.slice(1)
        return pl.select(names + pl.lit("-") + ids + pl.lit("n") + pl.Series(self.slot).cast(pl.String)).to_series().alias("loan_id")


def name_lenders() -> dict[str, list[str]]:
    """List the lenders: `lender_id` and `kind`, sector by sector."""
    listed = [(f"{prefix}{number + 1:02d}", kind) for kind, prefix, many, _, _ in SECTORS for number in range(many)]
    return {"lender_id": [name for name, _ in listed], "kind": [kind for _, kind in listed]}


@dataclass(frozen=True)
class Draft:
    """Loans not yet written: whose, which number, what, how much of the borrower's debt, since and seen from when."""

    borrower: Ints
    slot: Ints
    product: Ints
    part: Floats
    opened: Ints
    start: Ints
    is_guaranteed: Flags


def grant_loans(seed: int, block: int, people: People, borrowing: Borrowing, calendar: Calendar) -> Loans:
    """Draw the loans of a block, in order of borrower and number; the first is the one let slip first."""
    rng = open_stream(seed, block, "loans")
    drafts = (_draft_old(rng, people, calendar), _draft_new(rng, people, borrowing, calendar))
    joined = Draft(**{field.name: np.concatenate([getattr(draft, field.name) for draft in drafts]) for field in fields(Draft)})
    loans = _write_loans(rng, people, joined, calendar)
    order = np.lexsort((loans.slot, loans.borrower))
    order = order[loans.ends[order] >= calendar.first]
    return Loans(**{field.name: getattr(loans, field.name)[order] for field in fields(Loans)})


def _draft_old(rng: np.random.Generator, people: People, calendar: Calendar) -> Draft:
    several = 1 + np.searchsorted(np.cumsum(MORE_LOANS)[:-1], draw_chances(rng, people.count))
    many = np.where(people.lenders > 1, several, 1)
    borrower = np.repeat(np.arange(people.count), many)
    slot = np.arange(len(borrower)) - np.repeat(np.cumsum(many) - many, many)
    is_guaranteed = people.has_guarantee[borrower] & (slot == np.repeat(many, many) - 1)
    chance = NONBANK_CHANCE + NONBANK_PER_FRAGILITY * people.fragility[borrower]
    is_nonbank = (draw_chances(rng, len(borrower)) < chance) & ~is_guaranteed
    product = draw_products(rng, is_nonbank[np.lexsort((~is_nonbank, is_guaranteed, borrower))])
    part = np.exp(0.5 * draw_normals(rng, len(borrower))) / people.lenders[borrower]
    opened, start = _open_old(rng, people, borrower, slot, product, calendar)
    return Draft(borrower, slot, product, part, opened, start, is_guaranteed)


def _draft_new(rng: np.random.Generator, people: People, borrowing: Borrowing, calendar: Calendar) -> Draft:
    new = borrowing.is_new.copy()
    new[:, : calendar.first] = False
    borrower = np.flatnonzero(new.any(axis=1) & (draw_chances(rng, people.count) < NEW_LOAN_SEEN))
    opened, nothing = new[borrower].argmax(axis=1), np.zeros(len(borrower), dtype=np.bool_)
    part, slot = np.full(len(borrower), NEW_DEBT_SHARE), np.full(len(borrower), len(MORE_LOANS))
    return Draft(borrower, slot, draw_products(rng, ~nothing), part, opened, opened + 1, nothing)


def draw_products(rng: np.random.Generator, is_nonbank: Flags) -> Ints:
    """Draw a product from the banks' and the state's, or from the others'."""
    drawn = []
    for side in (True, False):
        weight = {kind: share for kind, _, _, share, is_bank in SECTORS if is_bank == side}
        shares = np.cumsum([weight.get(product.sector, 0.0) * product.share for product in PRODUCTS])
        drawn.append(np.searchsorted(shares / shares[-1], draw_chances(rng, len(is_nonbank)) * 0.999999, side="right"))
    return np.where(is_nonbank, drawn[1], drawn[0])


def _open_old(rng: np.random.Generator, people: People, borrower: Ints, slot: Ints, product: Ints, calendar: Calendar) -> tuple[Ints, Ints]:
    """Draw the month each loan was paid out, never before the shop opened, and the first month with a row."""
    term, entry, many = declared_terms(product), people.entry[borrower], len(borrower)
    age = (draw_chances(rng, many) * np.minimum(term * 0.9, OLDEST_MONTHS)).astype(np.int64)
    in_window = (slot > 0) & (draw_chances(rng, many) < OPENED_IN_WINDOW)
    later = np.maximum(entry, rng.integers(calendar.first, calendar.length, many))
    before = np.maximum(-age, calendar.month_index(people.opened)[borrower] + 1)
    opened = np.where(in_window, later, np.where(entry > 0, entry, before))
    return opened, np.where(opened >= 0, opened + 1, 0)


def declared_terms(product: Ints) -> Ints:
    """Give each loan's term as its product declares it, in months."""
    return np.asarray(np.array([item.term_months for item in PRODUCTS])[product])


def _write_loans(rng: np.random.Generator, people: People, draft: Draft, calendar: Calendar) -> Loans:
    many, way = len(draft.borrower), np.array([item.way for item in PRODUCTS])[draft.product]
    declared, is_first = declared_terms(draft.product), draft.slot == 0
    is_paid_down = way == "instalments"
    # The loan let slip first runs beyond the window, so that its days overdue can always be seen.
    term = np.where(is_paid_down & is_first, np.maximum(declared, calendar.length + 3 - draft.opened), declared)
    is_bank = np.array([item.sector in ("bank", "policy") for item in PRODUCTS])[draft.product]
    secured = np.array([item.is_secured_share for item in PRODUCTS])[draft.product] * ~draft.is_guaranteed
    return Loans(
        borrower=draft.borrower, slot=draft.slot, product=draft.product, lender=_draw_lenders(rng, draft.product),
        principal=np.clip(np.rint(people.debt[draft.borrower] * draft.part / 1e5) * 1e5, 1e6, 5e9),
        rate_pct=_draw_rates(rng, people.fragility[draft.borrower], draft.product),
        opened_month=draft.opened, opened_day=draw_days(rng, 1, 28, many), term=term, start=draft.start,
        ends=np.where(is_paid_down, draft.opened + term, NO_MONTH),
        due_day=np.where(is_first, people.due_day[draft.borrower], rng.choice([5, 10, 15, 20, 25], many)),
        spared=np.where(is_first, 0, draw_days(rng, 1, 2, many) + is_bank),
        is_guaranteed=draft.is_guaranteed, is_secured=draw_chances(rng, many) < secured,
    )  # fmt: skip


def _draw_lenders(rng: np.random.Generator, product: Ints) -> Ints:
    kinds = name_lenders()["kind"]
    first = np.array([kinds.index(item.sector) for item in PRODUCTS])[product]
    size = np.array([kinds.count(item.sector) for item in PRODUCTS])[product]
    return np.asarray(first + (draw_chances(rng, len(product)) ** LENDER_SKEW * size * 0.999999).astype(np.int64))


def _draw_rates(rng: np.random.Generator, fragility: Floats, product: Ints) -> Floats:
    usual = np.array([item.rate_pct for item in PRODUCTS])[product]
    asked = usual * np.exp(0.10 * fragility + 0.08 * draw_normals(rng, len(product)))
    return np.asarray(np.round(np.clip(asked, *RATE_BOUNDS_PCT), 2))
