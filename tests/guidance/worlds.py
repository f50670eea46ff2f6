"""Tiny random worlds: a few owners, a few programmes, a ledger that began somewhere."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from guidance.catalogue import Catalogue, make_catalogue
from guidance.programme import Programme
from signals.products import PRODUCTS

AS_OF = date(2026, 9, 30)
STATES = ("watch", "early_arrears", "arrears_90")
NEED_SCHEMA = {"borrower_id": pl.String, "rank": pl.Int64, "owner_state": pl.String, "is_inside": pl.Boolean}


def make_programme(name: str = "p", **said: Any) -> Programme:
    """The least a programme file may say, with what a test wants to say about it."""
    rule = {
        "id": "any",
        "sql": "days_past_due >= 0",
        "unmet_ko": "연체일수를 알아야 합니다",
        "unmet_en": "u",
        "question_ko": "연체 중이신가요?",
        "question_en": "q",
    }
    least: dict[str, Any] = {
        "id": name, "number": "P99", "name_ko": f"{name} 지원", "name_en": name, "operator_ko": "기관", "operator_en": "body", "status": "active",
        "kind": "grant", "period": "2026", "amount_ko": "금액", "amount_en": "sum", "once_per": "unstated", "side_effects_ko": [], "side_effects_en": [],
        "ladder": dict.fromkeys(STATES, 1), "window": {"from_on": date(2026, 1, 1), "to_on": date(2026, 12, 31)},
        "apply": {"channel_ko": "창구", "channel_en": "desk"}, "rule": [rule],
        "source": [{"number": 1, "url": "https://example.org", "mark": "D", "says": "made up", "checked_on": date(2026, 11, 1)}], "example": [],
    }  # fmt: skip
    if said.get("mode") == "allot":
        least |= {"amount_krw": 100, "budget_krw": 10**9, "hold_days": 30}
    return Programme.model_validate(least | said)


@dataclass(frozen=True)
class World:
    """Everything an assignment reads."""

    catalogue: Catalogue
    verdicts: pl.DataFrame
    need: pl.DataFrame
    opening: pl.DataFrame
    k: int

    def with_programme(self, name: str, **changes: Any) -> World:
        """The same world, with one programme changed."""
        programmes = [one.model_copy(update=changes) if one.id == name else one for one in self.catalogue.programmes.values()]
        return replace(self, catalogue=make_catalogue(programmes))


def opening_of(rows: list[tuple[str, str, str, bool, int]]) -> pl.DataFrame:
    """An opening ledger state from (programme_id, borrower_id, state, is_inside, amount_krw)."""
    return pl.DataFrame(rows, schema=dict(PRODUCTS["opening"].columns), orient="row")


def need_of(rows: list[tuple[str, int, str, bool]]) -> pl.DataFrame:
    """Need from (borrower_id, rank, owner_state, is_inside)."""
    return pl.DataFrame(rows, schema=NEED_SCHEMA, orient="row")


def verdicts_of(rows: list[tuple[str, str, bool | None]]) -> pl.DataFrame:
    """Verdicts from (borrower_id, programme_id, is_eligible), without words."""
    schema = {name: PRODUCTS["verdicts"].columns[name] for name in ("borrower_id", "programme_id", "is_eligible")}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        unmet=pl.lit([], dtype=pl.List(pl.String)), questions=pl.lit([], dtype=pl.List(pl.String))
    )


def make_world(seed: int) -> World:
    """A world of at most twelve owners and five programmes; the same for the same seed."""
    chance = random.Random(seed)
    programmes = [_random_programme(chance, f"p{number}") for number in range(chance.randint(1, 5))]
    owners = [f"b{number:02}" for number in range(chance.randint(1, 12))]
    inside = {owner: chance.random() < 0.5 for owner in owners}
    ranks = chance.sample(range(1, len(owners) + 1), len(owners))
    need = need_of([(owner, rank, chance.choice(STATES), inside[owner]) for owner, rank in zip(owners, ranks, strict=True)])
    keen = chance.choice([0.5, 0.9])
    verdicts = [
        (owner, one.id, True if chance.random() < keen else chance.choice([False, None]))
        for owner in owners
        for one in programmes
        if chance.random() < 0.9
    ]
    k = chance.choice([1, 2, 2, 3])
    return World(make_catalogue(programmes), verdicts_of(verdicts), need, _random_opening(chance, programmes, inside), k)


def _random_programme(chance: random.Random, name: str) -> Programme:
    said: dict[str, Any] = {
        "ladder": {state: chance.randint(1, 3) for state in chance.sample(STATES, chance.randint(1, 3))},
        "conflict_group": chance.choice([None, None, "red", "blue"]),
    }
    if chance.random() < 0.7:
        ceiling = chance.choice([70, 100])
        said |= {
            "mode": "allot",
            "amount_krw": ceiling,
            "budget_krw": ceiling * chance.randint(0, 8) + chance.randint(0, 60),
            "hold_days": 30,
        }
        said |= {"places": chance.choice([None, chance.randint(0, 8)]), "floor_share": chance.choice([None, "0.3", "0.5", "0.9"])}
        if said["floor_share"] and chance.random() < 0.2:
            said["floor_released_on"] = AS_OF - timedelta(days=1)
    return make_programme(name, **said)


def _random_opening(chance: random.Random, programmes: list[Programme], inside: dict[str, bool]) -> pl.DataFrame:
    """Some places were taken on earlier nights, within what the budget allowed."""
    rows = []
    for one in programmes:
        room = (one.budget_krw or 0) // (one.amount_krw or 1) if one.mode == "allot" else 0
        room = min(room, one.places if one.places is not None else room)
        for owner in chance.sample(sorted(inside), min(len(inside), chance.randint(0, room) if chance.random() < 0.4 else 0)):
            state = chance.choice(["reserved", "committed", "paid"])
            amount = one.amount_krw if state == "reserved" else chance.randint(1, one.amount_krw or 1)
            rows.append((one.id, owner, state, inside[owner], amount))
    return opening_of(rows)
