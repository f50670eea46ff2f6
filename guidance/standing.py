"""Where each borrower stands tonight: what the later stages need of a bucket's tables, read once, and the order that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from guidance.facts import build_state_facts
from guidance.need import rank_by_need
from guidance.state import name_states
from signals.freshness import measure_staleness
from signals.offices import Office, list_cases, place_borrowers


def find_standing(tables: Mapping[str, pl.LazyFrame], in_crisis: pl.LazyFrame, as_of: date, stale_after_days: int) -> pl.DataFrame:
    """Find where each known borrower stands: one row per borrower_id, sorted.

    `is_in_crisis` (of those in `in_crisis`; else null), how old their news is (as of `signals.freshness.measure_staleness`; null:
    nobody ever said anything), the facts that name their state (as of `build_state_facts`), and `region_code` and `district_code` as told.
    """
    crisis = in_crisis.select("borrower_id", is_in_crisis=pl.lit(value=True)).collect()
    places = tables["borrowers"].select("borrower_id", "region_code", "district_code").collect()
    standing = build_state_facts(tables, as_of)
    for part in (crisis, measure_staleness(tables, as_of, stale_after_days), places):
        standing = standing.join(part, on="borrower_id", how="left", maintain_order="left")
    return standing


def rank_and_list(
    scores: pl.DataFrame, standing: pl.DataFrame, waits: pl.DataFrame, cases: pl.DataFrame, offices: tuple[Office, ...], as_of: date, key: str
) -> pl.DataFrame:  # fmt: skip
    """Add to tonight's levels where each borrower stands: the product `scores`, one row per borrower_id of `scores`.

    The state, the place in need (`waits` and `key` as of `rank_by_need`), the office, whether on its list beside the open `cases`,
    and how stale the news is.
    """
    regions = scores.select("borrower_id").join(standing, on="borrower_id", how="left")
    parts: Sequence[pl.DataFrame] = (
        name_states(standing, scores),
        rank_by_need(scores, waits, as_of, key),
        place_borrowers(regions, offices, as_of),
        standing.select("borrower_id", "is_stale", "stale_days"),
    )
    for part in parts:
        scores = scores.join(part, on="borrower_id", how="left")
    scores = scores.with_columns(pl.col("is_stale").fill_null(value=True), closure_risk=None)
    return scores.with_columns(is_listed=list_cases(scores, cases, offices))
