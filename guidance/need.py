"""Who needs support most: the one order in which places are given."""

from __future__ import annotations

from datetime import date
from hashlib import blake2b

import numpy as np
import polars as pl

from signals.codes.regions import is_inside_capital
from signals.products import LEVELS

RISK_STEP = 0.001


def rank_by_need(scores: pl.DataFrame, waits: pl.DataFrame, as_of: date, key: str) -> pl.DataFrame:
    """Rank borrowers by need: one row per borrower_id, `rank` 1 for the most, in the order of `scores`.

    In this order: level; default risk in steps of 0.001 (for the distressed, days overdue; on a scorecard night, where risk
    is null, the points of `raw_score`); the longest wait; a hash of borrower and calendar year under `key`, so that nobody
    can choose a place in the order and nobody keeps the same luck for ever.

    `scores`: borrower_id, level, risk, days_past_due, and raw_score on scorecard nights; null counts as least. `waits`:
    borrower_id, wait_days unserved; a borrower without a row has not waited.

    >>> scores = pl.DataFrame({"borrower_id": ["a", "b", "c"], "level": ["watch", "alert", "alert"],
    ...     "risk": [0.9, 0.2501, 0.2504], "days_past_due": [0, 0, 0]})
    >>> waits = pl.DataFrame({"borrower_id": ["b"], "wait_days": [30]})
    >>> rank_by_need(scores, waits, date(2026, 9, 30), "key")["rank"].to_list()
    [3, 1, 2]
    """
    points = pl.col("raw_score").cast(pl.Float64) if "raw_score" in scores.columns else pl.lit(None, dtype=pl.Float64)
    how_bad = (
        pl.when(pl.col("level") == "distressed").then(pl.col("days_past_due").cast(pl.Float64))
        .when(pl.col("risk").is_not_null()).then((pl.col("risk") / RISK_STEP).round())
        .otherwise(points)
    )  # fmt: skip
    keys = scores.join(waits.select("borrower_id", "wait_days"), on="borrower_id", how="left", maintain_order="left").select(
        "borrower_id",
        pl.col("level").replace_strict({name: place for place, name in enumerate(LEVELS)}, return_dtype=pl.Int64).alias("height"),
        how_bad.fill_null(-1.0).alias("how_bad"),
        pl.col("wait_days").fill_null(0).alias("waited"),
    )
    return _rank(keys, as_of, key)


def take_sides(scores: pl.LazyFrame, places: pl.LazyFrame) -> pl.LazyFrame:
    """Add to each borrower `is_inside`: whether they count as inside the capital region; who is of no known region does.

    `scores`: borrower_id and more; `places`: borrower_id, region_code as it reads tonight.

    >>> places = pl.LazyFrame({"borrower_id": ["a", "b"], "region_code": ["11", "26"]})
    >>> take_sides(pl.LazyFrame({"borrower_id": ["a", "b", "c"]}), places).sort("borrower_id").collect()["is_inside"].to_list()
    [True, False, True]
    """
    sides = places.select("borrower_id", is_inside=is_inside_capital(pl.col("region_code")))
    return scores.join(sides, on="borrower_id", how="left").with_columns(pl.col("is_inside").fill_null(value=True))


def _rank(keys: pl.DataFrame, as_of: date, key: str) -> pl.DataFrame:
    above = ["height", "how_bad", "waited"]
    tied = keys.select(is_tied=pl.struct(above).is_duplicated())["is_tied"]
    lots = pl.Series("lot", [0] * keys.height, dtype=pl.UInt64)
    rows = tied.arg_true()
    lots = lots.scatter(rows, _draw_lots(keys["borrower_id"].gather(rows), as_of, key))
    order = keys.with_columns(lots, row=pl.int_range(keys.height)).sort(
        [*above, "lot", "borrower_id"], descending=[True, True, True, False, False]
    )
    return order.select("borrower_id", "row", rank=pl.int_range(1, keys.height + 1)).sort("row").drop("row")


def _draw_lots(borrowers: pl.Series, as_of: date, key: str) -> pl.Series:
    start = blake2b(f"{as_of.year}:".encode(), key=blake2b(key.encode(), digest_size=32).digest(), digest_size=8)

    def draw(borrower: str) -> bytes:
        lot = start.copy()
        lot.update(borrower.encode())
        return lot.digest()

    return pl.Series(np.frombuffer(b"".join(map(draw, borrowers)), dtype=">u8").astype(np.uint64), dtype=pl.UInt64)
