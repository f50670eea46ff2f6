"""What a trained model is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from models.calibration import Calibration
from models.evaluate import Numbers
from models.levels import Thresholds
from models.shapley import Group, tabulate_trees
from signals.errors import InputError


@dataclass(frozen=True)
class Model:
    """A booster, its calibration and its thresholds, and what they were made from.

    `directions` are the features in the booster's order: +1 or -1 where risk may only rise or fall with them, else 0.
    `version` is empty until it is registered. `about` holds what the card tells: counts, metrics, recipe.
    """

    booster: Any
    directions: dict[str, int]
    calibration: Calibration
    thresholds: Thresholds
    horizon_days: int
    known_by: date
    origins: tuple[date, ...]
    version: str = ""
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """The features the booster reads, in its order."""
        return list(self.directions)

    @cached_property
    def shapley_groups(self) -> list[Group] | None:
        """The Shapley values of its trees, tabulated once; null where they can't be."""
        try:
            return tabulate_trees(self.booster)
        except NotImplementedError:
            return None

    def arrange(self, features: pl.DataFrame) -> Numbers:
        """The booster's matrix: one row per row of `features`, NaN where null.

        Raises `InputError` when a feature the model was trained on is not there.
        """
        return arrange_features(features, self.features)

    def score_raw(self, features: pl.DataFrame) -> Numbers:
        """The raw score (log-odds before calibration) of each row."""
        if features.is_empty():
            return np.empty(0)
        return np.asarray(self.booster.predict(self.arrange(features), raw_score=True), dtype=np.float64)


def arrange_features(features: pl.DataFrame, names: list[str]) -> Numbers:
    """The named columns as a matrix of floats, NaN where null.

    Raises `InputError` when one is not there.
    """
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise InputError(
            f"the model's feature {absent[0]} is not computed",
            "features",
            "the model would score something else than it learned",
            "train again, or declare the feature again",
        )
    return features.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names).to_numpy()
