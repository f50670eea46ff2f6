"""The nightly report: counts a person can read at breakfast, without one name or id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from guidance.call_list import PLACE_KO
from guidance.catalogue import Catalogue
from guidance.side_by_side import list_beside_rows
from guidance.state import LEVEL_KO
from guidance.watching import DRIFT_HEADS, OUTCOME_HEADS, list_drift_rows, list_outcome_rows, say_scorecard, say_usual
from signals.codes.regions import name_regions
from signals.products import FLAGGED, LEVELS, THEMES
from signals.silence import Silence

BUDGET_HEADS = [
    "지원사업 · programme",
    "물량 사용 · places taken",
    "물량 · places",
    "예산 사용(원) · won taken",
    "예산(원) · budget",
    "소진율 · used",
]
SOURCE_HEADS = ["자료원 · source", "읽음 · read", "반영 · accepted", "격리 · quarantined", "기존 · already known", "비고 · note"]
RIGHT_HEADS = ["자료원 · source", "법적 근거 · legal basis", "이용 목적 · purposes", "비고 · note"]
SILENT_HEADS = [
    "미갱신 자료원 · silent source",
    "상태 · state",
    "마지막 정상 수신 · last taken in",
    "가장 새로운 자료 · newest news",
    "미갱신 차주 · stale borrowers",
    "제외 차주 · left out",
]
SILENT_KO = {"failed": "수신 실패", "missing": "미수신", "late": "지연"}
UNKNOWN_REGION = "?"
_SIX = 6


def summarise_night(
    as_of: date,
    scores: pl.DataFrame,
    reasons: pl.DataFrame,
    assignments: pl.DataFrame,
    regions: pl.DataFrame,
    earlier: pl.DataFrame | None,
    catalogue: Catalogue,
) -> dict[str, Any]:
    """Count a night: borrowers, levels and how they moved, what drives them, offers and places, lists and regions.

    `earlier` is the night before (borrower_id, level), or None where there is none. `regions`: borrower_id, region_code as it reads tonight.
    Programmes carry their catalogue's names; one that the catalogue no longer holds keeps its id.
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
        "offers": _count_offers(assignments, catalogue),
        "regions": _count_regions(scores, regions),
    }


def render_report(summary: dict[str, Any], checks: list[dict[str, Any]], breaches: list[str]) -> str:
    """Write the report as Markdown, Korean and English side by side."""
    themes = [(f"{THEMES.get(name, name)} · {name}", f"{count:,}") for name, count in summary["drivers"]]
    offers = [
        (_say_programme(row), f"{PLACE_KO[row['place']]} · {row['place']}", f"{row['offers']:,}", f"{row['amount_krw']:,}")
        for row in summary["offers"]
    ]
    regions = [(_say_region(row["region_code"]), f"{row['borrowers']:,}", f"{row['flagged']:,}") for row in summary["regions"]]
    lines = [
        *_head(summary),
        *_table(["단계 · level", "차주 · borrowers", "전일 대비 · since last night"], _level_rows(summary)),
        *_table(["주된 영역 · main theme", "선별 대상 · flagged"], themes),
        *_table(["지원사업 · programme", "구분 · place", "건수 · offers", "가배정액(원) · won"], offers),
        *_table(BUDGET_HEADS, [_budget_row(row) for row in summary["budgets"]]),
        *_table(["지역 · region", "차주 · borrowers", "선별 대상 · flagged"], regions),
        *_table(SOURCE_HEADS, [_source_row(check) for check in checks]),
        *_table(RIGHT_HEADS, [_right_row(right) for right in summary["rights"]]),
        *_table(SILENT_HEADS, [_silent_row(row) for row in summary["silent"]]),
        *_watched(summary),
        *[f"- 자료 없음 · not supplied: {name}" for name in summary["missing"]],
        *[_say_unknown_code(row) for row in summary["unknown_codes"]],
        "",
        "배정 감사 · audit of the assignment: " + ("; ".join(breaches) or "이상 없음 · no breach"),
        "",
    ]
    return "\n".join(lines)


def _head(summary: dict[str, Any]) -> list[str]:
    model = ", ".join(summary["model_version"])
    lines = [f"# 야간 산출 보고 · Nightly report · {summary['as_of']}", "", f"- 차주 · borrowers: {summary['borrowers']:,}"]
    lines += [f"- 운영 모형 · model: {model}"]
    lines += say_scorecard(summary)
    listed = f"목록 · on lists: {summary['listed']:,}; 상담 여력 초과 · beyond capacity: {summary['overflow']:,}"
    lines += [f"- 선별 대상 · flagged: {summary['flagged']:,}; {listed}", f"- 미갱신 · stale: {summary['stale']:,}"]
    lines += [f"- {name}: {said}" for name, said in list_beside_rows(summary)]
    return [*lines, f"- {say_left_out(summary)}: {summary['left_out']:,}", ""]


def _watched(summary: dict[str, Any]) -> list[str]:
    return [
        f"- 변동 · drift: {say_usual(summary)}",
        "",
        *_table(["지속 변동 · drift that lasts", *DRIFT_HEADS], list_drift_rows(summary, "lasting")),
        *_table(["그 밖의 변동 · other drift, the most moved", *DRIFT_HEADS], list_drift_rows(summary, "most")),
        *_table(OUTCOME_HEADS, list_outcome_rows(summary)),
    ]


def say_left_out(summary: dict[str, Any]) -> str:
    """Say who is left out, as the report and the terminal name it."""
    days = summary["left_out_after_days"]
    return f"제외(새 자료 없이 {days:,}일 초과) · left out: no news for more than {days:,} days"


def count_silences(silences: Sequence[Silence], told: pl.DataFrame, scores: pl.DataFrame, left_out: pl.DataFrame) -> list[dict[str, Any]]:
    """Count, source by source, the borrowers who are stale because it is silent, and those of them who are left out.

    `told`: of whom each silent source spoke (borrower_id, source_id). A borrower of two silent sources counts at both.
    """
    rows = []
    for one in silences:
        own = told.filter(pl.col("source_id") == one.source_id)
        counts = {name: own.join(frame, on="borrower_id", how="semi").height for name, frame in (("stale", scores), ("left_out", left_out))}
        rows.append(
            {"source_id": one.source_id, "state": one.state, "tables": list(one.tables) if one.state == "missing" else []}
            | {"last_good_on": one.last_good_on, "last_news_on": one.last_news_on, **counts}
        )
    return rows


def count_budgets(catalogue: Catalogue, opening: pl.DataFrame, assignments: pl.DataFrame) -> list[dict[str, Any]]:
    """Count how much of each allotted programme is taken after tonight: places and won, against what the operator gave."""
    reserved = assignments.filter(pl.col("place") == "reserved")
    taken = pl.concat([opening.select("programme_id", "amount_krw"), reserved.select("programme_id", "amount_krw")])
    counted = {row[0]: row[1:] for row in taken.group_by("programme_id").agg(pl.len(), pl.col("amount_krw").sum()).iter_rows()}
    return [
        {
            "programme_id": one.id,
            "name_ko": one.name_ko,
            "name_en": one.name_en,
            "taken": counted.get(one.id, (0, 0))[0],
            "places": one.places,
            "krw": counted.get(one.id, (0, 0))[1],
            "budget_krw": one.budget_krw,
        }
        for one in catalogue.allotted()
    ]


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


def _count_offers(assignments: pl.DataFrame, catalogue: Catalogue) -> list[dict[str, Any]]:
    known = catalogue.programmes
    counted = assignments.group_by("programme_id", "place").agg(offers=pl.len(), amount_krw=pl.col("amount_krw").sum())
    rows = counted.sort("programme_id", "place").to_dicts()
    names = {name: (known[name].name_ko, known[name].name_en) if name in known else (name, name) for name in counted["programme_id"]}
    return [row | dict(zip(("name_ko", "name_en"), names[row["programme_id"]], strict=True)) for row in rows]


def _count_regions(scores: pl.DataFrame, regions: pl.DataFrame) -> list[dict[str, Any]]:
    joined = scores.join(regions, on="borrower_id", how="left").with_columns(pl.col("region_code").fill_null(UNKNOWN_REGION))
    counted = joined.group_by("region_code").agg(borrowers=pl.len(), flagged=pl.col("level").is_in(FLAGGED).sum())
    return counted.sort("region_code").to_dicts()


def _level_rows(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    moved = summary["moved"]
    return [
        (f"{LEVEL_KO[name]} · {name}", f"{count:,}", "–" if moved is None else f"{moved[name]:+,}")
        for name, count in reversed(summary["levels"].items())
    ]


def _say_programme(row: dict[str, Any]) -> str:
    return f"{row['name_ko']} · {row['name_en']}" if row["name_ko"] != row["name_en"] else str(row["name_ko"])


def _say_region(code: str) -> str:
    if code == UNKNOWN_REGION:
        return "미확인 · unknown"
    return name_regions().get(code, f"미확인 · unknown ({code})")


def _say_unknown_code(row: dict[str, Any]) -> str:
    said = [f"목록에 없는 코드 · codes not in our lists: {row['unknown']:,}"] if row["unknown"] else []
    if row["kostat"]:
        said += [f"통계청 코드로 보임 · look like the statistics office's own: {row['kostat']:,}"]
    if row["unreadable"]:
        said += [f"바뀐 코드를 알 수 없음 · what they became is not known: {row['unreadable']:,}"]
    return f"- 미확인 코드 · unknown codes: {row['table']}.{row['column']}: {'; '.join(said)}"


def _budget_row(row: dict[str, Any]) -> tuple[str, ...]:
    places = "–" if row["places"] is None else f"{row['places']:,}"
    return (
        _say_programme(row),
        f"{row['taken']:,}",
        places,
        f"{row['krw']:,}",
        f"{row['budget_krw']:,}",
        f"{100 * row['krw'] / max(1, row['budget_krw']):.2f} %",
    )


def _source_row(check: dict[str, Any]) -> tuple[str, ...]:
    read, accepted, quarantined = (sum(check[name].values()) for name in ("read", "accepted", "quarantined"))
    known = read - accepted - quarantined
    if check["failure"]:
        refused = [f"행 규칙은 지켰으나 반영하지 않음 · sound, yet not taken in: {accepted:,}"] if accepted else []
        note, accepted = "; ".join([*refused, check["failure"]]), 0
    else:
        apart = {"대기 · waiting": check.get("waiting", {}), "격리 후 반영 · came back from quarantine": check.get("returned", {})}
        counted = [f"{name}: {sum(rows.values()):,}" for name, rows in apart.items() if sum(rows.values())]
        note = "; ".join([*counted, *check["warnings"]]) or "–"
    return (check["source_id"], f"{read:,}", f"{accepted:,}", f"{quarantined:,}", f"{known:,}", note.replace("|", "/"))


def _right_row(right: dict[str, Any]) -> tuple[str, ...]:
    basis, note = (text.replace("|", "/") for text in (right["basis"], "; ".join(right["notes"]) or "–"))
    return (right["source_id"], basis, right["purposes"], note)


def say_silence(row: dict[str, Any]) -> str:
    """Say in which way a source is silent, and of which tables where it still sends others."""
    tables = f" ({', '.join(row['tables'])})" if row["tables"] else ""
    return f"{SILENT_KO[row['state']]} · {row['state']}{tables}"


def _silent_row(row: dict[str, Any]) -> tuple[str, ...]:
    days = (str(row[name] or "미확인 · unknown") for name in ("last_good_on", "last_news_on"))
    return (row["source_id"], say_silence(row), *days, f"{row['stale']:,}", f"{row['left_out']:,}")


def _table(heads: list[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)] + [""]
