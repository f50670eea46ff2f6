"""The lists an office would have worked: who stands on them, who is new, and how long before the crisis the first flag came."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from models.evaluate import Numbers

KEYS = ("origin", "borrower_id")
FLAGGED = ("caution", "alert")


def share_places(rows: pl.DataFrame, score: str, places: pl.Expr, by: tuple[str, ...]) -> pl.Series:
    """Share out each group's places by the score, the highest first: 1 on the list, 0 not, between where equals share the last ones.

    >>> rows = pl.DataFrame({"office": ["a"] * 3, "score": [2.0, 1.0, 1.0]})
    >>> share_places(rows, "score", pl.lit(2), ("office",)).to_list()
    [1.0, 0.5, 0.5]
    """
    ahead = pl.col(score).rank("min", descending=True).over(*by).cast(pl.Int64) - 1
    equals = pl.len().over(*by, score).cast(pl.Int64)
    return rows.select(((places - ahead) / equals).clip(0.0, 1.0).alias("place")).to_series()


def measure_churn(listed: pl.DataFrame) -> dict[str, float | None]:
    """Measure, per origin after the first, which share of its list was not on the list before.

    `listed`: origin, borrower_id, place (see `share_places`). Of equals who share the last places the same go first every
    time, as at night. Null: the list is empty.

    >>> from datetime import date
    >>> days = [date(2026, 1, 31)] * 2 + [date(2026, 2, 28)] * 2
    >>> measure_churn(pl.DataFrame({"origin": days, "borrower_id": ["A", "B"] * 2, "place": [1.0, 0.0, 1.0, 1.0]}))
    {'2026-02-28': 0.5}
    """
    days = listed["origin"].unique().sort().to_list()
    new: dict[str, float | None] = {}
    for before, day in pairwise(days):
        stood = listed.filter(origin=before).select("borrower_id", stood="place")
        tonight = listed.filter(origin=day).join(stood, on="borrower_id", how="left", maintain_order="left")
        came = (pl.col("place") - pl.col("stood").fill_null(0.0)).clip(lower_bound=0.0).sum()
        new[day.isoformat()] = tonight.select(came / pl.col("place").sum()).fill_nan(None).item()
    return new


def find_first_flags(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    """Find how long before each crisis the first flag came: one row per crisis that was caught, sorted; `lead_days`.

    `rows`: origin, borrower_id, is_default, default_on and the level at the origin. Caught: flagged at an origin whose horizon
    holds the crisis; the first flag is that of the earliest origin, be its own horizon too short to hold it or not.
    """
    flagged = rows.filter(pl.col(level).is_in(FLAGGED))
    caught = flagged.filter("is_default").select("borrower_id", "default_on").unique()
    first = flagged.group_by("borrower_id", "origin").len().select("borrower_id", "origin")
    lead = (pl.col("default_on") - pl.col("origin").min().over("borrower_id", "default_on")).dt.total_days()
    joined = caught.join(first, on="borrower_id").filter(pl.col("origin") < pl.col("default_on"))
    return joined.select("borrower_id", "default_on", lead_days=lead).unique().sort("lead_days", "borrower_id", "default_on")


def sum_places(place: Numbers, came: Numbers, weights: Numbers) -> tuple[float | None, float | None]:
    """The precision and the recall of a list that stands: null where it, or what came, is empty."""
    length, caught, total = (float((weights * part).sum()) for part in (place, place * came, came))
    return caught / length if length > 0 else None, caught / total if total > 0 else None
