"""Borrowers dealt into folds, and counted."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.evaluate import Numbers


def assign_folds(rows: pl.DataFrame, folds: int, seed: int) -> Numbers:
    """Deal the borrowers of `rows` into folds: all rows of a borrower into one, defaulters spread evenly.

    One number from 0 to `folds` - 1 per row. The same borrowers and seed are always dealt alike, in any row order.
    """
    people = rows.group_by("borrower_id").agg(pl.col("is_default").any()).sort("borrower_id")
    people = people.with_columns(lot=np.random.default_rng(seed).permutation(len(people))).sort("is_default", "lot")
    dealt = people.select("borrower_id", fold=pl.int_range(pl.len()) % folds)
    return rows.select("borrower_id").join(dealt, on="borrower_id", how="left", maintain_order="left")["fold"].to_numpy()


def count_defaults(rows: pl.DataFrame) -> int:
    """How many borrowers of `rows` had a default (one whom several origins saw coming counts once)."""
    return rows.filter("is_default")["borrower_id"].n_unique()


def find_latest(rows: pl.DataFrame, defaults: int) -> NDArray[np.bool_]:
    """The rows of the newest origins that together hold so many defaults (all, when there are fewer)."""
    counts = rows.group_by("origin").agg(pl.col("is_default").sum().cast(pl.Int64)).sort("origin", descending=True)
    before = counts.select("origin", before=pl.col("is_default").cum_sum() - pl.col("is_default"))
    latest = before.filter(pl.col("before") < defaults)["origin"]
    return rows["origin"].is_in(latest.implode()).to_numpy()
