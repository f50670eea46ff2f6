"""What one week's list of each office would have caught."""

from __future__ import annotations

from typing import Any

import polars as pl


def measure_offices(listed: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Measure each office's list at its weekly capacity, over all origins; sorted by office.

    `listed`: office, places (the capacity), is_default and place (see `lists.share_places`). `borrowers` counts rows, and
    `listed` those on the list: one list per origin. Precision is null without a list, recall without a default.

    >>> rows = pl.DataFrame({"office": ["a", "a"], "places": [1, 1], "is_default": [True, True], "place": [1.0, 0.0]})
    >>> measure_offices(rows)["a"]["recall_at_capacity"]
    0.5
    """
    caught = (pl.col("place") * pl.col("is_default")).sum()
    told = listed.group_by("office").agg(
        weekly_capacity=pl.col("places").first(),
        borrowers=pl.len(),
        defaults=pl.col("is_default").sum(),
        listed=pl.col("place").sum(),
        precision_at_capacity=caught / pl.col("place").sum(),
        recall_at_capacity=caught / pl.col("is_default").sum(),
    )
    known = told.with_columns(pl.col("precision_at_capacity", "recall_at_capacity").fill_nan(None))
    return {row.pop("office"): row for row in known.sort("office").to_dicts()}
