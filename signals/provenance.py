"""Who told what is known of one borrower: the rows of the lake behind a value, with source, file and line."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import date

import polars as pl
from sqlalchemy import Engine

from signals.buckets import find_bucket
from signals.errors import NightError
from signals.home import Home
from signals.known import keep_newest, keep_seen
from signals.lake import open_tables, take_bucket
from signals.nights import read_night
from signals.tables import TABLES


def find_rows(home: Home, as_of: date, borrower_id: str, tables: Collection[str]) -> dict[str, pl.DataFrame]:
    """Find the newest versions of a borrower's rows as seen on `as_of`, by table, each with `pulled_from`, `file`, `line` and `versions`.

    One row per key; `versions` counts how often the source told it. What people corrected or dispute is not in it. A table that
    never arrived is not in the mapping.
    """
    bucket = find_bucket(home, borrower_id)
    found = {}
    for name, opened in open_tables(home, tables).items():
        rows = keep_seen(take_bucket(opened, name, bucket), as_of)
        if TABLES[name].has_borrower:
            rows = rows.filter(pl.col("borrower_id") == borrower_id)
        seen = rows.with_columns(versions=pl.len().over(TABLES[name].key)).collect().lazy()
        found[name] = keep_newest(seen, name).collect()
    return found


def find_kept_value(home: Home, records: Engine, as_of: date, borrower_id: str, feature: str) -> tuple[bool, float | None]:
    """Find what a published night kept of one feature of one borrower: whether it kept anything, and the value (null: unknown)."""
    with suppress(NightError), records.begin() as connection:
        rows = read_night(home, connection, as_of)["features"].filter(pl.col("borrower_id") == borrower_id)
        if feature in rows.collect_schema().names():
            kept = rows.select(feature).collect()
            return kept.height > 0, kept[feature].item() if kept.height else None
    return False, None
