"""The card as a page: honest first, whole on a closed network, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.calibration import Calibration
from models.card_page import write_page
from models.charts import can_draw, draw_calibration, draw_contenders
from models.model import Model
from models.registry import register_model
from tests.models.test_promote import make_trial

needs_charts = pytest.mark.skipif(not can_draw(), reason="vl-convert-python is not installed")


def write(tmp_path: Path, model: Model, **changed: Any) -> str:
    trial = make_trial(auc_interval=[0.81, 0.88], **changed)
    version, _ = register_model(tmp_path, replace(model, about={**model.about, "evaluation": trial}))
    return (tmp_path / version / "card.html").read_text(encoding="utf-8")


def test_the_page_tells_data_window_metrics_with_intervals_limits_and_law(tmp_path: Path, model: Model) -> None:
    page = write(tmp_path, model)
    for words in (
        "2026-08-31", "2026-01-31 – 2026-02-28 (2)", "0.8500 [0.8100, 0.8800]", "연체일수 · days past due", "단계 기준 · Levels", "한계 · Limits",
        "개인정보 보호법 제37조의2", "Credit Information Act art. 36-2", "AI Basic Act", f"{model.about['borrowers']:,}",
    ):  # fmt: skip
        assert words in page, words
    assert all(name in page for name in model.features)
    assert "Fairness" not in page


def test_the_page_asks_nothing_of_the_network_and_runs_nothing(tmp_path: Path, model: Model) -> None:
    page = write(tmp_path, model)
    named = {found for found in re.findall(r"https?://[^\"' )<]+", page) if not found.startswith("http://www.w3.org/")}
    assert named == set()
    assert re.findall(r"<script|<link rel=\"stylesheet|<img|@import|url\(|\son\w+=", page) == []
    assert page.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("changed", "words", "is_good"),
    [
        ({}, "Ahead of every simple ranker", True),
        ({"auc": 0.6}, "Not ahead of: 연체일수", False),
        ({"is_out_of_time": False}, "NOT out of time", False),
        (
            {"verdict": {"is_ahead": False, "text_ko": "앞서지 못합니다", "text_en": "NOT ahead of &"}},
            "앞서지 못합니다<br>NOT ahead of &amp;",
            False,
        ),
    ],
)
def test_whether_it_beats_the_simple_rankers_is_said_first(
    tmp_path: Path, model: Model, changed: dict[str, Any], words: str, is_good: bool
) -> None:
    page = write(tmp_path, model, **changed)
    assert words in page
    assert page.index(words) < page.index("<h2>")
    assert ('class="first good"' in page) is is_good


def test_fairness_is_shown_group_by_group_once_it_is_measured(tmp_path: Path, model: Model) -> None:
    group = {"kind": "owner_sex", "group": "<F>", "borrowers": 700, "defaults": 70, "recall": 0.5, "recall_interval": [0.4, 0.6]}
    groups = [{**group, "warns": ["recall"]}]
    page = write(tmp_path, model, fairness=groups)
    assert "공정성 · Fairness" in page
    assert "대표자 성별" in page
    assert "&lt;F&gt;" in page
    assert "0.5000 [0.4000, 0.6000] ⚠" in page


def test_a_model_without_a_trial_has_a_page_too(model: Model) -> None:
    named = {
        "version": "v",
        "horizon_days": 180,
        "known_by": "2026-08-31",
        "origins": ["2026-01-31"],
        "features": {"a": 1, "b": -1, "c": 0},
    }
    kept = {"calibration": model.calibration.to_json(), "thresholds": model.thresholds.to_json(), "about": model.about}
    page = write_page({**named, **kept})
    assert "평가 · Trial" not in page
    assert ("may only raise" in page, "may only lower" in page, "either" in page) == (True, True, True)


@needs_charts
def test_charts_are_drawn_alike_each_time_and_say_their_figures() -> None:
    contenders = {"모형 · model": {"auc": 0.85, "auc_interval": [0.8, 0.9]}, "점수표": {"auc": 0.7}, "없음": {"auc": None}}
    chart = draw_contenders(contenders, "auc", "AUC")
    assert chart == draw_contenders(contenders, "auc", "AUC")
    assert ("0.850" in chart, "모형 · model" in chart, "없음" in chart) == (True, True, False)
    isotonic = Calibration("isotonic", raw_at=(-2.0, 0.0, 1.0), risk_at=(0.01, 0.1, 0.4))
    for calibration in (isotonic, Calibration("sigmoid", 1.2, -0.5), Calibration("sigmoid", 0.0, -3.0)):
        assert "주의 caution 0.200" in draw_calibration(calibration, {"watch": 0.1, "caution": 0.2, "alert": 0.3})


@needs_charts
def test_the_page_carries_its_charts(tmp_path: Path, model: Model) -> None:
    assert write(tmp_path, model).count("<svg") == 3
