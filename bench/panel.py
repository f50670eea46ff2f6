"""What a panel kept from night to night could save of building the features, and what keeping it would cost, in CPU seconds of one bucket.

The panel holds, for each table by month, what the features make of its rows before they know tonight's newest months: the
months they look at, ids as numbers, no text. Reading it instead of the table saves exactly that; all after it moves for everyone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals as nw
import polars as pl
from reach import find_reach

from features import build_features
from features.held import hold, name_borrowers
from features.reading import READS, Reading
from signals.known import as_known

NIGHT, MONTH_END = 0.4 / 115, 6 / 115  # shares of the rows that are new, by the house plan


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="a source folder of about one bucket, as `deungdae simulate` writes it")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="bench-panel-") as place:
        for line, seconds in measure(arguments.source, arguments.as_of, Path(place), arguments.repeats).items():
            print(f"{line:<64}{seconds:7.2f} CPU s")


def measure(source: Path, as_of: date, place: Path, repeats: int) -> dict[str, float]:
    """CPU seconds of each step, the best of so many runs."""
    tables = _write_known(source, as_of, place)
    reading = Reading({name: nw.from_native(frame) for name, frame in tables.items()}, as_of)
    names = name_borrowers(reading)
    reach = find_reach(as_of)
    held = {table: partial(_hold, reading, names, table, *far) for table, far in reach.items()}
    found = {"full build": _time(lambda: build_features(tables, as_of).collect(engine="streaming"), repeats)}
    found["of it: months of three tables read, ids numbered"] = _time(lambda: [hold_table() for hold_table in held.values()], repeats)
    for table in reach:
        _write(held[table]().lazy(), place / f"panel-{table}.parquet")
    found["the same months read from the panel"] = _time(lambda: [_scan(place, table).collect() for table in reach], repeats)
    for night, share in {"a normal night": NIGHT, "a month-end": MONTH_END}.items():
        news = {table: _scan(place, table).collect().sample(fraction=share, seed=1) for table in reach}
        found[f"the panel brought up to date, {night}"] = _time(partial(_renew, place, news), repeats)
    return found


def _write_known(source: Path, as_of: date, place: Path) -> dict[str, pl.LazyFrame]:
    for table in READS:
        folder, file = source / table, source / f"{table}.parquet"
        known = as_known(pl.scan_parquet(folder if folder.exists() else file), table, as_of)
        by = [name for name in ("borrower_id", "loan_id") if name in READS[table]]
        _write(known.sort(by) if by else known, place / f"{table}.parquet")
    return {table: pl.scan_parquet(place / f"{table}.parquet") for table in READS}


def _hold(reading: Reading, names: pl.Series, table: str, month: str, months_ago: int) -> pl.DataFrame:
    held: pl.DataFrame = hold(reading, names).since(table, month, months_ago).to_native().collect()
    return held.with_columns(pl.col("loan_id").to_physical()) if "loan_id" in held.columns else held


def _renew(place: Path, news: dict[str, pl.DataFrame]) -> None:
    keys = {
        "repayments": ["loan_id", "due_month"],
        "sales": ["borrower_id", "sales_month"],
        "credit": ["borrower_id", "bureau", "credit_month"],
    }
    for table, rows in news.items():
        kept = _scan(place, table).join(rows.lazy(), on=keys[table], how="anti")
        _write(pl.concat([kept, rows.lazy()]).sort("borrower_id"), place / f"renewed-{table}.parquet")


def _scan(place: Path, table: str) -> pl.LazyFrame:
    return pl.scan_parquet(place / f"panel-{table}.parquet")


def _write(rows: pl.LazyFrame, place: Path) -> None:
    rows.sink_parquet(place, compression="zstd", compression_level=1)


def _time(step: Callable[[], Any], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        step()
        best = min(best, time.process_time() - started)
    return best


if __name__ == "__main__":
    main()
