"""What a backtest found, for a person to read: the verdict first, then figures, kinds of shop and what may leak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.fairness import KINDS as GROUPS
from models.fairness import RATES
from models.figures import SHARES

if TYPE_CHECKING:
    from rich.console import Console

NAMES = {
    "model": "모형 · model",
    "days_past_due": "연체일수 · days past due",
    "logistic": "로지스틱 · logistic",
    "scorecard": "공식 기준 · official rules",
}
_AT = {f"at_{pct}pct": (f"상위 {pct}%", f"top {pct} %") for pct in SHARES}
_AT |= {"at_capacity": ("지원센터 주간 물량", "office capacity"), "at_caution": ("주의 이상", "caution"), "at_alert": ("경보", "alert")}
FIGURES = {
    "auc": "AUC",
    "average_precision": "평균 정밀도 · average precision",
    "brier": "브라이어 · Brier",
    "calibration_error": "보정 오차 · calibration error",
    "calibration_in_the_large": "예측 − 관측 · in the large",
    **{
        f"{kind}_{at}": f"{ko} {kind_ko} · {kind}, {en}"
        for at, (ko, en) in _AT.items()
        for kind, kind_ko in (("precision", "정밀도"), ("recall", "재현율"))
    },
    "f2_at_caution": "주의 F2 · F2 at caution",
    "f2_of_own": "자체 위험 기준 주의 F2 · F2 by its own risk",
    "f05_at_alert": "경보 F0.5 · F0.5 at alert",
    "lead_days_median": "선행 일수, 상위 5% · lead days, top 5 %",
    "lead_days_first_flag_median": "선행 일수, 첫 선별부터 · lead days from the first flag",
}
KINDS = {
    "feature": "단독으로 결과를 가려냄 · tells the outcome by itself",
    "nulls": "결측 여부가 결과를 가려냄 · whether it is known tells the outcome",
    "rounding": "반올림 정도가 결과를 가려냄 · how round it is tells the outcome",
    "jump": "무작위 평가가 기간 외 평가보다 크게 높음 · at random far better than out of time",
}
SEGMENTS = {
    "capital": "수도권 · capital region", "region": "지역 · region", "industry": "업종 · industry",
    "size": "규모 · size", "employees": "상시근로자 · employees", "age": "업력 · age of the shop",
}  # fmt: skip
SHORT = (
    "auc", "average_precision", "calibration_error", "calibration_in_the_large", "precision_at_5pct", "recall_at_5pct",
    "precision_at_capacity", "recall_at_capacity", "f2_at_caution", "f2_of_own", "f05_at_alert", "lead_days_first_flag_median",
)  # fmt: skip
SHOWN = ("borrowers", "defaults", "auc", "average_precision", "calibration_in_the_large", "precision_at_caution", "recall_at_caution")


def tabulate_figures(figures: Mapping[str, Any], *, is_short: bool = False) -> list[tuple[str, ...]]:
    """Tabulate a backtest: one row per figure that could be measured, its name first, then each contender with its interval.

    The short form has the figures that fit a screen, and the model's intervals alone.
    """
    contenders = [figures, *figures["baselines"].values()]
    names = [name for name in (SHORT if is_short else FIGURES) if any(one.get(name) is not None for one in contenders)]
    return [(FIGURES[name], *(_say_figure(one, name, has_interval=one is figures or not is_short) for one in contenders)) for name in names]


def tell_remarks(figures: Mapping[str, Any]) -> list[str]:
    """Tell, a line each, what the table does not hold: honesty of the trial, what may leak, the list's churn, the other horizon."""
    when = "기간 외 · out of time" if figures["is_out_of_time"] else "기간 외 평가 아님 · NOT out of time"
    left = f"위기 {figures['excluded_in_crisis']:,} · {figures['excluded_in_crisis']:,} already in crisis left out"
    lines = [f"{when}; {figures['borrowers']:,} borrowers, {figures['defaults']:,} defaults; {left}"]
    for name, words in (("churn_at_capacity", "명단 교체율 · new on the list"), ("churn_of_flagged", "선별 교체율 · newly flagged")):
        known = [share for share in figures.get(name, {}).values() if share is not None]
        lines += [f"{words}: {sum(known) / len(known):.0%}"] if known else []
    if None not in (own := figures.get("f2_of_own"), ruled := figures.get("f2_at_caution")):
        lines.append(
            f"고정 규칙 전후 F2 · F2 before and after the fixed rules (15 days overdue, public adjustment): {own:.3f}, {ruled:.3f}"
        )
    return [*lines, *_tell_beside(figures.get("beside", {})), *_tell_audit(figures.get("audit")), *tell_unfair(figures.get("fairness", []))]


def tell_unfair(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell, a line each, which group's flags lie beyond a bar from everyone's."""
    return [
        f"공정성 · fairness: {GROUPS[one['kind']]} {one['group']}: {RATES[rate][0]} · {RATES[rate][1]} {_say_figure(one, rate)}"
        for one in groups
        for rate in one["warns"]
    ]


def _tell_beside(beside: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{days}일 · {days} days: AUC {_say_figure(one, 'auc')}, average precision {_say_figure(one, 'average_precision')} ({len(one['origins'])} origins)"
        if one["is_finished"]
        else f"{days}일 · {days} days: 아직 끝나지 않음 · unfinished"
        for days, one in beside.items()
    ]


def _tell_audit(audit: Mapping[str, Any] | None) -> list[str]:
    if audit is None:
        return []
    if audit["is_clean"] is None:
        return ["누출 점검 · leakage audit: 채무불이행이 너무 적어 판단 못함 · too few defaults to judge"]
    if audit["is_clean"]:
        return [f"누출 점검 · leakage audit: 의심 없음 · nothing named among {audit['features']} features"]
    return [
        f"누출 의심 · possible leak: {one.get('feature', '')} {KINDS[one['kind']]} ({one['auc']:.3f})".replace("  ", " ")
        for one in audit["named"]
    ]


def write_report(figures: Mapping[str, Any]) -> str:
    """Write the report of a backtest as Markdown; every figure in it comes from `figures`."""
    verdict = figures["verdict"]
    lines = [
        f"# 사후 검증 · Backtest at {', '.join(figures['origins'])}, {figures['horizon_days']} days",
        "",
        f"**{verdict['text_ko']} {verdict['text_en']}**",
        "",
        *(f"- {remark}" for remark in tell_remarks(figures)),
        "",
        "95 % intervals in brackets: resamples of borrowers.",
        "",
        *_write_table(("", *NAMES.values()), tabulate_figures(figures)),
    ]
    for kind, segments in figures.get("segments", {}).items():
        rows = [(name, *(_say_figure(one, figure) for figure in SHOWN)) for name, one in segments.items()]
        lines += [
            "",
            f"## {SEGMENTS[kind]}",
            "",
            *(_write_table((SEGMENTS[kind], *SHOWN), rows) if rows else ["미확인 · unknown of everyone"]),
        ]
    lines += _write_fairness(figures.get("fairness", []))
    if offices := figures.get("offices"):
        names = ("weekly_capacity", "borrowers", "defaults", "precision_at_capacity", "recall_at_capacity")
        rows = [(name, *(_say_figure(one, figure) for figure in names)) for name, one in offices.items()]
        lines += ["", "## 지원센터 · Offices", "", *_write_table(("", *names), rows)]
    return "\n".join(lines) + "\n"


def _write_fairness(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """The flags group by group; a rate beyond its bar is marked."""
    if not groups:
        return []
    head = ("", "", "borrowers", "defaults", *(f"{ko} · {en}" for ko, en in RATES.values()))
    rows = [
        (
            KINDS.get(one["kind"], ""),
            one["group"],
            f"{one['borrowers']:,}",
            f"{one['defaults']:,}",
            *(_say_rate(one, rate) for rate in RATES),
        )
        for one in groups
    ]
    note = "⚠: 전체와 기준 이상 차이, 95% 구간 전체 · beyond its bar from everyone, with the whole interval."
    return ["", "## 공정성 · Fairness of the flags", "", note, "", *_write_table(head, rows)]


def _say_rate(one: Mapping[str, Any], rate: str) -> str:
    return _say_figure(one, rate) + (" ⚠" if rate in one["warns"] else "")


def _write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _say_figure(figures: Mapping[str, Any], name: str, *, has_interval: bool = True) -> str:
    figure, interval = figures.get(name), figures.get(f"{name}_interval")
    if figure is None:
        return "–"
    if isinstance(figure, int):
        return f"{figure:,}"
    form = ".0f" if name.startswith("lead_days") else ".4f" if name == "brier" or name.startswith("calibration") else ".3f"
    return f"{figure:{form}}" + (f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval and has_interval else "")


def show_report(figures: Mapping[str, Any], console: Console) -> None:
    """Print a backtest on a console: the verdict first, then the table and the remarks."""
    from rich.table import Table

    verdict = figures["verdict"]
    mark = {True: "green", False: "bold red", None: "yellow"}[verdict["is_ahead"]]
    for text in (verdict["text_ko"], verdict["text_en"]):
        console.print(text, style=mark)
    head = ("", *(name.replace(" · ", "\n") for name in NAMES.values()))
    table = Table(*head, title=f"사후 검증 · backtest, {figures['horizon_days']} days")
    for row in tabulate_figures(figures, is_short=True):
        table.add_row(row[0].replace(" · ", "\n"), row[1].replace(" [", "\n["), *row[2:])
    console.print(table)
    for remark in tell_remarks(figures):
        console.print(remark, markup=False)
