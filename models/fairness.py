"""Whom the model flags, misses and flags in vain, group by group: a report with bars that warn, never a feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.bootstrap import draw_weights, find_interval, widen_certainty
from models.evaluate import Numbers
from models.lists import FLAGGED
from models.recipe import Recipe

KINDS = {
    "capital": "수도권 · capital region",
    "industry": "업종 · industry",
    "size": "규모 · size",
    "owner_age": "대표자 연령대 · owner's age",
    "owner_sex": "대표자 성별 · owner's sex",
}
EVERYONE = "all"
RATES = {
    "selection_rate": ("선별 비율", "share flagged"),
    "recall": ("재현율", "recall"),
    "precision": ("정밀도", "precision"),
    "calibration_in_the_large": ("예측 − 관측", "in the large"),
}
Rates = dict[str, Numbers]


def measure_fairness(tried: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """Measure the model's flags (caution and above) in each group, beside those of all.

    `tried` are rows of a trial with the columns of `segments.join_segments`. One row per kind and group, and one of everyone
    first: kind, group, borrowers, defaults; the share flagged, the recall and precision of the flags, and the mean risk less
    the share that defaulted (null: not measurable there), each with an interval drawn by borrower (null: too few defaults in
    the group, or too few borrowers without one); and `warns`: which of these lie beyond a bar of the recipe's `[fairness]`
    from those of everyone, with the whole interval (calibration: from nought). A warning is a question, not a verdict: groups
    that differ in default rates differ in the share flagged.
    """
    rows = tried.sort("origin", "borrower_id").with_columns(everyone=pl.lit(EVERYONE))
    told = [one for kind in ("everyone", *KINDS) for one in _measure_kind(rows, kind, recipe)]
    return [one | {"warns": _find_warnings(one, told[0], recipe.fairness)} for one in told]


def measure_selection(people: pl.DataFrame, chosen: str) -> list[dict[str, Any]]:
    """Measure the share of people who were chosen (a flag column), group by group: of a night, whose outcome nobody knows yet.

    One row per kind and group: kind, group, borrowers, selection_rate; everyone first.
    """
    from fairlearn.metrics import MetricFrame, count, selection_rate

    told = []
    for kind in ("everyone", *KINDS):
        group = people.with_columns(everyone=pl.lit(EVERYONE))[kind].to_list()
        flag = people[chosen].to_numpy().astype(int)
        frame = MetricFrame(
            metrics={"borrowers": count, "selection_rate": selection_rate}, y_true=flag, y_pred=flag, sensitive_features=group
        )
        told += [{"kind": kind, "group": str(name), **row} for name, row in frame.by_group.to_dict("index").items()] if group else []
    return [one | {"borrowers": int(one["borrowers"])} for one in told]


def _measure_kind(rows: pl.DataFrame, kind: str, recipe: Recipe) -> list[dict[str, Any]]:
    """The groups of one kind, in the order of their names; none where it is unknown of everyone."""
    names = rows[kind].unique().sort().to_list()
    if not names or names == ["unknown"]:
        return []
    points = _frame_rates(rows, kind)
    number = rows[kind].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    drawn = _draw_rates(rows, number, len(names), recipe)
    counted = rows.group_by(kind).agg(
        borrowers=pl.col("borrower_id").n_unique(), defaults=pl.col("borrower_id").filter("is_default").n_unique(),
        flagged=pl.col("model_level").is_in(FLAGGED).sum(), came=pl.col("is_default").sum(), rows=pl.len(),
    ).sort(kind)  # fmt: skip
    told = []
    for place, count in enumerate(counted.iter_rows(named=True)):
        name, of = count[kind], {"selection_rate": count["rows"], "recall": count["came"], "precision": count["flagged"]}
        is_thin = min(count["defaults"], count["borrowers"] - count["defaults"]) < recipe.interval_defaults
        one = {"kind": kind, "group": name, "borrowers": count["borrowers"], "defaults": count["defaults"]}
        for rate in RATES:
            point = points[name][rate]
            interval = None if is_thin else find_interval(point, drawn[rate][:, place])
            one |= {rate: point, f"{rate}_interval": widen_certainty(interval, of.get(rate, 0))}
        told.append(one)
    return told


def _frame_rates(rows: pl.DataFrame, kind: str) -> dict[str, dict[str, float | None]]:
    """The rates by group, as fairlearn's `MetricFrame` measures them."""
    from fairlearn.metrics import MetricFrame

    label, flag = rows["is_default"].to_numpy().astype(float), rows["model_level"].is_in(FLAGGED).to_numpy().astype(float)
    metrics: dict[str, Callable[..., float]] = {name: _one_group(name) for name in RATES}
    frame = MetricFrame(
        metrics=metrics,
        y_true=label,
        y_pred=flag,
        sensitive_features=rows[kind].to_list(),
        sample_params={name: {"risk": rows["model_risk"].to_numpy()} for name in RATES},
    )
    table = frame.by_group.to_dict("index")
    return {str(name): {rate: None if np.isnan(value) else float(value) for rate, value in row.items()} for name, row in table.items()}


def _one_group(rate: str) -> Callable[..., float]:
    def measure(label: Numbers, flag: Numbers, risk: Numbers) -> float:
        label, flag, risk = (np.asarray(part, dtype=np.float64) for part in (label, flag, risk))
        group, ones = np.zeros(len(label), dtype=np.int64), np.ones(len(label))
        return float(_weigh_rates(label, flag, risk, ones, group, 1)[rate][0])

    return measure


def _draw_rates(rows: pl.DataFrame, number: NDArray[np.int64], groups: int, recipe: Recipe) -> Rates:
    """The rates of each group on each resample of borrowers: fairlearn's own would draw rows, and a borrower may have several."""
    people = (rows["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    label, flag = rows["is_default"].to_numpy().astype(float), rows["model_level"].is_in(FLAGGED).to_numpy().astype(float)
    risk = rows["model_risk"].to_numpy()
    drawn = [_weigh_rates(label, flag, risk, one, number, groups) for one in draw_weights(people, recipe.resamples, recipe.seed)]
    return {rate: np.array([one[rate] for one in drawn]).reshape(-1, groups) for rate in RATES}


def _weigh_rates(label: Numbers, flag: Numbers, risk: Numbers, weights: Numbers, group: NDArray[np.int64], groups: int) -> Rates:
    sums = (np.bincount(group, weights * part, groups) for part in (1.0, flag, label, flag * label, risk))
    rows, flagged, came, caught, foretold = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (flagged / rows, caught / came, caught / flagged, (foretold - came) / rows)
    return dict(zip(RATES, values, strict=True))


def _find_warnings(one: dict[str, Any], everyone: dict[str, Any], bars: dict[str, float]) -> list[str]:
    """The rates that lie beyond their bar, with the whole interval."""
    return [
        rate
        for rate in RATES
        if one[f"{rate}_interval"] is not None
        and one["kind"] != "everyone"
        and _is_beyond(one[f"{rate}_interval"], _norm(rate, everyone), bars[rate])
    ]


def _norm(rate: str, everyone: dict[str, Any]) -> float:
    return 0.0 if rate == "calibration_in_the_large" else float(everyone[rate] or 0.0)


def _is_beyond(interval: Sequence[float], norm: float, bar: float) -> bool:
    return interval[0] > norm + bar or interval[1] < norm - bar
