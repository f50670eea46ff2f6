"""When what the champion reads breaks away, the scorecard scores, says so everywhere, and leaves again by a person's word alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import deungdae
import nightly
from models.decisions import read_outcomes
from models.recipe import load_recipe
from models.registry import register_model
from models.tonight import sketch_training
from models.train import fit_model
from signals.errors import SettingsError
from signals.night import Night, read_receipts
from signals.settings import Settings
from tests.models.conftest import make_rows
from tests.night.test_thin_books import make_book

pytestmark = pytest.mark.slow

FIRST = date(2020, 4, 30)
TOLD = FIRST + timedelta(days=40)
WORDS = {"ko": "충격 모드: 2020-05-02부터", "en": "Shock mode: since 2020-05-02"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME whose champion was trained on another world than the one that is sent."""
    folder = tmp_path_factory.mktemp("shock")
    (folder / "book").mkdir()
    book = make_book(shops=260)
    book["repayments"] = book["repayments"].with_columns(pl.col("days_past_due") % 80)
    late = book["repayments"].filter(pl.col("borrower_id") == "shop 1", pl.col("due_month") == date(2020, 4, 1))
    late = late.with_columns(days_past_due=pl.lit(95, dtype=pl.Int64), known_on=pl.lit(FIRST + timedelta(days=20)))
    book["repayments"] = pl.concat([book["repayments"], late])
    for name, frame in book.items():
        frame.write_parquet(folder / "book" / f"{name}.parquet")
    rows = make_rows(origins=(date(2019, 10, 31),))
    model = fit_model(rows, {"days_past_due": 1, "credit_score": -1, "sales_change_yoy": -1}, load_recipe(), 30, FIRST)
    model.about["sketch"] = sketch_training(model, rows)
    register_model(folder / "home" / "models", model)
    return folder / "home"


def run(home: Path, number: int) -> Night:
    """Run a night; of those after the first only what is made of the book, which does not change."""
    night = Night(FIRST + timedelta(days=number), Settings(home=home, sources=(str(home.parent / "book"),)))
    stages = (nightly.pull, nightly.check) if number == 0 else ()
    for stage in (*stages, nightly.build_features, nightly.score, nightly.explain, nightly.judge, nightly.assign, nightly.publish):
        stage(night)
    return night


def invoke(home: Path, *words: object) -> Any:
    return CliRunner().invoke(deungdae.app, [*map(str, words), "--home", str(home)], env={"COLUMNS": "250"})


def name_scorer(night: Night) -> str:
    (version,) = night.read("scores").collect()["model_version"].unique().to_list()
    return str(version)


def test_a_shock_falls_back_says_so_and_ends_by_a_decision_that_changes_no_night_before_it(home: Path) -> None:
    nothing = invoke(home, "models", "resume", "--because", "nothing happened")
    assert isinstance(nothing.exception, SettingsError)
    first, second, third = (run(home, number) for number in range(3))
    champion = name_scorer(first)
    assert name_scorer(second) == champion != "scorecard"
    assert first.read("shock").collect().is_empty()
    assert name_scorer(third) == "scorecard"
    nightly.report(third)
    _says_so_everywhere(third)
    fourth = run(home, 3)
    assert fourth.read("shock").collect()["since"].to_list() == [third.as_of]

    done = invoke(home, "models", "resume", "--because", "the new book was looked through")
    assert done.exit_code == 0, done.output
    assert str(FIRST + timedelta(days=4)) in done.stdout
    for night in (second, third, fourth):
        kept = read_receipts(night)
        assert all(again.pinned() == kept[again.table] for again in nightly.score(night))
    fifth = run(home, 4)
    assert name_scorer(fifth) == champion
    assert fifth.read("drift").collect()["usual"].unique().to_list() == ["since"]
    assert isinstance(invoke(home, "models", "resume", "--because", "twice").exception, SettingsError)


def _says_so_everywhere(night: Night) -> None:
    report = (night.home.docs / "nights" / f"{night.as_of}.md").read_text(encoding="utf-8")
    assert all(words in report for words in WORDS.values())
    assert "연체일수 · " in report
    packs = night.home.packs(night.as_of)
    lists = [pl.read_csv(file, infer_schema=False) for file in packs.rglob("call_list.csv")]
    told = [text for rows in lists for text in rows["산출 방식"]]
    assert told
    assert all(words in text for text in told for words in WORDS.values())
    manifests = [json.loads(file.read_text(encoding="utf-8")) for file in packs.rglob("manifest.json")]
    assert all(one["model_version"] == "scorecard" and WORDS["en"] in one["shock"] for one in manifests)


def test_what_came_of_a_night_is_recorded_once_and_shown_and_counts_only_for_nights_to_come(home: Path) -> None:
    later = Night(TOLD, Settings(home=home, sources=(str(home.parent / "book"),)))
    for stage in (nightly.pull, nightly.check):  # by now a default is known
        stage(later)
    done = invoke(home, "models", "outcomes", "--as-of", TOLD)
    assert done.exit_code == 0, done.output
    assert "2020-04-30" in done.stdout
    assert invoke(home, "models", "outcomes", "--as-of", TOLD).exit_code == 0
    assert len(list((home / "models" / "outcomes").glob("*.json"))) == 1
    counting = read_outcomes(home / "models", TOLD) or {}
    newest, earlier = counting["nights"]
    assert (newest["night"], earlier["night"], earlier["came"], earlier["came_flagged"]) == ("2020-05-04", "2020-04-30", 1, 1)
    assert read_outcomes(home / "models", TOLD - timedelta(days=1)) is None
    assert "no published night's horizon was over" in invoke(home, "models", "outcomes", "--as-of", FIRST).output
