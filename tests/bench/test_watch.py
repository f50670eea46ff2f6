"""Nights on which nothing happens raise hardly an alarm; a real shift does within as many nights as are looked back on."""

from __future__ import annotations

import runpy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.bars import load_bars

pytestmark = pytest.mark.slow

NIGHTS = [date(2026, 9, 30) - timedelta(days=back) for back in range(4)][::-1]
SALES = ("card_sales_krw", "platform_sales_krw", "cash_receipt_krw")


def test_nothing_cries_in_a_stable_town_and_a_fall_of_sales_by_three_tenths_does() -> None:
    bench: dict[str, Any] = runpy.run_path(str(Path(__file__).resolve().parents[2] / "bench" / "watch.py"))
    bars, town = load_bars(), bench["make_town"](700, 5)
    sketches = {day: bench["sketch_day"](town, day) for day in bench["list_days"](NIGHTS, 1)}
    stable = pl.concat([drift for _, drift in bench["watch_nights"](sketches, NIGHTS, bars)])
    assert stable.height > 400
    assert stable["is_alarm"].mean() <= 0.01
    fallen = town | {"sales": town["sales"].with_columns(pl.when(pl.col("sales_month") >= date(2026, 7, 1)).then((pl.col(name) * 0.7).cast(pl.Int64)).otherwise(name).alias(name) for name in SALES)}  # fmt: skip
    shifted = sketches | {day: bench["sketch_day"](fallen, day) for day in NIGHTS[: bars.nights]}
    _, last = bench["watch_nights"](shifted, NIGHTS[: bars.nights], bars)[0]
    alarms = last.filter("is_alarm")
    assert alarms["feature"].str.contains("sales").sum() >= 3
    assert alarms["since"].unique().to_list() == [NIGHTS[0]]
