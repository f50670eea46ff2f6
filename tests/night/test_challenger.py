"""Champion and challenger on the same night: the one scores, the other looks on, and a person decides between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import lightgbm
import polars as pl
import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

import deungdae
import nightly
import training
from guidance.side_by_side import list_beside_rows
from models.levels import Thresholds
from models.model import Model
from models.recipe import load_recipe
from models.registry import load_challenger, load_champion, read_challenger, register_model
from models.train import fit_model
from signals.errors import NightError, SettingsError
from signals.night import Night
from signals.nights import read_night
from signals.products import FLAGGED, PRODUCTS
from signals.records.schema import RUNS
from signals.settings import Settings
from signals.simulate.town import simulate_town
from signals.turns import keep_lease
from tests.models.conftest import make_rows
from tests.models.test_promote import make_beside, make_trial

pytestmark = pytest.mark.slow

TONIGHT = date(2026, 2, 25)
KNOWN_BY = TONIGHT - timedelta(days=1)
DIRECTIONS = {"days_past_due": 1, "credit_score": -1, "sales_change_yoy": -1}


@pytest.fixture(scope="module")
def champion() -> Model:
    return fit_model(make_rows(), DIRECTIONS, load_recipe(), 180, KNOWN_BY)


@pytest.fixture(scope="module")
def challenger(champion: Model) -> Model:
    """Fewer trees and lower bounds: other scores, more of the flagged."""
    booster = lightgbm.Booster(model_str=champion.booster.model_to_string(num_iteration=5))
    about = {**champion.about, "rounds": 5, "evaluation": make_trial()}
    return replace(champion, booster=booster, thresholds=Thresholds(0.01, 0.02, 0.03), about=about)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source and a HOME in which the features of tonight are built."""
    folder = tmp_path_factory.mktemp("ready")
    (folder / "town").mkdir()
    for name, table in simulate_town(borrowers=300, months=18, seed=3, until=TONIGHT).tables.items():
        table.write_parquet(folder / "town" / f"{name}.parquet")
    night = night_of(folder / "home", folder)
    for stage in (nightly.pull, nightly.check, nightly.build_features):
        stage(night)
    return folder


@pytest.fixture
def night(ready: Path, tmp_path: Path, champion: Model) -> Night:
    made = night_of(shutil.copytree(ready / "home", tmp_path / "home"), ready)
    register_model(made.home.models, champion)
    return made


def night_of(home: Path, folder: Path) -> Night:
    return Night(TONIGHT, Settings(home=home, sources=(str(folder / "town"),)))


def score(night: Night) -> dict[str, pl.DataFrame]:
    nightly.score(night)
    return {name: night.read(name).collect() for name in ("scores", "levels", "challenger_scores")}


def invoke(*words: object) -> Any:
    return CliRunner().invoke(deungdae.app, [*map(str, words)], env={"COLUMNS": "250"})


def test_the_challenger_looks_on_from_one_reading_and_changes_nothing_of_the_night(
    night: Night, challenger: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = score(night)
    assert alone["challenger_scores"].is_empty()
    register_model(night.home.models, challenger)
    readings = []
    read_parts = Night.read_parts

    def count(self: Night, product: str, wanted: Any) -> Iterator[pl.DataFrame]:
        readings.append(product)
        return read_parts(self, product, wanted)

    monkeypatch.setattr(Night, "read_parts", count)
    beside = score(night)
    assert readings == ["features"]
    assert all(beside[name].equals(alone[name]) for name in ("scores", "levels"))
    theirs = beside["challenger_scores"]
    assert theirs["borrower_id"].to_list() == alone["scores"]["borrower_id"].to_list()
    assert theirs["model_version"].unique().to_list() == [(read_challenger(night.home.models) or {})["version"]]
    assert not theirs["raw_score"].equals(alone["scores"]["raw_score"])
    assert theirs["level"].is_in(FLAGGED).sum() > alone["scores"]["level"].is_in(FLAGGED).sum()
    assert theirs.filter("is_listed")["level"].is_in(FLAGGED).all()


def test_a_challenger_promoted_tomorrow_would_have_said_what_it_said_tonight(night: Night, challenger: Model) -> None:
    version, _ = register_model(night.home.models, challenger)
    looked_on = score(night)["challenger_scores"]
    shutil.rmtree(night.home.models)
    register_model(night.home.models, challenger)
    served = score(night)["scores"]
    assert looked_on.equals(served.select(looked_on.columns))
    assert served["model_version"].unique().to_list() == [version]


def test_a_challenger_of_later_knowledge_has_no_row_and_the_report_says_why(night: Night, challenger: Model) -> None:
    register_model(night.home.models, replace(challenger, known_by=TONIGHT + timedelta(days=1)))
    assert score(night)["challenger_scores"].is_empty()
    why = load_challenger(night.home.models, TONIGHT, DIRECTIONS)[1]
    assert why.startswith("the challenger 2026-02-26-")
    assert list_beside_rows({"challenger": None, "why_no_challenger": why}) == [("후보 모형 미산출 · challenger not scored", why)]


def test_the_report_shows_both_and_a_person_promotes_and_goes_back(night: Night, challenger: Model) -> None:
    models, home = night.home.models, night.home.root
    before, _ = load_champion(models, TONIGHT)
    assert before is not None
    version, _ = register_model(models, challenger, make_beside(before.version))
    assert invoke("models", "list", "--home", home).stdout.count("challenger") == 1
    score(night)
    promoted = invoke("models", "promote", version, "--because", "a month ahead", "--home", home)
    assert promoted.exit_code == 0, promoted.output
    assert "auc_beside_champion" in promoted.stdout
    for stage in ("explain", "judge", "assign", "publish", "report"):
        nightly.NIGHT[stage](night)  # explained by the model that scored, whoever is champion by now
    summary = nightly.read_summary(night)
    assert summary["model_version"] == [before.version]
    counted = summary["challenger"]
    assert counted["version"] == version
    assert counted["flagged"]["both"] <= counted["flagged"]["champion"] < counted["flagged"]["challenger"]
    report = (night.home.docs / "nights" / f"{TONIGHT}.md").read_text(encoding="utf-8")
    assert all(f"{name}: {said}" in report for name, said in list_beside_rows(summary))
    packs = [file.read_bytes() for file in night.home.packs(TONIGHT).rglob("*") if file.is_file()]
    assert packs
    assert not any(version.encode() in text for text in packs)
    assert not night.read("reasons").collect().is_empty()
    fair = invoke("models", "fairness", "--as-of", str(TONIGHT), "--home", home)
    assert fair.exit_code == 0, fair.output
    assert "대표자 성별" in fair.stdout
    back = invoke("models", "rollback", "--because", "too many alarms", "--home", home)
    assert back.exit_code == 0, back.output
    told = invoke("models", "list", "--home", home).stdout
    assert "too many alarms" in told
    assert "a month ahead" in told
    assert (load_champion(models, TONIGHT)[0] or before).version == before.version
    assert read_as_before_challengers(night).is_empty()


def read_as_before_challengers(night: Night) -> pl.DataFrame:
    """The product as it reads from a night that was published before there was such a product."""
    with night.open_records().begin() as connection:
        pinned = dict(connection.execute(select(RUNS.c.receipts)).scalar_one())
        del pinned["challenger_scores"]
        connection.execute(update(RUNS).values(receipts=pinned))
        rows = read_night(night.home, connection, TONIGHT)["challenger_scores"].collect()
    assert rows.columns == list(PRODUCTS["challenger_scores"].columns)
    return rows


def test_a_refusal_and_an_empty_registry_are_said_in_words(night: Night, challenger: Model, tmp_path: Path) -> None:
    version, _ = register_model(night.home.models, challenger)  # never tried beside the champion
    refused = invoke("models", "promote", version, "--because", "why not", "--home", night.home.root)
    assert isinstance(refused.exception, SettingsError)
    assert "tried_beside_champion" in str(refused.exception)
    nothing = invoke("models", "rollback", "--because", "why not", "--home", tmp_path / "empty")
    assert isinstance(nothing.exception, SettingsError)
    assert not (tmp_path / "empty").exists()
    assert "no model is registered" in invoke("models", "list", "--home", tmp_path / "empty").output


def test_nobody_is_promoted_while_a_night_runs(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEUNGDAE_PATIENCE_MINUTES", "0")
    with keep_lease(night.open_records(), night.settings, "run|of another process"):
        held = invoke("models", "rollback", "--because", "now", "--home", night.home.root)
    assert isinstance(held.exception, NightError)


def test_the_monthly_training_makes_a_challenger_and_promotes_nothing(
    ready: Path, tmp_path: Path, champion: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEUNGDAE_HOME", str(tmp_path))
    monkeypatch.setenv("DEUNGDAE_SOURCES", json.dumps([str(ready / "town")]))
    recipe = replace(load_recipe(), rounds_max=5, least_defaults=2, evaluation_folds=2, inner_folds=2, origins_max=1)
    monkeypatch.setattr("models.recipe.load_recipe", lambda: recipe)
    made = training.run_task(TONIGHT.isoformat())
    assert load_champion(tmp_path / "models", TONIGHT) == (None, "no model was promoted yet")
    assert (read_challenger(tmp_path / "models") or {})["version"] == made["version"]
    serving, _ = register_model(tmp_path / "models", champion)
    training.run_task(TONIGHT.isoformat())
    pointer = read_challenger(tmp_path / "models") or {}
    assert (pointer["version"], pointer["champion"]["version"]) == (made["version"], serving)
    assert (load_champion(tmp_path / "models", TONIGHT)[0] or champion).version == serving
