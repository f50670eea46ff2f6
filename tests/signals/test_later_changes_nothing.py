"""What becomes known after a day changes nothing of what was known on it: every table, on random worlds."""

from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.compaction import compact_table
from signals.home import Home
from signals.known import as_known
from signals.lake import read_known, receipt_of_arrivals
from signals.tables import TABLES
from tests.signals.worlds import Town, day, draw_rows, open_gate, take_in

AS_OF = 2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), table=st.sampled_from(sorted(TABLES)), has_nights=st.booleans())
def test_rows_known_or_pulled_later_change_nothing_of_any_table(seed: int, table: str, has_nights: bool) -> None:
    rng = Random(seed)
    rows = draw_rows(rng, table, 40, day(-10), day(10))
    nights = [max(known_on, day(rng.randint(-10, 10))) if has_nights else day(0) for known_on in rows["known_on"]]
    told = rows.with_columns(
        pulled_for=pl.Series(nights, dtype=pl.Date),
        priority=pl.Series([rng.randint(0, 2) for _ in nights], dtype=pl.Int64),
        pulled_from=pl.Series([rng.choice("ab") for _ in nights], dtype=pl.String),
        line=pl.int_range(pl.len()),
    )
    limit = day(rng.randint(0, 8))
    was_known = (pl.col("known_on") <= limit) & (pl.col("pulled_for") <= limit)
    frames = [
        as_known(frame.lazy(), table, limit).collect()
        for frame in (told, told.filter(was_known), told.sample(fraction=1, shuffle=True, seed=seed))
    ]
    key = list(TABLES[table].key)
    assert frames[0].select(pl.struct(key).is_unique().all()).item()
    for frame in frames[1:]:
        assert_frame_equal(frame, frames[0], check_row_order=False)


def look(home: Home, night: int) -> dict[str, pl.DataFrame]:
    """What was known on a night, whole; asserted to be what the buckets say one by one."""
    from signals.buckets import count_buckets

    whole = {table: frame.collect() for table, frame in read_known(home, day(night)).items()}
    parts = [read_known(home, day(night), bucket) for bucket in range(count_buckets(home))]
    for table, frame in whole.items():
        if TABLES[table].has_borrower:
            assert_frame_equal(pl.concat([part[table].collect() for part in parts]), frame, check_row_order=False)
    return {table: frame.sort(TABLES[table].key) for table, frame in whole.items()}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    assert one.keys() == other.keys()
    for table, frame in one.items():
        assert_frame_equal(frame, other[table])


@pytest.mark.slow
@pytest.mark.usefixtures("two_buckets")
@pytest.mark.parametrize("seed", [1, 2])
def test_later_nights_late_files_reruns_and_upkeep_change_no_earlier_night(seed: int, tmp_path: Path) -> None:
    whole, cut = Town(tmp_path / "whole", seed), Town(tmp_path / "cut", seed)
    home, twin = Home(tmp_path / "home"), Home(tmp_path / "twin")
    with open_gate():
        for number in range(AS_OF + 1):
            whole.send_night(number)
            cut.send_night(number, known_by=day(AS_OF))
            take_in(home, whole.sources, day(number))
            take_in(twin, cut.sources, day(number))
        before = {number: look(home, number) for number in range(AS_OF + 1)}
        assert_same(before[AS_OF], look(twin, AS_OF))
        receipts = [receipt_of_arrivals(home, table, day(AS_OF)) for table in TABLES]
        for number in (AS_OF + 1, AS_OF + 3):  # a night is missed
            whole.send_night(number)
            take_in(home, whole.sources, day(number))
            for table in TABLES:
                compact_table(home, table)
        later = look(home, AS_OF + 3)
        for number in (AS_OF, 1, AS_OF):  # run again, in any order
            take_in(home, whole.sources, day(number))
    for number, known in before.items():
        assert_same(known, look(home, number))
    assert [_content(receipt_of_arrivals(home, table, day(AS_OF))) for table in TABLES] == [_content(one) for one in receipts]
    assert_same(later, look(home, AS_OF + 3))


def _content(receipt: object) -> object:
    return receipt and (receipt.rows, receipt.content_hash)  # type: ignore[attr-defined]
