"""The awards ledger: append-only, each place once, never more than the budget.

Every function works inside the caller's transaction and commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from guidance.catalogue import Catalogue
from guidance.programme import Programme
from signals.errors import NightError
from signals.products import conform_product
from signals.records.cases import read_open_cases
from signals.records.runs import find_run, has_later, is_backfill
from signals.records.schema import LEDGER

if TYPE_CHECKING:
    from sqlalchemy import Connection

NIGHT = "night"
FREED = ("released", "expired", "cancelled")
PLACE = ["programme_id", "period", "borrower_id"]
SCHEMA = {
    "sequence": pl.Int64, "programme_id": pl.String, "period": pl.String, "borrower_id": pl.String, "turn": pl.Int64, "state": pl.String,
    "amount_krw": pl.Int64, "is_inside": pl.Boolean, "as_of": pl.Date, "by": pl.String,
}  # fmt: skip


def read_opening(connection: Connection, catalogue: Catalogue, as_of: date) -> pl.DataFrame:
    """Read the ledger as it stood on `as_of` before this night: the product `opening`, one row per place taken.

    Of allotted programmes and the period their file names. State reserved is a live place, held no longer than the
    programme's `hold_days`; committed, awarded and paid are places for good, with their true sum in won. This night's own
    rows do not count, so that a second run sees what the first saw.
    """
    entries = _read_entries(connection, catalogue)
    before = entries.filter(pl.col("as_of") <= as_of, ~_is_own(as_of))
    taken = _find_standing(before).filter(~pl.col("state").is_in(FREED))
    current = _list_terms(catalogue)
    standing = taken.join(current, on=["programme_id", "period"]).filter(~_is_stale(as_of))
    return conform_product("opening", standing.drop("hold_days", "as_of"))


def list_attended(connection: Connection, catalogue: Catalogue, as_of: date) -> list[str]:
    """List for whom a person works before this night, sorted: the borrower_ids with an open case or a live place."""
    places = read_opening(connection, catalogue, as_of).filter(pl.col("state") == "reserved")
    return sorted({*places["borrower_id"], *read_open_cases(connection, as_of)["borrower_id"]})


def reserve_places(
    connection: Connection,
    assignments: pl.DataFrame,
    catalogue: Catalogue,
    as_of: date,
    is_inside: pl.DataFrame,
    *,
    is_backfill: bool = False,
) -> int:
    """Write this night's reservations, once; the last sequence of the ledger (0: empty).

    `assignments`: the product; its `reserved` rows are wanted. `is_inside`: borrower_id, is_inside; an unknown borrower
    counts as inside. What this night reserved before and no longer wants is released, unless a person touched it; places
    held too long are expired. A second run with the same wishes adds nothing, a backfilled night never anything.

    Raises `NightError` when a place would be taken twice, or more places or won than a programme has; the caller rolls back.
    """
    if not is_backfill:
        entries = _read_entries(connection, catalogue)
        rows = _plan_entries(entries, _list_wanted(assignments, catalogue, is_inside), catalogue, as_of)
        if rows.height:
            connection.execute(LEDGER.insert(), rows.with_columns(by=pl.lit(NIGHT), as_of=pl.lit(as_of)).to_dicts())
            _refuse_overdraft(_find_standing(_read_entries(connection, catalogue)), catalogue)
    newest = connection.execute(LEDGER.select().with_only_columns(LEDGER.c.sequence).order_by(LEDGER.c.sequence.desc()).limit(1)).scalar()
    return int(newest or 0)


def refuse_outdated(
    connection: Connection,
    catalogue: Catalogue,
    as_of: date,
    assignments: pl.DataFrame,
    opening: pl.DataFrame,
    run: Mapping[str, Any],
) -> None:
    """Refuse an assignment that the ledger, or a later published night, has overtaken since it was made: raises `NightError`.

    `assignments` and the `opening` they started from: the products. `run`: the row that would make the night exist.
    """
    kept, is_late = find_run(connection, as_of), is_backfill(connection, as_of)
    standing = read_opening(connection, catalogue, as_of)
    is_moved = not standing.equals(opening.sort("programme_id", "borrower_id").select(standing.columns))
    reserves = not assignments.filter(place="reserved").is_empty()
    is_other = kept and has_later(connection, as_of) and kept["receipts"]["assignments"] != run["receipts"]["assignments"]
    if is_moved or (is_late and reserves) or is_other:
        raise NightError(
            f"the assignment of {as_of} is out of date",
            "the ledger",
            "the ledger, or a later night that stands on it, has moved since: places could be promised twice",
            "run the night again from assign; a published night that later ones stand on keeps its reservations",
        )


def _read_entries(connection: Connection, catalogue: Catalogue) -> pl.DataFrame:
    names = [one.id for one in catalogue.allotted()]
    columns = [LEDGER.c[name] for name in SCHEMA]
    query = LEDGER.select().with_only_columns(*columns).where(LEDGER.c.programme_id.in_(names)).order_by(LEDGER.c.sequence)
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=SCHEMA, orient="row")


def _list_terms(catalogue: Catalogue) -> pl.DataFrame:
    rows = [(one.id, one.period, one.hold_days) for one in catalogue.allotted()]
    return pl.DataFrame(rows, schema={"programme_id": pl.String, "period": pl.String, "hold_days": pl.Int64}, orient="row")


def _is_own(as_of: date) -> pl.Expr:
    return (pl.col("by") == NIGHT) & (pl.col("as_of") == as_of)


def _is_stale(as_of: date) -> pl.Expr:
    return (pl.col("state") == "reserved") & ((pl.lit(as_of) - pl.col("as_of")).dt.total_days() > pl.col("hold_days"))


def _find_standing(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.sort("sequence").group_by(PLACE, maintain_order=True).last()


def _list_wanted(assignments: pl.DataFrame, catalogue: Catalogue, is_inside: pl.DataFrame) -> pl.DataFrame:
    wanted = assignments.filter(pl.col("place") == "reserved").select("programme_id", "borrower_id", "amount_krw")
    sided = wanted.join(is_inside.select("borrower_id", "is_inside"), on="borrower_id", how="left").with_columns(
        pl.col("is_inside").fill_null(value=True)
    )
    return sided.join(_list_terms(catalogue).drop("hold_days"), on="programme_id")


def _plan_entries(entries: pl.DataFrame, wanted: pl.DataFrame, catalogue: Catalogue, as_of: date) -> pl.DataFrame:
    """Plan what to append: releases, expiries, reservations, in this order and each by programme and borrower."""
    standing = _find_standing(entries)
    own = entries.filter(_is_own(as_of), pl.col("state") == "reserved").select(*PLACE, "turn").unique()
    mine = standing.join(own, on=[*PLACE, "turn"], how="semi")
    untouched = mine.filter(pl.col("state") == "reserved")
    released = untouched.join(wanted, on=PLACE, how="anti").with_columns(state=pl.lit("released"))
    hold = _list_terms(catalogue).select("programme_id", "hold_days")
    expired = standing.join(hold, on="programme_id").filter(_is_stale(as_of)).with_columns(state=pl.lit("expired"))
    already = mine.filter((pl.col("state") != "released") | (pl.col("by") != NIGHT))
    fresh = _number_turns(wanted.join(already, on=PLACE, how="anti"), standing, expired)
    columns = [*PLACE, "turn", "state", "amount_krw", "is_inside"]
    return pl.concat([part.select(columns).sort(PLACE) for part in (released, expired, fresh)])


def _number_turns(fresh: pl.DataFrame, standing: pl.DataFrame, expired: pl.DataFrame) -> pl.DataFrame:
    before = pl.concat([standing.join(expired, on=PLACE, how="anti"), expired.select(standing.columns)]).select(*PLACE, "turn", was="state")
    numbered = fresh.join(before, on=PLACE, how="left")
    taken = numbered.filter(pl.col("was").is_not_null() & ~pl.col("was").is_in(FREED)).height
    if taken:
        raise NightError(f"{taken} places would be reserved for owners who already hold them", "the ledger", "an owner would be served twice",
                         "assign again from the ledger's opening state")  # fmt: skip
    return numbered.with_columns(turn=pl.col("turn").fill_null(0) + 1, state=pl.lit("reserved"))


def _refuse_overdraft(standing: pl.DataFrame, catalogue: Catalogue) -> None:
    for programme in catalogue.allotted():
        taken = standing.filter(
            pl.col("programme_id") == programme.id, pl.col("period") == programme.period, ~pl.col("state").is_in(FREED)
        )  # fmt: skip
        won, count = int(taken["amount_krw"].sum()), taken.height
        over = _describe_overdraft(programme, won, count)
        if over:
            raise NightError(over, f"the ledger of {programme.id}, {programme.period}", "more would be promised than the operator gave us",
                             "assign again from the ledger's opening state; if people took up places of this very night, leave the night as it is")  # fmt: skip


def _describe_overdraft(programme: Programme, won: int, count: int) -> str:
    if won > (programme.budget_krw or 0):
        return f"{won:,} won taken of {programme.budget_krw or 0:,}"
    if programme.places is not None and count > programme.places:
        return f"{count:,} places taken of {programme.places:,}"
    return ""
