"""Trees on rows: what they grow on, by which settings, and how many of them serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.evaluate import Numbers
from models.lot import draw_lot
from models.model import arrange_features
from models.recipe import Recipe

NDArrayBool = NDArray[np.bool_]


def thin_negatives(rows: pl.DataFrame, recipe: Recipe) -> NDArrayBool:
    """Choose the rows trees grow on: every default, and so many others for each as the recipe says.

    Which others: the first in the lot of the recipe's seed, borrower and origin (see `lot`). What is left out says little and costs the most. The calibration, fitted on rows that
    are not thinned, puts the base rate right again.
    """
    label = rows["is_default"].to_numpy()
    wanted = int(label.sum()) * recipe.negatives_per_default
    negatives = np.flatnonzero(~label)
    kept = label.copy()
    if wanted < len(negatives):
        well = rows.select("borrower_id", "origin")[negatives]
        lot = draw_lot(well["borrower_id"], recipe.seed, well["origin"])
        negatives = negatives[np.argsort(lot, kind="stable")[:wanted]]
    kept[negatives] = True
    return kept


@dataclass(frozen=True)
class Setup:
    """The rows as LightGBM reads them: `kept` are those that trees grow on, `settings` those of the shape chosen."""

    matrix: Numbers
    label: Numbers
    kept: NDArrayBool
    settings: dict[str, Any]
    recipe: Recipe

    @property
    def negatives_share(self) -> float:
        """The share of those who stayed well that trees grow on."""
        well = self.label == 0
        return float(self.kept[well].mean()) if well.any() else 1.0

    @property
    def shift(self) -> float:
        """What thinning adds to a raw score: the logarithm of how much more frequent a default is among the rows kept."""
        return -float(np.log(max(self.negatives_share, np.finfo(float).tiny)))


def set_up(rows: pl.DataFrame, chosen: Mapping[str, int], recipe: Recipe, *, is_additive: bool) -> Setup:
    """Set up the rows (sorted by origin and borrower) for trees of the recipe's own shape, or for an additive model."""
    label = rows["is_default"].to_numpy().astype(np.float64)
    thin = recipe.thin_trees if is_additive else {}
    steady = {"deterministic": True, "force_row_wise": True, "seed": recipe.seed, "num_threads": recipe.threads, "verbosity": -1}
    settings = {**recipe.trees, **thin, **steady, "monotone_constraints": list(chosen.values())}
    return Setup(arrange_features(rows, list(chosen)), label, thin_negatives(rows, recipe), settings, recipe)


def fit_trees(setup: Setup, seen: NDArrayBool, rounds: int, held: NDArrayBool | None = None) -> Any:
    """Grow so many rounds of trees on the rows `seen`; with rows `held` out, they stop once those are served no better."""
    import lightgbm

    seen = seen & setup.kept
    data = lightgbm.Dataset(setup.matrix[seen], setup.label[seen])
    if held is None:
        return lightgbm.train(setup.settings, data, rounds)
    held = held & setup.kept
    watched = lightgbm.Dataset(setup.matrix[held], setup.label[held], reference=data)
    stop = lightgbm.early_stopping(setup.recipe.rounds_patience, verbose=False)
    return lightgbm.train(setup.settings, data, rounds, valid_sets=[watched], callbacks=[stop])
