"""Fit a model: trees that may only rise where risk may only rise, calibrated on borrowers they did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from models.calibration import fit_calibration
from models.choice import Choice, choose_shape
from models.evaluate import Numbers
from models.folds import assign_folds, count_defaults, find_latest
from models.levels import fix_thresholds
from models.model import Model
from models.recipe import Recipe
from models.trees import Setup, fit_trees, set_up
from signals.errors import InputError

KEYS = ("origin", "borrower_id", "is_default", "default_on")


def choose_features(rows: pl.DataFrame, directions: Mapping[str, int]) -> dict[str, int]:
    """Choose, of the declared features, those that say anything: present, and more than one known value.

    >>> choose_features(pl.DataFrame({"a": [1.0, 2.0], "b": [None, None]}), {"a": 1, "b": 0, "c": 0})
    {'a': 1}
    """
    present = [name for name in directions if name in rows.columns]
    varied = rows.select((pl.col(name).n_unique() - pl.col(name).null_count().clip(upper_bound=1)) > 1 for name in present)
    return {name: directions[name] for name in present if varied[name][0]}


def fit_model(rows: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe, horizon_days: int, known_by: date) -> Model:
    """Fit trees on all of `rows`, with rounds, calibration and thresholds from borrowers held out of them.

    `rows` is one row per origin and borrower_id: is_default, default_on and the features (see `choose_features`).
    Raises `InputError` when fewer borrowers had a default than the recipe asks for.
    """
    if not can_fit(rows, directions, recipe):
        raise _too_few(rows, recipe, known_by)
    rows = rows.sort("origin", "borrower_id")
    chosen = choose_features(rows, directions)
    choice = choose_shape(rows, chosen, recipe, horizon_days)
    setup = set_up(rows, chosen, recipe, is_additive=choice.is_additive)
    raw, rounds = _score_held_out(setup, assign_folds(rows, recipe.inner_folds, recipe.seed + 1))
    is_latest = find_latest(rows, recipe.calibration_defaults)
    label, raw = setup.label[is_latest], raw[is_latest]
    calibration = fit_calibration(label, raw, recipe.isotonic_defaults)
    return Model(
        booster=fit_trees(setup, np.ones(len(rows), dtype=bool), rounds),
        directions=chosen,
        calibration=calibration,
        thresholds=fix_thresholds(label, calibration.apply(raw)),
        horizon_days=horizon_days,
        known_by=known_by,
        origins=tuple(rows["origin"].unique().sort()),
        about=_describe_rows(rows, recipe) | _describe_fit(setup, choice) | {"rounds": rounds, "base_rate": float(label.mean())},
    )


def _too_few(rows: pl.DataFrame, recipe: Recipe, known_by: date) -> InputError:
    return InputError(
        f"only {count_defaults(rows)} borrowers with a default among {rows['borrower_id'].n_unique()}",
        f"what was known by {known_by}",
        f"a model needs at least {recipe.least_defaults}, some who stayed well, and a feature that differs between them",
        "give a longer history or a longer horizon; until then the scorecard serves",
    )


def _describe_rows(rows: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    defaults = count_defaults(rows)
    counts = {"rows": len(rows), "borrowers": rows["borrower_id"].n_unique(), "defaults": defaults}
    return {**counts, "recipe": asdict(recipe)}


def _describe_fit(setup: Setup, choice: Choice) -> dict[str, Any]:
    """What a card says of how it was learned: which shape and why, and how many of those who stayed well the trees grew on."""
    return {"is_thin": choice.is_additive, "choice": choice.to_json(), "negatives_share": setup.negatives_share}


def can_fit(rows: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe) -> bool:
    """Whether `rows` can teach a model anything: enough defaults, some who stayed well, a feature that says something."""
    return count_defaults(rows) >= recipe.least_defaults and not rows["is_default"].all() and bool(choose_features(rows, directions))


def _score_held_out(setup: Setup, folds: Numbers) -> tuple[Numbers, int]:
    """The raw score of every row by trees that never saw its borrower, and the mean number of rounds that served."""
    raw, rounds = np.empty(len(folds)), []
    for fold in range(setup.recipe.inner_folds):
        held = folds == fold
        trees = fit_trees(setup, ~held, setup.recipe.rounds_max, held)
        raw[held] = trees.predict(setup.matrix[held], raw_score=True, num_iteration=trees.best_iteration)
        rounds.append(trees.best_iteration)
    return raw, max(1, round(sum(rounds) / len(rounds)))
