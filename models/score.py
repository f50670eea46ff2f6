"""Tonight's risk and level of every borrower, by the champion or, without one, by the scorecard."""

from __future__ import annotations

import polars as pl

from models.levels import assign_levels
from models.model import Model
from models.scorecard import SCORECARD_VERSION, score_signs


def score_risk(features: pl.DataFrame, in_crisis: pl.DataFrame, model: Model | None) -> pl.DataFrame:
    """Score each borrower of `features`; each row for itself, so that any part of the borrowers scores alike.

    One row per borrower_id, in the order of `features`: `risk` (calibrated probability of default within the model's
    horizon; null: distressed, or a scorecard night), `raw_score` (log-odds before calibration; on a scorecard night
    its points; null: distressed), `level_tonight`, `model_version`. `in_crisis` holds the borrower_ids of
    `models.labels.find_in_crisis`.

    >>> features = pl.DataFrame({"borrower_id": ["A", "B"], "days_past_due": [20.0, 95.0]})
    >>> score_risk(features, pl.DataFrame({"borrower_id": ["B"]}), None)["level_tonight"].to_list()
    ['caution', 'distressed']
    """
    crisis = features["borrower_id"].is_in(in_crisis["borrower_id"].implode())
    facts = score_signs(features).select("borrower_id", "points", "has_sign").with_columns(is_in_crisis=crisis)
    facts = facts.with_columns(_known(features, name) for name in ("days_past_due", "is_in_adjustment"))
    if model is None:
        facts = facts.with_columns(raw_score=pl.col("points").cast(pl.Float64), risk=pl.lit(None, dtype=pl.Float64))
    else:
        raw = model.score_raw(features)
        facts = facts.with_columns(
            raw_score=pl.Series(raw, dtype=pl.Float64), risk=pl.Series(model.calibration.apply(raw), dtype=pl.Float64)
        )
    scored = [pl.when(~pl.col("is_in_crisis")).then(name).alias(name) for name in ("risk", "raw_score")]
    facts = facts.with_columns(scored)
    level = assign_levels(facts, model.thresholds if model else None)
    version = model.version if model else SCORECARD_VERSION
    return facts.select("borrower_id", "risk", "raw_score", level_tonight=level, model_version=pl.lit(version))


def _known(features: pl.DataFrame, name: str) -> pl.Series:
    return features[name] if name in features.columns else pl.Series(name, [None] * len(features), dtype=pl.Float64)
