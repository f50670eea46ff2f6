"""Champion and challenger on one night: whom each would flag and list, counted for whoever decides on promotion."""

from __future__ import annotations

from typing import Any

import polars as pl

from signals.products import FLAGGED


def count_beside(scores: pl.DataFrame, beside: pl.DataFrame) -> dict[str, Any] | None:
    """Count whom the champion, the challenger and both flagged, and whom each put on a list; null on a night without a challenger.

    `scores` and `beside` are tonight's products scores and challenger_scores.
    """
    if beside.is_empty():
        return None
    whom = {"flagged": pl.col("level").is_in(FLAGGED), "listed": pl.col("is_listed")}
    counted: dict[str, Any] = {"version": beside["model_version"][0]}
    for name, picked in whom.items():
        by_champion, by_challenger = (frame.filter(picked)["borrower_id"] for frame in (scores, beside))
        both = int(by_champion.is_in(by_challenger.implode()).sum())
        counted[name] = {"champion": by_champion.len(), "challenger": by_challenger.len(), "both": both}
    return counted


def list_beside_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Say a night's `challenger` (as of `count_beside`), or `why_no_challenger` stood beside the champion; nothing where there is none."""
    counted, why = summary["challenger"], summary["why_no_challenger"]
    if counted is None:
        return [("후보 모형 미산출 · challenger not scored", why)] if why else []
    return [
        ("후보 모형 · challenger", counted["version"]),
        ("운영·후보 모형의 선별 · flagged by champion and challenger", _say_overlap(counted["flagged"])),
        ("운영·후보 모형의 목록 · listed by champion and challenger", _say_overlap(counted["listed"])),
    ]


def _say_overlap(counts: dict[str, int]) -> str:
    share = f" ({counts['both'] / counts['champion']:.0%})" if counts["champion"] else ""
    return f"{counts['champion']:,} · {counts['challenger']:,}; 둘 다 · both {counts['both']:,}{share}"
