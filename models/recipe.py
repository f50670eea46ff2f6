"""How a model is made: `recipe.toml`, read once and handed on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signals.errors import SettingsError


@dataclass(frozen=True)
class Recipe:
    """The settings of `recipe.toml`, by the names they have there (whose comments say what each means)."""

    seed: int
    threads: int
    rounds_max: int
    rounds_patience: int
    inner_folds: int
    evaluation_folds: int
    origins_max: int
    min_history_days: int
    calibration_defaults: int
    isotonic_defaults: int
    borrowers_max: int
    rows_max: int
    negatives_per_default: int
    thin_defaults: int
    sure_defaults: int
    choice_errors: float
    least_defaults: int
    resamples: int
    interval_defaults: int
    beside_days: int
    audit: dict[str, float]
    fairness: dict[str, float]
    trees: dict[str, Any]
    thin_trees: dict[str, Any]


def load_recipe(path: Path | None = None) -> Recipe:
    """Read a recipe; without a path, the one beside this module. The gates of promotion (see `gates`) and what a night watches (see `bars`) make no model and are left out.

    Raises `SettingsError` when the file is not TOML, or names too much or too little.
    """
    path = path or Path(__file__).with_name("recipe.toml")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        for other in ("gates", "watch"):
            values.pop(other, None)
        return Recipe(**values)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise SettingsError(
            f"not a recipe: {error}", str(path), "no model can be made by it", "mend or remove the named setting"
        ) from error
