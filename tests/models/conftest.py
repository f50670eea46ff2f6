"""A made-up book of borrowers whose risk really follows their signs."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.model import Model
from models.recipe import Recipe, load_recipe
from models.train import fit_model

DIRECTIONS = {"days_past_due": 1, "credit_score": -1, "utilisation": 0, "sales_change_yoy": -1, "empty": 0, "same": 0}


def make_rows(
    borrowers: int = 1500, base: float = -3.0, seed: int = 1, origins: tuple[date, ...] = (date(2026, 1, 31), date(2026, 2, 28))
) -> pl.DataFrame:
    """One row per origin and borrower, risk rising with days past due and falling with the credit score."""
    rng = np.random.default_rng(seed)
    parts = []
    for origin in origins:
        stress = rng.normal(size=borrowers)
        days = np.where(stress + rng.normal(size=borrowers) > 2, rng.integers(1, 89, borrowers), 0)
        is_default = rng.random(borrowers) < 1 / (1 + np.exp(-(base + 1.2 * stress + days / 30)))
        frame = pl.DataFrame(
            {
                "borrower_id": [f"B{number:05d}" for number in range(borrowers)],
                "is_default": is_default,
                "days_past_due": days.astype(float),
                "credit_score": np.round(800 - 60 * stress + 40 * rng.normal(size=borrowers)),
                "utilisation": rng.random(borrowers),
                "sales_change_yoy": np.where(rng.random(borrowers) < 0.3, np.nan, -0.05 * stress),
            }
        ).with_columns(
            pl.lit(origin).alias("origin"),
            pl.col("sales_change_yoy").fill_nan(None),
            default_on=pl.when("is_default").then(pl.lit(origin).dt.offset_by("40d")),
            empty=pl.lit(None, dtype=pl.Float64),
            same=pl.lit(1.0),
        )
        parts.append(frame)
    return pl.concat(parts)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return load_recipe()


@pytest.fixture(scope="session")
def rows() -> pl.DataFrame:
    return make_rows()


@pytest.fixture(scope="session")
def directions() -> dict[str, int]:
    return dict(DIRECTIONS)


@pytest.fixture(scope="session")
def model(rows: pl.DataFrame, recipe: Recipe) -> Model:
    return fit_model(rows, DIRECTIONS, recipe, 180, date(2026, 8, 31))


@pytest.fixture
def few_rows() -> pl.DataFrame:
    return make_rows(borrowers=300, base=-3.6, seed=3)


def make_trial(
    seed: int, borrowers: int = 400, base: float = -2.0, origins: tuple[date, ...] = (date(2026, 1, 31), date(2026, 2, 28))
) -> pl.DataFrame:
    """Rows as of a trial at two origins: the model and the logistic know the risk (one of them with noise), the others chance."""
    rng = np.random.default_rng(seed)
    parts = []
    for origin in origins:
        stress = rng.normal(size=borrowers)
        risk = 1 / (1 + np.exp(-(base + 1.5 * stress)))
        is_default = rng.random(borrowers) < risk
        scores = {
            "model": stress,
            "logistic": stress + rng.normal(size=borrowers),
            "days_past_due": rng.integers(0, 3, borrowers),
            "scorecard": rng.normal(size=borrowers),
        }
        columns = {f"{name}_raw": np.asarray(score, dtype=float) for name, score in scores.items()} | {
            f"{name}_risk": risk for name in scores
        }
        columns |= {f"{name}_level": np.where(risk > 0.4, "alert", np.where(risk > 0.2, "caution", "none")) for name in scores}
        frame = pl.DataFrame({"borrower_id": [f"B{number:05d}" for number in range(borrowers)], "is_default": is_default, **columns})
        lead = pl.duration(days=pl.int_range(10, 10 + pl.len()) % 100 + 1)
        parts.append(
            frame.with_columns(
                pl.lit(origin).alias("origin"),
                default_on=pl.when("is_default").then(pl.lit(origin) + lead).cast(pl.Date),
                is_scorecard=pl.lit(value=False),
            )
        )
    return pl.concat(parts).sort("origin", "borrower_id")
