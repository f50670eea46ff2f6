from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import training
from signals.errors import InputError, SettingsError
from signals.simulate import simulate_town
from training import TrainingReport, backtest, train

UNTIL = date(2026, 6, 30)
FIGURES = {
    "auc",
    "average_precision",
    "brier",
    "calibration_error",
    "precision_at_5pct",
    "recall_at_5pct",
    "lead_days_median",
    "excluded_in_crisis",
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    for name, table in simulate_town(borrowers=1500, months=12, seed=11, until=UNTIL).tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def trained(town: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    return train([str(town)], UNTIL, 60, tmp_path_factory.mktemp("home"))


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_training_registers_a_first_champion_with_its_trial_and_its_card(trained: TrainingReport) -> None:
    assert trained.is_champion
    assert trained.folder.name == trained.version
    assert set(listing(trained.folder)) == {"model.txt", "model.json", "card.md"}
    assert trained.about["evaluation"]["auc"] > 0.6
    assert list(trained.about["evaluation"]["origins"]) == [max(trained.origins).isoformat()]
    assert max(trained.origins) + timedelta(days=60) <= UNTIL


def test_the_same_sources_make_the_same_files_byte_for_byte(town: Path, trained: TrainingReport, tmp_path: Path) -> None:
    again = train([str(town)], UNTIL, 60, tmp_path)
    assert listing(again.folder) == listing(trained.folder)
    assert {field.name: getattr(again, field.name) for field in fields(again) if field.name != "folder"} == {
        field.name: getattr(trained, field.name) for field in fields(trained) if field.name != "folder"
    }


def test_what_becomes_known_later_changes_nothing_a_model_learns_from(town: Path, tmp_path: Path) -> None:
    cut, unfinished = date(2026, 3, 14), [date(2026, 2, 28)]
    for path in town.glob("*.parquet"):
        pl.read_parquet(path).filter(pl.col("known_on") <= cut).write_parquet(tmp_path / path.name)
    whole, part = (training._open_book([str(source)], 60, None) for source in (town, tmp_path))
    origins = whole.list_origins(cut)
    assert origins == part.list_origins(cut)
    key = ["origin", "borrower_id"]
    assert whole.read_rows(origins, cut).sort(key).equals(part.read_rows(origins, cut).sort(key))
    assert whole.read_rows(unfinished, UNTIL)["is_default"].sum() > part.read_rows(unfinished, UNTIL)["is_default"].sum()


@pytest.mark.parametrize(("least", "is_out_of_time"), [(5, True), (500, False)])
def test_a_trial_says_whether_enough_was_known_before_it(town: Path, least: int, is_out_of_time: bool) -> None:
    book = training._open_book([str(town)], 60, None)
    book.recipe = replace(book.recipe, least_defaults=least, evaluation_folds=2)
    latest = book.list_origins(UNTIL)[-1]
    trial = training._evaluate_latest(book, latest, book.read_rows([latest], UNTIL), UNTIL)
    assert trial["is_out_of_time"] is is_out_of_time
    assert trial["is_scorecard"] is not is_out_of_time


def test_a_backtest_over_several_origins_learns_only_from_what_ended_before(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[list[date], date]] = []
    known: list[date] = []
    read_rows, know = training._Book.read_rows, training._Book._know
    monkeypatch.setattr(
        training._Book,
        "read_rows",
        lambda book, origins, known_by: read.append((list(origins), known_by)) or read_rows(book, origins, known_by),
    )
    monkeypatch.setattr(training._Book, "_know", lambda book, origin: known.append(origin) or know(book, origin))
    origins = [date(2026, 2, 28), date(2026, 3, 31)]
    found = backtest([str(town)], origins, 90)
    learned = [(past, known_by) for past, known_by in read if known_by in origins]
    assert [known_by for _, known_by in learned] == origins
    assert all(max(past) + timedelta(days=90) <= known_by for past, known_by in learned)
    assert len(known) == len(set(known))
    assert found["is_out_of_time"]
    assert list(found["origins"]) == ["2026-02-28", "2026-03-31"]
    for part in (found, *found["baselines"].values(), *found["origins"].values()):
        assert set(part) >= FIGURES
    assert set(found["baselines"]) == {"days_past_due", "logistic", "scorecard"}
    assert found["excluded_in_crisis"] == sum(one["excluded_in_crisis"] for one in found["origins"].values())


def test_an_unfinished_horizon_is_refused(town: Path) -> None:
    with pytest.raises(InputError, match="2026-05-31 ends 2026-07-01"):
        backtest([str(town)], [date(2026, 3, 31), date(2026, 5, 31)], 31)


def test_an_origin_with_nothing_before_it_is_refused_and_told_of_folds(town: Path) -> None:
    with pytest.raises(InputError, match="--folds"):
        backtest([str(town)], [date(2025, 9, 30)], 120)


def test_training_without_a_finished_horizon_is_refused(town: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no month end"):
        train([str(town)], date(2025, 9, 30), 365, tmp_path)
    assert not (tmp_path / "models").exists()


def test_one_fold_would_leave_nobody_to_test_on(town: Path) -> None:
    with pytest.raises(SettingsError, match="two folds"):
        backtest([str(town)], [date(2026, 1, 31)], 90, folds=1)


@pytest.mark.slow
def test_the_real_data_are_ranked_ahead_of_every_baseline(taiwan: Path) -> None:
    found = backtest([str(taiwan)], [date(2005, 9, 30)], 31, folds=5)
    assert found["auc"] >= 0.777
    assert found["average_precision"] >= 0.535
    assert found["calibration_error"] < 0.01
    assert (found["borrowers"], found["defaults"], found["excluded_in_crisis"]) == (29537, 6303, 463)
    assert not found["is_out_of_time"]
    assert all(found["auc"] > baseline["auc"] for baseline in found["baselines"].values())


@pytest.mark.slow
def test_the_real_data_train_on_the_one_origin_whose_outcome_is_told(taiwan: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.mkdir()
    for path in taiwan.glob("*.parquet"):
        pl.read_parquet(path).filter(pl.col("borrower_id") <= "TW03000").write_parquet(part / path.name)
    report = train([str(part)], date(2005, 10, 31), 31, tmp_path)
    assert report.origins == (date(2005, 9, 30),)
    assert not report.about["evaluation"]["is_out_of_time"]
    assert "not out of time" in (report.folder / "card.md").read_text(encoding="utf-8")
