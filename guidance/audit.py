"""The audit of a night's assignment, from its outputs alone.

It shares no arithmetic with `guidance/assign.py`: a mistake there must not hide itself here. Breaches are counts, never ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

import polars as pl

from guidance.catalogue import Catalogue
from guidance.programme import Programme

KEY = ["borrower_id", "programme_id"]


@dataclass(frozen=True)
class _Night:
    """One night's outputs, and who stands where on which ladder."""

    given: pl.DataFrame
    eligible: pl.DataFrame
    opening: pl.DataFrame
    programmes: dict[str, Programme]
    ladder: pl.DataFrame
    as_of: date
    k: int

    @property
    def reserved(self) -> pl.DataFrame:
        return self.given.filter(pl.col("place") == "reserved")


def audit_assignment(
    assignments: pl.DataFrame, verdicts: pl.DataFrame, need: pl.DataFrame, opening: pl.DataFrame, catalogue: Catalogue, as_of: date,
    *, is_backfill: bool = False, k: int = 2,
) -> list[str]:  # fmt: skip
    """Audit a night's assignment: one sentence per kind of breach and programme, none when all is right.

    Ceilings, floors, `k`, conflict groups and eligibility hold; earlier live places are listed as held, and no others; and
    for every unserved owner eligible for a programme, with room under `k` and a free group given what they held or took from
    programmes ranked above it, nobody admitted tonight has less need and no place lies idle, unless the regional floor
    keeps it: the owner inside the capital region, the place outside, and the insiders holding all they may.
    """
    night = _gather(assignments, verdicts, need, opening, catalogue, as_of, k)
    found = [*_check_rows(night), *_check_held(night), *_check_personal_limits(night)]
    for programme in catalogue.allotted():
        after = _count_places(night, programme)
        found += _check_amounts(night, programme, after)
        if not is_backfill and programme.is_offered(as_of):
            found += _check_order(night, programme, after)
    if is_backfill and night.reserved.height:
        found.append(f"a backfilled night reserved {night.reserved.height} places")
    return found


def _gather(
    assignments: pl.DataFrame, verdicts: pl.DataFrame, need: pl.DataFrame, opening: pl.DataFrame, catalogue: Catalogue, as_of: date, k: int
) -> _Night:
    rows = [(one.id, one.conflict_group, state, 10_000 * place) for one in catalogue.offered(as_of) for state, place in one.ladder.items()]
    names = {"programme_id": pl.String, "group": pl.String, "owner_state": pl.String, "step": pl.Int64}
    ladder = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        step=pl.col("step") + pl.col("programme_id").rank("dense").cast(pl.Int64) - 1  # two on one step: by id
    )
    who = need.select("borrower_id", "rank", "owner_state", pl.col("is_inside").fill_null(value=True))
    eligible = (
        verdicts.filter(pl.col("is_eligible")).select(KEY).join(who, on="borrower_id").join(ladder, on=["programme_id", "owner_state"])
    )
    given = assignments.join(eligible, on=KEY, how="left")
    return _Night(given, eligible, opening, catalogue.programmes, ladder, as_of, k)


def _check_rows(night: _Night) -> list[str]:
    given = night.given
    checks = {
        "rows repeat a borrower and programme": given.select(KEY).is_duplicated().sum(),
        "rows have a place that is none of open, reserved, held": given.filter(~pl.col("place").is_in(["open", "reserved", "held"])).height,
        "offers go to owners not eligible, or off the ladder of their state, or are not offered tonight": given.filter(
            pl.col("place") != "held", pl.col("rank").is_null()
        ).height,
        "open offers name a sum": given.filter(pl.col("place") == "open", pl.col("amount_krw").is_not_null()).height,
        "places are reserved by programmes that are not allotted, or allotted ones are left open": given.filter(
            (pl.col("place") == "reserved") != pl.col("programme_id").is_in([one.id for one in night.programmes.values() if one.mode == "allot"]),
            pl.col("place") != "held",
        ).height,
    }  # fmt: skip
    return [f"{count} {what}" for what, count in checks.items() if count]


def _check_held(night: _Night) -> list[str]:
    live = night.opening.filter(pl.col("state") == "reserved").select(*KEY, "amount_krw")
    held = night.given.filter(pl.col("place") == "held").select(*KEY, "amount_krw")
    lost, invented = (
        live.join(held, on=[*KEY, "amount_krw"], how="anti").height,
        held.join(live, on=[*KEY, "amount_krw"], how="anti").height,
    )
    again = night.given.filter(pl.col("place") != "held").join(night.opening, on=KEY, how="semi").height
    checks = {"live places of earlier nights are not listed": lost, "held places were not live before": invented,
              "offers repeat what the owner already holds": again}  # fmt: skip
    return [f"{count} {what}" for what, count in checks.items() if count]


def _check_personal_limits(night: _Night) -> list[str]:
    live = night.opening.filter(pl.col("state") == "reserved").select("borrower_id")
    tonight = night.reserved.select("borrower_id")
    counts = pl.concat([live, tonight]).group_by("borrower_id").len().join(tonight.unique(), on="borrower_id", how="semi")
    above = counts.filter(pl.col("len") > night.k).height
    fresh = night.given.filter(pl.col("place") != "held").select("borrower_id", "group", is_new=pl.lit(1))
    taken = pl.concat([fresh, _held_groups(night).with_columns(is_new=pl.lit(0))]).drop_nulls("group")
    clashes = (
        taken.group_by("borrower_id", "group").agg(pl.len(), pl.col("is_new").sum()).filter(pl.col("len") > 1, pl.col("is_new") > 0).height
    )
    checks = {f"owners got more than {night.k} live places": above, "owners got two offers of one conflict group": clashes}
    return [f"{count} {what}" for what, count in checks.items() if count]


def _held_groups(night: _Night) -> pl.DataFrame:
    groups = {one.id: one.conflict_group for one in night.programmes.values()}
    return night.opening.select("borrower_id", group=pl.col("programme_id").replace_strict(groups, default=None, return_dtype=pl.String))


@dataclass(frozen=True)
class _Count:
    """Places of one programme after the night; `free_inside` is what insiders may still take."""

    free: int
    free_inside: int


def _count_places(night: _Night, programme: Programme) -> _Count:
    before = night.opening.filter(pl.col("programme_id") == programme.id)
    waiting = before.filter(pl.col("state") == "reserved").height
    spent = int(before["amount_krw"].sum()) - int(before.filter(pl.col("state") == "reserved")["amount_krw"].sum())
    budget, ceiling = programme.budget_krw or 0, programme.amount_krw or 1
    left = max(0, (budget - spent) // ceiling - waiting)
    if programme.places is not None:
        left = max(0, min(left, programme.places - before.height))
    taken = night.reserved.filter(pl.col("programme_id") == programme.id)
    places = left + before.height
    kept = Decimal(0)
    if programme.floor_share is not None and not (programme.floor_released_on and programme.floor_released_on <= night.as_of):
        kept = (programme.floor_share * places).to_integral_value(ROUND_CEILING)
    inside = int(before["is_inside"].sum()) + int(taken["is_inside"].sum())
    return _Count(left - taken.height, places - int(kept) - inside)


def _check_amounts(night: _Night, programme: Programme, after: _Count) -> list[str]:
    taken = night.reserved.filter(pl.col("programme_id") == programme.id)
    wrong = taken.filter(pl.col("amount_krw").ne_missing(programme.amount_krw)).height
    inside = int(taken["is_inside"].sum())
    checks = {
        "places do not hold the ceiling": wrong,
        "places more than were left": max(0, -after.free),
        "places inside the capital region that the floor keeps": min(inside, max(0, -after.free_inside)),
    }
    return [f"{programme.id}: {count} {what}" for what, count in checks.items() if count]


def _check_order(night: _Night, programme: Programme, after: _Count) -> list[str]:
    waiting = _find_waiting(night, programme)
    if waiting.is_empty():
        return []
    served = night.reserved.filter(pl.col("programme_id") == programme.id)
    last, last_inside = served["rank"].max(), served.filter(pl.col("is_inside"))["rank"].max()
    # An insider may point at an outsider's place only while insiders hold less than they may.
    bar = (
        pl.when(pl.col("is_inside") & pl.lit(after.free_inside <= 0))
        .then(pl.lit(last_inside, dtype=pl.Int64))
        .otherwise(pl.lit(last, dtype=pl.Int64))
    )
    passed_over = waiting.filter(pl.col("rank") < bar).height
    is_idle = pl.when(pl.col("is_inside")).then(pl.lit(min(after.free, after.free_inside) > 0)).otherwise(pl.lit(after.free > 0))
    idle = waiting.filter(is_idle).height
    checks = {"owners were passed over for someone with less need": passed_over, "owners wait while a place for them lies idle": idle}
    return [f"{programme.id}: {count} {what}" for what, count in checks.items() if count]


def _find_waiting(night: _Night, programme: Programme) -> pl.DataFrame:
    """Find who could have had a place: eligible, unserved, with room under k and a free group before this step of their ladder."""
    wants = night.eligible.filter(pl.col("programme_id") == programme.id)
    wants = wants.join(night.opening, on=KEY, how="anti").join(night.reserved, on=KEY, how="anti")
    fresh = night.given.filter(pl.col("place") != "held").select("borrower_id", "group", "place", above="step")
    above = wants.select("borrower_id", "step").join(fresh, on="borrower_id").filter(pl.col("above") < pl.col("step"))
    live = night.opening.filter(pl.col("state") == "reserved").select("borrower_id")
    took = pl.concat([live, above.filter(pl.col("place") == "reserved").select("borrower_id")])
    full = took.group_by("borrower_id").len().filter(pl.col("len") >= night.k)
    wants = wants.join(full, on="borrower_id", how="anti")
    if programme.conflict_group is None:
        return wants
    held = pl.concat([_held_groups(night), above.select("borrower_id", "group")]).filter(pl.col("group") == programme.conflict_group)
    return wants.join(held, on="borrower_id", how="anti")
