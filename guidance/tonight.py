"""What guidance reads and writes of a night: the edge between the night's products and the pure rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection

from guidance.catalogue import SHIPPED, Catalogue, load_catalogue
from guidance.ledger import reserve_places
from guidance.need import take_sides
from guidance.packs import PackNight, write_packs
from guidance.watching import say_shock, tell_shock
from signals.codes.regions import read_places
from signals.codes.unknown import COLUMNS as CODED
from signals.codes.unknown import count_unknown_codes
from signals.lake import read_known
from signals.night import Night, name_models
from signals.offices import load_offices
from signals.records.cases import open_cases
from signals.tables import TABLES


def load_programmes(night: Night) -> Catalogue:
    """Load the programmes: the shipped ones, and HOME's over them."""
    return load_catalogue([SHIPPED, night.home.root / "programmes"])


def read_need(night: Night) -> pl.DataFrame:
    """Read what the rule of assignment needs: one row per scored borrower_id, its rank, state, and which side of the floor it is on."""
    return take_sides(night.read("scores").select("borrower_id", "rank", "owner_state"), read_regions(night).lazy()).collect()


def read_regions(night: Night) -> pl.DataFrame:
    """Read where each known borrower is, bucket by bucket: as of `signals.codes.regions.read_places`."""
    parts = night.by_bucket(lambda tables: read_places(tables["borrowers"], night.as_of).collect(), tables=["borrowers"])
    return pl.concat(parts)


def count_codes(night: Night) -> list[dict[str, Any]]:
    """Count the codes that the dated lists can't read, bucket by bucket: one of each table and column, as of `count_unknown_codes`."""
    of_all = [name for name in CODED if not TABLES[name].has_borrower]
    known = read_known(night.home, night.as_of, objections=night.objections, tables=of_all)
    parts = night.by_bucket(lambda tables: count_unknown_codes(tables, night.as_of), tables=[name for name in CODED if name not in of_all])
    counted = pl.concat([*parts, count_unknown_codes(known, night.as_of)])
    return counted.group_by("table", "column", maintain_order=True).sum().to_dicts()


def write_office_packs(night: Night, catalogue: Catalogue, folder: Path) -> str:
    """Write the packs of all offices into a folder and give back the hash over them."""
    scores, assignments = night.read("scores").collect(), night.read("assignments").collect()
    listed = (
        scores.lazy().filter("is_listed").select("borrower_id")
    )  # nobody else's reasons and verdicts are told: of millions they fill the memory
    told = {
        name: night.read(name).join(listed, on="borrower_id", how="semi").collect(engine="streaming") for name in ("reasons", "verdicts")
    }
    shock = say_shock(tell_shock(night.read("shock").collect()))
    of_packs = PackNight(night.as_of, name_models(scores), catalogue, scores, told["reasons"], told["verdicts"], assignments, shock)
    return write_packs(folder, of_packs, load_offices(night.home.root))


def reserve_and_open_cases(night: Night, catalogue: Catalogue, connection: Connection, need: pl.DataFrame, *, is_backfill: bool) -> int:
    """Write the night's reservations and cases (none for a backfill) and say where the ledger stands."""
    listed = night.read("scores").filter(pl.col("is_listed")).select("borrower_id", "office", "level").collect()
    if not is_backfill:
        open_cases(connection, listed, night.as_of)
    wanted = night.read("assignments").collect()
    return reserve_places(connection, wanted, catalogue, night.as_of, need, is_backfill=is_backfill)
