"""One published night in numbers: what the report and the terminal show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection

from guidance.catalogue import Catalogue
from guidance.report import count_budgets, count_silences, summarise_night
from guidance.side_by_side import count_beside
from signals.check_reports import read_check_reports
from signals.drift import measure_drift
from signals.home import Home
from signals.lake import open_tables
from signals.nights import read_night, read_seconds
from signals.records.runs import list_nights
from signals.silence import Silence
from signals.tables import TABLES

MOST_DRIFTED = 5


def read_summary(
    home: Home,
    connection: Connection,
    as_of: date,
    catalogue: Catalogue,
    silences: Sequence[Silence],
    told: pl.DataFrame,
    regions: pl.DataFrame,
) -> dict[str, Any]:
    """Read a published night and count it; nothing in the result speaks of one person.

    `silences`: the silent sources, `told` of whom they spoke, `regions` where each borrower is. Raises `NightError` when the night
    is not published.
    """
    known = open_tables(home)
    tonight, checks = read_night(home, connection, as_of), read_check_reports(home, as_of)
    earlier = [read_night(home, connection, night) for night in list_nights(connection, as_of)[:1]]
    scores, assignments, opening = (tonight[name].collect() for name in ("scores", "assignments", "opening"))
    first = tonight["reasons"].filter(pl.col("position") == 1).select("borrower_id", "position", "theme").collect(engine="streaming")
    left_out = tonight["features"].select("borrower_id").join(scores.lazy(), on="borrower_id", how="anti").collect()
    levels = earlier[0]["scores"].select("borrower_id", "level").collect() if earlier else None
    return summarise_night(as_of, scores, first, assignments, regions, levels, catalogue) | {
        "budgets": count_budgets(catalogue, opening, assignments),
        "challenger": count_beside(scores, tonight["challenger_scores"].collect()),
        "drift": _measure_drift(tonight, earlier[0]) if earlier else [],
        "missing": [name for name in TABLES if name not in known],
        "failed": [check.failure for check in checks if check.failure],
        "not_delivered": sorted(set(known) - {table for check in checks for table in check.read}),
        "left_out": left_out.height,
        "silent": count_silences(silences, told, scores, left_out),
        "seconds": read_seconds(home, as_of),
        "places": [home.product(""), home.packs(as_of), home.docs / "nights" / f"{as_of}.md", home.docs / "data_docs", home.quarantine],
    }


def _measure_drift(tonight: dict[str, pl.LazyFrame], earlier: dict[str, pl.LazyFrame]) -> list[tuple[str, float]]:
    """Name the features, or the risk, that moved most since the night before."""
    risks = [night["scores"].select("borrower_id", "risk") for night in (tonight, earlier)]
    now, before = (night["features"].join(risk, on="borrower_id").collect() for night, risk in zip((tonight, earlier), risks, strict=True))
    shared = [name for name in now.columns if name in before.columns and name != "borrower_id"]
    return list(measure_drift(now, before, shared).head(MOST_DRIFTED).iter_rows())
