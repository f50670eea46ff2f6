"""What looks too good to be true: features that may know the outcome, named for people to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.bootstrap import find_interval, resample
from models.concordance import Concordance, measure_concordance
from models.figures import open_sheet
from models.labels import CRISIS_DAYS
from models.ranking import Numbers
from models.recipe import Recipe

FEATURE, NULLS, ROUNDING, JUMP = "feature", "nulls", "rounding", "jump"
MONTH_DAYS = 30
# A value that so many share, and the few commonest of the defaulters, are states (nothing owed, a line drawn in full), not rounding.
COMMON_SHARE, COMMON_VALUES = 0.01, 3
STRATA = 50
# From ten-thousandths to thousands of millions.
POWERS = range(-4, 10)
RESTATED_AUC, RESTATED_SHARE = 0.99, 0.9


def audit_features(rows: pl.DataFrame, features: Sequence[str], recipe: Recipe, horizon_days: int) -> list[dict[str, Any]]:
    """Name the features that may leak: one entry per suspicion, the strongest first, with its AUC, its bound and the bar.

    `feature`: it tells the defaulters by itself. With a horizon shorter than the 90 days of a default the calendar alone
    brings the overdue there, so like is compared with like days overdue. `nulls`: whether it is known tells them, and no other
    column says the same by a value. `rounding`: how round it is tells them, among like values. An estimate counts only if its
    bound, some standard errors nearer to chance, lies beyond the bar; with fewer defaults than the recipe's nothing is named.
    Of a large book all defaults are looked at, and others by lot.
    """
    if not can_audit(rows, recipe):
        return []
    rows = _draw_rows(rows.sort("origin", "borrower_id"), recipe)
    present = [name for name in features if name in rows.columns]
    label, people, overdue = _read_common(rows, horizon_days)
    found = []
    for name in present:
        value = rows[name].cast(pl.Float64).fill_nan(None).fill_null(float("nan")).to_numpy()
        for kind, one in _measure_suspicions(label, value, people, overdue, recipe.audit["defaults"]):
            bar, bound = recipe.audit[f"{kind}_auc"], one.bound(recipe.audit["errors"])
            if bound > bar and not (kind == NULLS and _find_restated(rows, np.isnan(value), present, people)):
                found.append({"kind": kind, "feature": name, "auc": one.strength, "bound": bound, "bar": bar})
    return sorted(found, key=lambda one: (-one["bound"], one["feature"], one["kind"]))


def can_audit(rows: pl.DataFrame, recipe: Recipe) -> bool:
    """Whether so many of `rows` had a default that an audit of them says anything."""
    return int(rows["is_default"].sum()) >= recipe.audit["defaults"]


def _draw_rows(rows: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """An AUC is of pairs: fewer who stayed well make it less sure, not another."""
    others = np.flatnonzero(~rows["is_default"].to_numpy())
    too_many = max(0, len(others) - int(recipe.audit["others"]))
    left_out = np.random.default_rng(recipe.seed).permutation(others)[:too_many]
    return rows.filter(~pl.Series(np.isin(np.arange(len(rows)), left_out)))


def _read_common(rows: pl.DataFrame, horizon_days: int) -> tuple[Numbers, NDArray[np.int64], NDArray[np.int64]]:
    label = rows["is_default"].to_numpy().astype(np.float64)
    people = (rows["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    if horizon_days >= CRISIS_DAYS or "days_past_due" not in rows.columns:
        return label, people, np.zeros(len(rows), dtype=np.int64)
    months = (pl.col("days_past_due").fill_null(0) / MONTH_DAYS).ceil().clip(0, CRISIS_DAYS // MONTH_DAYS)
    return label, people, rows.select(months.cast(pl.Int64)).to_series().to_numpy()


def _measure_suspicions(
    label: Numbers, value: Numbers, people: NDArray[np.int64], overdue: NDArray[np.int64], least: float
) -> Iterator[tuple[str, Concordance]]:
    is_known = ~np.isnan(value)
    if 0 < is_known.sum() < len(value) and (nulls := measure_concordance(label, is_known.astype(np.float64), people)):
        yield NULLS, nulls
    if label[is_known].sum() < least:
        return
    label, value, people, overdue = label[is_known], value[is_known], people[is_known], overdue[is_known]
    if one := measure_concordance(label, value, people, overdue):
        yield FEATURE, one
    is_rare = ~_find_common(label, value)
    if label[is_rare].sum() >= least and (one := _measure_rounding(label[is_rare], value[is_rare], people[is_rare])):
        yield ROUNDING, one


def _find_common(label: Numbers, value: Numbers) -> NDArray[np.bool_]:
    _, group, counts = np.unique(value, return_inverse=True, return_counts=True)
    among_defaults = np.bincount(group, label, len(counts))
    is_common = counts > COMMON_SHARE * len(value)
    rest = np.where(is_common, 0.0, among_defaults)
    is_common[np.argsort(-rest, kind="stable")[:COMMON_VALUES]] = True
    return np.asarray(is_common[group], dtype=np.bool_)


def _measure_rounding(label: Numbers, value: Numbers, people: NDArray[np.int64]) -> Concordance | None:
    edges = np.quantile(value, np.linspace(0, 1, STRATA + 1)[1:-1])
    return measure_concordance(label, measure_roundness(value), people, np.searchsorted(edges, value))


def measure_roundness(value: Numbers) -> Numbers:
    """How round each value is: the highest power of ten it is a multiple of, from -5 (finer than a ten-thousandth) to 9.

    >>> measure_roundness(np.array([1_200.0, 0.25, 1 / 3])).tolist()
    [2.0, -2.0, -5.0]
    """
    roundness = np.full(len(value), POWERS[0] - 1.0)
    for power in POWERS:
        steps = value / 10.0**power
        whole = np.rint(steps)
        is_multiple = np.abs(steps - whole) <= 1e-9 * np.maximum(1.0, np.abs(steps))
        roundness[is_multiple & ((whole != 0) | (value == 0))] = power  # what is far below a power is no multiple of it
    return roundness


def _find_restated(rows: pl.DataFrame, is_null: NDArray[np.bool_], features: Sequence[str], people: NDArray[np.int64]) -> bool:
    """Whether another column says by a value what this one says by being null ("never late" by nought late months)."""
    for name in features:
        value = rows[name].cast(pl.Float64).fill_nan(None).fill_null(float("nan")).to_numpy()
        is_known = ~np.isnan(value)
        if is_null[is_known].sum() < is_null.sum() * RESTATED_SHARE:
            continue
        one = measure_concordance(is_null[is_known].astype(np.float64), value[is_known], people[is_known])
        if one and one.strength >= RESTATED_AUC:
            return True
    return False


def find_jump(at_random: pl.DataFrame, out_of_time: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    """Compare the model's AUC on the same rows, learned from other borrowers of the same day and learned before it.

    Gives both, the difference with its interval, and `is_named`: whether the interval lies beyond the bar (null: too few
    defaults, or no model on one side, so that there is nothing to compare).
    """
    frames = [frame.sort("origin", "borrower_id") for frame in (at_random, out_of_time)]
    defaults = int(frames[0]["is_default"].sum())
    sheets = {name: open_sheet(frame, "model") for name, frame in zip(("random", "out_of_time"), frames, strict=True)}
    points = {name: sheet.measure_ranking(np.ones(len(sheet.label)))["auc"] for name, sheet in sheets.items()}
    told: dict[str, Any] = {"auc_random": points["random"], "auc_out_of_time": points["out_of_time"], "bar": recipe.audit["jump"]}
    if defaults < recipe.audit["defaults"] or any(frame["is_scorecard"].any() for frame in frames):
        return told | {"jump": None, "jump_interval": None, "is_named": None}
    people = (frames[0]["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    drawn = resample({name: sheet.measure_ranking for name, sheet in sheets.items()}, people, recipe.resamples, recipe.seed)
    jump = None if None in points.values() else (points["random"] or 0.0) - (points["out_of_time"] or 0.0)
    interval = find_interval(jump, drawn["random"]["auc"] - drawn["out_of_time"]["auc"])
    return told | {"jump": jump, "jump_interval": interval, "is_named": None if interval is None else interval[0] > recipe.audit["jump"]}


def sum_up_audit(
    suspicions: Sequence[Mapping[str, Any]], looked_at: int, jump: Mapping[str, Any] | None, *, is_judged: bool = True
) -> dict[str, Any]:
    """Sum up an audit: what is named, over how many features, and the jump (null: there was nothing to compare).

    `is_clean` is whether nothing is named (null: too few defaults to judge).
    """
    named = [dict(one) for one in suspicions]
    if jump and jump["is_named"]:
        named.append({"kind": JUMP, "auc": jump["auc_random"], "bound": jump["jump_interval"][0], "bar": jump["bar"]})
    is_clean = not named if is_judged else None
    return {"is_clean": is_clean, "features": looked_at if is_judged else 0, "named": named, "jump": None if jump is None else dict(jump)}
