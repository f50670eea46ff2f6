"""A lot stands for all: who is in it, what the base rate and the calibration are, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from models.card import tell_lot
from models.lot import draw_lot, hold_lot, thin_labels
from models.recipe import Recipe
from models.train import fit_model
from tests.models.conftest import DIRECTIONS, make_rows

ORIGINS = tuple(date(2025, month, 28) for month in range(1, 9))
KEYS = ("origin", "borrower_id", "is_default", "default_on")


def by_origin(rows: pl.DataFrame) -> dict[date, pl.DataFrame]:
    return {origin: rows.filter(origin=origin) for origin in ORIGINS}


def test_a_lot_of_borrowers_hangs_on_nobodys_company_and_few_are_all_kept(recipe: Recipe) -> None:
    ids = [f"B{number:06d}" for number in range(5_000)]
    tables = {"borrowers": pl.LazyFrame({"borrower_id": ids}), "lenders": pl.LazyFrame({"lender_id": ["BK01"]})}
    held, lot = hold_lot(tables, replace(recipe, borrowers_max=1_000))
    assert (lot.borrowers, lot.of) == (1_000, 5_000)
    chosen = set(held["borrowers"].collect()["borrower_id"])
    assert len(chosen) == 1_000
    assert held["lenders"].collect().height == 1
    half = {"borrowers": pl.LazyFrame({"borrower_id": ids[::-2]})}
    again = set(hold_lot(half, replace(recipe, borrowers_max=500))[0]["borrowers"].collect()["borrower_id"])
    assert len(again & chosen) > 450
    whole, lot = hold_lot(tables, recipe)
    assert whole["borrowers"].collect().height == lot.of == 5_000


def test_thinned_rows_make_a_model_whose_risks_are_those_of_all(recipe: Recipe) -> None:
    rows = make_rows(borrowers=4_000, base=-4.5, origins=ORIGINS)
    small = replace(recipe, rows_max=1_000, negatives_per_default=5, calibration_defaults=60)
    kept, left_out = thin_labels(by_origin(rows), small)
    thinned = pl.concat(kept.values())
    assert left_out == len(rows) - len(thinned) > len(rows) / 3
    assert thinned["is_default"].sum() == rows["is_default"].sum()
    assert kept[ORIGINS[-1]].equals(rows.filter(origin=ORIGINS[-1]))
    fitted = fit_model(thinned, DIRECTIONS, small, 180, date(2026, 8, 31))
    fresh = make_rows(borrowers=8_000, base=-4.5, seed=9)
    risk, label = fitted.calibration.apply(fitted.score_raw(fresh)), fresh["is_default"].to_numpy()
    assert risk.mean() == pytest.approx(label.mean(), rel=0.15)
    told = tell_lot({"lot": {"borrowers": 4_000, "of": 9_000, "rows_left_out": left_out}, **fitted.about})
    assert "a lot of 4,000 of 9,000 borrowers" in told
    assert f"{left_out:,} rows of older origins" in told


def test_few_rows_are_not_thinned(recipe: Recipe) -> None:
    rows = make_rows(borrowers=50, origins=ORIGINS)
    kept, left_out = thin_labels(by_origin(rows), recipe)
    assert left_out == 0
    assert pl.concat(kept.values()).equals(rows)


def test_the_rows_trees_grow_on_are_the_same_before_and_after_thinning(recipe: Recipe) -> None:
    from models.trees import thin_negatives

    rows = make_rows(borrowers=2_000, base=-4.5, origins=ORIGINS)
    small = replace(recipe, rows_max=1, negatives_per_default=4, calibration_defaults=10)
    thinned = pl.concat(thin_labels(by_origin(rows), small)[0].values())
    grown, again = (frame.filter(pl.Series(thin_negatives(frame, small))).select(KEYS) for frame in (rows, thinned))
    assert again.sort("origin", "borrower_id").equals(grown.sort("origin", "borrower_id"))
    assert np.ptp(draw_lot(rows["borrower_id"], small.seed, rows["origin"])) > 0.99
