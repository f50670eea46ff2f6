"""Published nights: the only way to read what a night made."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from signals.delta import scan_stored
from signals.errors import NightError
from signals.home import Home
from signals.products import FLAGGED, PRODUCTS, make_empty
from signals.records.runs import find_newest_run, find_run, list_nights
from signals.records.schema import LEDGER
from signals.store import read_product

LONGEST_WAIT = timedelta(days=365)


def read_night(home: Home, connection: Connection, as_of: date) -> dict[str, pl.LazyFrame]:
    """Read a published night's products at the versions its row in `runs` pins, product by product.

    A product that was not made yet when the night was published has no row. Raises `NightError` when no such night is published.
    """
    run = find_run(connection, as_of)
    if run is None:
        raise NightError(f"no published night of {as_of}", str(home.root), "what is not published does not exist", "run that night")
    pinned = run["receipts"]
    return {
        name: read_product(home, name, as_of, pinned[name]["version"]) if name in pinned else make_empty(name).lazy() for name in PRODUCTS
    }


def read_earlier_levels(home: Home, connection: Connection, as_of: date, nights: int) -> list[pl.DataFrame]:
    """Read the levels of the last published nights before `as_of`, the newest first.

    Each frame has one row per borrower: borrower_id, level, level_tonight.
    """
    found = (read_night(home, connection, night) for night in list_nights(connection, as_of)[:nights])
    return [night["scores"].select("borrower_id", "level").join(night["levels"], on="borrower_id", how="left").collect() for night in found]


def read_earlier_rows(home: Home, connection: Connection, as_of: date, product: str, nights: Collection[date]) -> pl.DataFrame:
    """Read a small product of some published nights before `as_of`, each row with its `as_of`; no row of a night that did not make it.

    At the version that the newest night before `as_of` pins: whatever is done with older nights afterwards changes nothing.
    """
    newest, schema = find_newest_run(connection, before=as_of), {"as_of": pl.Date, **PRODUCTS[product].columns}
    if newest is None or product not in newest["receipts"] or not nights:
        return pl.DataFrame(schema=schema)
    rows = scan_stored(home.product(product), newest["receipts"][product]["version"])
    return rows.filter(pl.col("as_of").is_in(sorted(nights))).select(*schema).collect()


def read_waits(home: Home, connection: Connection, as_of: date) -> pl.DataFrame:
    """Read how long each borrower has waited unserved: one row per borrower_id flagged on an earlier night, with `wait_days`.

    Days from the first published night of the last year that flagged the borrower to `as_of`; whoever has had a place of
    any programme since then does not wait.
    """
    newest = find_newest_run(connection, before=as_of)
    if newest is None:
        return pl.DataFrame(schema={"borrower_id": pl.String, "wait_days": pl.Int64})
    nights = [night for night in list_nights(connection, as_of) if as_of - night <= LONGEST_WAIT]
    scores = scan_stored(home.product("scores"), newest["receipts"]["scores"]["version"])
    flagged = scores.filter(pl.col("as_of").is_in(nights) & pl.col("level").is_in(FLAGGED))
    served = connection.execute(select(LEDGER.c.borrower_id).where(LEDGER.c.as_of < as_of).distinct()).scalars().all()
    unserved = flagged.filter(~pl.col("borrower_id").is_in(served))
    return unserved.group_by("borrower_id").agg(wait_days=(pl.lit(as_of) - pl.col("as_of").min()).dt.total_days()).collect()


def note_seconds(home: Home, as_of: date, stage: str, seconds: float) -> None:
    """Note how long a stage took; kept beside the report, no part of any receipt."""
    noted = {**read_seconds(home, as_of), stage: round(seconds, 3)}
    file = home.docs / "nights" / f"{as_of}.seconds.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(noted), encoding="utf-8")
    draft.replace(file)


def read_seconds(home: Home, as_of: date) -> dict[str, Any]:
    """Read how long each stage of a night took when it last ran."""
    file = home.docs / "nights" / f"{as_of}.seconds.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
