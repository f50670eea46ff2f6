"""Who serves is changed by a person, with a reason, past every gate, and can be changed back."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.acts import PROMOTE, read_acts, record_act
from models.gates import Gates, judge_gates, load_gates
from models.levels import Thresholds
from models.model import Model
from models.promote import list_models, promote_challenger, roll_back
from models.recipe import Recipe, load_recipe
from models.registry import load_champion, read_challenger, register_model
from models.rivals import ITSELF, MADE_AGAIN, SAME, try_champion
from signals.errors import SettingsError

TONIGHT = date(2026, 9, 1)
AT = "2026-09-02T10:00:00+09:00"
POOR = {"auc": 0.70, "average_precision": 0.10}


def make_trial(**changed: Any) -> dict[str, Any]:
    good = {
        "is_out_of_time": True,
        "is_scorecard": False,
        "defaults": 90,
        "auc": 0.85,
        "average_precision": 0.30,
        "calibration_error": 0.005,
    }
    counted = {"origins": {"2026-02-28": {}}, "borrowers": 900, "excluded_in_crisis": 4, "excluded_already_in_default": 1}
    return {**good, **counted, "baselines": dict.fromkeys(("days_past_due", "logistic", "scorecard"), POOR), **changed}


def make_beside(version: str, **changed: Any) -> dict[str, Any]:
    return {"version": version, "way": ITSELF, "auc": 0.84, "average_precision": 0.30, "why": None, **changed}


@pytest.fixture
def rivals(tmp_path: Path, model: Model) -> tuple[str, str]:
    """A champion, and a challenger fit to replace it."""
    champion, _ = register_model(tmp_path, model)
    return champion, register(tmp_path, model, make_trial(), make_beside(champion))


def register(folder: Path, model: Model, trial: dict[str, Any], beside: dict[str, Any] | None) -> str:
    made = replace(model, thresholds=Thresholds(0.1, 0.2, 0.3), about={**model.about, "evaluation": trial})
    return register_model(folder, made, beside)[0]


def promote(folder: Path, version: str, because: str = "ahead for a month") -> None:
    promote_challenger(folder, version, because, AT, load_gates())


def test_a_promotion_is_kept_with_its_reason_its_gates_and_its_thresholds(tmp_path: Path, rivals: tuple[str, str]) -> None:
    champion, challenger = rivals
    promote(tmp_path, challenger, " ahead for a month ")
    act = read_acts(tmp_path)[-1]
    assert (act.act, act.version, act.before, act.because, act.at) == (PROMOTE, challenger, champion, "ahead for a month", AT)
    assert act.thresholds == {"watch": 0.1, "caution": 0.2, "alert": 0.3}
    assert [one["gate"] for one in act.gates if not one["is_passed"]] == []
    assert {"out_of_time", "auc_ahead_of_scorecard", "calibration_error", "auc_beside_champion"} <= {one["gate"] for one in act.gates}
    assert read_challenger(tmp_path) is None


def test_the_thresholds_of_a_promotion_stand_whatever_the_model_says_later(tmp_path: Path, rivals: tuple[str, str]) -> None:
    promote(tmp_path, rivals[1])
    place = tmp_path / rivals[1] / "model.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"thresholds": {"watch": 0.5, "caution": 0.6, "alert": 0.7}}))
    champion, _ = load_champion(tmp_path, TONIGHT)
    assert champion is not None
    assert champion.thresholds == Thresholds(0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("trial", "beside", "words"),
    [
        ({"is_out_of_time": False}, {}, ["out_of_time", "not out of time", "train on a longer history"]),
        ({"is_scorecard": True}, {}, ["tried", "the scorecard, not the model"]),
        ({"defaults": 19}, {}, ["defaults", "19 defaults in its trial, at least 20"]),
        ({"auc": 0.70}, {"auc": 0.7}, ["auc_ahead_of_days_past_due", "AUC 0.7000, more than 0.7000", "auc_ahead_of_scorecard"]),
        ({"average_precision": None}, {}, ["average_precision_ahead_of_scorecard", "not measured"]),
        ({"calibration_error": 0.031}, {}, ["calibration_error", "0.0310, at most 0.0200"]),
        ({}, {"auc": 0.861}, ["auc_beside_champion", "a fall of 0.0110, at most 0.0100", "let the champion serve"]),
        ({}, {"average_precision": 0.33}, ["average_precision_beside_champion", "a fall of 0.0300, at most 0.0200"]),
        ({}, {"version": "another"}, ["tried_beside_champion", "train again"]),
    ],
)
def test_a_failed_gate_refuses_with_its_name_its_number_and_what_to_do(
    tmp_path: Path, model: Model, trial: dict[str, Any], beside: dict[str, Any], words: list[str]
) -> None:
    champion, _ = register_model(tmp_path, model)
    challenger = register(tmp_path, model, make_trial(**trial), make_beside(champion) | beside)
    with pytest.raises(SettingsError, match=" gates: ") as refused:
        promote(tmp_path, challenger)
    assert [word for word in words if word not in str(refused.value)] == []
    assert "\n" not in str(refused.value)
    assert [act.version for act in read_acts(tmp_path)] == [champion]


def test_a_champion_that_cannot_be_tried_or_is_made_alike_bars_nobody() -> None:
    gates = load_gates()
    for changed in ({"why": "its feature is gone", "auc": None}, {"way": SAME, "auc": None}):
        assert all(one.is_passed for one in judge_gates(make_trial(), make_beside("champion", **changed), "champion", gates))
    assert all(one.is_passed for one in judge_gates(make_trial(), None, None, gates))
    assert not all(one.is_passed for one in judge_gates(make_trial(), None, "champion", gates))
    assert not any(one.is_passed for one in judge_gates({}, None, "champion", gates))


def test_only_the_challenger_is_promoted_and_only_with_a_reason(tmp_path: Path, rivals: tuple[str, str]) -> None:
    champion, challenger = rivals
    for version, because, words in (
        (champion, "why not", "is champion already"),
        ("2026-01-31-00000000", "why not", f"the challenger is {challenger}"),
        ("../elsewhere", "why not", "is not the challenger"),
        (challenger, "  ", "no reason given"),
    ):
        with pytest.raises(SettingsError, match=words):
            promote(tmp_path, version, because)
    (tmp_path / challenger / "model.txt").write_text("half")
    with pytest.raises(SettingsError, match="damaged model"):
        promote(tmp_path, challenger)
    assert len(read_acts(tmp_path)) == 1


def test_a_roll_back_brings_the_champion_before_and_its_thresholds_back_once(tmp_path: Path, model: Model, rivals: tuple[str, str]) -> None:
    champion, challenger = rivals
    promote(tmp_path, challenger)
    with pytest.raises(SettingsError, match="no reason given"):
        roll_back(tmp_path, "", AT)
    roll_back(tmp_path, "too many false alarms", AT)
    serving, _ = load_champion(tmp_path, TONIGHT)
    assert serving is not None
    assert (serving.version, serving.thresholds) == (champion, model.thresholds)
    assert (read_challenger(tmp_path) or {})["version"] == challenger
    with pytest.raises(SettingsError, match="no champion to go back to"):
        roll_back(tmp_path, "further", AT)
    assert [act.because for act in read_acts(tmp_path)] == ["the first model registered", "ahead for a month", "too many false alarms"]


def test_of_several_acts_at_once_one_stands_and_the_others_are_told(tmp_path: Path, rivals: tuple[str, str]) -> None:
    acts = read_acts(tmp_path)

    def act(number: int) -> str:
        try:
            return record_act(tmp_path, acts, PROMOTE, rivals[1], f"by {number}", at=AT).because
        except SettingsError as error:
            return error.what

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(act, range(8)))
    assert sorted(words.startswith("by ") for words in told) == [False] * 7 + [True]
    assert all("at the same moment" in words for words in told if not words.startswith("by "))
    assert read_acts(tmp_path)[-1].because in told
    assert sorted(path.name for path in (tmp_path / "promotions").iterdir()) == ["0001.json", "0002.json"]


def test_a_record_that_is_missing_or_broken_is_found_out(tmp_path: Path, rivals: tuple[str, str]) -> None:
    promote(tmp_path, rivals[1])
    newest = tmp_path / "promotions" / "0002.json"
    for text in ("{", "[]", '{"version": "x"}', newest.read_text().replace('"number": 2', '"number": 3')):
        kept = newest.read_text()
        newest.write_text(text)
        with pytest.raises(SettingsError, match="damaged model"):
            read_acts(tmp_path)
        newest.write_text(kept)
    (tmp_path / "promotions" / "0001.json").unlink()
    with pytest.raises(SettingsError, match="missing"):
        read_acts(tmp_path)


def test_a_registry_from_before_there_were_records_goes_on(tmp_path: Path, model: Model, rivals: tuple[str, str]) -> None:
    champion, challenger = rivals
    (tmp_path / "promotions" / "0001.json").unlink()
    (tmp_path / "champion.json").write_text(json.dumps({"version": champion, "because": "the first model registered"}))
    serving, _ = load_champion(tmp_path, TONIGHT)
    assert serving is not None
    assert (serving.version, serving.thresholds) == (champion, model.thresholds)
    promote(tmp_path, challenger)
    assert load_champion(tmp_path, TONIGHT)[0] != serving
    roll_back(tmp_path, "no better", AT)
    assert [act.version for act in read_acts(tmp_path)] == [champion, challenger, champion]


def test_the_list_tells_roles_figures_and_acts(tmp_path: Path, rivals: tuple[str, str]) -> None:
    champion, challenger = rivals
    assert {one["version"]: one["role"] for one in list_models(tmp_path)} == {champion: "champion", challenger: "challenger"}
    promote(tmp_path, challenger)
    told = {one["version"]: one for one in list_models(tmp_path)}
    assert (told[champion]["role"], told[challenger]["role"]) == ("earlier", "champion")
    assert told[challenger]["auc"] == 0.85
    assert [act.because for act in told[challenger]["acts"]] == ["ahead for a month"]


def test_gates_are_declared_beside_the_recipe_and_make_no_other_model(tmp_path: Path) -> None:
    shipped = Path("models/recipe.toml").read_text(encoding="utf-8")
    changed = tmp_path / "recipe.toml"
    changed.write_text(shipped.replace("auc_fall = 0.01", "auc_fall = 0.05"))
    assert load_recipe(changed) == load_recipe()
    assert load_gates(changed) == replace(load_gates(), auc_fall=0.05)
    changed.write_text(shipped.replace("auc_fall = 0.01", "nonsense = 1"))
    with pytest.raises(SettingsError, match="no gates"):
        load_gates(changed)
    assert set(asdict(load_gates())) == set(Gates.__annotations__)


def never() -> pl.DataFrame:
    raise AssertionError


@pytest.mark.parametrize(
    ("known_by", "changed", "read_past", "way"),
    [
        (date(2026, 2, 28), {}, never, ITSELF),
        (date(2026, 8, 31), {}, never, SAME),
        (date(2026, 8, 31), {"directions": {"days_past_due": 1}}, None, MADE_AGAIN),
    ],
)
def test_a_champion_is_tried_where_it_does_not_know_the_answers(
    rows: pl.DataFrame,
    model: Model,
    recipe: Recipe,
    known_by: date,
    changed: dict[str, Any],
    read_past: Callable[[], pl.DataFrame],
    way: str,
) -> None:
    quick = replace(recipe, rounds_max=20, evaluation_folds=2, inner_folds=2)
    present, past = (rows.filter(pl.col("origin") == day) for day in (date(2026, 2, 28), date(2026, 1, 31)))
    older = replace(model, version="older", known_by=known_by, about={**model.about, "recipe": asdict(quick)}, **changed)
    newer = replace(model, about={**model.about, "recipe": asdict(quick)})
    told = try_champion(older, newer, present, read_past or (lambda: past), quick)
    assert (told["version"], told["way"], told["why"]) == ("older", way, None)
    assert (told["auc"] is None) == (way == SAME)
    assert way == SAME or told["auc"] > 0.6


def test_a_champion_whose_feature_is_gone_is_said_to_be_untriable(rows: pl.DataFrame, model: Model, recipe: Recipe) -> None:
    older = replace(model, version="older", known_by=date(2026, 2, 28))
    present = rows.filter(pl.col("origin") == date(2026, 2, 28)).drop("credit_score")
    told = try_champion(older, model, present, never, recipe)
    assert "credit_score" in told["why"]
    assert told["auc"] is None
