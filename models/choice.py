"""Trees, or an additive model of one split each: where data is thin the simpler one may win, and then it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from models.evaluate import Numbers
from models.folds import assign_folds, count_defaults
from models.recipe import Recipe
from models.trees import NDArrayBool, Setup, fit_trees, set_up

FEW, MANY, ASKED = "few", "many", "asked"


@dataclass(frozen=True)
class Choice:
    """Which shape serves, and why: `few` defaults (additive), `many` (trees), or `asked` of held-out borrowers.

    When asked: the mean log loss of both on the same rows, by how much the trees' was lower (`gain`), the standard error of that by
    borrower, and whether the rows were also out of time. Else these are null.
    """

    is_additive: bool
    why: str
    loss_additive: float | None = None
    loss_trees: float | None = None
    gain: float | None = None
    gain_error: float | None = None
    is_out_of_time: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The choice as plain values."""
        return asdict(self)


def choose_shape(rows: pl.DataFrame, chosen: Mapping[str, int], recipe: Recipe, horizon_days: int) -> Choice:
    """Choose by the recipe's rule: below `thin_defaults` the additive model, from `sure_defaults` on the trees, between them who wins.

    Between them each grows on borrowers of one part and is judged on the others' newest origin: out of time where enough is known so
    much earlier, else only borrower-disjoint. The trees serve when their log loss is lower by `choice_errors` standard errors.
    """
    defaults = count_defaults(rows)
    if defaults < recipe.thin_defaults or defaults >= recipe.sure_defaults:
        is_few = defaults < recipe.thin_defaults
        return Choice(is_additive=is_few, why=FEW if is_few else MANY)
    latest = max(rows["origin"])
    earlier = rows.filter(pl.col("origin") <= latest - timedelta(days=horizon_days))
    is_out_of_time = count_defaults(earlier) >= recipe.thin_defaults
    both = pl.concat([earlier, rows.filter(origin=latest)]) if is_out_of_time else rows
    is_judged = (both["origin"] == latest).to_numpy()
    losses = [_lose(set_up(both, chosen, recipe, is_additive=way), both, is_judged, is_out_of_time=is_out_of_time) for way in (True, False)]
    gain = losses[0] - losses[1]
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    return Choice(
        is_additive=bool(gain.mean() <= recipe.choice_errors * error),
        why=ASKED,
        loss_additive=float(losses[0].mean()),
        loss_trees=float(losses[1].mean()),
        gain=float(gain.mean()),
        gain_error=error,
        is_out_of_time=is_out_of_time,
    )


def _lose(setup: Setup, rows: pl.DataFrame, is_judged: NDArrayBool, *, is_out_of_time: bool) -> Numbers:
    """The log loss of each row judged (one per borrower), by trees that never saw the borrower, the thinning taken back."""
    folds, loss = assign_folds(rows, setup.recipe.inner_folds, setup.recipe.seed + 3), np.zeros(len(rows))
    for fold in range(setup.recipe.inner_folds):
        held = (folds == fold) & is_judged
        seen = (folds != fold) & ~is_judged if is_out_of_time else folds != fold
        trees = fit_trees(setup, seen, setup.recipe.rounds_max, held)
        raw = trees.predict(setup.matrix[held], raw_score=True, num_iteration=trees.best_iteration) - setup.shift
        loss[held] = np.logaddexp(0.0, raw) - setup.label[held] * raw
    return np.asarray(loss[is_judged], dtype=np.float64)
