"""Why: what pushed each borrower's risk up, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.evaluate import Numbers
from models.model import Model
from models.scorecard import CRISIS, SIGNS
from models.shapley import look_up

TOP = 5
# Woodelf first prepares its trees; below so many rows LightGBM's own way is done sooner.
MANY_ROWS = 3_000
ROWS_AT_ONCE = 100_000  # bounds the memory
# What is told of a borrower whose level is held while no sign shows: the worst of the months that led to it.
HELD_FEATURE = "days_past_due_max_6m"
_REASONS = {
    "borrower_id": pl.String, "position": pl.Int64, "feature": pl.String, "theme": pl.String, "contribution": pl.Float64, "value": pl.Float64,
}  # fmt: skip


def list_explaining_features(model: Model | None) -> list[str]:
    """List the features that explaining reads, sorted: those of the signs, the model's, and what is told where no sign shows."""
    return sorted({HELD_FEATURE, *(sign.feature for sign in SIGNS), *(model.features if model else ())})


def explain_scores(
    features: pl.DataFrame, levels: pl.DataFrame, model: Model | None, themes: Mapping[str, str], top: int = TOP
) -> pl.DataFrame:
    """Explain everyone with a level above none: what raises the risk, the strongest first, at most `top`.

    One row per borrower_id and position (from 1), sorted: feature, theme, `contribution`, `value` (null: unknown).
    The contribution is the exact Shapley value, in log-odds before calibration; where nothing raises the risk, the
    one that lowers it least is given. Those distressed, and everyone on a scorecard night (`model` null), are
    explained by the scorecard: the contribution is a sign's points, and the first reason for distress is the fact
    itself (`is_in_crisis`); where no sign shows (a level that is held), `HELD_FEATURE` is given with a contribution
    of 0. Everyone with a level has at least one row. `levels` has borrower_id and level; `themes` the theme of each
    feature. The order of the rows given changes nothing.
    """
    return explain_by_theme(features, levels, model, themes, top)["reasons"]


def explain_by_theme(
    features: pl.DataFrame, levels: pl.DataFrame, model: Model | None, themes: Mapping[str, str], top: int = TOP
) -> dict[str, pl.DataFrame]:
    """Explain everyone with a level above none twice over: `reasons` (as of `explain_scores`) and `theme_totals`.

    Totals: one row per borrower_id and theme that says anything, sorted: `contribution`, what all features of the theme add
    together, also those that are not among the reasons; log-odds, or points where the scorecard explains. Of a borrower whom the
    model explains, the totals and the model's expected score are the raw score.
    """
    asked = features.join(levels.filter(pl.col("level") != "none").select("borrower_id", "level"), on="borrower_id")
    # The parts, and with them the last digits, must not hang on the order of the rows.
    asked = asked.sort("borrower_id")
    by_signs = pl.col("level") == "distressed" if model else pl.lit(value=True)
    signs = _explain_by_signs(asked.filter(by_signs), themes)
    parts = [{"reasons": signs.filter(pl.col("position") <= top), "theme_totals": _total_signs(signs)}]
    if model is not None:
        parts += [_explain_by_model(part, model, themes, top) for part in asked.filter(~by_signs).iter_slices(ROWS_AT_ONCE)]
    reasons, totals = (pl.concat([part[name] for part in parts]) for name in ("reasons", "theme_totals"))
    return {"reasons": reasons.sort("borrower_id", "position"), "theme_totals": totals.sort("borrower_id", "theme")}


def _total_signs(reasons: pl.DataFrame) -> pl.DataFrame:
    return reasons.group_by("borrower_id", "theme").agg(pl.col("contribution").sum())


def _explain_by_model(asked: pl.DataFrame, model: Model, themes: Mapping[str, str], top: int) -> dict[str, pl.DataFrame]:
    matrix, values = model.arrange(asked), compute_shapley(asked, model)
    order = _order_strongest(values, top)
    width = order.shape[1]
    names = pl.Series(model.features)
    reasons = pl.DataFrame({
        "borrower_id": asked["borrower_id"].gather(np.repeat(np.arange(len(asked)), width)),
        "position": np.tile(np.arange(1, width + 1, dtype=np.int64), len(asked)),
        "feature": names.gather(order.ravel()),
        "contribution": np.take_along_axis(values, order, axis=1).ravel(),
        "value": np.take_along_axis(matrix, order, axis=1).ravel(),
    })  # fmt: skip
    kept = _finish(reasons.filter((pl.col("contribution") > 0) | (pl.col("position") == 1)), themes)
    return {"reasons": kept, "theme_totals": _total_themes(asked["borrower_id"], values, [themes.get(name) for name in model.features])}


def _total_themes(ids: pl.Series, values: Numbers, of_feature: Sequence[str | None]) -> pl.DataFrame:
    """What the features of each theme add together: one row per borrower and theme the model knows."""
    known = sorted({theme for theme in of_feature if theme is not None})
    totals = np.zeros((len(ids), len(known)))
    for column, theme in enumerate(of_feature):  # one after the other, so that a row's sum hangs on no other row
        if theme is not None:
            totals[:, known.index(theme)] += values[:, column]
    return pl.DataFrame({
        "borrower_id": ids.gather(np.repeat(np.arange(len(ids)), len(known))),
        "theme": pl.Series(known * len(ids), dtype=pl.String),
        "contribution": totals.ravel(),
    })  # fmt: skip


def _order_strongest(values: Numbers, top: int) -> NDArray[np.intp]:
    """The columns of the `top` largest values of each row, the largest first and of equal ones the first: sooner found than all sorted."""
    left, rows = values.copy(), np.arange(len(values))
    order = np.empty((len(values), min(top, values.shape[1])), dtype=np.intp)
    for place in range(order.shape[1]):
        order[:, place] = left.argmax(axis=1)
        left[rows, order[:, place]] = -np.inf
    return order


def compute_shapley(features: pl.DataFrame, model: Model) -> Numbers:
    """Compute the exact Shapley value of each feature for each row, in log-odds: rows × `model.features`.

    Looked up in the model's tables, which agree with LightGBM to 1e-12. Trees that can't be tabulated go to woodelf where rows
    are many, to LightGBM itself where they are few or woodelf can't read them either; those two agree to 1e-5.
    """
    matrix = model.arrange(features)
    if model.shapley_groups is not None:
        return look_up(model.shapley_groups, matrix)
    if len(matrix) < MANY_ROWS:
        return shapley_by_lightgbm(matrix, model)
    try:
        return shapley_by_woodelf(matrix, model)
    except (ImportError, NotImplementedError, ValueError):
        return shapley_by_lightgbm(matrix, model)


def shapley_by_lightgbm(matrix: Numbers, model: Model) -> Numbers:
    """LightGBM's own exact values; its last column, the expected score, is left off."""
    return np.asarray(model.booster.predict(matrix, pred_contrib=True), dtype=np.float64)[:, :-1]


def shapley_by_woodelf(matrix: Numbers, model: Model) -> Numbers:
    """The same values by woodelf (path-dependent background), which is the faster way where rows are many."""
    import pandas as pd
    import woodelf

    explainer = woodelf.WoodelfExplainer(model.booster, None)
    values = explainer.shap_values(pd.DataFrame(matrix, columns=model.features), verbose=False)
    return np.asarray(values, dtype=np.float64)


def _explain_by_signs(asked: pl.DataFrame, themes: Mapping[str, str]) -> pl.DataFrame:
    """The signs that show, those with most points first; where none does, one row says so."""
    reasons = explain_signs(asked)
    reasons = pl.concat([reasons, _explain_held(asked.join(reasons, on="borrower_id", how="anti"))])
    ranked = reasons.sort("borrower_id", "contribution", "feature", descending=[False, True, False])
    return _finish(ranked.with_columns(position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("borrower_id")), themes)


def explain_signs(asked: pl.DataFrame) -> pl.DataFrame:
    """The signs that show of each row of `asked` (features and level): borrower_id, feature, contribution (points), value.

    Signs on one feature speak once, with the points they have together; distress is one of its own.
    """
    crisis = pl.when(pl.col("level") == "distressed").then(1.0)
    facts = asked.with_columns(crisis.alias(CRISIS.feature))
    signs = [sign for sign in (CRISIS, *SIGNS) if sign.feature in facts.columns]
    shown = [
        facts.filter(sign.shows).select(
            "borrower_id",
            feature=pl.lit(sign.feature),
            contribution=pl.lit(float(sign.points)),
            value=pl.col(sign.feature).cast(pl.Float64),
        )
        for sign in signs
    ]
    return pl.concat(shown).group_by("borrower_id", "feature").agg(pl.col("contribution").sum(), pl.col("value").first())


def _explain_held(silent: pl.DataFrame) -> pl.DataFrame:
    value = pl.col(HELD_FEATURE) if HELD_FEATURE in silent.columns else pl.lit(None)
    return silent.select("borrower_id", feature=pl.lit(HELD_FEATURE), contribution=pl.lit(0.0), value=value.cast(pl.Float64))


def _finish(reasons: pl.DataFrame, themes: Mapping[str, str]) -> pl.DataFrame:
    return reasons.with_columns(theme=name_theme(themes), value=pl.col("value").fill_nan(None)).select(
        pl.col(name).cast(kind) for name, kind in _REASONS.items()
    )


def name_theme(themes: Mapping[str, str]) -> pl.Expr:
    """The theme of `feature`; null: of none. Distress is told with the days past due."""
    return pl.col("feature").replace_strict({CRISIS.feature: themes.get("days_past_due"), **themes}, default=None, return_dtype=pl.String)
