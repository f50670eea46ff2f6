"""What the benches of the bars say of a trial and of a search, from frames alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from models.recipe import load_recipe
from tests.models.conftest import make_trial

BENCH = Path(__file__).resolve().parents[2] / "bench"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_who_ranks_as_the_hazard_does_catches_all_it_catches_and_a_coin_little() -> None:
    tried = make_trial(3, borrowers=2_000)
    truth = tried.select("borrower_id", as_of="origin", hazard_180d="model_risk").filter(pl.col("borrower_id") != "B00007")
    tried = tried.with_columns(pl.col("scorecard_raw").alias("scorecard_risk"))
    found = load("truth").measure_against_truth(tried, truth, resamples=20)
    assert found["without_hazard"] == 2
    assert found["contenders"]["model"]["capture_at_5pct"] == 1.0
    assert found["contenders"]["model"]["capture_at_5pct_interval"] == [1.0, 1.0]
    coin = found["contenders"]["scorecard"]
    assert coin["capture_at_5pct"] < 0.5
    assert coin["capture_at_5pct_interval"][0] < coin["capture_at_5pct"] < coin["capture_at_5pct_interval"][1]
    assert found["calibration_error"] < 0.05


@pytest.mark.parametrize(
    ("losses", "serves"),
    [
        ([[1.0, 1.0, 1.0], [0.97, 0.97, 0.98]], 1),
        ([[1.0, 1.0, 1.0], [0.90, 1.06, 0.99]], 0),
        ([[1.0, 1.0, 1.0], [0.90, 0.90, 1.001]], 0),
        ([[1.0, 1.0, 1.0], [0.90, 0.90, 1.001], [0.98, 0.98, 0.99]], 2),
    ],
    ids=["better everywhere", "luck", "loses on a real book", "the next best"],
)
def test_another_recipe_serves_only_where_it_is_better_by_more_than_luck(losses: list[list[float]], serves: int) -> None:
    assert load("search").choose_winner(losses, [False, False, True]) == serves


def test_a_search_begins_with_what_stands_and_draws_the_same_again() -> None:
    search, standing = load("search"), load_recipe()
    points = search.draw_points(standing, 5, seed=1)
    assert points[0] == standing
    assert points == search.draw_points(standing, 5, seed=1)
    assert len({str(point.trees) for point in points}) == 6
