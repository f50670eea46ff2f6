"""Fit a model: trees that may only rise where risk may only rise, calibrated on borrowers they did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.calibration import fit_calibration
from models.evaluate import Numbers
from models.levels import fix_thresholds
from models.model import Model, arrange_features
from models.recipe import Recipe
from signals.errors import InputError

NDArrayBool = NDArray[np.bool_]
KEYS = ("origin", "borrower_id", "is_default", "default_on")


def assign_folds(rows: pl.DataFrame, folds: int, seed: int) -> Numbers:
    """Deal the borrowers of `rows` into folds: all rows of a borrower into one, defaulters spread evenly.

    One number from 0 to `folds` - 1 per row. The same borrowers and seed are always dealt alike, in any row order.
    """
    people = rows.group_by("borrower_id").agg(pl.col("is_default").any()).sort("borrower_id")
    people = people.with_columns(lot=np.random.default_rng(seed).permutation(len(people))).sort("is_default", "lot")
    dealt = people.select("borrower_id", fold=pl.int_range(pl.len()) % folds)
    return rows.select("borrower_id").join(dealt, on="borrower_id", how="left", maintain_order="left")["fold"].to_numpy()


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
    setup = _set_up(rows, chosen, recipe)
    raw, rounds = _score_held_out(setup, assign_folds(rows, recipe.inner_folds, recipe.seed + 1))
    is_latest = _find_latest(rows, recipe.calibration_defaults)
    label, raw = setup.label[is_latest], raw[is_latest]
    calibration = fit_calibration(label, raw, recipe.isotonic_defaults)
    return Model(
        booster=_fit_trees(setup, np.ones(len(rows), dtype=bool), rounds),
        directions=chosen,
        calibration=calibration,
        thresholds=fix_thresholds(label, calibration.apply(raw)),
        horizon_days=horizon_days,
        known_by=known_by,
        origins=tuple(rows["origin"].unique().sort()),
        about=_describe_rows(rows, recipe) | {"rounds": rounds, "base_rate": float(label.mean())},
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
    return {**counts, "is_thin": defaults < recipe.thin_defaults, "recipe": asdict(recipe)}


def thin_negatives(label: Numbers, recipe: Recipe) -> NDArrayBool:
    """Choose the rows trees grow on: every default, and by lot so many others for each as the recipe says.

    What is left out says little and costs the most. The calibration, fitted on rows that are not thinned, puts the
    base rate right again.
    """
    wanted = int(label.sum()) * recipe.negatives_per_default
    negatives = np.flatnonzero(label == 0)
    kept = label > 0
    kept[np.random.default_rng(recipe.seed + 2).permutation(negatives)[:wanted]] = True
    return kept


def can_fit(rows: pl.DataFrame, directions: Mapping[str, int], recipe: Recipe) -> bool:
    """Whether `rows` can teach a model anything: enough defaults, some who stayed well, a feature that says something."""
    return count_defaults(rows) >= recipe.least_defaults and not rows["is_default"].all() and bool(choose_features(rows, directions))


def count_defaults(rows: pl.DataFrame) -> int:
    """How many borrowers of `rows` had a default (one whom several origins saw coming counts once)."""
    return rows.filter("is_default")["borrower_id"].n_unique()


@dataclass(frozen=True)
class _Setup:
    matrix: Numbers
    label: Numbers
    kept: NDArrayBool
    settings: dict[str, Any]
    recipe: Recipe


def _set_up(rows: pl.DataFrame, chosen: Mapping[str, int], recipe: Recipe) -> _Setup:
    label = rows["is_default"].to_numpy().astype(np.float64)
    thin = recipe.thin_trees if count_defaults(rows) < recipe.thin_defaults else {}
    steady = {"deterministic": True, "force_row_wise": True, "seed": recipe.seed, "num_threads": recipe.threads, "verbosity": -1}
    settings = {**recipe.trees, **thin, **steady, "monotone_constraints": list(chosen.values())}
    return _Setup(arrange_features(rows, list(chosen)), label, thin_negatives(label, recipe), settings, recipe)


def _score_held_out(setup: _Setup, folds: Numbers) -> tuple[Numbers, int]:
    """The raw score of every row by trees that never saw its borrower, and the mean number of rounds that served."""
    raw, rounds = np.empty(len(folds)), []
    for fold in range(setup.recipe.inner_folds):
        held = folds == fold
        trees = _fit_trees(setup, ~held, setup.recipe.rounds_max, held)
        raw[held] = trees.predict(setup.matrix[held], raw_score=True, num_iteration=trees.best_iteration)
        rounds.append(trees.best_iteration)
    return raw, max(1, round(sum(rounds) / len(rounds)))


def _fit_trees(setup: _Setup, seen: NDArrayBool, rounds: int, held: NDArrayBool | None = None) -> Any:
    import lightgbm

    seen = seen & setup.kept
    data = lightgbm.Dataset(setup.matrix[seen], setup.label[seen])
    if held is None:
        return lightgbm.train(setup.settings, data, rounds)
    held = held & setup.kept
    watched = lightgbm.Dataset(setup.matrix[held], setup.label[held], reference=data)
    stop = lightgbm.early_stopping(setup.recipe.rounds_patience, verbose=False)
    return lightgbm.train(setup.settings, data, rounds, valid_sets=[watched], callbacks=[stop])


def _find_latest(rows: pl.DataFrame, defaults: int) -> NDArrayBool:
    """The rows of the newest origins that together hold so many defaults (all, when there are fewer)."""
    counts = rows.group_by("origin").agg(pl.col("is_default").sum().cast(pl.Int64)).sort("origin", descending=True)
    before = counts.select("origin", before=pl.col("is_default").cum_sum() - pl.col("is_default"))
    latest = before.filter(pl.col("before") < defaults)["origin"]
    return rows["origin"].is_in(latest.implode()).to_numpy()
