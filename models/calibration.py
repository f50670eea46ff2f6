"""From a raw score to a probability that can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.evaluate import Numbers


@dataclass(frozen=True)
class Calibration:
    """A rising map from raw score to probability.

    `sigmoid`: 1 / (1 + exp(-(slope × raw + intercept))). `isotonic`: straight lines between the points
    (`raw_at`, `risk_at`), level outside them.
    """

    kind: str
    slope: float = 1.0
    intercept: float = 0.0
    raw_at: tuple[float, ...] = ()
    risk_at: tuple[float, ...] = ()

    def apply(self, raw: Numbers) -> Numbers:
        """Turn raw scores into probabilities.

        >>> Calibration("sigmoid").apply(np.array([0.0])).tolist()
        [0.5]
        """
        from scipy.special import expit

        if self.kind == "isotonic":
            return np.asarray(np.interp(raw, self.raw_at, self.risk_at), dtype=np.float64)
        return np.asarray(expit(self.slope * raw + self.intercept), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """The map as plain values."""
        return {**self.__dict__, "raw_at": list(self.raw_at), "risk_at": list(self.risk_at)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Calibration:
        """The map again, from what `to_json` gave."""
        return cls(**{**values, "raw_at": tuple(values["raw_at"]), "risk_at": tuple(values["risk_at"])})


def fit_calibration(is_default: Numbers, raw: Numbers, isotonic_defaults: int) -> Calibration:
    """Fit the map on scores of borrowers the model did not see: isotonic from so many defaults on, else a sigmoid.

    Neither ever falls: a score that ranks no better than chance is mapped to the base rate.
    """
    if min(is_default.sum(), len(is_default) - is_default.sum()) >= isotonic_defaults:
        return _fit_isotonic(is_default, raw)
    return _fit_sigmoid(is_default, raw)


def _fit_sigmoid(is_default: Numbers, raw: Numbers) -> Calibration:
    """Platt's targets keep the slope finite when the score separates perfectly (Platt 1999)."""
    from scipy.optimize import minimize
    from scipy.special import expit

    count = float(is_default.sum())
    high, low = (count + 1) / (count + 2), 1 / (len(is_default) - count + 2)
    target = np.where(is_default > 0, high, low)

    def loss(parts: Numbers) -> tuple[float, Numbers]:
        margin = parts[0] * raw + parts[1]
        miss = expit(margin) - target
        return float(np.mean(np.logaddexp(0.0, margin) - target * margin)), np.array([np.mean(miss * raw), np.mean(miss)])

    start = np.array([0.0, float(np.log(target.mean() / (1 - target.mean())))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    return Calibration("sigmoid", slope=float(found.x[0]), intercept=float(found.x[1]))


def _fit_isotonic(is_default: Numbers, raw: Numbers) -> Calibration:
    """No risk is nought or one: half a case among all is the least that is said."""
    from sklearn.isotonic import IsotonicRegression

    least = 0.5 / len(raw)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least).fit(raw, is_default)
    return Calibration("isotonic", raw_at=tuple(map(float, fitted.X_thresholds_)), risk_at=tuple(map(float, fitted.y_thresholds_)))
