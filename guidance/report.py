"""The nightly report: counts a person can read at breakfast, without one name or id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from signals.products import FLAGGED, LEVELS

LEVELS_KO = {"none": "해당 없음", "watch": "관심", "caution": "주의", "alert": "경보", "distressed": "부실"}
THEMES_KO = {
    "repayment behaviour": "상환 행태",
    "debt burden": "부채 부담",
    "sales": "매출",
    "arrears of tax, insurance and utilities": "체납·미납",
    "credit standing": "신용 상태",
    "business profile": "사업 현황",
}
SOURCE_HEADS = ["자료원 · source", "읽음 · read", "수용 · accepted", "격리 · quarantined", "기존 · already known", "비고 · note"]
_SIX = 6


def summarise_night(
    as_of: date,
    scores: pl.DataFrame,
    reasons: pl.DataFrame,
    assignments: pl.DataFrame,
    regions: pl.DataFrame,
    earlier: pl.DataFrame | None,
) -> dict[str, Any]:
    """Count a night: borrowers, levels and how they moved, what drives them, offers and places, lists and regions.

    `earlier` is the night before (borrower_id, level), or None where there is none. `regions`: borrower_id, region_code.
    Nothing in the result speaks of one person.
    """
    first = reasons.filter(pl.col("position") == 1).join(scores.filter(pl.col("level").is_in(FLAGGED)), on="borrower_id", how="semi")
    return {
        "as_of": as_of.isoformat(),
        "borrowers": scores.height,
        "model_version": scores["model_version"].drop_nulls().unique().sort().to_list(),
        "levels": _count(scores, "level", LEVELS),
        "moved": _count_moves(scores, earlier),
        "stale": int(scores["is_stale"].fill_null(value=True).sum()),
        "flagged": int(scores["level"].is_in(FLAGGED).sum()),
        "listed": int(scores["is_listed"].sum()),
        "overflow": int((scores["level"].is_in(FLAGGED) & ~scores["is_listed"]).sum()),
        "drivers": _count_drivers(first),
        "offers": _count_offers(assignments),
        "regions": _count_regions(scores, regions),
    }


def render_report(summary: dict[str, Any], checks: list[dict[str, Any]], breaches: list[str]) -> str:
    """Write the report as Markdown, Korean and English side by side."""
    themes = [(f"{THEMES_KO.get(name, name)} · {name}", f"{count:,}") for name, count in summary["drivers"]]
    offers = [(row["programme_id"], row["place"], f"{row['offers']:,}", f"{row['amount_krw']:,}") for row in summary["offers"]]
    regions = [(row["region_code"], f"{row['borrowers']:,}", f"{row['flagged']:,}") for row in summary["regions"]]
    lines = [
        *_head(summary),
        *_table(["단계 · level", "차주 · borrowers", "전일 대비 · since last night"], _level_rows(summary)),
        *_table(["주된 영역 · main theme", "선별 대상 · flagged"], themes),
        *_table(["지원사업 · programme", "구분 · place", "건수 · offers", "가배정액(원) · won"], offers),
        *_table(["지역 · region", "차주 · borrowers", "선별 대상 · flagged"], regions),
        *_table(SOURCE_HEADS, [_source_row(check) for check in checks]),
        *[f"- 자료 없음 · not supplied: {name}" for name in summary["missing"]],
        "",
        "배정 감사 · audit of the assignment: " + ("; ".join(breaches) or "이상 없음 · no breach"),
        "",
    ]
    return "\n".join(lines)


def _head(summary: dict[str, Any]) -> list[str]:
    model = ", ".join(summary["model_version"])
    lines = [f"# 야간 산출 보고 · Nightly report · {summary['as_of']}", "", f"- 차주 · borrowers: {summary['borrowers']:,}"]
    lines += [f"- 운영 모형 · model: {model}"]
    if model == "scorecard":
        lines += ["- **운영 모형이 없어 공식 징후 점수표로 산출했습니다. · No champion: scored by the scorecard of official signs.**"]
    listed = f"목록 · on lists: {summary['listed']:,}; 수용량 초과 · beyond capacity: {summary['overflow']:,}"
    return [*lines, f"- 선별 대상 · flagged: {summary['flagged']:,}; {listed}", f"- 미갱신 · stale: {summary['stale']:,}", ""]


def _count(frame: pl.DataFrame, column: str, order: tuple[str, ...]) -> dict[str, int]:
    found = dict(frame.group_by(column).len().iter_rows())
    return {name: int(found.get(name, 0)) for name in order}


def _count_moves(scores: pl.DataFrame, earlier: pl.DataFrame | None) -> dict[str, int] | None:
    if earlier is None:
        return None
    before = _count(earlier, "level", LEVELS)
    return {name: count - before[name] for name, count in _count(scores, "level", LEVELS).items()}


def _count_drivers(first: pl.DataFrame) -> list[tuple[str, int]]:
    counted = first.group_by("theme").len().sort(["len", "theme"], descending=[True, False])
    return [(theme, int(count)) for theme, count in counted.iter_rows()][:_SIX]


def _count_offers(assignments: pl.DataFrame) -> list[dict[str, Any]]:
    counted = assignments.group_by("programme_id", "place").agg(offers=pl.len(), amount_krw=pl.col("amount_krw").sum())
    return counted.sort("programme_id", "place").to_dicts()


def _count_regions(scores: pl.DataFrame, regions: pl.DataFrame) -> list[dict[str, Any]]:
    joined = scores.join(regions, on="borrower_id", how="left").with_columns(pl.col("region_code").fill_null("?"))
    counted = joined.group_by("region_code").agg(borrowers=pl.len(), flagged=pl.col("level").is_in(FLAGGED).sum())
    return counted.sort("region_code").to_dicts()


def _level_rows(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    moved = summary["moved"]
    return [
        (f"{LEVELS_KO[name]} · {name}", f"{count:,}", "–" if moved is None else f"{moved[name]:+,}")
        for name, count in reversed(summary["levels"].items())
    ]


def _source_row(check: dict[str, Any]) -> tuple[str, ...]:
    read, accepted, quarantined = (sum(check[name].values()) for name in ("read", "accepted", "quarantined"))
    note = check["failure"] or "; ".join(check["warnings"]) or "–"
    return (
        check["source_id"],
        f"{read:,}",
        f"{accepted:,}",
        f"{quarantined:,}",
        f"{read - accepted - quarantined:,}",
        note.replace("|", "/"),
    )


def _table(heads: list[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)] + [""]
