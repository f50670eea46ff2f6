"""The rule of assignment: who gets a place tonight, in order of need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil

import polars as pl

from guidance.catalogue import Catalogue
from guidance.programme import Programme
from guidance.state import STATE_KO
from signals.products import conform_product

PLACES_PER_BORROWER = 2
LIVE = "reserved"


@dataclass
class Room:
    """What is left of one programme while the night walks: places in all, and places that insiders may still take."""

    left: int
    left_inside: int


def find_room(programme: Programme, holders: pl.DataFrame, as_of: date) -> Room:
    """Find the places left of an allotted programme; `holders`: its rows of the opening product.

    Left = ⌊(budget − won committed) ÷ ceiling⌋ − live reservations, or the written places less the holders if fewer. Of all
    C = left + holders, ⌈floor share × C⌉ are kept for owners outside the capital region until the floor is released.
    """
    live = holders.filter(pl.col("state") == LIVE).height
    spent = int(holders.filter(pl.col("state") != LIVE)["amount_krw"].sum())
    left = ((programme.budget_krw or 0) - spent) // (programme.amount_krw or 1) - live
    if programme.places is not None:
        left = min(left, programme.places - holders.height)
    left = max(0, left)
    return Room(left, min(left, max(0, _inside_limit(programme, left + holders.height, as_of) - int(holders["is_inside"].sum()))))


def _inside_limit(programme: Programme, places: int, as_of: date) -> int:
    is_released = programme.floor_released_on is not None and as_of >= programme.floor_released_on
    if programme.floor_share is None or is_released:
        return places
    return places - ceil(Fraction(programme.floor_share) * places)


def assign_support(
    verdicts: pl.DataFrame, need: pl.DataFrame, catalogue: Catalogue, opening: pl.DataFrame, as_of: date,
    *, is_backfill: bool = False, k: int = PLACES_PER_BORROWER,
) -> pl.DataFrame:  # fmt: skip
    """Assign support: one row per borrower_id and programme_id offered tonight, sorted; the product `assignments`.

    `need`: one row per borrower_id with rank (1: most need, no two alike), owner_state, is_inside. `opening`: the ledger
    before this night. In order of need each borrower walks the ladder of their state and takes every programme that is
    eligible and in no conflict group they hold: a guided one is `open` (no sum, no end of places); an allotted one is
    `reserved` at its ceiling while it has a place for their side and they have fewer than `k` live places. Live places of
    earlier nights are listed as `held`. Unknown eligibility takes nothing. A backfilled night reserves nothing.
    """
    offers = _list_offers(verdicts, need, catalogue, opening, as_of, is_backfill)
    walks = _find_walks(catalogue, as_of)
    simple = offers.filter(~pl.col("programme_id").is_in(walks))
    walked = offers.filter(pl.col("programme_id").is_in(walks)).sort("rank", "position", "programme_id")
    rooms = {one.id: find_room(one, opening.filter(pl.col("programme_id") == one.id), as_of) for one in catalogue.allotted()}
    taken = walked.filter(_walk(walked, catalogue, rooms, k))
    return _word(pl.concat([simple, taken]), catalogue, opening, as_of)


def _list_offers(
    verdicts: pl.DataFrame, need: pl.DataFrame, catalogue: Catalogue, opening: pl.DataFrame, as_of: date, is_backfill: bool
) -> pl.DataFrame:
    offered = [one for one in catalogue.offered(as_of) if not (is_backfill and one.mode == "allot")]
    ladder = pl.DataFrame(
        [(one.id, state, position) for one in offered for state, position in one.ladder.items()],
        schema={"programme_id": pl.String, "owner_state": pl.String, "position": pl.Int64}, orient="row",
    )  # fmt: skip
    eligible = verdicts.filter(pl.col("is_eligible")).select("borrower_id", "programme_id")
    fresh = eligible.join(opening.select("borrower_id", "programme_id"), on=["borrower_id", "programme_id"], how="anti")
    placed = fresh.join(need.select("borrower_id", "rank", "owner_state", pl.col("is_inside").fill_null(value=True)), on="borrower_id")
    return placed.join(ladder, on=["programme_id", "owner_state"]).join(_sum_holdings(opening, catalogue), on="borrower_id", how="left")


def _sum_holdings(opening: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    bits = _group_bits(catalogue)
    group = pl.col("programme_id").replace_strict(bits, default=0, return_dtype=pl.Int64)
    return opening.group_by("borrower_id").agg(live=(pl.col("state") == LIVE).sum().cast(pl.Int64), groups=group.bitwise_or())


def _group_bits(catalogue: Catalogue) -> dict[str, int]:
    groups = sorted({one.conflict_group for one in catalogue.programmes.values() if one.conflict_group})
    return {one.id: 1 << groups.index(one.conflict_group) if one.conflict_group else 0 for one in catalogue.programmes.values()}


def _find_walks(catalogue: Catalogue, as_of: date) -> list[str]:
    """Find the programmes whose offer depends on another: the allotted, and those that share a conflict group."""
    groups = Counter(one.conflict_group for one in catalogue.programmes.values() if one.conflict_group)
    return [one.id for one in catalogue.offered(as_of) if one.mode == "allot" or groups[one.conflict_group or ""] > 1]


def _walk(offers: pl.DataFrame, catalogue: Catalogue, rooms: dict[str, Room], k: int) -> pl.Series:
    bits, taken = _group_bits(catalogue), [False] * offers.height
    borrower, live, groups = None, 0, 0
    columns = (offers[name].to_list() for name in ("rank", "programme_id", "is_inside"))
    held = (offers[name].fill_null(0).to_list() for name in ("live", "groups"))
    for row, (rank, name, is_inside, held_live, held_groups) in enumerate(zip(*columns, *held, strict=True)):
        if rank != borrower:
            borrower, live, groups = rank, held_live, held_groups
        if groups & bits[name]:
            continue
        room = rooms.get(name)
        if room is not None:
            if live >= k or room.left <= 0 or (is_inside and room.left_inside <= 0):
                continue
            room.left -= 1
            room.left_inside = room.left_inside - 1 if is_inside else min(room.left_inside, room.left)
            live += 1
        groups |= bits[name]
        taken[row] = True
    return pl.Series(taken, dtype=pl.Boolean)


def _word(offers: pl.DataFrame, catalogue: Catalogue, opening: pl.DataFrame, as_of: date) -> pl.DataFrame:
    ceilings = {one.id: one.amount_krw for one in catalogue.allotted()}
    state = pl.col("owner_state").replace_strict(STATE_KO, return_dtype=pl.String)
    is_reserved = pl.col("programme_id").is_in(list(ceilings))
    tonight = offers.select(
        "borrower_id", "programme_id",
        amount_krw=pl.col("programme_id").replace_strict(ceilings, default=None, return_dtype=pl.Int64),
        place=pl.when(is_reserved).then(pl.lit(LIVE)).otherwise(pl.lit("open")),
        because=pl.when(is_reserved)
        .then(pl.format("요건을 모두 충족했고, '{}' 상태에 맞아 물량이 가배정되었습니다(확정 아님)", state))
        .otherwise(pl.format("요건을 모두 충족했고, '{}' 상태에 맞는 지원입니다. 지급 결정은 운영기관이 합니다", state)),
    )  # fmt: skip
    said = f"{as_of.isoformat()} 이전에 가배정되어 기다리는 중입니다"
    held = opening.filter(pl.col("state") == LIVE).select(
        "borrower_id", "programme_id", "amount_krw", place=pl.lit("held"), because=pl.lit(said)
    )
    return conform_product("assignments", pl.concat([tonight, held]))
