from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from models.acts import read_acts
from models.model import Model
from models.registry import load_challenger, load_champion, load_scorer, read_challenger, register_model
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
    assert [act.version for act in read_acts(tmp_path)] == [first]
    assert (read_challenger(tmp_path) or {})["version"] == second


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


@pytest.mark.parametrize("name", ["model.txt", "model.json", "../promotions/0001.json"])
@pytest.mark.parametrize("damage", ["", "tree\n", None])
def test_damage_is_said_in_words(tmp_path: Path, model: Model, name: str, damage: str | None) -> None:
    version, _ = register_model(tmp_path, model)
    path = tmp_path / version / name
    if damage is None and "promotions" not in name:
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


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.mark.parametrize("step", range(7))
def test_a_registry_is_whole_wherever_a_registration_was_killed(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    register_model(tmp_path / "whole", model)
    calls = 0

    def count(real: Callable[..., object], *given: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls > step:
            raise KilledError
        return real(*given, **named)

    with monkeypatch.context() as patched:
        for owner, name in ((os, "link"), (os, "replace"), (Path, "rename"), (Path, "write_text")):
            patched.setattr(owner, name, wrap(owner, count, getattr(owner, name)))
        with pytest.raises(KilledError):
            register_model(tmp_path / "killed", model)
    champion, reason = load_champion(tmp_path / "killed", TONIGHT)
    assert (champion is None) == (reason == "no model is registered")
    register_model(tmp_path / "killed", model)
    assert {name: text for name, text in listing(tmp_path / "killed").items() if "partial" not in name} == listing(tmp_path / "whole")


def wrap(owner: object, count: Callable[..., object], real: Callable[..., object]) -> Callable[..., object]:
    return (lambda self, *given, **named: count(real, self, *given, **named)) if owner is Path else partial(count, real)


def test_what_was_measured_anew_replaces_what_was_measured(tmp_path: Path, model: Model) -> None:
    version, _ = register_model(tmp_path, model)
    register_model(tmp_path, replace(model, about={**model.about, "evaluation": {}}))
    assert '"evaluation": {}' in (tmp_path / version / "model.json").read_text(encoding="utf-8")


def test_without_leave_the_first_model_is_challenger_and_the_scorecard_serves(tmp_path: Path, model: Model) -> None:
    version, is_champion = register_model(tmp_path, model, may_lead=False)
    assert not is_champion
    assert load_champion(tmp_path, TONIGHT) == (None, "no model was promoted yet")
    assert (read_challenger(tmp_path) or {})["version"] == version


def test_a_challenger_that_cannot_look_on_says_why_and_stops_nothing(tmp_path: Path, model: Model) -> None:
    register_model(tmp_path, model)
    assert load_challenger(tmp_path, TONIGHT, model.features) == (None, "")
    version, _ = register_model(tmp_path, replace(model, horizon_days=365))
    challenger, reason = load_challenger(tmp_path, TONIGHT, model.features)
    assert challenger is not None
    assert (challenger.version, reason) == (version, "")
    assert "later than 2026-08-30" in load_challenger(tmp_path, date(2026, 8, 30), model.features)[1]
    assert "needs credit_score" in load_challenger(tmp_path, TONIGHT, ["days_past_due", "sales_change_yoy", "utilisation"])[1]
    (tmp_path / version / "model.txt").unlink()
    challenger, reason = load_challenger(tmp_path, TONIGHT, model.features)
    assert challenger is None
    assert "damaged model" in reason


def test_a_night_is_explained_by_the_model_that_scored_it(tmp_path: Path, model: Model) -> None:
    register_model(tmp_path, model)
    version, _ = register_model(tmp_path, replace(model, horizon_days=365))
    assert getattr(load_scorer(tmp_path, version), "version", None) == version
    assert load_scorer(tmp_path, "scorecard") is None


def test_a_half_written_model_left_by_a_kill_is_written_again(tmp_path: Path, model: Model) -> None:
    version, _ = register_model(tmp_path / "whole", model)
    partial = tmp_path / "killed" / f".{version}.partial"
    partial.mkdir(parents=True)
    (partial / "model.txt").write_text("half")
    register_model(tmp_path / "killed", model)
    assert listing(tmp_path / "killed") == listing(tmp_path / "whole")
