"""What one week's list of each office would have caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from models.bootstrap import add_intervals, resample
from models.figures import Figures
from models.lists import sum_places
from models.ranking import Numbers
from models.recipe import Recipe


def measure_offices(listed: pl.DataFrame, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Measure each office's list at its weekly capacity, over all origins; sorted by office.

    `listed`: borrower_id, office, places (the capacity), is_default and place (see `lists.share_places`). `borrowers` counts
    rows, and `listed` those on the list: one list per origin. Precision is null without a list, recall without a default;
    intervals where the recipe has enough defaults for them.
    """
    return {name: _measure_office(listed.filter(office=name), recipe) for name in listed["office"].unique().sort()}


def _measure_office(rows: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    place, came = rows["place"].to_numpy(), rows["is_default"].to_numpy().astype(np.float64)
    measure = _weigh_list(place, came)
    people = (rows["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    resamples = recipe.resamples if came.sum() >= recipe.interval_defaults else 0
    drawn = resample({"list": measure}, people, resamples, recipe.seed)["list"]
    shares = {"precision_at_capacity": float(place.sum()), "recall_at_capacity": float(came.sum())}
    counts = {"weekly_capacity": rows["places"][0], "borrowers": len(rows), "defaults": int(came.sum()), "listed": float(place.sum())}
    return counts | add_intervals(measure(np.ones(len(rows))), drawn, shares)


def _weigh_list(place: Numbers, came: Numbers) -> Callable[[Numbers], Figures]:
    return lambda weights: dict(zip(("precision_at_capacity", "recall_at_capacity"), sum_places(place, came, weights), strict=True))
