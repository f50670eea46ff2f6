"""A town on disk: whole or not at all, its truth apart, the same in whatever parts it is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from signals.errors import InputError
from signals.simulate import folder, simulate_town, town, truth_path, write_town, write_town_folder
from signals.sources.folder import unknown_files
from signals.tables import TABLES
from tests.signals.reading import read_folder

UNTIL = date(2026, 6, 30)


def read_tables(out: Path) -> dict[str, pl.DataFrame]:
    return {name: frame.drop("file", "line").collect() for name, frame in read_folder(out).items()}


def test_a_written_town_is_a_source_folder_with_its_truth_apart(tmp_path: Path) -> None:
    out = tmp_path / "town"
    made = simulate_town(200, 6, 3, UNTIL)
    write_town(made, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(f"{name}.parquet" for name in TABLES)
    assert unknown_files(out) == []
    assert truth_path(out) == tmp_path / "town-truth" / "truth.parquet"
    assert pl.read_parquet(truth_path(out)).equals(made.truth)
    assert pl.read_parquet(out / "repayments.parquet").equals(made.tables["repayments"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["town", "town-truth"]


@pytest.mark.parametrize("blocks_per_part", [1, 2, 10])
def test_the_parts_it_is_written_in_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks_per_part: int) -> None:
    monkeypatch.setattr(town, "BLOCK", 150)
    monkeypatch.setattr(folder, "BLOCK", 150)
    monkeypatch.setattr(folder, "BLOCKS_PER_PART", blocks_per_part)
    heard: list[tuple[int, int]] = []
    out = tmp_path / "town"
    write_town_folder(out, 400, 6, 3, UNTIL, on_progress=lambda done, total: heard.append((done, total)))
    made, read = simulate_town(400, 6, 3, UNTIL), read_tables(out)
    for name, frame in made.tables.items():
        assert read[name].select(frame.columns).equals(frame), name
    assert pl.scan_parquet(truth_path(out)).collect().equals(made.truth)
    assert heard == [(150, 400), (300, 400), (400, 400)]
    assert (out / "repayments").is_dir() == (blocks_per_part < 3)


def test_writing_again_replaces_the_town_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "town"
    monkeypatch.setattr(town, "BLOCK", 100)
    monkeypatch.setattr(folder, "BLOCK", 100)
    monkeypatch.setattr(folder, "BLOCKS_PER_PART", 1)
    write_town_folder(out, 250, 4, 3, UNTIL)
    write_town_folder(out, 80, 4, 3, UNTIL)
    assert not (out / "loans").exists()
    assert read_tables(out)["borrowers"]["borrower_id"].n_unique() == 80


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "loans.parquet").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        write_town_folder(tmp_path, 50, 3, 1, UNTIL)
    assert (tmp_path / "loans.parquet").read_text() == "precious"


def test_a_failure_midway_leaves_the_old_town_and_no_litter(tmp_path: Path) -> None:
    out = tmp_path / "town"
    write_town_folder(out, 60, 3, 1, UNTIL)
    before = read_tables(out)["repayments"]

    def stumble(done: int, total: int) -> None:
        raise RuntimeError(f"{done} of {total}")

    with pytest.raises(RuntimeError, match="90 of 90"):
        write_town_folder(out, 90, 3, 1, UNTIL, on_progress=stumble)
    assert read_tables(out)["repayments"].equals(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["town", "town-truth"]
