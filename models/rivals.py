"""The champion on the trial of a new model: two models are compared on the same borrowers and days, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from models.evaluate import Numbers, measure_auc, measure_average_precision
from models.folds import assign_folds
from models.model import Model
from models.recipe import Recipe
from models.train import KEYS, can_fit, fit_model
from signals.errors import InputError

ITSELF, MADE_AGAIN, SAME = "itself", "made again", "made alike"


def try_champion(
    champion: Model, model: Model, present: pl.DataFrame, read_past: Callable[[], pl.DataFrame], recipe: Recipe
) -> dict[str, Any]:
    """Try the champion on the rows of `present`, on which `model` stood its trial: its version, `way`, auc and average_precision.

    A champion that knew nothing of what came after them is scored `itself`. One that did would be praised for knowing the
    answers: what is tried then is its recipe and its features, `made again` in the folds of the trial from the rows that `model`
    learned from there (`read_past`). Where both are those of `model` they are `made alike`, and there is nothing to compare:
    the figures are null. `why` says why it can't be tried (else null).
    """
    old, way = _overlay(recipe, champion), MADE_AGAIN
    told = {"version": champion.version, "auc": None, "average_precision": None, "why": None}
    if champion.known_by <= present["origin"].min():  # type: ignore[operator]
        way = ITSELF
    elif (old, champion.directions, champion.horizon_days) == (_overlay(recipe, model), model.directions, model.horizon_days):
        return told | {"way": SAME}
    try:
        raw = champion.score_raw(present) if way == ITSELF else _make_again(champion, old, read_past(), present, recipe, model.horizon_days)
    except InputError as error:
        return told | {"way": way, "why": error.what}
    return told | {"way": way} | _measure(present, raw)


def _measure(present: pl.DataFrame, raw: Numbers) -> dict[str, float | None]:
    label = present["is_default"].to_numpy().astype(np.float64)
    return {"auc": measure_auc(label, raw), "average_precision": measure_average_precision(label, raw)}


def _overlay(recipe: Recipe, model: Model) -> Recipe:
    """The recipe a model was made by, in today's form: what a recipe did not say then is as it is now."""
    kept = model.about.get("recipe", asdict(recipe))
    return replace(recipe, **{field.name: kept[field.name] for field in fields(recipe) if field.name in kept})


def _make_again(champion: Model, old: Recipe, past: pl.DataFrame, present: pl.DataFrame, recipe: Recipe, horizon_days: int) -> Numbers:
    fold = assign_folds(pl.concat([past.select(KEYS), present.select(KEYS)]), recipe.evaluation_folds, recipe.seed)
    before, now, raw = fold[: len(past)], fold[len(past) :], np.empty(len(present))
    for part in np.unique(now):
        rows = past.filter(before != part)
        if not can_fit(rows, champion.directions, old):
            raise InputError("too few defaults were known for its recipe", "the trial", "it can't be made again", "give a longer history")
        again = fit_model(rows, champion.directions, old, horizon_days, max(rows["origin"]) + timedelta(days=horizon_days))
        raw[now == part] = again.score_raw(present.filter(now == part))
    return raw
