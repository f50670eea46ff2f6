"""The rule of assignment, on worlds small enough to check by hand and on many that are not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from guidance.assign import assign_support, find_room
from guidance.audit import audit_assignment
from guidance.catalogue import make_catalogue
from tests.guidance.worlds import AS_OF, World, make_programme, make_world, need_of, opening_of, verdicts_of

NO_OPENING = opening_of([])


def allot(name: str = "voucher", places: int = 2, **said: Any) -> Any:
    return make_programme(name, mode="allot", places=places, **said)


def world_of(*programmes: Any, owners: str = "abcd", inside: str = "", opening: Any = NO_OPENING, k: int = 2) -> World:
    """Owners a, b, c … in order of need, all eligible for everything."""
    need = need_of([(owner, rank, "watch", owner in inside) for rank, owner in enumerate(owners, start=1)])
    verdicts = verdicts_of([(owner, one.id, True) for owner in owners for one in programmes])
    return World(make_catalogue(list(programmes)), verdicts, need, opening, k)


def assign(world: World, **said: Any) -> pl.DataFrame:
    return assign_support(world.verdicts, world.need, world.catalogue, world.opening, AS_OF, k=world.k, **said)


def audit(world: World, assignments: pl.DataFrame, **said: Any) -> list[str]:
    return audit_assignment(assignments, world.verdicts, world.need, world.opening, world.catalogue, AS_OF, k=world.k, **said)


def places(world: World, **said: Any) -> str:
    """Who holds what, in short: 'a:voucher=reserved …'."""
    given = assign(world, **said)
    assert audit(world, given, **said) == []
    return " ".join(f"{row['borrower_id']}:{row['programme_id']}={row['place']}" for row in given.iter_rows(named=True))


def test_places_go_to_those_with_most_need() -> None:
    assert places(world_of(allot())) == "a:voucher=reserved b:voucher=reserved"


def test_a_reserved_place_holds_the_ceiling_and_says_why_and_an_open_one_names_no_sum() -> None:
    given = assign(world_of(allot(places=1), make_programme("advice"), owners="a"))
    assert given.select("programme_id", "amount_krw", "place").rows() == [("advice", None, "open"), ("voucher", 100, "reserved")]
    assert given["because"].to_list() == [
        "요건을 모두 충족했고, '관심' 상태에 맞는 지원입니다. 지급 결정은 운영기관이 합니다",
        "요건을 모두 충족했고, '관심' 상태에 맞아 물량이 가배정되었습니다(확정 아님)",
    ]


def test_the_unknown_and_the_ineligible_take_no_place() -> None:
    world = world_of(allot(places=4))
    unsure = world.verdicts.with_columns(
        is_eligible=pl.col("borrower_id").replace_strict({"a": None, "b": False, "c": True, "d": True}, return_dtype=pl.Boolean)
    )
    given = assign_support(unsure, world.need, world.catalogue, world.opening, AS_OF)
    assert given["borrower_id"].to_list() == ["c", "d"]


def test_a_programme_off_the_ladder_of_the_owners_state_is_not_offered() -> None:
    assert places(world_of(allot(ladder={"arrears_90": 1}), make_programme("advice", ladder={"closed": 1}))) == ""


def test_places_left_are_the_budget_less_commitments_by_the_ceiling_less_live_places_or_the_written_places() -> None:
    opening = opening_of(
        [("voucher", "x", "committed", False, 60), ("voucher", "y", "paid", False, 100), ("voucher", "z", "reserved", False, 100)]
    )
    for budget, written, left in [(560, None, 3), (559, None, 2), (10**9, 5, 2), (150, None, 0), (10**9, 2, 0)]:
        assert find_room(allot(places=written, budget_krw=budget), opening, AS_OF).left == left


@pytest.mark.parametrize(("share", "free_inside"), [("0.5", 2), ("0.07", 4), ("0.2", 4), ("0.21", 3), ("1", 0)])
def test_the_floor_is_rounded_up_exactly(share: str, free_inside: int) -> None:
    assert find_room(allot(places=5, floor_share=Decimal(share)), NO_OPENING, AS_OF).left_inside == free_inside


def test_the_floor_keeps_places_for_owners_outside_the_capital_region() -> None:
    world = world_of(allot(places=2, floor_share="0.5"), inside="abc")
    assert places(world) == "a:voucher=reserved d:voucher=reserved"


def test_the_floor_counts_those_who_already_hold_places() -> None:
    opening = opening_of([("voucher", "x", "paid", True, 100), ("voucher", "y", "reserved", True, 100)])
    world = world_of(allot(places=4, floor_share="0.5"), inside="abc", opening=opening)
    assert places(world) == "d:voucher=reserved y:voucher=held"


def test_the_unused_floor_opens_on_its_day() -> None:
    for day, served in [(date(2026, 9, 30), "a:voucher=reserved b:voucher=reserved"), (date(2026, 10, 1), "a:voucher=reserved")]:
        assert places(world_of(allot(places=2, floor_share="0.5", floor_released_on=day), inside="abcd")) == served


def test_an_unknown_region_counts_as_inside() -> None:
    world = world_of(allot(places=2, floor_share="1"), owners="a")
    unknown = world.need.with_columns(is_inside=pl.lit(None, dtype=pl.Boolean))
    assert assign_support(world.verdicts, unknown, world.catalogue, NO_OPENING, AS_OF).height == 0


def test_earlier_places_stand_are_listed_as_held_and_count_towards_k() -> None:
    opening = opening_of([("voucher", "d", "reserved", False, 100)])
    world = world_of(allot(places=2), allot("grant", 9), owners="abcd", opening=opening, k=1)
    assert places(world) == "a:grant=reserved b:grant=reserved c:grant=reserved d:voucher=held"


def test_the_ladder_of_the_state_decides_which_comes_first() -> None:
    late, early = allot("early", 9, ladder={"watch": 2}), allot("late", 9, ladder={"watch": 1})
    assert places(world_of(late, early, owners="a", k=1)) == "a:late=reserved"


def test_one_of_a_conflict_group_is_offered_the_first_of_the_ladder_that_has_a_place() -> None:
    first, second = (
        allot("first", 1, conflict_group="debt", ladder={"watch": 1}),
        make_programme("second", conflict_group="debt", ladder={"watch": 2}),
    )
    assert places(world_of(first, second, owners="ab")) == "a:first=reserved b:second=open"


def test_a_group_held_from_before_closes_it() -> None:
    opening = opening_of([("first", "a", "paid", False, 100)])
    first, second = allot("first", 5, conflict_group="debt"), allot("second", 5, conflict_group="debt")
    assert places(world_of(first, second, owners="a", opening=opening)) == ""


def test_a_backfilled_night_reserves_nothing_and_lists_what_stands() -> None:
    opening = opening_of([("voucher", "d", "reserved", False, 100)])
    world = world_of(allot(places=3), make_programme("advice"), owners="ad", opening=opening)
    assert places(world, is_backfill=True) == "a:advice=open d:advice=open d:voucher=held"


def test_outside_its_window_a_programme_gives_nothing_new_and_its_live_places_stand() -> None:
    opening = opening_of([("voucher", "d", "reserved", False, 100)])
    ended = allot(places=3, window={"from_on": date(2026, 1, 1), "to_on": date(2026, 9, 29)})
    assert places(world_of(ended, opening=opening)) == "d:voucher=held"


# --- many worlds -----------------------------------------------------------------------------------------------------------


def test_a_thousand_worlds_pass_the_audit_and_some_are_tight() -> None:
    tight = 0
    for seed in range(1000):
        world = make_world(seed)
        given = assign(world)
        assert audit(world, given) == [], f"world {seed}"
        room = {one.id: find_room(one, world.opening.filter(pl.col("programme_id") == one.id), AS_OF) for one in world.catalogue.allotted()}
        served = dict(given.filter(pl.col("place") == "reserved").group_by("programme_id").len().iter_rows())
        tight += any(room[name].left_inside < room[name].left == count for name, count in served.items())
    assert tight > 50


def ladder_list(world: World, given: pl.DataFrame) -> dict[str, list[tuple[int, str]]]:
    """Each owner's new offers in ladder order."""
    states = dict(world.need.select("borrower_id", "owner_state").iter_rows())
    lists: dict[str, list[tuple[int, str]]] = {owner: [] for owner in states}
    for owner, name, place in given.select("borrower_id", "programme_id", "place").iter_rows():
        if place != "held":
            lists[owner].append((world.catalogue.programmes[name].ladder[states[owner]], name))
    return {owner: sorted(offers) for owner, offers in lists.items()}


def is_worse(new: list[tuple[int, str]], old: list[tuple[int, str]]) -> bool:
    """Whether the new list is worse: at the first difference it names a later step, or nothing."""
    for one, other in zip(new, old, strict=False):
        if one != other:
            return one > other
    return len(new) < len(old)


@pytest.mark.parametrize("half", [0, 1])
def test_more_places_never_give_anyone_a_worse_list(half: int) -> None:
    better = 0
    for seed in range(2000 + half, 2500, 2):
        world = make_world(seed)
        before = ladder_list(world, assign(world))
        for one in world.catalogue.allotted():
            more = {
                "budget_krw": (one.budget_krw or 0) + 2 * (one.amount_krw or 0),
                "places": None if one.places is None else one.places + 2,
            }
            after = ladder_list(world, assign(world.with_programme(one.id, **more)))
            assert not any(is_worse(after[owner], before[owner]) for owner in before), f"world {seed}"
            better += after != before
    assert better > 20


def test_the_order_of_rows_changes_nothing() -> None:
    for seed in range(4000, 4150):
        world = make_world(seed)
        shuffled = assign_support(
            world.verdicts.sample(fraction=1, shuffle=True, seed=seed),
            world.need.reverse(),
            world.catalogue,
            world.opening.reverse(),
            AS_OF,
            k=world.k,
        )
        assert shuffled.equals(assign(world)), f"world {seed}"


def test_more_need_never_loses_a_place() -> None:
    better = 0
    for seed in range(5000, 5200):
        world = make_world(seed)
        lowest = world.need.sort("rank")["borrower_id"][-1]
        raised = world.need.with_columns(rank=pl.when(pl.col("borrower_id") == lowest).then(1).otherwise(pl.col("rank") + 1))
        before = ladder_list(world, assign(world))[lowest]
        after = ladder_list(world, assign_support(world.verdicts, raised, world.catalogue, world.opening, AS_OF, k=world.k))[lowest]
        assert not is_worse(after, before), f"world {seed}"
        better += after != before
    assert better > 10


# --- the audit sees what is wrong --------------------------------------------------------------------------------------------


def change(given: pl.DataFrame, owner: str, **said: Any) -> pl.DataFrame:
    return given.with_columns(
        pl.when(pl.col("borrower_id") == owner).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in said.items()
    )


def give(given: pl.DataFrame, owner: str, programme: str = "voucher", amount: int | None = 100, place: str = "reserved") -> pl.DataFrame:
    row = pl.DataFrame([(owner, programme, amount, place, "planted")], schema=given.schema, orient="row")
    return pl.concat([given, row])


HELD = opening_of([("voucher", "x", "reserved", True, 100)])
BREACHES = [
    ("a place to someone with less need", lambda given: change(given, "a", borrower_id="d"), {}, "passed over"),
    ("a place left idle", lambda given: given.filter(pl.col("borrower_id") != "b"), {}, "lies idle"),
    ("one place too many", lambda given: give(given, "c"), {}, "1 places more than were left"),
    ("a place above its ceiling", lambda given: change(given, "a", amount_krw=101), {}, "do not hold the ceiling"),
    ("a place to the ineligible", lambda given: change(given, "a", borrower_id="stranger"), {}, "not eligible"),
    ("a row twice", lambda given: give(given, "a"), {}, "repeat a borrower"),
    ("a place called something else", lambda given: change(given, "a", place="kept"), {}, "none of open, reserved, held"),
    ("an allotted place left open", lambda given: change(given, "a", place="open", amount_krw=None), {}, "left open"),
    ("an earlier place not listed", lambda given: given.filter(pl.col("place") != "held"), {"opening": HELD}, "not listed"),
    ("a held place that was not live", lambda given: give(given, "y", place="held"), {"opening": HELD}, "were not live"),
    ("a place to one who holds it", lambda given: give(given, "x"), {"opening": HELD, "owners": "abx"}, "already holds"),
    (
        "an insider on a floor's place",
        lambda given: change(given, "c", borrower_id="b"),
        {"inside": "ab", "floor": "0.5"},
        "the floor keeps",
    ),
]


@pytest.mark.parametrize(("plant", "world", "said"), [case[1:] for case in BREACHES], ids=[case[0] for case in BREACHES])
def test_the_audit_catches(plant: Any, world: dict[str, Any], said: str) -> None:
    floor = {"floor_share": world["floor"]} if "floor" in world else {}
    written = 3 if "opening" in world else 2
    clean = world_of(allot(places=written, **floor), **{name: value for name, value in world.items() if name != "floor"})
    assert audit(clean, assign(clean)) == []
    assert any(said in breach for breach in audit(clean, plant(assign(clean))))


def test_the_audit_catches_more_than_k_places() -> None:
    world = world_of(allot("one", 1), allot("two", 1), owners="a", k=1)
    given = give(assign(world), "a", "two")
    assert any("more than 1 live places" in breach for breach in audit(world, given))


def test_the_audit_catches_two_of_one_conflict_group() -> None:
    world = world_of(allot("one", 1, conflict_group="debt"), allot("two", 1, conflict_group="debt"), owners="a")
    given = give(assign(world), "a", "two")
    assert any("one conflict group" in breach for breach in audit(world, given))


def test_the_audit_catches_a_backfilled_night_that_reserved() -> None:
    world = world_of(allot())
    assert audit(world, assign(world), is_backfill=True) == ["a backfilled night reserved 2 places"]


def test_the_audit_names_nobody() -> None:
    world = world_of(allot(), owners=["borrower-one", "borrower-two", "borrower-three"])
    found = audit(world, change(assign(world), "borrower-one", borrower_id="borrower-three"))
    assert found
    assert not any("borrower-" in breach for breach in found)
