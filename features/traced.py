"""A traced feature in words and plain values, for a terminal and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from features.feature import Feature
from features.trace import Part
from signals.tables import TABLES

_TOLD = ("known_on", "pulled_from", "file", "line", "versions")


def describe_trace(
    feature: Feature,
    value: float | None,
    parts: Sequence[Part],
    told: Mapping[str, pl.DataFrame],
    kept: tuple[bool, float | None],
    peers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Describe a traced feature as plain values: what it is, its value now and as the night kept it, and the rows of each part.

    `told` holds, by table, the newest versions with who told them (`signals.provenance.find_rows`); `kept` whether the night kept a
    value, and which; `peers` the numbers it is compared with (`trace_peers`).
    """
    in_ko, in_en = feature.say(value)
    return {
        "feature": feature.name, "label_ko": feature.label_ko, "label_en": feature.label_en, "theme": feature.theme,
        "meaning": feature.meaning, "unit": feature.unit, "null_means": feature.null_means, "value": value,
        "text_ko": in_ko, "text_en": in_en, "is_kept": kept[0], "value_kept": kept[1],
        "peers": [dict(one) for one in peers],
        "parts": [_describe_part(part, told.get(part.table)) for part in parts],
    }  # fmt: skip


def _describe_part(part: Part, told: pl.DataFrame | None) -> dict[str, Any]:
    rows = part.rows if told is None or not part.rows.width else _add_tellers(part.rows, told, TABLES[part.table].key)
    return {"words": part.words, "value": part.value, "missing": part.missing, "left_out": part.left_out, "rows": rows.to_dicts()}


def _add_tellers(rows: pl.DataFrame, told: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Add who told each row; null where a person's correction stands in its place."""
    alike = [name for name in rows.columns if name in told.columns and rows[name].dtype in (pl.String, pl.Date)]
    shared = list(key) if set(key) <= set(rows.columns) else alike
    tellers = told.select(*shared, *_TOLD).unique(shared, keep="first", maintain_order=True)
    return rows.join(tellers, on=shared, how="left", nulls_equal=True, maintain_order="left")


def list_trace_rows(traced: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write a described trace as pairs of a name, in both languages, and what is to be said of it."""
    rows = [("뜻 · meaning", f"{traced['meaning']} ({traced['unit']}; {traced['label_en']})")]
    rows += [("값 · value", _say_value(traced["value"])), ("문장 · sentence", f"{traced['text_ko']}\n{traced['text_en']}")]
    if traced["value"] is None:
        rows += [("값이 없는 이유 · why unknown", traced["null_means"])]
    rows += [("견준 점포 · peers", _say_peers(one)) for one in traced["peers"]]
    return [*rows, ("그날 밤의 값 · kept by the night", _say_kept(traced)), *(row for part in traced["parts"] for row in _list_part(part))]


def _say_peers(one: Mapping[str, Any]) -> str:
    usual = f"중앙값 · median of {one['shops'] or 0:,} shops {_say_value(one['median'])}"
    return f"{one['measure']}: 이 점포 · own {_say_value(one['own'])}; {usual}"


def _say_kept(traced: Mapping[str, Any]) -> str:
    if not traced["is_kept"]:
        return "아직 없습니다 · this night kept none"
    same = traced["value"] == traced["value_kept"]
    return f"{_say_value(traced['value_kept'])} ({'같음 · the same' if same else '다름: 그 뒤 정정 또는 삭제됨 · another: corrected or erased since'})"


def _list_part(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    head = [("집계 · aggregate", f"{part['words']} = {_say_value(part['value'])}")]
    if part["missing"]:
        return [*head, ("자료 없음 · not supplied", ", ".join(part["missing"]))]
    said = [
        "; ".join(f"{name} {value}" for name, value in row.items() if value is not None and name != "borrower_id") for row in part["rows"]
    ]
    return [*head, *(("  행 · row", text) for text in said), ("  제외된 행 · rows left out", f"{part['left_out']:,}")]


def _say_value(value: float | None) -> str:
    return "모름 · unknown" if value is None else f"{value:,.10g}"
