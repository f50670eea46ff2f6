"""Every figure of one contender over some rows, ready to be weighed anew for each resample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.evaluate import Numbers, list_length, measure_f, weigh_calibration_error
from models.lists import FLAGGED, find_first_flags, share_places, sum_places
from models.ranking import Ranking, find_median, rank_rows

SHARES = (1, 2, 5, 10)
AT_SHARES = tuple(f"{kind}_at_{pct}pct" for pct in SHARES for kind in ("precision", "recall"))
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Sheet:
    """One contender's scores over rows of a trial (`trial.try_models`), in the order of the rows.

    `is_own` is who is flagged by the contender's own risk, without a night's fixed rules (null: not told). `place` is each row's share of a place on its office's list (see `lists.share_places`; null: no offices were given);
    `lead` are the crises caught: whose row they are told by, and the days from their first flag.
    """

    label: Numbers
    raw: Numbers
    risk: Numbers
    days: Numbers
    is_caution: Numbers
    is_alert: Numbers
    is_own: Numbers | None
    place: Numbers | None
    lead: tuple[NDArray[np.intp], Numbers]

    @cached_property
    def by_raw(self) -> Ranking:
        """The rows by their raw score."""
        return rank_rows(self.label, self.raw)

    @cached_property
    def by_risk(self) -> Ranking:
        """The rows by their risk: another order where several models scored them."""
        return rank_rows(self.label, self.risk)

    @cached_property
    def listed(self) -> tuple[NDArray[np.intp], Numbers]:
        """The defaulters on the list of 5 % by their days from the origin: rows and days (equals of the last place count)."""
        if not len(self.raw):
            return np.empty(0, dtype=np.intp), np.empty(0)
        last = np.sort(self.raw)[::-1][list_length(len(self.raw)) - 1]
        rows = np.flatnonzero((self.raw >= last) & ~np.isnan(self.days))
        rows = rows[np.argsort(self.days[rows], kind="stable")]
        return rows, self.days[rows]

    def measure_ranking(self, weights: Numbers) -> Figures:
        """The figures that need the raw score alone."""
        reach = self.by_raw.weigh(weights)
        at = [figure for pct in SHARES for figure in reach.measure_at(pct / 100)]
        return {
            "auc": reach.measure_auc(),
            "average_precision": reach.measure_average_precision(),
            **dict(zip(AT_SHARES, at, strict=True)),
        }

    def measure(self, weights: Numbers) -> Figures:
        """Every figure, each row counting as its weight; null: not measurable."""
        total = float(weights.sum())
        gap = self.risk - self.label
        brier, large = (float((weights * part).sum() / total) if total > 0 else None for part in (gap**2, gap))
        rows, days = self.listed
        first_rows, first_days = self.lead
        return {
            **self.measure_ranking(weights),
            "brier": brier,
            "calibration_error": weigh_calibration_error(self.by_risk, self.risk, weights),
            "calibration_in_the_large": large,
            "lead_days_median": find_median(days, weights[rows]),
            "lead_days_first_flag_median": find_median(first_days, weights[first_rows]),
            **self._measure_levels(weights),
            **self._measure_capacity(weights),
        }

    def count_rows(self) -> dict[str, float]:
        """Of how many rows each precision and recall is a share."""
        lists = {f"at_{pct}pct": float(list_length(len(self.raw), pct / 100)) for pct in SHARES}
        lists |= {"at_caution": float(self.is_caution.sum()), "at_alert": float(self.is_alert.sum())}
        lists["of_own"] = 0.0 if self.is_own is None else float(self.is_own.sum())
        lists["at_capacity"] = 0.0 if self.place is None else float(self.place.sum())
        defaults = float(self.label.sum())
        return {name: rows for at, length in lists.items() for name, rows in ((f"precision_{at}", length), (f"recall_{at}", defaults))}

    def _measure_levels(self, weights: Numbers) -> Figures:
        figures: Figures = {}
        for level, name, beta, flag in (("caution", "f2", 2.0, self.is_caution), ("alert", "f05", 0.5, self.is_alert)):
            precision, recall = sum_places(flag, self.label, weights)
            figures |= {f"precision_at_{level}": precision, f"recall_at_{level}": recall}
            figures[f"{name}_at_{level}"] = measure_f(precision, recall, beta)
        precision, recall = (None, None) if self.is_own is None else sum_places(self.is_own, self.label, weights)
        return figures | {"precision_of_own": precision, "recall_of_own": recall, "f2_of_own": measure_f(precision, recall, 2.0)}

    def _measure_capacity(self, weights: Numbers) -> Figures:
        precision, recall = (None, None) if self.place is None else sum_places(self.place, self.label, weights)
        return {"precision_at_capacity": precision, "recall_at_capacity": recall}


def open_sheet(rows: pl.DataFrame, contender: str) -> Sheet:
    """Open the sheet of a contender over rows of a trial, sorted by origin and borrower.

    With columns office and places (its week's capacity) the lists of the offices are measured too.
    """
    level = f"{contender}_level"
    days = rows.select((pl.col("default_on") - pl.col("origin")).dt.total_days().cast(pl.Float64).fill_null(float("nan")))
    place = list_places(rows, contender).to_numpy() if "office" in rows.columns else None
    return Sheet(
        label=rows["is_default"].to_numpy().astype(np.float64),
        raw=rows[f"{contender}_raw"].to_numpy(),
        risk=rows[f"{contender}_risk"].to_numpy(),
        days=days.to_series().to_numpy(),
        is_caution=rows[level].is_in(FLAGGED).to_numpy().astype(np.float64),
        is_alert=(rows[level] == "alert").to_numpy().astype(np.float64),
        is_own=rows[f"{contender}_is_own"].to_numpy().astype(np.float64) if f"{contender}_is_own" in rows.columns else None,
        place=place,
        lead=_find_lead(rows, level),
    )


def list_places(rows: pl.DataFrame, contender: str) -> pl.Series:
    """Each row's share of a place on its office's list at its origin, by a contender's raw score."""
    return share_places(rows, f"{contender}_raw", pl.col("places"), ("origin", "office"))


def _find_lead(rows: pl.DataFrame, level: str) -> tuple[NDArray[np.intp], Numbers]:
    """The crises caught, each told by the first of its borrower's rows (so that the borrower's weight is its own)."""
    first = rows.with_row_index("row").group_by("borrower_id").agg(pl.col("row").min())
    lead = find_first_flags(rows, level).join(first, on="borrower_id", how="left", maintain_order="left")
    return lead["row"].to_numpy().astype(np.intp), lead["lead_days"].to_numpy().astype(np.float64)
