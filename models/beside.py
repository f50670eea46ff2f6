"""The same scores against what came within another horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from models.labels import label_defaults
from models.recipe import Recipe
from models.trial import CONTENDERS, measure_contenders


def look_beside(tried: pl.DataFrame, tables: Mapping[str, pl.LazyFrame], known_by: date, recipe: Recipe) -> dict[str, Any]:
    """Measure how the contenders of a trial rank what came within the recipe's other horizon, at the origins that know it.

    `tables` hold all versions; knowledge ends on `known_by`. Ranking alone: the risks were made for the main horizon. Origins
    whose other horizon is not over are listed as `unfinished`; without a finished one there are no figures.
    """
    days, horizon = tried["origin"].unique().sort().to_list(), timedelta(days=recipe.beside_days)
    finished = [day for day in days if day + horizon <= known_by]
    told: dict[str, Any] = {
        "is_finished": bool(finished),
        "origins": [day.isoformat() for day in finished],
        "unfinished": [day.isoformat() for day in days if day not in finished],
    }
    if not finished:
        return told
    rows = tried.drop("is_default", "default_on").join(_label_again(tables, finished, recipe, known_by), on=["origin", "borrower_id"])
    figures, _ = measure_contenders(rows, CONTENDERS, recipe, is_ranking_only=True)
    return {**told, **figures.pop("model"), "baselines": figures}


def _label_again(tables: Mapping[str, pl.LazyFrame], origins: Sequence[date], recipe: Recipe, known_by: date) -> pl.DataFrame:
    labels = [
        label_defaults(tables, day, recipe.beside_days, known_by).select(
            pl.lit(day).alias("origin"), "borrower_id", "is_default", "default_on"
        )
        for day in origins
    ]
    return pl.concat(labels).filter(pl.col("is_default").is_not_null())
