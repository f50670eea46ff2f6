"""What a night saw of itself, in words: what moved and lasts, what came of earlier nights, and why the scorecard scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

MOST_MOVED = 5
DRIFT_HEADS = ["PSI", "거리(표준편차) · distance (sd)", "미확인 · unknown", "평소 미확인 · usually unknown", "시작 · since"]
OUTCOME_HEADS = [
    "지난 밤 · night",
    "산출 · scored by",
    "대상 · borrowers",
    "예측 위기 · crises foretold",
    "실제 위기 · crises that came",
    "보정 오차 · calibration error",
    "선별 포착 · were flagged",
    "목록 포착 · were on lists",
]
_USUAL = {
    "year": "작년 같은 시기의 밤 · nights within a week of this day a year ago",
    "months": "이전 달 같은 날짜의 밤 · nights of the same day of the month in the months before",
    "since": "새 기준을 정한 뒤의 밤 · nights since what a person took for the new usual",
    "training": "학습 표본 · the sample the champion was trained on",
}
_RISK = ("위험도", "The risk by the champion")
_RESUME = "`deungdae models resume --because …`"


def tell_drift(drift: pl.DataFrame) -> dict[str, Any]:
    """Tell what of tonight's product drift a report shows: the lasting movements, those that are largest, and what they are laid beside."""
    ordered = drift.sort(["psi", "feature"], descending=[True, False])
    lasting, most = ordered.filter("is_alarm"), ordered.filter(~pl.col("is_alarm")).head(MOST_MOVED)
    return {"lasting": lasting.to_dicts(), "most": most.to_dicts(), "usual": drift["usual"].first(), "compared": drift.height}


def tell_shock(shock: pl.DataFrame) -> dict[str, Any] | None:
    """Tell the shock of tonight's product; null on a night without."""
    return {**shock.row(0, named=True), "since": shock["since"].item().isoformat()} if shock.height else None


def say_shock(shock: dict[str, Any] | None) -> str:
    """Say, in Korean and English, since when and why the scorecard scores in shock mode; nothing where it does not."""
    if shock is None:
        return ""
    ko = f"충격 모드: {shock['since']}부터 공식 징후 점수표로 산출합니다. 사유: {shock['because_ko']}."
    return f"{ko} · Shock mode: since {shock['since']} the scorecard of official signs scores, because {shock['because_en']}."


def say_scorecard(summary: dict[str, Any]) -> list[str]:
    """Say on a scorecard night, in a line, why it is one; nothing on another."""
    if summary["shock"]:
        return [f"- **{say_shock(summary['shock'])} {_RESUME}로만 끝납니다. · Only {_RESUME} ends it.**"]
    if summary["model_version"] != ["scorecard"]:
        return []
    return [
        f"- **운영 모형이 없어 공식 징후 점수표로 산출했습니다. · Scored by the scorecard of official signs: {summary['why_scorecard']}.**"
    ]


def list_drift_rows(summary: dict[str, Any], which: str) -> list[tuple[str, ...]]:
    """Write the `lasting` or the `most` moved of a night as rows under `DRIFT_HEADS`, the name first."""
    return [(_say_name(row["feature"], summary["names"]), *_say_moved(row)) for row in summary["drift"][which]]


def say_usual(summary: dict[str, Any]) -> str:
    """Say what tonight's values are laid beside, and how many of them."""
    drift = summary["drift"]
    if not drift["compared"]:
        return "비교할 이전 밤 없음 · there is no earlier night to compare with"
    lasting = f"지속 변동 · lasting: {len(drift['lasting']):,}/{drift['compared']:,}"
    return f"{lasting}; 비교 기준 · compared with: {_USUAL[drift['usual']]}"


def list_outcome_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """Write what came of the nights whose horizon is over, as rows under `OUTCOME_HEADS`; none where nothing is known yet."""
    return [_say_outcome(one) for one in (summary["outcomes"] or {"nights": []})["nights"]]


def _say_name(feature: str, names: dict[str, tuple[str, str]]) -> str:
    return " · ".join(_RISK if feature == "risk" else names.get(feature, (feature, feature))).replace("|", "/")


def _say_moved(row: dict[str, Any]) -> Sequence[str]:
    distance = "–" if row["distance"] is None else f"{row['distance']:.2f}"
    return (f"{row['psi']:.3f}", distance, f"{row['unknown']:.1%}", f"{row['unknown_usual']:.1%}", str(row["since"] or "–"))


def _say_outcome(one: dict[str, Any]) -> tuple[str, ...]:
    foretold, error = (
        "–" if one[name] is None else f"{one[name]:{form}}" for name, form in (("foretold", ",.0f"), ("calibration_error", ".4f"))
    )
    seen = (f"{one[f'came_{name}']:,}{_say_share(one[f'capture_{name}'])}" for name in ("flagged", "listed"))
    return (one["night"], one["model_version"], f"{one['borrowers']:,}", foretold, f"{one['came']:,}", error, *seen)


def _say_share(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%})"
