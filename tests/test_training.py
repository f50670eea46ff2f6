from __future__ import annotations

import shutil
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import training
from signals.errors import InputError, SettingsError
from signals.simulate import simulate_town
from signals.tables.signs import DEFAULT_KINDS
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


@pytest.fixture(scope="module")
def book(town: Path) -> training._Book:
    """The town as training reads it: what it built of an origin stays for the next test."""
    return training._open_book([str(town)], 60, None)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_training_registers_a_first_champion_with_its_trial_and_its_card(trained: TrainingReport) -> None:
    assert trained.is_champion
    assert trained.folder.name == trained.version
    assert set(listing(trained.folder)) == {"model.txt", "model.json", "card.md", "card.html"}
    assert trained.about["evaluation"]["auc"] > 0.6
    assert list(trained.about["evaluation"]["origins"]) == [max(trained.origins).isoformat()]
    assert max(trained.origins) + timedelta(days=60) <= UNTIL


def test_the_same_sources_make_the_same_files_byte_for_byte(town: Path, trained: TrainingReport, tmp_path: Path) -> None:
    again = train([str(town)], UNTIL, 60, tmp_path)
    assert listing(again.folder) == listing(trained.folder)
    assert {field.name: getattr(again, field.name) for field in fields(again) if field.name != "folder"} == {
        field.name: getattr(trained, field.name) for field in fields(trained) if field.name != "folder"
    }


def test_what_becomes_known_later_changes_nothing_a_model_learns_from(town: Path, book: training._Book, tmp_path: Path) -> None:
    cut, unfinished = date(2026, 3, 14), [date(2026, 2, 28)]
    for path in town.glob("*.parquet"):
        pl.read_parquet(path).filter(pl.col("known_on") <= cut).write_parquet(tmp_path / path.name)
    whole, part = book, training._open_book([str(tmp_path)], 60, None)
    origins = whole.list_origins(cut)
    assert origins == part.list_origins(cut)
    key = ["origin", "borrower_id"]
    assert whole.read_rows(origins, cut).sort(key).equals(part.read_rows(origins, cut).sort(key))
    assert whole.read_rows(unfinished, UNTIL)["is_default"].sum() > part.read_rows(unfinished, UNTIL)["is_default"].sum()


def write_without_defaults(town: Path, folder: Path, cut: date) -> None:
    """The town as known at the cut, but for its default events."""
    folder.mkdir()
    for path in town.glob("*.parquet"):
        table = pl.read_parquet(path).filter(pl.col("known_on") <= cut)
        kept = table.filter(~pl.col("kind").is_in(DEFAULT_KINDS)) if path.stem == "events" else table
        kept.write_parquet(folder / path.name)


def test_one_default_event_known_later_changes_no_origin_to_learn_from(town: Path, tmp_path: Path) -> None:
    cut = date(2026, 3, 14)
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        write_without_defaults(town, folder, cut)
    later = pl.read_parquet(town / "events.parquet").filter(pl.col("kind").is_in(DEFAULT_KINDS), pl.col("known_on") > cut).head(1)
    pl.concat([pl.read_parquet(after / "events.parquet"), later]).write_parquet(after / "events.parquet")
    origins = [training._open_book([str(folder)], 60, None).list_origins(cut) for folder in (before, after)]
    assert len(later) == 1
    assert origins[0]
    assert origins[0] == origins[1]
    assert training._open_book([str(after)], 60, None).list_origins(cut, told_by=UNTIL) == []


def test_what_two_sources_say_alike_counts_once(town: Path, tmp_path: Path) -> None:
    twice, thrice = tmp_path / "twice", tmp_path / "thrice"
    shutil.copytree(town, twice)
    thrice.mkdir()
    for path in town.glob("*.parquet"):
        table = pl.read_parquet(path)
        pl.concat([table, table]).write_parquet(thrice / path.name)
    once = training._open_book([str(town)], 60, None).tables
    for sources in ([str(town), str(twice)], [str(thrice)]):
        found = training._open_book(sources, 60, None).tables
        assert {name: frame.collect().height for name, frame in found.items()} == {
            name: frame.collect().height for name, frame in once.items()
        }


@pytest.mark.parametrize(("least", "is_out_of_time"), [(5, True), (500, False)])
def test_a_trial_says_whether_enough_was_known_before_it(book: training._Book, least: int, is_out_of_time: bool) -> None:
    book = replace(book, recipe=replace(book.recipe, least_defaults=least, evaluation_folds=2))
    latest = book.list_origins(UNTIL)[-1]
    trial = training._evaluate_latest(book, latest, book.read_rows([latest], UNTIL), UNTIL)
    assert trial["is_out_of_time"] is is_out_of_time
    assert trial["is_scorecard"] is not is_out_of_time


def test_a_backtest_over_several_origins_learns_only_from_what_ended_before(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[list[date], date]] = []
    known: list[date] = []
    read_rows, build = training._Book.read_rows, training._Book._build_features
    monkeypatch.setattr(
        training._Book,
        "read_rows",
        lambda book, origins, known_by: read.append((list(origins), known_by)) or read_rows(book, origins, known_by),
    )
    monkeypatch.setattr(
        training._Book,
        "_build_features",
        lambda book, origin: (None if origin in book.features else known.append(origin)) or build(book, origin),
    )
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
    assert next(iter(found)) == "verdict"
    assert set(found["segments"]["capital"]) >= {"inside", "outside"}
    assert sum(one["borrowers"] for one in found["offices"].values()) == sum(one["borrowers"] for one in found["origins"].values())
    assert found["beside"]["365"]["is_finished"] is False
    assert found["audit"]["named"] == []
    assert found["audit"]["jump"]["auc_out_of_time"] == found["origins"]["2026-03-31"]["auc"]
    assert list(found["churn_at_capacity"]) == ["2026-03-31"]


def test_an_unfinished_horizon_is_refused(town: Path) -> None:
    with pytest.raises(InputError, match="2026-05-31 ends 31 days after it, knowledge ends"):
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


@pytest.mark.parametrize("horizon", [0, 3651, 99_999_999])
def test_a_horizon_no_history_can_tell_of_is_refused_in_one_line(town: Path, tmp_path: Path, horizon: int) -> None:
    for run in (lambda: train([str(town)], UNTIL, horizon, tmp_path), lambda: backtest([str(town)], [date(2026, 1, 31)], horizon)):
        with pytest.raises(SettingsError, match=f"a horizon of {horizon} days") as refused:
            run()
        assert "\n" not in str(refused.value)


def test_more_folds_than_anybody_waits_for_are_refused(town: Path) -> None:
    with pytest.raises(SettingsError, match="50 at most, not 51"):
        backtest([str(town)], [date(2026, 1, 31)], 90, folds=51)


def test_a_day_at_the_end_of_the_calendar_is_an_unfinished_horizon(town: Path) -> None:
    with pytest.raises(InputError, match="9999-12-31"):
        backtest([str(town)], [date(9999, 12, 31)], 90)


@pytest.mark.slow
def test_the_real_data_are_ranked_ahead_of_every_baseline(taiwan: Path) -> None:
    found = backtest([str(taiwan)], [date(2005, 9, 30)], 31, folds=5)
    assert found["auc"] >= 0.777
    assert found["average_precision"] >= 0.535
    assert found["calibration_error"] < 0.01
    assert (found["borrowers"], found["defaults"], found["excluded_in_crisis"]) == (29537, 6303, 463)
    assert not found["is_out_of_time"]
    assert all(found["auc"] > baseline["auc"] for baseline in found["baselines"].values())
    assert found["verdict"]["is_ahead"]
    assert found["segments"]["region"] == {}
    assert found["audit"]["is_clean"]


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


def test_training_long_after_the_last_news_takes_nobody_for_well(tmp_path: Path) -> None:
    import training
    from tests.night.test_thin_books import make_book

    for name, frame in make_book(shops=3, months=12).items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    book = training._open_book([str(tmp_path)], 31, None)
    last = book.span.last_known
    assert book.list_origins(date(2030, 1, 1)) == book.list_origins(last) != []


def test_a_large_book_is_learned_from_by_a_lot_of_its_borrowers_and_its_base_rate_stands(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models import recipe

    small = replace(recipe.load_recipe(), borrowers_max=700, rows_max=800, negatives_per_default=2, calibration_defaults=1)
    monkeypatch.setattr(recipe, "load_recipe", lambda: small)
    book = training._open_book([str(town)], 60, None)
    assert (book.lot.borrowers, book.lot.of) == (700, 1500)
    assert book.tables["borrowers"].collect()["borrower_id"].n_unique() <= 700
    assert len(book.tables["lenders"].collect()) > 1
    origins = book.list_origins(UNTIL)[-3:]
    rows = book.read_rows(origins, UNTIL)
    assert book.lot.rows_left_out > 300
    assert len(rows.filter(origin=origins[-1])) + book.excluded[origins[-1], UNTIL]["excluded_in_crisis"] > 650
