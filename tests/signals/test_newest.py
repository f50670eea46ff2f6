"""The newest word of each loan, in whatever order the rows lie; and the rows of a bucket, wherever they were read."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.buckets import add_bucket, gather_buckets
from signals.errors import NightError
from signals.newest import find_newest_day, keep_newest_months

DAYS = st.integers(0, 6).map(lambda day: date(2026, 1, 1) + timedelta(days=day))
MONTHS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["1", "2"]), DAYS, DAYS, st.none() | st.integers(0, 120)),
    unique_by=lambda row: row[1:3],
    max_size=12,
)
NAMES = {"borrower_id": pl.String, "loan_id": pl.String, "due_month": pl.Date, "known_on": pl.Date, "days_past_due": pl.Int64}


@settings(max_examples=60, deadline=None)
@given(MONTHS, st.booleans())
def test_what_is_kept_answers_as_all_months_would(rows: list[tuple[object, ...]], is_sorted: bool) -> None:
    months = pl.DataFrame(sorted(rows, key=str) if is_sorted else rows, schema=NAMES, orient="row")
    kept = keep_newest_months(months.lazy()).collect()
    loans = ["borrower_id", "loan_id"]
    newest = months.sort("due_month").group_by(loans).agg(pl.col("due_month", "days_past_due").last(), pl.col("known_on").max())
    assert kept.select(newest.columns).sort(loans).equals(newest.sort(loans))
    days = months.group_by("borrower_id").agg(pl.col("known_on").max())
    for frame in (kept, months):
        assert find_newest_day(frame.lazy()).sort("borrower_id").equals(days.sort("borrower_id"))


def test_rows_of_a_bucket_come_together_wherever_they_were_read() -> None:
    rows = pl.DataFrame({"borrower_id": [f"B{number}" for number in range(50)], "n": range(50)})
    asked = rows.select("borrower_id", level=pl.lit("watch")).filter(pl.col("borrower_id") != "B7")
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=3)
    gathered = list(gather_buckets(iter(shuffled.iter_slices(9)), asked, 4))
    for bucket, frame in enumerate(gathered):
        assert add_bucket(frame, 4)["bucket"].unique().to_list() == [bucket]
    assert pl.concat(gathered).sort("n").equals(rows.join(asked, on="borrower_id").sort("n"))
    with pytest.raises(NightError, match="in order"):  # a stage that was run again by itself knows somebody less
        list(gather_buckets(iter([rows.filter(pl.col("n") != 30)]), asked, 4))
    nobody = list(gather_buckets(iter([rows.clear()]), asked.clear(), 4))
    assert [(frame.height, frame.columns) for frame in nobody] == [(0, ["borrower_id", "n", "level"])] * 4
