"""The published night as the rows of a table on a terminal."""

from __future__ import annotations

from typing import Any

from guidance.report import say_left_out, say_silence
from guidance.side_by_side import list_beside_rows
from guidance.state import LEVEL_KO
from guidance.watching import list_drift_rows, say_shock, say_usual
from signals.products import THEMES


def list_night_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Write a night's summary as pairs of a name, in both languages, and what is to be said of it."""
    rows = [("차주 · borrowers scored", f"{summary['borrowers']:,}"), ("운영 모형 · model", ", ".join(summary["model_version"]))]
    why = say_shock(summary["shock"]) or summary["why_scorecard"]
    rows += [("점수표 · scorecard because", why)] if why else []
    rows += list_beside_rows(summary)
    rows += [(f"단계 · {LEVEL_KO[name]} {name}", f"{count:,}") for name, count in reversed(summary["levels"].items())]
    rows += [("목록 · on the offices' lists", f"{summary['listed']:,} (+{summary['overflow']:,} beyond capacity)")]
    rows += [(f"주된 영역 · {THEMES[theme]} {theme}", f"{count:,} flagged") for theme, count in summary["drivers"]]
    rows += [(f"지원 · {offer['name_ko']}", _say_offer(offer)) for offer in summary["offers"]]
    rows += [("변동 · drift", say_usual(summary))]
    rows += [(f"지속 변동 · {row[0]}", f"PSI {row[1]}, since {row[-1]}") for row in list_drift_rows(summary, "lasting")]
    rows += [(f"초 · seconds {stage}", f"{seconds:.1f}") for stage, seconds in summary["seconds"].items()]
    return [*rows, *_list_source_rows(summary), *(("산출물 · outputs", str(place)) for place in summary["places"])]


def _list_source_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(f"자료 없음 · {name}", "not supplied; its features are unknown") for name in summary["missing"]]
    rows += [("오늘 밤 미수신 · delivered before, not tonight", name) for name in summary["not_delivered"]]
    rows += [("수신 실패 · source FAILED", failure) for failure in summary["failed"]]
    rows += [(f"자료원 · {right['source_id']}", note) for right in summary["rights"] for note in right["notes"]]
    rows += [("미갱신 · stale borrowers", f"{summary['stale']:,}"), (say_left_out(summary), f"{summary['left_out']:,}")]
    return rows + [(f"미갱신 자료원 · {row['source_id']}", _say_silent(row)) for row in summary["silent"]]


def _say_offer(offer: dict[str, Any]) -> str:
    won = "" if offer["place"] == "open" else f", {offer['amount_krw']:,} won"
    return f"{offer['offers']:,} {offer['place']}{won}"


def _say_silent(row: dict[str, Any]) -> str:
    since = f"last taken in {row['last_good_on'] or 'unknown'}, newest news {row['last_news_on'] or 'unknown'}"
    return f"{say_silence(row)}; {since}; {row['stale']:,} borrowers stale by it, {row['left_out']:,} left out"
