"""Whose level rose since the night published before, and what was computed of them on both nights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from signals.night import Night
from signals.nights import read_night
from signals.products import LEVELS
from signals.records.runs import list_nights


@dataclass(frozen=True)
class Rising:
    """Who rose: `levels` has borrower_id, level, level_before; `now` and `before` their features on the two nights, the key first."""

    levels: pl.DataFrame
    now: pl.DataFrame
    before: pl.DataFrame


def read_rising(night: Night, wanted: Collection[str]) -> Rising:
    """Read of those whose level rose the wanted features, where they are there; nobody on the first night, or unknown to the one before."""
    scores, tonight = night.read("scores"), night.read("features")
    with night.open_records().begin() as connection:
        earlier = [read_night(night.home, connection, day) for day in list_nights(connection, night.as_of)[:1]]
    before = earlier[0] if earlier else {"scores": scores.clear(), "features": tonight.clear()}
    levels = find_risen(scores, before["scores"]).collect()
    return Rising(levels, *(_read_features(rows, levels, wanted) for rows in (tonight, before["features"])))


def find_risen(scores: pl.LazyFrame, earlier: pl.LazyFrame) -> pl.LazyFrame:
    """Find whose level is higher than before, sorted by borrower_id: level and level_before.

    >>> now, before = ({"borrower_id": ["A", "B", "C"], "level": levels} for levels in (["alert", "watch", "none"], ["watch"] * 3))
    >>> find_risen(pl.LazyFrame(now), pl.LazyFrame(before)).collect().rows()
    [('A', 'alert', 'watch')]
    """
    both = scores.select("borrower_id", "level").join(earlier.select("borrower_id", level_before="level"), on="borrower_id")
    now, before = (pl.col(name).replace_strict(LEVELS, range(len(LEVELS)), return_dtype=pl.Int64) for name in ("level", "level_before"))
    return both.filter(now > before).sort("borrower_id")


def _read_features(rows: pl.LazyFrame, levels: pl.DataFrame, wanted: Collection[str]) -> pl.DataFrame:
    there = [name for name in rows.collect_schema().names() if name in {"borrower_id", *wanted}]
    return rows.select(there).join(levels.lazy(), on="borrower_id", how="semi").collect(engine="streaming").sort("borrower_id")
