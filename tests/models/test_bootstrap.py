from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.bootstrap import find_interval, resample, widen_certainty
from models.ranking import find_median, rank_rows
from models.recipe import Recipe, load_recipe
from models.trial import measure_contenders
from tests.models.conftest import make_trial

FEW = replace(load_recipe(), resamples=40)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40))
def test_a_weighed_figure_is_that_of_rows_written_so_often(rows: list[tuple[bool, int, int]]) -> None:
    label, score, weights = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    times = weights.astype(int)
    came, scored = np.repeat(label, times), np.repeat(score, times)
    reach = rank_rows(label, score).weigh(weights)
    if 0 < came.sum() < len(came):
        assert reach.measure_auc() == pytest.approx(roc_auc_score(came, scored))
        assert reach.measure_average_precision() == pytest.approx(average_precision_score(came, scored))
    else:
        assert reach.measure_auc() is None
    assert reach.measure_at(0.3) == pytest.approx(rank_rows(came, scored).weigh(np.ones(len(came))).measure_at(0.3), nan_ok=True)
    values = np.sort(score)
    assert find_median(values, weights) == (pytest.approx(np.median(np.repeat(values, times))) if times.sum() else None)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing_and_each_interval_holds_its_figure(seed: int) -> None:
    rows = make_trial(seed % 7, borrowers=200)
    figures, _ = measure_contenders(rows, ("model", "logistic"), FEW)
    assert measure_contenders(rows.sample(fraction=1, shuffle=True, seed=seed), ("model", "logistic"), FEW)[0] == figures
    for told in figures.values():
        intervals = {name.removesuffix("_interval"): bounds for name, bounds in told.items() if name.endswith("_interval") and bounds}
        assert len(intervals) > 15
        assert all(low <= told[name] <= high for name, (low, high) in intervals.items())


def test_with_few_defaults_or_none_there_are_figures_or_nulls_but_no_intervals() -> None:
    rows = make_trial(1, borrowers=50)
    for label in (pl.lit(value=False), pl.lit(value=True), pl.int_range(pl.len()) == 3):
        figures, _ = measure_contenders(rows.with_columns(is_default=label), ("model",), FEW)
        assert all(bounds is None for name, bounds in figures["model"].items() if name.endswith("_interval"))
        assert figures["model"]["brier"] is not None
    assert measure_contenders(rows.clear(), ("model",), FEW)[0]["model"]["auc"] is None


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Forty books: the interval of an AUC whose truth is known misses it in a few of them."""

    def draw_auc(rng: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        person = np.repeat(np.arange(people), 3)
        stress = rng.normal(size=people)[person]
        came = (rng.random(len(person)) < 1 / (1 + np.exp(2 - stress))).astype(float)
        return came, stress + 0.1 * rng.normal(size=len(person)), person

    truth = roc_auc_score(*draw_auc(np.random.default_rng(9), 60_000)[:2])
    held = 0
    for seed in range(40):
        came, score, person = draw_auc(np.random.default_rng(seed), 300)
        ranking = rank_rows(came, score)
        measure = lambda weights, ranking=ranking: {"auc": ranking.weigh(weights).measure_auc()}  # noqa: E731
        bounds = find_interval(measure(np.ones(len(came)))["auc"], resample({"x": measure}, person, 100, seed)["x"]["auc"])
        held += bounds is not None and bounds[0] <= truth <= bounds[1]
    assert 33 <= held <= 40


def test_the_interval_of_an_inflated_figure_lies_on_the_side_of_the_truth() -> None:
    assert find_interval(0.02, np.full(10, 0.03), is_inflated=True) == pytest.approx([0.01, 0.02])
    assert find_interval(0.02, np.full(10, 0.09), is_inflated=True) == [0.0, 0.02]
    assert find_interval(0.5, np.r_[np.full(5, np.nan), np.full(5, 0.5)]) is None


def test_a_list_that_caught_nobody_is_not_said_to_catch_nobody_for_certain() -> None:
    assert widen_certainty([0.0, 0.0], 1000) == [0.0, 0.004]
    assert widen_certainty([1.0, 1.0], 20) == [0.832, 1.0]
    assert widen_certainty([0.1, 0.2], 20) == [0.1, 0.2]
    assert widen_certainty(None, 20) is None


def test_a_hundred_thousand_rows_are_resampled_in_seconds(recipe: Recipe) -> None:
    """Judged against sorting them, in the same run: a busy machine slows both."""
    from time import process_time

    rows = make_trial(3, borrowers=50_000)
    started = process_time()
    for _ in range(10):
        np.argsort(rows["model_raw"].to_numpy(), kind="stable")
    sorting = (process_time() - started) / 10
    started = process_time()
    measure_contenders(rows, ("model",), replace(recipe, resamples=10))
    assert (process_time() - started) / 10 < 10 * sorting
