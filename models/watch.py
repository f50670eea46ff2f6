"""Which movements count: over a bar tonight, and lasting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import polars as pl

from models.bars import Bars
from models.sketch import RISK
from signals.products import PRODUCTS


def judge_drift(
    moved: pl.DataFrame, usual: str, read: Collection[str], earlier: Sequence[tuple[date, pl.DataFrame]], as_of: date, bars: Bars
) -> pl.DataFrame:
    """Judge what `measure_drift` measured: the product drift of `as_of`, the most moved first.

    `is_over`: over one of the bars tonight. `is_alarm`: that, and over one on at least `bars.nights` of the last
    `bars.of_nights` nights, tonight the last of them; then `since` is the first night of those, or of the alarm that has lasted
    till now (else null). `read` are the champion's features, `earlier` the same product of the nights before, the newest first,
    each with its night.
    """
    over = [
        pl.col("psi") >= bars.psi,
        pl.col("distance") >= bars.distance,
        (pl.col("unknown") - pl.col("unknown_usual")).abs() >= bars.unknown,
    ]
    judged = moved.with_columns(
        is_over=pl.any_horizontal(over).fill_null(value=False), is_read=pl.col("feature").is_in([*read]), usual=pl.lit(usual)
    )
    last = [frame.filter("is_over").select("feature", night=pl.lit(night)) for night, frame in earlier[: bars.of_nights - 1]]
    times = pl.concat([judged.filter("is_over").select("feature", night=pl.lit(as_of)), *last])
    counted = times.group_by("feature").agg(times=pl.len(), first=pl.col("night").min())
    stood = earlier[0][1].filter("is_alarm").select("feature", stood="since") if earlier else _nothing_stood()
    whole = judged.join(counted, on="feature", how="left", maintain_order="left").join(
        stood, on="feature", how="left", maintain_order="left"
    )
    whole = whole.with_columns(is_alarm=pl.col("is_over") & (pl.col("times") >= bars.nights).fill_null(value=False))
    since = pl.when("is_alarm").then(pl.coalesce("stood", "first"))
    return whole.with_columns(since=since).select(*PRODUCTS["drift"].columns)


def _nothing_stood() -> pl.DataFrame:
    return pl.DataFrame(schema={"feature": pl.String, "stood": pl.Date})


def sum_up_break(drift: pl.DataFrame, bars: Bars) -> dict[str, float]:
    """Sum up how broken a night is by the gates of shock mode: `share`, `risk_psi` and `unknown`, each only where it can be said.

    Over the champion's features alone: without a champion nothing can break. What became known, as where a history grows, has
    moved and is not broken.
    """
    read = drift.filter("is_read")
    features = read.filter(pl.col("feature") != RISK)
    found: dict[str, float] = {}
    if not features.is_empty():
        rise = (features["unknown"] - features["unknown_usual"]).to_numpy()
        found["share"] = float(np.mean((features["psi"].to_numpy() >= bars.shock.psi) & (rise > -bars.unknown)))
        found["unknown"] = float(np.mean(rise))
    risk = read.filter(feature=RISK)
    return found if risk.is_empty() else found | {"risk_psi": risk["psi"].item()}
