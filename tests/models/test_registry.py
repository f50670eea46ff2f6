from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.model import Model
from models.registry import load_champion, register_model
from signals.errors import SettingsError

TONIGHT = date(2026, 9, 1)


def listing(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_first_model_becomes_champion_and_comes_back_whole(tmp_path: Path, model: Model, rows: pl.DataFrame) -> None:
    version, is_champion = register_model(tmp_path, model)
    champion, reason = load_champion(tmp_path, TONIGHT)
    assert is_champion
    assert champion is not None
    assert reason == ""
    assert champion.version == version
    assert version.startswith("2026-08-31-")
    assert (champion.score_raw(rows) == model.score_raw(rows)).all()
    assert replace(champion, booster=None, version="") == replace(model, booster=None)
    assert (tmp_path / version / "card.md").read_text(encoding="utf-8").startswith(f"# Model {version}")


def test_registering_the_same_model_again_changes_nothing(tmp_path: Path, model: Model) -> None:
    first = register_model(tmp_path, model)
    before = listing(tmp_path)
    assert register_model(tmp_path, model) == first
    assert listing(tmp_path) == before


def test_a_later_model_becomes_challenger_and_never_champion(tmp_path: Path, model: Model) -> None:
    first, _ = register_model(tmp_path, model)
    second, is_champion = register_model(tmp_path, replace(model, horizon_days=365))
    assert not is_champion
    assert second != first
    assert json.loads((tmp_path / "champion.json").read_text())["version"] == first
    assert json.loads((tmp_path / "challenger.json").read_text())["version"] == second


def test_what_was_measured_is_no_part_of_the_version(tmp_path: Path, model: Model) -> None:
    first, _ = register_model(tmp_path / "a", model)
    assert first == register_model(tmp_path / "b", replace(model, about={**model.about, "evaluation": {}}))[0]
    assert first != register_model(tmp_path / "c", replace(model, about={**model.about, "rows": 1}))[0]


def test_a_champion_that_knows_the_future_is_refused(tmp_path: Path, model: Model) -> None:
    register_model(tmp_path, model)
    champion, reason = load_champion(tmp_path, date(2026, 8, 30))
    assert champion is None
    assert "2026-08-31" in reason
    assert load_champion(tmp_path, date(2026, 8, 31))[0] is not None


def test_without_a_registry_there_is_a_reason(tmp_path: Path) -> None:
    assert load_champion(tmp_path / "models", TONIGHT) == (None, "no model is registered")


@pytest.mark.parametrize("name", ["model.txt", "model.json", "../champion.json"])
@pytest.mark.parametrize("damage", ["", "tree\n", None])
def test_damage_is_said_in_words(tmp_path: Path, model: Model, name: str, damage: str | None) -> None:
    version, _ = register_model(tmp_path, model)
    path = tmp_path / version / name
    if damage is None and name != "../champion.json":
        path.unlink()
    else:
        path.write_text(damage or "[]")
    with pytest.raises(SettingsError, match="damaged model"):
        load_champion(tmp_path, TONIGHT)


def test_a_tree_that_was_changed_afterwards_is_found_out(tmp_path: Path, model: Model) -> None:
    version, _ = register_model(tmp_path, model)
    path = tmp_path / version / "model.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=1", 1))
    with pytest.raises(SettingsError, match="is not what"):
        load_champion(tmp_path, TONIGHT)


def test_a_half_written_model_left_by_a_kill_is_written_again(tmp_path: Path, model: Model) -> None:
    version, _ = register_model(tmp_path / "whole", model)
    partial = tmp_path / "killed" / f".{version}.partial"
    partial.mkdir(parents=True)
    (partial / "model.txt").write_text("half")
    register_model(tmp_path / "killed", model)
    assert listing(tmp_path / "killed") == listing(tmp_path / "whole")
