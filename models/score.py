"""Tonight's risk and level of every borrower, by the champion or, without one, by the scorecard."""

from __future__ import annotations

import polars as pl

from models.levels import assign_levels
from models.model import Model
from models.scorecard import SCORECARD_VERSION, SIGNS, score_signs

_TOLD = ("days_past_due", "is_in_adjustment")  # what levels are given by, beside risk and signs


def list_read_features(*models: Model | None) -> list[str]:
    """List the features that scoring by all of `models` reads, sorted: those of the signs, and theirs."""
    return sorted({*(sign.feature for sign in SIGNS), *_TOLD, *(name for model in models if model for name in model.features)})


def score_rows(features: pl.DataFrame, model: Model | None) -> pl.DataFrame:
    """Score each borrower of any part of `features` as far as each row goes for itself: all that is needed of it afterwards.

    One row per borrower_id, in the order of `features`: `raw_score` (log-odds before calibration; null without a model), `points`
    and `has_sign` of the scorecard, `days_past_due` and `is_in_adjustment` (null: unknown).

    >>> score_rows(pl.DataFrame({"borrower_id": ["A"], "days_past_due": [20.0]}), None).row(0)
    ('A', None, 25, True, 20.0, None)
    """
    raw = [None] * features.height if model is None else model.score_raw(features)
    signs = score_signs(features).select("borrower_id", "points", "has_sign")
    told = [features[name].cast(pl.Float64) if name in features.columns else _unknown(name, features.height) for name in _TOLD]
    return signs.select("borrower_id", pl.Series("raw_score", raw, dtype=pl.Float64), "points", "has_sign", *told)


def score_rows_twice(features: pl.DataFrame, champion: Model | None, challenger: Model | None) -> pl.DataFrame:
    """Score each borrower by the champion, as of `score_rows`, and from the same reading by the challenger: `challenger_raw` (absent without one)."""
    rows = score_rows(features, champion)
    return rows if challenger is None else rows.with_columns(challenger_raw=challenger.score_raw(features))


def grade_challenger(rows: pl.DataFrame, in_crisis: pl.DataFrame, challenger: Model) -> pl.DataFrame:
    """Turn rows of `score_rows_twice` into the challenger's risk and level, as of `grade_rows`."""
    return grade_rows(rows.with_columns(raw_score="challenger_raw"), in_crisis, challenger)


def grade_rows(rows: pl.DataFrame, in_crisis: pl.DataFrame, model: Model | None) -> pl.DataFrame:
    """Turn scored rows into risk and level: one row per borrower_id, as of `score_risk`, in the order of `rows` (of `score_rows`)."""
    crisis = in_crisis.select("borrower_id", is_in_crisis=pl.lit(value=True)).unique("borrower_id")
    facts = rows.join(crisis, on="borrower_id", how="left", maintain_order="left")
    facts = facts.with_columns(pl.col("is_in_crisis").fill_null(value=False))
    raw, risk = pl.col("points").cast(pl.Float64), pl.lit(None, dtype=pl.Float64)
    if model is not None:
        raw, risk = pl.col("raw_score"), pl.lit(pl.Series(model.calibration.apply(rows["raw_score"].to_numpy()), dtype=pl.Float64))
    facts = facts.with_columns(raw_score=raw, risk=risk)
    facts = facts.with_columns(pl.when(~pl.col("is_in_crisis")).then(name).alias(name) for name in ("risk", "raw_score"))
    level = assign_levels(facts, model.thresholds if model else None)
    version = model.version if model else SCORECARD_VERSION
    return facts.select("borrower_id", "risk", "raw_score", level_tonight=level, model_version=pl.lit(version))


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
    return grade_rows(score_rows(features, model), in_crisis, model)


def _unknown(name: str, rows: int) -> pl.Series:
    return pl.Series(name, [None], dtype=pl.Float64).new_from_index(0, rows)
