"""The model's card as a page: one file without a script or anything from elsewhere, in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from models.calibration import Calibration
from models.card import tell_lot
from models.card_law import DUTIES, LIMITS
from models.charts import can_draw, draw_calibration, draw_contenders
from models.fairness import KINDS, RATES

NAMES = {
    "model": "모형 · model",
    "days_past_due": "연체일수 · days past due",
    "logistic": "로지스틱 · logistic",
    "scorecard": "공식 징후 점수표 · scorecard",
}
FIGURES = {
    "auc": "AUC",
    "average_precision": "평균 정밀도 · average precision",
    "brier": "브라이어 점수 · Brier",
    "calibration_error": "보정 오차 · calibration error",
    "calibration_in_the_large": "예측 − 실제 · in the large",
    "precision_at_5pct": "정밀도, 상위 5% · precision in the top 5 %",
    "recall_at_5pct": "재현율, 상위 5% · recall in the top 5 %",
    "f2_at_caution": "주의 이상 F2 · F2 at caution",
    "f05_at_alert": "경보 이상 F0.5 · F0.5 at alert",
    "lead_days_median": "선행 일수 중앙값 · median lead days",
}
_WAYS = {1: "위험을 높일 수만 있음 · may only raise the risk", -1: "위험을 낮출 수만 있음 · may only lower it", 0: "정하지 않음 · either"}
_LOOKS = """
body{font:16px/1.6 "Noto Sans KR","Malgun Gothic","Apple SD Gothic Neo",sans-serif;color:#22262b;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #d5d9de;padding-bottom:.2rem}
table{border-collapse:collapse;margin:.8rem 0;display:block;overflow-x:auto}td,th{border:1px solid #d5d9de;padding:.25rem .6rem;text-align:left;vertical-align:top}
th{background:#f3f5f7;font-weight:600}.first{border-left:.3rem solid #b3261e;padding:.4rem .8rem;background:#fbeceb}.good{border-color:#1f7a3d;background:#ebf5ee}
.note{color:#5b636c;font-size:.9rem}svg{max-width:100%;height:auto}figure{margin:1rem 0}@media print{body{margin:0;max-width:none}}
"""


def write_page(model: Mapping[str, Any]) -> str:
    """Write the card of a model from what `model.json` holds, as HTML; every figure in it comes from there."""
    title = f"모형 카드 · Model card · {model['version']}"
    trial = model["about"].get("evaluation", {})
    parts = [
        f"<h1>{escape(title)}</h1>",
        *(_write_verdict(trial) if trial else []),
        *_write_data(model),
        *(_write_trial(trial) if trial else []),
        *_write_levels(model),
        *_write_fairness(trial.get("fairness") or []),
        *_write_features(model["features"]),
        *_section("한계 · Limits", [_list(LIMITS)]),
        *_section("법이 요구하는 것 · What the law asks", [_table(["법 · law", "요구 · what it asks", "따라서 · so"], DUTIES)]),
    ]
    head = f'<meta charset="UTF-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>{escape(title)}</title>'
    return f'<!DOCTYPE html><html lang="ko"><head>{head}<style>{_LOOKS}</style></head><body>{"".join(parts)}</body></html>\n'


def _write_verdict(trial: Mapping[str, Any]) -> list[str]:
    """Said first: whether it is ahead of the simple rankers, by the trial's own verdict where it gives one."""
    behind = [NAMES.get(name, name) for name, one in trial["baselines"].items() if (one["auc"] or 0) >= (trial["auc"] or 0)]
    told = trial.get("verdict") or {}
    is_ahead = told.get("is_ahead", not behind)
    plain = f"앞서지 못한 기준 · Not ahead of: {', '.join(behind)}" if behind else "모든 기준보다 앞섬 · Ahead of every simple ranker."
    words = (told["text_ko"], told["text_en"]) if "text_ko" in told else (plain,)
    stand_in = [] if "text_ko" in told or not trial["is_scorecard"] else ["점수표가 모형을 대신함 · the scorecard stood in for the model"]
    when = [] if trial["is_out_of_time"] else ["기간 외 평가가 아님 · NOT out of time"]
    said = "<br>".join(escape(text) for text in (*words, *stand_in, *when))
    return [f'<p class="first{" good" if is_ahead and not when else ""}">{said}</p>']


def _write_data(model: Mapping[str, Any]) -> list[str]:
    about, origins = model["about"], model["origins"]
    rows = [
        ("예측 대상 · foretells", f"{model['horizon_days']}일 이내 채무불이행 · a default within {model['horizon_days']} days"),
        ("자료 기준일 · known by", model["known_by"]),
        ("관찰 시점 · origins", f"{origins[0]} – {origins[-1]} ({len(origins)})"),
        ("행 · rows", f"{about['rows']:,}"),
        ("차주 · borrowers", f"{about['borrowers']:,}"),
        ("채무불이행 차주 · with a default", f"{about['defaults']:,}"),
        ("기저율 · base rate", f"{about['base_rate']:.4f}"),
        ("나무 · trees", f"{about['rounds']}{' (가법: 자료가 적음 · additive: thin data)' if about['is_thin'] else ''}"),
        ("표본 · what it learned from", tell_lot(about).strip() or "전부 · all"),
        ("학습 자료 해시 · hash of the rows", about.get("rows_hash", "–")),
    ]
    return _section("자료와 기간 · Data and window", [_table([], rows)])


def _write_trial(trial: Mapping[str, Any]) -> list[str]:
    contenders = {NAMES["model"]: trial, **{NAMES.get(name, name): one for name, one in trial["baselines"].items()}}
    named = {key: words for key, words in FIGURES.items() if any(one.get(key) is not None for one in contenders.values())}
    rows = [(words, *(_say(one, key) for one in contenders.values())) for key, words in named.items()]
    counted = (
        f"{', '.join(trial['origins'])}: 차주 · borrowers {trial['borrowers']:,}, 채무불이행 · defaults {trial['defaults']:,}; "
        f"이미 위기인 차주 제외 · already in crisis, left out {trial['excluded_in_crisis']:,}; "
        f"나중에 알려진 채무불이행 제외 · in default before, known later {trial['excluded_already_in_default']:,}"
    )
    note = "대괄호는 95% 구간 · In brackets: 95 % intervals." if any(f"{key}_interval" in trial for key in named) else ""
    table = [_note(counted), _table(["", *contenders], rows), *([_note(note)] if note else [])]
    charts = [_figure(contenders, key, FIGURES[key]) for key in ("auc", "average_precision") if key in named and can_draw()]
    return _section("평가 · Trial", [*table, *charts])


def _figure(contenders: Mapping[str, Mapping[str, Any]], key: str, words: str) -> str:
    return f"<figure>{draw_contenders(contenders, key, words)}</figure>"


def _write_levels(model: Mapping[str, Any]) -> list[str]:
    calibration = Calibration.from_json(model["calibration"])
    bounds, named = model["thresholds"], {"watch": "관심 · watch", "caution": "주의 · caution", "alert": "경보 · alert"}
    rows = [(name, f"{bounds[key]:.4f}") for key, name in named.items()]
    how = "승격할 때 이 값으로 정해집니다. · Fixed at these values when the model is promoted."
    note = _note(f"{how} 보정 · calibration: {calibration.kind}")
    chart = f"<figure>{draw_calibration(calibration, bounds)}</figure>" if can_draw() else _note("그림 없음 · no charts: vl-convert-python")
    return _section("단계 기준 · Levels, from a risk of", [_table([], rows), note, chart])


def _write_fairness(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One row per group, as of `fairness.measure_fairness`."""
    if not rows:
        return []
    heads = ["", "집단 · group", "차주 · borrowers", "채무불이행 · defaults", *(f"{ko} · {en}" for ko, en in RATES.values())]
    table = [
        (
            KINDS.get(row["kind"], "전체 · everyone"),
            row["group"],
            *(_say(row, key) for key in ("borrowers", "defaults")),
            *(_mark(row, rate) for rate in RATES),
        )
        for row in rows
    ]
    note = "⚠: 전체와 기준 이상 차이(95% 구간 전체) · beyond its bar from everyone, with the whole interval. 나이와 성별은 이 표에만 쓰입니다. · Age and sex serve this table alone."
    return _section("공정성 · Fairness of the flags", [_note(note), _table(heads, table)])


def _mark(row: Mapping[str, Any], rate: str) -> str:
    return _say(row, rate) + (" ⚠" if rate in row["warns"] else "")


def _write_features(features: Mapping[str, int]) -> list[str]:
    rows = [(name, _WAYS[(way > 0) - (way < 0)]) for name, way in features.items()]
    return _section("변수와 방향 · Features and direction", [_table(["변수 · feature", "방향 · direction"], rows)])


def _say(figures: Mapping[str, Any], key: str) -> str:
    figure, interval = figures.get(key), figures.get(f"{key}_interval")
    if figure is None or isinstance(figure, str):
        return figure or "–"
    form = ",.0f" if isinstance(figure, int) or key.startswith("lead_days") else ".4f"
    return f"{figure:{form}}" + (f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else "")


def _section(title: str, parts: Sequence[str]) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", *parts]


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _list(pairs: Sequence[tuple[str, str]]) -> str:
    points = (f'<li>{escape(ko)}<br><span class="note">{escape(en)}</span></li>' for ko, en in pairs)
    return f"<ul>{''.join(points)}</ul>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>" if heads else ""
    body = "".join(f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(text)}</td>' for text in row[1:])}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"
