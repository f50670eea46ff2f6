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
from guidance.watching import tell_drift, tell_shock
from signals.check_reports import read_check_reports
from signals.home import Home
from signals.lake import open_tables
from signals.nights import read_night, read_seconds
from signals.records.runs import list_nights
from signals.silence import Silence
from signals.tables import TABLES


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
        "drift": tell_drift(tonight["drift"].collect()),
        "shock": tell_shock(tonight["shock"].collect()),
        "missing": [name for name in TABLES if name not in known],
        "failed": [check.failure for check in checks if check.failure],
        "not_delivered": sorted(set(known) - {table for check in checks for table in check.read}),
        "left_out": left_out.height,
        "silent": count_silences(silences, told, scores, left_out),
        "seconds": read_seconds(home, as_of),
        "places": [home.product(""), home.packs(as_of), home.docs / "nights" / f"{as_of}.md", home.docs / "data_docs", home.quarantine],
    }
