"""Looked up, a tree's Shapley values are LightGBM's own."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from models import shapley
from models.shapley import look_up, tabulate_trees

ROWS, COLUMNS = 3000, 6


def make_matrix(seed: int, unknown: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = np.round(rng.normal(size=(ROWS, COLUMNS)), 1)
    matrix[rng.random(matrix.shape) < unknown] = np.nan
    return matrix


def grow(matrix: np.ndarray, **settings: Any) -> Any:
    risk = np.nan_to_num(matrix[:, 0]) + np.nan_to_num(matrix[:, 1]) * np.isnan(matrix[:, 2])
    label = risk + np.random.default_rng(7).normal(size=ROWS) > 1
    steady = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": 1, "min_data_in_leaf": 5, "learning_rate": 0.3}
    return lightgbm.train({**steady, **settings}, lightgbm.Dataset(matrix, label.astype(float)), 12)


@pytest.mark.parametrize("unknown", [0.0, 0.3])
@pytest.mark.parametrize("settings", [{"num_leaves": 15, "max_depth": 6}, {"num_leaves": 40, "max_depth": 8}, {"num_leaves": 2}])
def test_what_is_looked_up_is_what_lightgbm_says(unknown: float, settings: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    booster = grow(make_matrix(1, unknown), **settings)
    asked = make_matrix(2, 0.3)[:700]  # unknown values also where training saw none
    monkeypatch.setattr(shapley, "ROWS_AT_ONCE", 300)
    own = booster.predict(asked, pred_contrib=True)[:, :-1]
    assert np.abs(look_up(tabulate_trees(booster), asked) - own).max() < 1e-12
    assert look_up(tabulate_trees(booster), asked[:0]).shape == (0, COLUMNS)


def test_a_tree_that_only_has_a_root_explains_nothing() -> None:
    booster = grow(make_matrix(1, 0.0), min_gain_to_split=1e9)
    assert tabulate_trees(booster) == []
    assert not look_up([], make_matrix(2, 0.0)).any()


def test_a_value_without_end_counts_as_known() -> None:
    matrix = make_matrix(1, 0.3)
    label = np.isnan(matrix[:, 0]).astype(float)  # the only question worth asking: known or not
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_leaves": 2}, lightgbm.Dataset(matrix, label), 1)
    asked = np.full((3, COLUMNS), [[np.inf], [-np.inf], [np.nan]])
    own = booster.predict(asked, pred_contrib=True)[:, :-1]
    assert np.abs(look_up(tabulate_trees(booster), asked) - own).max() < 1e-12


def test_what_it_does_not_read_it_refuses() -> None:
    matrix = make_matrix(1, 0.3)
    with pytest.raises(NotImplementedError, match="Zero"):
        tabulate_trees(grow(matrix, zero_as_missing=True))
    with pytest.raises(NotImplementedError, match="more than"):
        tabulate_trees(grow(matrix, num_leaves=400, min_data_in_leaf=1, max_depth=-1))
