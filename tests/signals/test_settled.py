"""That what was known is the same by every way to it, and that the short way reads no more than it is asked for."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.home import Home
from signals.known import PROVENANCE, as_known
from signals.lake import read_known
from signals.settled import settle_known
from signals.tables import TABLES
from tests.signals.lakes import land, repayment
from tests.signals.worlds import day

Know = Callable[[pl.LazyFrame, str, date], pl.LazyFrame]
WAYS = (as_known, settle_known)
MONTHS = [date(2025, 11, 1), date(2025, 12, 1)]
VERSION = st.fixed_dictionaries(
    {
        "loan_id": st.sampled_from(["l1", "l2", "l3"]),
        "due_month": st.sampled_from(MONTHS),
        "borrower_id": st.sampled_from(["b1", "b2"]),
        "known_on": st.integers(0, 4).map(day),
        "is_retracted": st.sampled_from([None, None, False, True]),
        "pulled_for": st.integers(2, 6).map(day),
        "priority": st.integers(0, 1),
        "arrival": st.integers(0, 1),
        "pulled_from": st.sampled_from(["bank", "kcb"]),
        "file": st.sampled_from(["f", "g"]),
        "line": st.integers(1, 2),
    }
)
KINDS: dict[str, Any] = {
    **TABLES["repayments"].polars_schema,
    "priority": pl.Int64,
    "arrival": pl.Int64,
    "line": pl.Int64,
    "pulled_for": pl.Date,
}


def say(versions: list[dict[str, Any]]) -> pl.DataFrame:
    """Lake rows, each of which says its own place in `due_krw`."""
    frame = pl.DataFrame(versions, schema={name: KINDS.get(name, pl.String) for name in (*TABLES["repayments"].columns, *PROVENANCE)})
    return frame.with_columns(due_krw=pl.int_range(pl.len()))


def sort_all(frame: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """What was known, by a sort of all history: the definition in its plainest words."""
    seen = frame.filter(pl.col("known_on") <= as_of, pl.col("pulled_for") <= as_of).collect()
    newest = seen.sort("known_on", *PROVENANCE, maintain_order=True).unique(["loan_id", "due_month"], keep="last", maintain_order=True)
    return newest.filter(~pl.col("is_retracted").fill_null(value=False)).drop("is_retracted", *PROVENANCE)


def hash_badly(key: list[str]) -> pl.Expr:
    """A hash of which there are two, so that different keys often have the same."""
    return (pl.col(key[0]).hash() & 1).alias("hash")


@settings(deadline=None)
@given(st.lists(VERSION, max_size=14), st.integers(0, 7), st.booleans())
def test_every_way_says_what_a_sort_of_all_history_says(versions: list[dict[str, Any]], number: int, is_bad: bool) -> None:
    rows, expected = say(versions), sort_all(say(versions).lazy(), day(number))
    with patch("signals.settled.hash_columns", hash_badly) if is_bad else nullcontext():
        for know in WAYS:
            assert_frame_equal(know(rows.lazy(), "repayments", day(number)).collect(), expected, check_row_order=False)


@settings(deadline=None, max_examples=30)
@given(st.lists(VERSION, max_size=10), st.integers(2, 7))
def test_months_may_be_left_unread_and_filtered_rows_are_those_that_were_known(versions: list[dict[str, Any]], number: int) -> None:
    rows, recent = say(versions).lazy(), pl.col("due_month") >= MONTHS[1]
    for know in WAYS:
        pruned = know(rows.filter(recent), "repayments", day(number)).collect()
        assert_frame_equal(pruned, sort_all(rows, day(number)).filter(recent), check_row_order=False)
    for where in (recent, pl.col("due_krw") < 4, recent & (pl.col("borrower_id") == "b1")):
        later = settle_known(rows, "repayments", day(number)).filter(where).collect()
        assert_frame_equal(later, sort_all(rows, day(number)).filter(where), check_row_order=False)


def many_rows() -> pl.DataFrame:
    """More rows than are handed on at once, each tenth of them corrected."""
    first = pl.select(
        borrower_id=pl.format("b{}", pl.int_range(300_000)), sales_month=date(2026, 1, 1), card_sales_krw=pl.int_range(300_000)
    )
    first = first.with_columns(known_on=date(2026, 2, 5))
    return pl.concat([first, first[::10].with_columns(card_sales_krw=-pl.col("card_sales_krw") - 1, known_on=date(2026, 2, 9))])


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_many_rows_and_a_plan_that_uses_them_twice_are_as_by_the_long_way(engine: Any) -> None:
    rows = many_rows().lazy()
    found = []
    for know in WAYS:
        known = know(rows, "sales", date(2026, 3, 1))
        few = known.filter(pl.col("card_sales_krw") % 7 == 0)
        again = known.group_by("sales_month").agg(total=pl.col("card_sales_krw").sum())
        found.append(few.join(again, on="sales_month").sort("borrower_id").collect(engine=engine))
    assert_frame_equal(*found)
    assert settle_known(rows, "sales", date(2026, 3, 1)).head(3).collect().height == 3


def refuse(_: pl.Series) -> pl.Series:
    raise AssertionError("nobody asked for it")


def test_columns_nobody_asks_for_are_not_read() -> None:
    one = {"loan_id": "l1", "due_month": MONTHS[0], "borrower_id": "b", "known_on": day(0), "pulled_for": day(1)}
    rows = (
        say([one, one | {"loan_id": "l2"}])
        .lazy()
        .with_columns(
            pl.col("paid_krw", "line").map_batches(refuse, return_dtype=pl.Int64, is_elementwise=True),
            pl.col("file").map_batches(refuse, return_dtype=pl.String, is_elementwise=True),
        )
    )
    with pytest.raises(AssertionError, match="nobody asked"):
        settle_known(rows, "repayments", day(9)).select("paid_krw").collect()
    for columns in (["due_krw"], ["borrower_id", "due_month"]):
        assert settle_known(rows, "repayments", day(9)).select(columns).collect().columns == columns
    assert "PROJECT 2/" in settle_known(rows, "repayments", day(9)).select("borrower_id", "due_krw").explain()


def test_what_breaks_a_tie_is_read_where_there_is_one() -> None:
    one = {"loan_id": "l1", "due_month": MONTHS[0], "borrower_id": "b", "known_on": day(0), "pulled_for": day(1), "line": 2}
    rows = say([one | {"line": 9}, one, one | {"loan_id": "l2"}])
    assert settle_known(rows.lazy(), "repayments", day(1)).select("due_krw").sort("due_krw").collect()["due_krw"].to_list() == [0, 2]


def test_a_night_reads_the_tables_and_months_it_names(tmp_path: Path) -> None:
    home, night = Home(tmp_path), date(2026, 1, 31)
    land(home, "repayments", night, *(repayment("shop", month, night - timedelta(days=1)) for month in MONTHS))
    land(home, "lenders", night, {"lender_id": "bank", "kind": "bank", "known_on": night})
    assert set(read_known(home, night, 0)) == {"repayments", "lenders"}
    for bucket in (None, *range(4)):
        known = read_known(home, night, bucket, tables=["repayments"])
        assert list(known) == ["repayments"]
        assert set(known["repayments"].filter(pl.col("due_month") >= MONTHS[1]).collect()["due_month"]) <= {MONTHS[1]}
    parts = [read_known(home, night, bucket)["repayments"].collect() for bucket in range(4)]
    assert_frame_equal(pl.concat(parts), read_known(home, night)["repayments"].collect(), check_row_order=False)
