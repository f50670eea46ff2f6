"""The nightly report: the words a person reads at breakfast, and no code in their place."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from guidance.catalogue import load_catalogue
from guidance.report import count_budgets, count_silences, render_report, summarise_night
from guidance.watching import tell_drift, tell_shock
from signals.products import PRODUCTS
from signals.silence import Silence
from signals.sources.rights import NOT_FOR_NIGHTS, WITHOUT_BASIS, describe_right
from signals.sources.source import Source
from signals.tables import TABLES

VOUCHER = "management_stability_voucher"
CHECK = {
    "source_id": "books", "read": {"loans": 5}, "accepted": {"loans": 3}, "quarantined": {"loans": 1}, "failure": None, "warnings": [],
}  # fmt: skip


def product(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    columns = dict(PRODUCTS[name].columns)
    return pl.DataFrame([{column: row.get(column) for column in columns} for row in rows], schema=columns)


@pytest.fixture
def summary() -> dict[str, Any]:
    levels = {"baker": "alert", "diver": "distressed", "tailor": "none", "taxi": "watch"}
    scores = product(
        "scores",
        *({"borrower_id": name, "level": level, "model_version": "m1", "is_listed": name == "baker"} for name, level in levels.items()),
    )
    reasons = product("reasons", {"borrower_id": "baker", "position": 1, "theme": "sales"})
    assignments = product(
        "assignments",
        {"borrower_id": "baker", "programme_id": VOUCHER, "amount_krw": 250_000, "place": "reserved"},
        {"borrower_id": "diver", "programme_id": "long_gone", "amount_krw": 7, "place": "held"},
    )
    codes = ["26", None, "99", "26"]
    regions = pl.DataFrame({"borrower_id": list(levels), "region_code": codes})
    catalogue = load_catalogue()
    counted = summarise_night(date(2026, 9, 30), scores, reasons, assignments, regions, None, catalogue)
    budgets = count_budgets(catalogue, product("opening"), assignments)
    silent = [
        {
            "source_id": "harbour-bank", "state": "missing", "tables": ["sales"], "last_good_on": date(2026, 9, 12), "last_news_on": None,
            "stale": 1_204, "left_out": 3,
        }
    ]  # fmt: skip
    rights = [
        describe_right(Source("books", "/data/books")),
        describe_right(Source("archive", "/data/archive", basis="pseudonymised", legal_basis="신용정보법 제32조|6항", purposes=("train",))),
    ]
    heard = {"silent": silent, "rights": rights, "left_out": 5, "left_out_after_days": 180, "unknown_codes": []}
    return (
        counted
        | heard
        | {"budgets": budgets, "drift": tell_drift(product("drift")), "missing": [], "why_scorecard": None}
        | {"shock": None, "outcomes": None, "names": {"days_past_due": ("연체일수", "Days past due")}}
        | {"challenger": None, "why_no_challenger": ""}
    )


def test_the_summary_counts_and_keeps_the_ids_beside_the_names(summary: dict[str, Any]) -> None:
    gone, voucher = summary["offers"]
    assert voucher == {
        "programme_id": VOUCHER, "place": "reserved", "offers": 1, "amount_krw": 250_000,
        "name_ko": "경영안정 바우처", "name_en": "Management Stability Voucher",
    }  # fmt: skip
    assert (gone["programme_id"], gone["name_ko"]) == ("long_gone", "long_gone")
    assert (summary["flagged"], summary["listed"], summary["overflow"]) == (2, 1, 1)


def test_the_report_names_programmes_regions_levels_and_themes_and_shows_no_code(summary: dict[str, Any]) -> None:
    lines = render_report(summary, [CHECK], []).splitlines()
    assert "| 경영안정 바우처 · Management Stability Voucher | 가배정 · reserved | 1 | 250,000 |" in lines
    assert "| long_gone | 이전 가배정 · held | 1 | 7 |" in lines
    assert "| 경보 · alert | 1 | – |" in lines
    assert "| 매출 · sales | 1 |" in lines
    assert "| 부산 | 2 | 1 |" in lines
    assert "| 미확인 · unknown | 1 | 1 |" in lines
    assert "| 미확인 · unknown (99) | 1 | 0 |" in lines
    assert VOUCHER not in "\n".join(lines)


def test_the_report_says_how_many_codes_no_list_knows_and_none_of_them_by_value(summary: dict[str, Any]) -> None:
    assert "unknown codes" not in render_report(summary, [CHECK], [])
    counts = [
        {"table": "borrowers", "column": "region_code", "unknown": 1_200, "kostat": 30, "unreadable": 0},
        {"table": "borrowers", "column": "district_code", "unknown": 0, "kostat": 0, "unreadable": 7},
    ]
    lines = render_report({**summary, "unknown_codes": counts}, [CHECK], []).splitlines()
    region, district = [line for line in lines if "unknown codes" in line]
    assert region.startswith("- 미확인 코드 · unknown codes: borrowers.region_code: 목록에 없는 코드 · codes not in our lists: 1,200; ")
    assert region.endswith("look like the statistics office's own: 30")
    assert district.endswith("borrowers.district_code: 바뀐 코드를 알 수 없음 · what they became is not known: 7")


def test_the_report_says_what_moved_and_lasts_by_name_and_nothing_of_a_person(summary: dict[str, Any]) -> None:
    assert "there is no earlier night to compare with" in render_report(summary, [CHECK], [])
    moved = {"psi": 0.4, "distance": 0.5, "unknown": 0.25, "unknown_usual": 0.05, "usual": "months", "is_over": True}
    lasting = {**moved, "feature": "days_past_due", "is_alarm": True, "since": date(2026, 9, 27)}
    drift = product("drift", lasting, {**moved, "feature": "risk", "psi": 0.3, "distance": None, "is_alarm": False})
    lines = render_report({**summary, "drift": tell_drift(drift)}, [CHECK], []).splitlines()
    assert "| 연체일수 · Days past due | 0.400 | 0.50 | 25.0% | 5.0% | 2026-09-27 |" in lines
    assert "| 위험도 · The risk by the champion | 0.300 | – | 25.0% | 5.0% | – |" in lines
    assert any("lasting: 1/2" in line and "nights of the same day of the month" in line for line in lines)


def test_the_report_says_in_both_languages_why_a_shock_keeps_the_scorecard_and_what_came_of_earlier_nights(summary: dict[str, Any]) -> None:
    shock = tell_shock(product("shock", {"since": date(2026, 9, 29), "because_ko": "위험도 분포", "because_en": "the risks"}))
    one = {"night": "2026-03-31", "model_version": "m0", "borrowers": 900, "foretold": 31.4, "came": 40, "calibration_error": 0.012}
    seen = {"came_flagged": 30, "capture_flagged": 0.75, "came_listed": 20, "capture_listed": 0.5}
    told = {"shock": shock, "model_version": ["scorecard"], "outcomes": {"nights": [{**one, **seen}]}}
    text = render_report({**summary, **told}, [CHECK], [])
    assert "충격 모드: 2026-09-29부터 공식 징후 점수표로 산출합니다. 사유: 위험도 분포." in text
    assert "since 2026-09-29 the scorecard of official signs scores, because the risks." in text
    assert "| 2026-03-31 | m0 | 900 | 31 | 40 | 0.0120 | 30 (75%) | 20 (50%) |" in text


def test_the_report_says_room_for_calls_and_what_a_source_brought(summary: dict[str, Any]) -> None:
    text = render_report(summary, [CHECK], [])
    assert "상담 여력 초과 · beyond capacity: 1" in text
    assert "| books | 5 | 3 | 1 | 1 | – |" in text
    told = render_report(summary, [{**CHECK, "waiting": {"loans": 1}, "returned": {"loans": 2}}], [])
    assert "| books | 5 | 3 | 1 | 1 | 대기 · waiting: 1; 격리 후 반영 · came back from quarantine: 2 |" in told
    refused = render_report(summary, [{**CHECK, "failure": "the gate refused the delivery"}], [])
    assert (
        "| books | 5 | 0 | 1 | 1 | 행 규칙은 지켰으나 반영하지 않음 · sound, yet not taken in: 3; the gate refused the delivery |"
        in refused
    )
    assert "반영 · accepted" in text
    assert "수용" not in text


def test_the_report_says_which_source_is_silent_since_when_and_who_is_left_out(summary: dict[str, Any]) -> None:
    lines = render_report(summary, [CHECK], []).splitlines()
    assert "| harbour-bank | 미수신 · missing (sales) | 2026-09-12 | 미확인 · unknown | 1,204 | 3 |" in lines
    assert "- 제외(새 자료 없이 180일 초과) · left out: no news for more than 180 days: 5" in lines


def test_the_report_lists_each_sources_right_who_has_none_and_who_may_not_serve_a_night(summary: dict[str, Any]) -> None:
    lines = render_report(summary, [CHECK], []).splitlines()
    assert f"| books | – | 산출 · score, 학습 · train | {WITHOUT_BASIS} |" in lines
    assert f"| archive | 가명정보 · pseudonymised: 신용정보법 제32조/6항 | 학습 · train | {NOT_FOR_NIGHTS} |" in lines


def test_the_borrowers_of_a_silent_source_are_counted_scored_and_left_out_apart() -> None:
    told = pl.DataFrame(
        [("baker", "A"), ("baker", "B"), ("diver", "B"), ("tailor", "B")], schema=["borrower_id", "source_id"], orient="row"
    )
    silences = [Silence(name, "failed", tuple(TABLES), None, date(2026, 9, 1), 45) for name in ("A", "B")]
    scores, left_out = pl.DataFrame({"borrower_id": ["baker", "taxi", "tailor"]}), pl.DataFrame({"borrower_id": ["diver", "monk"]})
    counted = count_silences(silences, told, scores, left_out)
    assert [(row["source_id"], row["stale"], row["left_out"]) for row in counted] == [("A", 1, 0), ("B", 2, 1)]
