"""Small lakes, filled and published as a night does it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable

from signals.buckets import choose_buckets
from signals.delta import scan_stored
from signals.home import Home
from signals.lake import commit_rows, receipt_of_arrivals, stage_rows
from signals.products import PRODUCTS
from signals.records.database import open_database
from signals.records.runs import write_run
from signals.store import find_receipt, write_product
from signals.tables import TABLES


def append_rows(home: Home, table: str, rows: pl.DataFrame, as_of: date, source_id: str) -> None:
    """Take rows into a lake table as a night does that was handed nothing else."""
    carried = rows.with_columns(pulled_from=pl.lit(source_id), priority=pl.lit(0, dtype=pl.Int64))
    choose_buckets(home, 1)
    commit_rows(home, table, stage_rows(home, table, carried, as_of), as_of)


def land(home: Home, table: str, as_of: date, *rows: dict[str, Any], source_id: str = "bank") -> None:
    """Append rows to a lake table as a night does."""
    frame = pl.DataFrame(list(rows), schema_overrides=TABLES[table].polars_schema)
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in TABLES[table].polars_schema.items() if name not in frame.columns]
    frame = frame.with_columns(absent).select(TABLES[table].columns).with_columns(file=pl.lit("f"), line=pl.int_range(1, pl.len() + 1))
    append_rows(home, table, frame, as_of, source_id)


def repayment(shop: str, month: date, known_on: date, late: int = 0) -> dict[str, Any]:
    return {"loan_id": f"bank-{shop}", "borrower_id": shop, "due_month": month, "days_past_due": late, "known_on": known_on}


def loan(name: str, shop: str, known_on: date, *, is_retracted: bool | None = None) -> dict[str, Any]:
    kind = {"lender_id": "bank", "product": "term", "principal_krw": 1}
    return {"loan_id": name, "borrower_id": shop, "known_on": known_on, "is_retracted": is_retracted} | kind


def publish(home: Home, as_of: date) -> dict[str, Any]:
    """Make a night of one flagged shop exist, with its pins, as the last stages do; the receipts in its row."""
    for name, product in PRODUCTS.items():
        columns = {column: [] for column in product.columns} if name not in {"scores", "levels", "features"} else {"borrower_id": ["shop"]}
        frame = pl.DataFrame(columns, schema_overrides=dict(product.columns))
        absent = [pl.lit(None, dtype=kind).alias(column) for column, kind in product.columns.items() if column not in frame.columns]
        frame = frame.with_columns(absent)
        write_product(home, name, [frame.with_columns(level=pl.lit("caution")) if name == "scores" else frame], as_of)
    found = [*(receipt_of_arrivals(home, name, as_of) for name in TABLES), *(find_receipt(home, name, as_of) for name in PRODUCTS)]
    pinned = {receipt.table: receipt.pinned() for receipt in found if receipt}
    rest = dict.fromkeys(("model_version", "catalogue_hash", "settings_hash", "packs_hash", "code_version"), "x")
    with open_database(home.database_url).begin() as connection:
        write_run(connection, {"as_of": as_of, "receipts": pinned, "ledger_sequence": 0, "is_backfill": False} | rest)
    return pinned


def read_all(home: Home, table: str, version: int | None = None) -> pl.DataFrame:
    """Read every row of a lake table with all it carries, in one order."""
    rows = scan_stored(home.table(table), version).collect()
    return rows.select(sorted(rows.columns)).sort(sorted(rows.columns))


def read_commit(path: Path, version: int | None = None) -> list[dict[str, Any]]:
    """Read the actions of a Delta commit, the newest if none is named."""
    number = DeltaTable(path).version() if version is None else version
    return [json.loads(line) for line in (path / "_delta_log" / f"{number:020}.json").read_text().splitlines()]
