"""What changed: which facts, since the night before, raised the risk of those whose level rose."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.explain import compute_shapley, explain_signs, name_theme
from models.model import Model
from models.scorecard import CRISIS

TOP = 3
_CHANGES = {
    "borrower_id": pl.String, "position": pl.Int64, "feature": pl.String, "theme": pl.String, "contribution": pl.Float64,
    "value_before": pl.Float64, "value": pl.Float64,
}  # fmt: skip


def explain_changes(
    now: pl.DataFrame, before: pl.DataFrame, levels: pl.DataFrame, model: Model | None, themes: Mapping[str, str], top: int = TOP
) -> pl.DataFrame:
    """Explain what raised the risk of each borrower of `levels` from one night to the next, by one and the same model.

    One row per borrower_id and position (from 1), sorted, at most `top`: feature, theme, value_before and value (null: unknown), and
    `contribution`: by how much more the feature raises the risk than it did. Only features whose value changed are told; where
    none of them raised it there is one row without a feature. `now` and `before` are the features of the two nights; `levels` has
    borrower_id, level and level_before. As in `explain.explain_scores` the scorecard explains distress, and everyone where `model`
    is null. The order of the rows given changes nothing.
    """
    by_signs = pl.col("level") == "distressed" if model else pl.lit(value=True)
    asked = levels.sort("borrower_id")
    parts = [_compare_signs(now, before, asked.filter(by_signs))]
    if model is not None:
        parts.append(_compare_values(now, before, asked.filter(~by_signs), model))
    changed = pl.concat(parts).filter(pl.col("contribution") > 0, pl.col("value").ne_missing(pl.col("value_before")))
    ranked = changed.sort("borrower_id", "contribution", "feature", descending=[False, True, False]).with_columns(
        position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("borrower_id"), theme=name_theme(themes)
    )
    silent = asked.select("borrower_id", position=pl.lit(1, dtype=pl.Int64)).join(ranked, on="borrower_id", how="anti")
    told = [frame.select(_conform(frame)) for frame in (ranked.filter(pl.col("position") <= top), silent)]
    return pl.concat(told).sort("borrower_id", "position")


def _conform(frame: pl.DataFrame) -> list[pl.Expr]:
    return [(pl.col(name) if name in frame.columns else pl.lit(None).alias(name)).cast(kind) for name, kind in _CHANGES.items()]


def _compare_values(now: pl.DataFrame, before: pl.DataFrame, asked: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The model's view of both nights, feature by feature: in long form, in the order of borrowers and features."""
    ids = asked.select("borrower_id").join(before, on="borrower_id", how="semi")
    nights = [ids.join(rows, on="borrower_id", how="left", maintain_order="left") for rows in (now, before)]
    added = compute_shapley(nights[0], model) - compute_shapley(nights[1], model)
    values = [model.arrange(rows) for rows in nights]
    return pl.DataFrame({
        "borrower_id": ids["borrower_id"].gather(pl.int_range(len(ids), eager=True).repeat_by(len(model.features)).explode()),
        "feature": pl.Series(model.features * len(ids), dtype=pl.String),
        "contribution": added.ravel(),
        "value_before": values[1].ravel(),
        "value": values[0].ravel(),
    }).with_columns(pl.col("value", "value_before").fill_nan(None))  # fmt: skip


def _compare_signs(now: pl.DataFrame, before: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The signs that show now and did not before, or have more points: distress itself among them."""
    shown = explain_signs(now.join(asked.select("borrower_id", "level"), on="borrower_id"))
    stood = explain_signs(before.join(asked.select("borrower_id", level="level_before"), on="borrower_id"))
    earlier = before.join(asked.select("borrower_id"), on="borrower_id", how="semi").unpivot(
        index="borrower_id", variable_name="feature", value_name="value_before"
    )
    joined = shown.join(stood.select("borrower_id", "feature", was="contribution"), on=["borrower_id", "feature"], how="left")
    told = joined.join(earlier.cast({"value_before": pl.Float64}), on=["borrower_id", "feature"], how="left")
    was_in_crisis = pl.when(pl.col("feature") == CRISIS.feature).then(0.0).otherwise("value_before")
    gained = pl.col("contribution") - pl.col("was").fill_null(0.0)
    return told.select("borrower_id", "feature", contribution=gained, value_before=was_in_crisis, value="value")
