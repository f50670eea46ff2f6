"""What came of a night's scores: whether the risks held, and how many of the crises had been seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from models.evaluate import measure_calibration_error, measure_in_the_large
from signals.products import FLAGGED


def measure_outcomes(scores: pl.DataFrame, labels: pl.DataFrame, worked: Sequence[str] = ()) -> dict[str, Any]:
    """Measure what came of one night: `scores` is its product, `labels` those of `label_defaults` over its horizon.

    `borrowers` who were scored and were not in crisis, `came`: crises that came of them; of calibration `foretold` (the sum of the
    risks), `in_the_large` (mean risk less the share that came) and `calibration_error` (each null on a scorecard night); of capture
    the crises whose borrower was flagged (`came_flagged`), and whose borrower was on a list that night or before (`worked`:
    those of whom a case had been opened), each with its share (null where none came).
    """
    is_on_list = pl.col("is_listed") | pl.col("borrower_id").is_in(list(worked))
    rows = scores.with_columns(is_on_list=is_on_list, is_flagged=pl.col("level").is_in(FLAGGED))
    rows = rows.join(labels.drop_nulls("is_default").select("borrower_id", "is_default"), on="borrower_id", maintain_order="left")
    came = rows.filter("is_default")
    seen = {"flagged": int(came["is_flagged"].sum()), "listed": int(came["is_on_list"].sum())}
    return {
        "borrowers": rows.height,
        "came": came.height,
        **_measure_calibration(rows.drop_nulls("risk")),
        **{f"came_{name}": count for name, count in seen.items()},
        **{f"capture_{name}": count / came.height if came.height else None for name, count in seen.items()},
    }


def _measure_calibration(scored: pl.DataFrame) -> dict[str, float | None]:
    if scored.is_empty():
        return {"foretold": None, "in_the_large": None, "calibration_error": None}
    label, risk = scored["is_default"].to_numpy().astype(float), scored["risk"].to_numpy()
    figures = {"foretold": float(risk.sum()), "in_the_large": measure_in_the_large(label, risk)}
    return figures | {"calibration_error": measure_calibration_error(label, risk)}


def choose_finished(nights: Sequence[tuple[date, int]], as_of: date, most: int) -> list[tuple[date, int]]:
    """Choose of nights, each with its horizon in days, the last of each month that is over by `as_of`: the newest so many first.

    >>> choose_finished([(date(2026, 1, 30), 30), (date(2026, 1, 31), 30), (date(2026, 2, 28), 30)], date(2026, 3, 29), 3)
    [(datetime.date(2026, 1, 31), 30)]
    """
    over = [(night, horizon) for night, horizon in nights if night + timedelta(days=horizon) <= as_of]
    last = {night.replace(day=1): (night, horizon) for night, horizon in sorted(over)}
    return sorted(last.values(), reverse=True)[:most]
