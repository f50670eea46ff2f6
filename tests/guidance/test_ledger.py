"""The ledger: written once, never more than the budget, what a person touched stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Connection, create_engine

from guidance.assign import assign_support
from guidance.catalogue import Catalogue, make_catalogue
from guidance.ledger import list_attended, read_opening, reserve_places
from signals.errors import NightError
from signals.products import PRODUCTS
from signals.records.cases import open_cases
from signals.records.schema import LEDGER, METADATA
from tests.guidance.worlds import make_programme, need_of, verdicts_of

TONIGHT = date(2026, 9, 30)
SIDES = pl.DataFrame({"borrower_id": ["a", "b"], "is_inside": [True, False]})


@pytest.fixture
def books() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def catalogue_of(places: int | None = 3, **said: Any) -> Catalogue:
    return make_catalogue([make_programme("voucher", mode="allot", places=places, **{"budget_krw": 1000, **said})])


def wish(*owners: str, amount: int = 100) -> pl.DataFrame:
    """Assignments that reserve one voucher for each."""
    rows = [(owner, "voucher", amount, "reserved", "because") for owner in owners]
    return pl.DataFrame(rows, schema=dict(PRODUCTS["assignments"].columns), orient="row")


def reserve(books: Connection, *owners: str, night: date = TONIGHT, catalogue: Catalogue | None = None, **said: Any) -> int:
    return reserve_places(books, wish(*owners), catalogue or catalogue_of(), night, SIDES, **said)


def act(books: Connection, owner: str, state: str, *, turn: int = 1, day: date = TONIGHT + timedelta(days=1), amount: int = 100) -> None:
    """What a person or an operator's record says of a place."""
    row = {"programme_id": "voucher", "period": "2026", "borrower_id": owner, "turn": turn, "state": state, "amount_krw": amount}
    books.execute(LEDGER.insert(), [{**row, "is_inside": False, "as_of": day, "by": "kim"}])


def entries(books: Connection) -> list[str]:
    """The ledger in order, in short."""
    return [f"{row.borrower_id}{row.turn} {row.state}" for row in books.execute(LEDGER.select().order_by(LEDGER.c.sequence))]


def opening(books: Connection, night: date, **said: Any) -> list[tuple[str, str]]:
    return read_opening(books, said.get("catalogue") or catalogue_of(), night).select("borrower_id", "state").rows()


def test_a_night_writes_its_reservations_once(books: Connection) -> None:
    first = reserve(books, "b", "a", "c")
    assert entries(books) == ["a1 reserved", "b1 reserved", "c1 reserved"]
    assert reserve(books, "a", "b", "c") == first == 3
    assert len(entries(books)) == 3


def test_an_entry_says_its_ceiling_side_period_night_and_author(books: Connection) -> None:
    reserve(books, "a", "b", "unknown")
    rows = [(row.amount_krw, row.is_inside, row.period, row.as_of, row.by) for row in books.execute(LEDGER.select())]
    assert rows == [(100, True, "2026", TONIGHT, "night"), (100, False, "2026", TONIGHT, "night"), (100, True, "2026", TONIGHT, "night")]


def test_an_empty_ledger_has_sequence_nought_and_an_empty_opening(books: Connection) -> None:
    assert reserve(books) == 0
    assert read_opening(books, catalogue_of(), TONIGHT).schema == pl.DataFrame(schema=dict(PRODUCTS["opening"].columns)).schema


def test_the_opening_leaves_out_this_nights_own_rows_and_whatever_came_later(books: Connection) -> None:
    reserve(books, "a", night=TONIGHT - timedelta(days=1))
    reserve(books, "b")
    reserve(books, "c", night=TONIGHT + timedelta(days=1))
    assert opening(books, TONIGHT - timedelta(days=1)) == []
    assert opening(books, TONIGHT) == [("a", "reserved")]
    assert opening(books, TONIGHT + timedelta(days=1)) == [("a", "reserved"), ("b", "reserved")]


def test_what_people_and_operators_did_is_in_the_next_opening_with_its_true_sum(books: Connection) -> None:
    reserve(books, "a", "b", "c")
    act(books, "a", "committed", amount=80)
    act(books, "a", "paid", amount=70)
    act(books, "b", "cancelled")
    frame = read_opening(books, catalogue_of(), TONIGHT + timedelta(days=1))
    assert frame.select("borrower_id", "state", "amount_krw").rows() == [("a", "paid", 70), ("c", "reserved", 100)]


def test_a_person_works_for_whoever_had_a_live_place_or_an_open_case_before_tonight(books: Connection) -> None:
    reserve(books, "a", "b")
    act(books, "b", "paid")
    listed = pl.DataFrame({"borrower_id": ["c"], "office": ["seoul"], "level": ["alert"]})
    open_cases(books, listed, TONIGHT)
    assert list_attended(books, catalogue_of(), TONIGHT) == []
    assert list_attended(books, catalogue_of(), TONIGHT + timedelta(days=1)) == ["a", "c"]


def test_another_run_with_other_wishes_releases_only_what_nobody_touched(books: Connection) -> None:
    reserve(books, "a", "b")
    act(books, "a", "committed")
    reserve(books, "c")
    assert entries(books) == ["a1 reserved", "b1 reserved", "a1 committed", "b1 released", "c1 reserved"]


def test_what_was_released_may_be_reserved_again_on_its_next_turn_and_once(books: Connection) -> None:
    reserve(books, "a", "b")
    reserve(books, "b")
    reserve(books, "a", "b")
    assert reserve(books, "a", "b") == 4
    assert entries(books) == ["a1 reserved", "b1 reserved", "a1 released", "a2 reserved"]


@pytest.mark.parametrize("state", ["committed", "cancelled"])
def test_the_same_wish_after_a_person_acted_adds_nothing(books: Connection, state: str) -> None:
    reserve(books, "a")
    act(books, "a", state)
    reserve(books, "a")
    assert entries(books) == ["a1 reserved", f"a1 {state}"]


def test_a_reservation_not_taken_up_in_time_expires_and_its_place_returns(books: Connection) -> None:
    reserve(books, "a", "b", "c")
    act(books, "b", "committed")
    last, after = TONIGHT + timedelta(days=30), TONIGHT + timedelta(days=31)
    assert opening(books, last) == [("a", "reserved"), ("b", "committed"), ("c", "reserved")]
    assert opening(books, after) == [("b", "committed")]
    reserve(books, "a", "d", night=after)
    assert entries(books)[4:] == ["a1 expired", "c1 expired", "a2 reserved", "d1 reserved"]
    assert opening(books, after) == [("b", "committed")]
    assert reserve(books, "a", "d", night=after) == 8


def test_a_place_of_an_earlier_period_is_no_place_of_this_one_and_expires(books: Connection) -> None:
    reserve(books, "a")
    next_year = catalogue_of(period="2027")
    assert opening(books, TONIGHT + timedelta(days=5), catalogue=next_year) == []
    reserve(books, "a", night=date(2027, 2, 1), catalogue=next_year)
    assert entries(books) == ["a1 reserved", "a1 expired", "a1 reserved"]


def test_a_backfilled_night_writes_nothing_and_releases_nothing(books: Connection) -> None:
    reserve(books, "a", "b")
    assert reserve(books, "c", is_backfill=True) == 2
    assert entries(books) == ["a1 reserved", "b1 reserved"]


@pytest.mark.parametrize(
    ("catalogue", "said"),
    [(catalogue_of(2), "3 places taken of 2"), (catalogue_of(None, budget_krw=299), "300 won taken of 299")],
    ids=["places", "budget"],
)
def test_an_overdraft_is_refused_and_the_transaction_undoes_it(books: Connection, catalogue: Catalogue, said: str) -> None:
    reserve(books, "a", night=TONIGHT - timedelta(days=1), catalogue=catalogue)
    books.commit()
    with pytest.raises(NightError, match=said):
        reserve(books, "b", "c", catalogue=catalogue)
    books.rollback()
    assert entries(books) == ["a1 reserved"]


def test_a_place_is_never_taken_twice(books: Connection) -> None:
    reserve(books, "a", night=TONIGHT - timedelta(days=1))
    with pytest.raises(NightError, match="1 places would be reserved for owners who already hold them"):
        reserve(books, "a")
    assert entries(books) == ["a1 reserved"]


def test_sixty_nights_of_assigning_reserving_and_acting_never_overdraw(books: Connection) -> None:
    """Each night everybody wants a voucher; now and then somebody commits for less, or cancels; many reservations expire."""
    catalogue = catalogue_of(None, budget_krw=750, hold_days=5)
    owners = [f"o{number:02}" for number in range(40)]
    need = need_of([(owner, rank, "watch", False) for rank, owner in enumerate(owners, start=1)])
    verdicts = verdicts_of([(owner, "voucher", True) for owner in owners])
    seen = set()
    for number in range(60):
        night = TONIGHT + timedelta(days=number)
        before = read_opening(books, catalogue, night)
        given = assign_support(verdicts, need, catalogue, before, night)
        last = reserve_places(books, given, catalogue, night, SIDES)
        assert reserve_places(books, given, catalogue, night, SIDES) == last
        live = read_opening(books, catalogue, night + timedelta(days=1))
        assert live["amount_krw"].sum() <= 750
        seen |= set(live["borrower_id"])
        turns = {row.borrower_id: row.turn for row in books.execute(LEDGER.select().order_by(LEDGER.c.sequence))}
        waiting = live.filter(pl.col("state") == "reserved")["borrower_id"].to_list()
        if waiting and number % 7 == 0:
            act(
                books,
                waiting[0],
                "committed" if number % 2 else "cancelled",
                turn=turns[waiting[0]],
                day=night + timedelta(days=1),
                amount=60,
            )
    assert len(seen) >= 7
    paid = read_opening(books, catalogue, TONIGHT + timedelta(days=60)).filter(pl.col("state") == "committed")
    assert paid.height >= 3
