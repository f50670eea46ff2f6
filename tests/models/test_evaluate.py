from __future__ import annotations

import numpy as np
import pytest

from models.calibration import Calibration, fit_calibration
from models.evaluate import (
    measure_at_share,
    measure_auc,
    measure_average_precision,
    measure_brier,
    measure_calibration_error,
    measure_lead_days,
)

LABEL = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
SCORE = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1])


def test_the_figures_of_a_small_list_are_those_worked_by_hand() -> None:
    assert measure_auc(LABEL, SCORE) == pytest.approx(15 / 16)
    assert measure_average_precision(LABEL, SCORE) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert measure_brier(np.array([1.0, 0.0]), np.array([0.5, 0.25])) == pytest.approx((0.25 + 0.0625) / 2)
    assert measure_at_share(LABEL, SCORE, share=0.2) == (0.5, 0.5)


def test_what_can_not_be_measured_is_null() -> None:
    none = np.zeros(3)
    assert measure_auc(none, SCORE[:3]) is None
    assert measure_average_precision(none, SCORE[:3]) is None
    assert measure_at_share(none, SCORE[:3])[1] is None
    assert measure_brier(np.empty(0), np.empty(0)) is None
    assert measure_calibration_error(np.empty(0), np.empty(0)) is None


def test_equal_scores_share_the_places_of_a_list_whatever_their_order() -> None:
    label = np.array([1.0, 0.0, 0.0, 0.0])
    assert measure_at_share(label, np.ones(4), share=0.5) == measure_at_share(label[::-1], np.ones(4), share=0.5) == (0.25, 0.5)


def test_calibration_error_is_the_mean_distance_over_bins() -> None:
    risk = np.repeat([0.1, 0.5], 10)
    came = np.concatenate([np.r_[np.ones(2), np.zeros(8)], np.r_[np.ones(4), np.zeros(6)]])
    assert measure_calibration_error(came, risk, bins=2) == pytest.approx(0.1)
    assert measure_calibration_error(came[::-1], risk[::-1], bins=2) == pytest.approx(0.1)


def test_rows_of_one_risk_share_what_came_of_them_whatever_their_order() -> None:
    came = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert measure_calibration_error(came, np.full(10, 0.2), bins=5) == pytest.approx(0.0)


def test_lead_days_are_those_of_the_caught() -> None:
    days = np.array([10.0, np.nan, 90.0, *[np.nan] * 6, 170.0])
    assert measure_lead_days(days, SCORE, share=0.3) == 50.0
    assert measure_lead_days(np.full(10, np.nan), SCORE) is None


def test_a_sigmoid_finds_the_shift_it_was_given() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=40_000)
    came = (rng.random(40_000) < 1 / (1 + np.exp(-(0.5 * raw - 2)))).astype(float)
    fitted = fit_calibration(came, raw, isotonic_defaults=10**9)
    assert fitted.kind == "sigmoid"
    assert fitted.slope == pytest.approx(0.5, abs=0.05)
    assert fitted.intercept == pytest.approx(-2, abs=0.05)


def test_a_score_that_ranks_backwards_is_mapped_to_the_base_rate() -> None:
    raw = np.linspace(-1, 1, 1000)
    fitted = fit_calibration((raw < -0.8).astype(float), raw, isotonic_defaults=10**9)
    assert fitted.slope == 0.0
    assert fitted.apply(raw) == pytest.approx(0.1, abs=0.01)


def test_with_enough_defaults_the_map_is_isotonic_never_falls_and_says_neither_nought_nor_one() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=5000)
    came = (rng.random(5000) < 1 / (1 + np.exp(-2 * raw))).astype(float)
    fitted = fit_calibration(came, raw, isotonic_defaults=1000)
    risk = fitted.apply(np.linspace(-10, 10, 500))
    assert fitted.kind == "isotonic"
    assert (np.diff(risk) >= 0).all()
    assert 0 < risk.min() < risk.max() < 1
    assert Calibration.from_json(fitted.to_json()) == fitted


def test_scores_of_any_size_are_calibrated_without_overflow() -> None:
    raw = np.array([-5_000.0, -900.0, 900.0, 5_000.0] * 50)
    came = (raw > 0).astype(float)
    fitted = fit_calibration(came, raw, isotonic_defaults=10**9)
    assert np.all(np.diff(fitted.apply(np.sort(raw))) >= 0)
    assert Calibration("sigmoid").apply(raw)[[0, 3]].tolist() == [0.0, 1.0]
