"""The workbook of one office: summary, call list, one sheet per programme."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from guidance.call_list import ASK_DESK, PLACE_KO
from guidance.catalogue import Catalogue
from guidance.programme import Programme

SUMMARY, CALLS, METHOD = "요약", "상담 목록", "산출 방식"
COUNTS_KO = {
    "borrowers": "상담 대상",
    "with_questions": "여쭤볼 것이 있는 대상",
    "offers": "제안",
    "reserved": "오늘 가배정",
    "held": "이전 가배정",
    "open": "신청 안내",
}
WIDTHS = {"순서": 6, "차주": 20, "단계": 8, "상태": 14, "미갱신": 14, CALLS: 10}
WIDE, LONGEST_SHEET_NAME = 48, 31
NO_MODEL = "공식 징후 점수표 (쓸 수 있는 운영 모형이 없는 날입니다)"
NOTES = (
    "이 목록은 등대가 찾은 대상이며, 결정은 사람이 합니다.",
    "점수나 확률은 싣지 않습니다. 사장님께 '위기', '부실', '선정', '승인'이라는 말을 쓰지 않습니다.",
    "요건이 미확인인 지원은 '여쭤볼 것'에 있는 질문의 답을 듣고 다시 판정합니다.",
    "'미갱신'에 적힌 날수만큼 새 자료가 오지 않았습니다. 그 사이 달라진 것이 있는지 먼저 여쭤 주세요.",
    "'차주'는 가명입니다. 연락처는 기관의 연락처 조회 절차를 따라 확인합니다.",
    "상담 목록에 없는 분의 가배정은 해당 지원사업 담당 창구가 알립니다.",
)


def say_method(model_version: str, shock: str = "") -> str:
    """Say by what a list was scored; `shock` says why the scorecard scores though there is a model (empty: there is none)."""
    return f"운영 모형 {model_version}" if model_version != "scorecard" else shock or NO_MODEL


def describe_pack(office_ko: str, as_of: date, method: str, counts: dict[str, int]) -> list[tuple[str, str | int]]:
    """List what stands on a pack's first sheet: whose it is, of which night, by what it was scored, how much it holds."""
    return [
        ("지원센터", office_ko),
        ("기준일", as_of.isoformat()),
        (METHOD, method),
        *((name_ko, counts[name]) for name, name_ko in COUNTS_KO.items()),
        *(("", note) for note in NOTES),
    ]


def write_workbook(
    file: Path, summary: Sequence[tuple[str, str | int]], calls: pl.DataFrame, places: pl.DataFrame, catalogue: Catalogue, as_of: date
) -> None:
    """Write one office's workbook: Korean headings, text as text (never a formula), the same bytes on a rerun."""
    import xlsxwriter

    created = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC).replace(tzinfo=None)
    with xlsxwriter.Workbook(file) as book:
        book.set_properties({"title": f"{summary[0][1]} {as_of.isoformat()}", "created": created})
        head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "text_wrap": True})
        body = book.add_format({"text_wrap": True, "valign": "top"})
        _write_rows(book.add_worksheet(SUMMARY), ["항목", "내용"], summary, head, body)
        _write_rows(book.add_worksheet(CALLS), calls.columns, calls.rows(), head, body)
        for name in places["programme_id"].unique().sort():
            _write_programme(book, catalogue.programmes.get(name), name, places.filter(pl.col("programme_id") == name), (head, body))


def _write_programme(book: Any, programme: Programme | None, name: str, places: pl.DataFrame, formats: tuple[Any, Any]) -> None:
    sheet = book.add_worksheet(name_sheet(programme.name_ko if programme else name))
    notes = list_notes(programme) if programme else []
    for row, (what, text) in enumerate(notes):
        sheet.write_string(row, 0, what, formats[0])
        sheet.write_string(row, 1, text)
    place = pl.col("place").replace_strict(PLACE_KO, return_dtype=pl.String)
    is_listed = pl.when(pl.col("is_listed")).then(pl.lit("예")).otherwise(pl.lit("아니요"))
    rows = places.select("borrower_id", place, is_listed.alias(CALLS), "amount_krw", "because").rows()
    _write_rows(sheet, ["차주", "구분", CALLS, "금액(원)", "근거"], rows, *formats, top=len(notes) + 1 if notes else 0)


def name_sheet(text: str) -> str:
    """Name a sheet as Excel allows: at most 31 letters, none of its reserved signs.

    >>> name_sheet("희망/리턴")
    '희망 리턴'
    """
    return re.sub(r"[\[\]:*?/\\]", " ", text)[:LONGEST_SHEET_NAME]


def list_notes(programme: Programme) -> list[tuple[str, str]]:
    """List what stands above a programme's names: benefit, where to apply, papers, side effects, how long a place waits."""
    notes = [
        ("지원사업", programme.name_ko), ("운영기관", programme.operator_ko), ("지원 내용", programme.amount_ko),
        ("신청", programme.apply.channel_ko), ("전화", ", ".join(programme.apply.phone) or ASK_DESK),
        ("서류", ", ".join(programme.documents_ko) or ASK_DESK), ("알아 둘 점", " / ".join(programme.side_effects_ko)),
    ]  # fmt: skip
    if programme.mode == "allot":
        notes.append(
            ("가배정 기간", f"{programme.hold_days}일 동안 유지됩니다. 그 사이 확정되지 않으면 만료되고, 자리는 물량으로 돌아갑니다")
        )
    return notes


def _write_rows(sheet: Any, heads: list[str], rows: Any, head: Any, body: Any, *, top: int = 0) -> None:
    for column, text in enumerate(heads):
        sheet.write_string(top, column, text, head)
        sheet.set_column(column, column, WIDTHS.get(text, WIDE))
    sheet.freeze_panes(top + 1, 0)
    for number, row in enumerate(rows, start=top + 1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value, body)
            else:
                sheet.write_string(number, column, value or "", body)
