"""The office packs: the office's own people, words one can say, files that Korean Excel opens and nothing can run in."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from guidance.catalogue import load_catalogue
from guidance.packs import PackNight, write_packs
from guidance.workbook import CALLS, SUMMARY
from signals.errors import SettingsError
from signals.offices import Office
from signals.products import PRODUCTS

AS_OF = date(2026, 9, 30)
VOUCHER, WORKOUT = "management_stability_voucher", "pre_delinquency_workout"
SEOUL = Office("seoul", "서울 센터", "Seoul", ("11",), 60, "")
JEJU = Office("jeju", "제주 센터", "Jeju", ("50",), 8, "")
REST = Office("rest", "본부", "Head office", (), 10, "")
OFFICES = (SEOUL, JEJU, REST)


def product(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    columns = dict(PRODUCTS[name].columns)
    return pl.DataFrame([{column: row.get(column) for column in columns} for row in rows], schema=columns)


def person(name: str, office: str, rank: int, **said: Any) -> dict[str, Any]:
    return {
        "borrower_id": name,
        "office": office,
        "rank": rank,
        "risk": 0.4321,
        "raw_score": 0.9,
        "level": "alert",
        "owner_state": "early_arrears",
        "is_listed": True,
        **said,
    }


SCORES = product(
    "scores", person("=baker", "seoul", 7), person("florist", "seoul", 3, level="distressed", owner_state="arrears_90"), person("diver", "jeju", 1),
    person("waiting", "seoul", 90, level="watch", owner_state="watch", is_listed=False), person("unseen", "seoul", 91, level="watch", owner_state="watch", is_listed=False),
)  # fmt: skip
REASONS = product(
    "reasons",
    *({"borrower_id": "=baker", "position": place, "feature": feature, "theme": theme, "contribution": 1.2345, "value": 9.0, "text_ko": text, "text_en": "e"}
      for place, feature, theme, text in [(1, "balance_krw", "debt burden", "빚이 모두 3억 원입니다"), (2, "days_past_due", "repayment behaviour", "+연체가 12일째입니다"),
                                          (3, "sales_change_yoy", "sales", "매출이 줄었습니다"), (4, "arrears_krw", "arrears", "전기요금이 밀렸습니다"),
                                          (5, "enquiries_3m", "credit standing", "조회가 늘었습니다")]),
    {"borrower_id": "diver", "position": 1, "feature": "days_past_due", "theme": "repayment behaviour", "value": 3.0, "text_ko": "해녀의 집 연체", "text_en": "e"},
)  # fmt: skip
VERDICTS = product(
    "verdicts",
    {
        "borrower_id": "=baker",
        "programme_id": VOUCHER,
        "is_eligible": None,
        "questions": ["2025년에 신고한 매출이 얼마인가요?", "언제 개업하셨나요?"],
        "unmet": [],
    },
    {"borrower_id": "=baker", "programme_id": WORKOUT, "is_eligible": None, "questions": ["언제 개업하셨나요?"], "unmet": []},
    {
        "borrower_id": "=baker",
        "programme_id": "hope_return_package",
        "is_eligible": None,
        "questions": ["폐업을 생각하고 계신가요?"],
        "unmet": [],
    },
    {"borrower_id": "=baker", "programme_id": "new_start_fund", "is_eligible": False, "questions": ["이미 안 되는 질문"], "unmet": ["x"]},
)


def offer(name: str, programme: str, place: str, amount: int | None = None) -> dict[str, Any]:
    return {"borrower_id": name, "programme_id": programme, "place": place, "amount_krw": amount, "because": "까닭"}


ASSIGNMENTS = product(
    "assignments", offer("=baker", VOUCHER, "reserved", 250_000), offer("=baker", WORKOUT, "open"), offer("diver", WORKOUT, "open"),
    offer("waiting", VOUCHER, "held", 250_000), offer("unseen", WORKOUT, "open"),
)  # fmt: skip
NIGHT = PackNight(AS_OF, "model-1", load_catalogue(), SCORES, REASONS, VERDICTS, ASSIGNMENTS)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    write_packs(tmp_path / "as_of=2026-09-30", NIGHT, OFFICES)
    return tmp_path / "as_of=2026-09-30"


def calls(packs: Path, office: str = "seoul") -> list[dict[str, str]]:
    with (packs / office / "call_list.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def all_text(folder: Path) -> str:
    book = openpyxl.load_workbook(folder / "pack.xlsx")
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    return "\n".join([*cells, (folder / "call_list.csv").read_text(encoding="utf-8-sig"), (folder / "manifest.json").read_text()])


def test_every_office_has_its_folder_of_three_files(packs: Path) -> None:
    assert sorted(str(file.relative_to(packs)) for file in packs.rglob("*.*")) == [
        f"{office}/{name}" for office in ("jeju", "rest", "seoul") for name in ("call_list.csv", "manifest.json", "pack.xlsx")
    ]


def test_the_call_list_stands_in_case_order_with_korean_words(packs: Path) -> None:
    rows = calls(packs)
    assert [(row["순서"], row["차주"], row["단계"], row["상태"]) for row in rows] == [
        ("1", "florist", "부실", "연체 90일 이상"),
        ("2", "'=baker", "경보", "연체 1~30일"),
    ]


def test_at_most_three_reasons_are_told_and_never_the_whole_debt(packs: Path) -> None:
    assert calls(packs)[1]["판단 근거"] == "'+연체가 12일째입니다 / 매출이 줄었습니다 / 전기요금이 밀렸습니다"


@pytest.mark.parametrize(
    ("is_stale", "days", "said"), [(True, 62, "62일 전 자료"), (False, 12, ""), (None, None, ""), (True, None, "받은 월별 자료 없음")]
)
def test_a_stale_borrowers_line_says_how_old_the_news_is(tmp_path: Path, is_stale: bool | None, days: int | None, said: str) -> None:
    scores = product("scores", person("diver", "jeju", 1, is_stale=is_stale, stale_days=days))
    assert diver_row(tmp_path, scores=scores)["미갱신"] == said
    book = openpyxl.load_workbook(tmp_path / "p" / "jeju" / "pack.xlsx")
    told = dict(zip(*book[CALLS].iter_rows(max_row=2, values_only=True), strict=True))
    assert (told["미갱신"] or "") == said


def test_questions_are_asked_once_and_only_where_the_answer_opens_something_on_the_ladder(packs: Path) -> None:
    assert calls(packs)[1]["여쭤볼 것"] == (
        "[신속채무조정, 경영안정 바우처] 언제 개업하셨나요? / [경영안정 바우처] 2025년에 신고한 매출이 얼마인가요?"
    )


def diver_row(folder: Path, **changes: Any) -> dict[str, str]:
    """The one row of Jeju's list, on a night with some changes."""
    write_packs(folder / "p", replace(NIGHT, **changes), OFFICES)
    return calls(folder / "p", "jeju")[0]


def diver_reasons(*said: tuple[str, float | None, str]) -> pl.DataFrame:
    rows = enumerate(said, start=1)
    return product(
        "reasons",
        *(
            {"borrower_id": "diver", "position": place, "feature": text, "theme": theme, "value": value, "text_ko": text}
            for place, (theme, value, text) in rows
        ),
    )


TOLD = [
    ("early_arrears", [("arrears", None, "모름"), ("arrears", 0, "체납 없음"), ("sales", 0, "매출 그대로")], "매출 그대로"),
    ("early_arrears", [("repayment", 9, "가"), ("repayment", 8, "나"), ("debt", 7, "다"), ("debt", 6, "라"), ("arrears", 5, "마"), ("credit", 4, "바")], "가 / 다 / 마"),
    ("closed", [("sales", -0.5, "매출 감소"), ("business profile", 2, "업력"), ("repayment", 1, "연체")], "연체"),
    ("early_arrears", [("sales", -0.5, "매출 감소"), ("business profile", 2, "업력"), ("repayment", 1, "연체")], "매출 감소 / 업력 / 연체"),
    ("closed", [("sales", -0.5, "매출 감소"), ("business profile", 2, "업력")], "매출 감소"),
    ("early_arrears", [("arrears", 0, "체납 없음"), ("credit", None, "모름")], "체납 없음"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "said", "told"), TOLD)
def test_only_reasons_with_news_are_told_one_per_theme_and_the_first_where_there_is_none(
    tmp_path: Path, state: str, said: list[tuple[str, float | None, str]], told: str
) -> None:
    scores = product("scores", person("diver", "jeju", 1, owner_state=state))
    assert diver_row(tmp_path, scores=scores, reasons=diver_reasons(*said))["판단 근거"] == told


@pytest.mark.parametrize(
    ("state", "programme", "lead"),
    [("closed", "hope_return_package", "요건 확인을 위해 여쭙습니다: "), ("early_arrears", WORKOUT, "")],
)
def test_a_closed_shop_is_told_once_why_it_is_asked(tmp_path: Path, state: str, programme: str, lead: str) -> None:
    scores = product("scores", person("diver", "jeju", 1, owner_state=state))
    open_ended = {"borrower_id": "diver", "programme_id": programme, "is_eligible": None, "questions": ["하나?", "둘?"], "unmet": []}
    name = load_catalogue().programmes[programme].name_ko
    asked = diver_row(tmp_path, scores=scores, verdicts=product("verdicts", open_ended))["여쭤볼 것"]
    assert asked == f"{lead}[{name}] 하나? / [{name}] 둘?"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("in_adjustment", "채무조정 이행 중입니다. 조정 기관(신용회복위원회 1600-5500)"),
        ("arrears_90", "지금 안내할 수 있는 지원이 없습니다."),
    ],
)
def test_where_there_is_neither_offer_nor_question_the_list_says_what_to_do(tmp_path: Path, state: str, said: str) -> None:
    scores = product("scores", person("diver", "jeju", 1, owner_state=state))
    assert diver_row(tmp_path, scores=scores, assignments=product("assignments"))["제안 1"].startswith(said)


def test_where_there_is_a_question_no_other_advice_takes_the_place_of_an_offer(tmp_path: Path) -> None:
    write_packs(tmp_path / "p", replace(NIGHT, assignments=product("assignments")), OFFICES)
    assert [bool(row["제안 1"]) for row in calls(tmp_path / "p")] == [True, False]


def test_offers_stand_in_ladder_order_with_place_papers_and_phone(packs: Path) -> None:
    row = calls(packs)[1]
    assert row["제안 1"].startswith("[신청 안내] 신속채무조정: ")
    assert "전화: 1600-5500" in row["제안 1"]
    assert row["제안 2"].startswith("[가배정] 경영안정 바우처: 최대 25만 원")
    assert "서류: 접수처에 확인" in row["제안 2"]
    assert row["제안 3"] == ""


def test_no_more_than_three_offers_are_made(tmp_path: Path) -> None:
    names = [VOUCHER, WORKOUT, "new_start_fund", "hope_return_package"]
    write_packs(
        tmp_path / "p", replace(NIGHT, assignments=product("assignments", *(offer("diver", name, "open") for name in names))), OFFICES
    )
    assert [bool(value) for name, value in calls(tmp_path / "p", "jeju")[0].items() if name.startswith("제안")] == [True, True, True]


def test_nobody_of_another_office_is_in_a_pack(packs: Path) -> None:
    assert "diver" not in all_text(packs / "seoul")
    assert "해녀" not in all_text(packs / "seoul")
    assert not any(name in all_text(packs / "jeju") for name in ("baker", "florist", "waiting"))
    assert not any(name in all_text(packs / "rest") for name in ("baker", "florist", "waiting", "diver"))


def test_no_probability_contribution_or_score_is_in_a_pack(packs: Path) -> None:
    text = all_text(packs / "seoul")
    assert not any(number in text for number in ("0.4321", "43.2", "1.2345", "0.9"))


def test_the_csv_opens_in_korean_excel_and_no_cell_can_run(packs: Path) -> None:
    data = (packs / "seoul" / "call_list.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in calls(packs) for cell in row.values())


def test_the_workbook_has_summary_calls_and_a_sheet_per_programme_all_text_as_text(packs: Path) -> None:
    book = openpyxl.load_workbook(packs / "seoul" / "pack.xlsx")
    assert book.sheetnames == [SUMMARY, CALLS, "경영안정 바우처", "신속채무조정"]
    assert [book[CALLS].cell(row, 2).value for row in (2, 3)] == ["florist", "=baker"]
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert book.properties.created == datetime(2026, 9, 30)  # noqa: DTZ001  files know no zone
    assert dict(book[SUMMARY].iter_rows(min_row=2, max_row=6, values_only=True))["상담 대상"] == 2


def test_a_place_of_an_owner_not_listed_stands_on_the_programme_sheet_and_a_mere_offer_does_not(packs: Path) -> None:
    book = openpyxl.load_workbook(packs / "seoul" / "pack.xlsx")
    rows = list(book["경영안정 바우처"].iter_rows(values_only=True))
    assert rows[-3:] == [
        ("차주", "구분", "상담 목록", "금액(원)", "근거"),
        ("=baker", "가배정", "예", 250_000, "까닭"),
        ("waiting", "이전 가배정", "아니요", 250_000, "까닭"),
    ]
    assert "unseen" not in all_text(packs / "seoul")


def test_an_allotted_programmes_sheet_says_how_long_a_place_waits_and_a_guided_ones_does_not(packs: Path) -> None:
    book = openpyxl.load_workbook(packs / "seoul" / "pack.xlsx")
    notes = {name: dict(book[name].iter_rows(max_col=2, values_only=True)) for name in ("경영안정 바우처", "신속채무조정")}
    assert notes["경영안정 바우처"]["가배정 기간"].startswith("30일 동안 유지됩니다. 그 사이 확정되지 않으면 만료되고")
    assert "가배정 기간" not in notes["신속채무조정"]


@pytest.mark.parametrize("said", ["'미갱신'에 적힌 날수만큼", "'차주'는 가명입니다", "연락처 조회 절차", "담당 창구가 알립니다", "'부실'"])
def test_the_first_sheet_says_what_a_caseworker_must_know(packs: Path, said: str) -> None:
    sheet = openpyxl.load_workbook(packs / "seoul" / "pack.xlsx")[SUMMARY]
    assert any(said in str(text) for _, text in sheet.iter_rows(values_only=True))


def test_the_manifest_is_true(packs: Path) -> None:
    manifest = json.loads((packs / "seoul" / "manifest.json").read_text())
    assert (manifest["as_of"], manifest["model_version"], manifest["catalogue_hash"]) == (
        "2026-09-30",
        "model-1",
        load_catalogue().catalogue_hash,
    )
    assert manifest["counts"] == {"borrowers": 2, "with_questions": 1, "offers": 3, "reserved": 1, "held": 1, "open": 1}
    assert sorted(manifest["files"]) == ["call_list.csv", "pack.xlsx"]
    for name, said in manifest["files"].items():
        data = (packs / "seoul" / name).read_bytes()
        assert (said["sha256"], said["bytes"]) == (sha256(data).hexdigest(), len(data))


def test_the_same_night_gives_the_same_bytes_and_another_night_another_hash(tmp_path: Path) -> None:
    first = write_packs(tmp_path / "one", NIGHT, OFFICES)
    shuffled = replace(
        NIGHT, scores=SCORES.reverse(), reasons=REASONS.reverse(), verdicts=VERDICTS.reverse(), assignments=ASSIGNMENTS.reverse()
    )
    assert write_packs(tmp_path / "two", shuffled, OFFICES[::-1]) == first
    for file in (tmp_path / "one").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes(), file.name
    assert write_packs(tmp_path / "three", replace(NIGHT, as_of=date(2026, 10, 1)), OFFICES) != first


def test_writing_again_replaces_the_whole_and_leaves_nothing_beside_it(packs: Path) -> None:
    (packs / "seoul" / "note.txt").write_text("old")
    (packs.parent / f".{packs.name}.partial").mkdir()
    write_packs(packs, NIGHT, (SEOUL, JEJU))
    assert sorted(folder.name for folder in packs.iterdir()) == ["jeju", "seoul"]
    assert not (packs / "seoul" / "note.txt").exists()
    assert [folder.name for folder in packs.parent.iterdir()] == [packs.name]


def test_a_failure_half_way_leaves_the_earlier_packs_as_they_were(packs: Path) -> None:
    before = (packs / "jeju" / "manifest.json").read_bytes()
    broken = replace(NIGHT, assignments=ASSIGNMENTS.with_columns(place=pl.lit("nonsense")))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        write_packs(packs, broken, OFFICES)
    assert (packs / "jeju" / "manifest.json").read_bytes() == before


def test_an_office_that_nobody_declared_and_one_with_a_strange_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no office is called jeju"):
        write_packs(tmp_path / "p", NIGHT, (SEOUL, REST))
    with pytest.raises(SettingsError, match="can't be called"):
        write_packs(tmp_path / "p", NIGHT, (*OFFICES, replace(JEJU, id="../jeju")))
    assert list(tmp_path.iterdir()) == []


def test_a_night_without_anyone_listed_has_empty_packs(tmp_path: Path) -> None:
    empty = PackNight(AS_OF, "m", load_catalogue(), product("scores"), product("reasons"), product("verdicts"), product("assignments"))
    write_packs(tmp_path / "p", empty, OFFICES)
    assert calls(tmp_path / "p") == []
    assert json.loads((tmp_path / "p" / "seoul" / "manifest.json").read_text())["counts"]["borrowers"] == 0
