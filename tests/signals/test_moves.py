"""A fact that turns out to be somebody else's: each bucket read alone says what all say together."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.buckets import choose_buckets, count_buckets
from signals.home import Home
from signals.lake import commit_rows, read_known, stage_rows
from signals.tables import TABLES
from tests.signals.worlds import day

VERSIONS = st.lists(
    st.tuples(
        st.integers(0, 4),  # the night that takes it in
        st.integers(0, 3),  # how many days before that it was known
        st.sampled_from(["b0", "b1", "b2", "b3"]),
        st.sampled_from(["abank", "zbank"]),
        st.integers(1, 2),  # its line
        st.booleans(),  # whether it is taken back
    ),
    max_size=7,
)


def take_version(home: Home, *version: object) -> None:
    night, known_on, borrower, source, line, is_retracted = version
    assert isinstance(night, date)
    row = {"loan_id": "L", "borrower_id": borrower, "lender_id": "k", "product": "p", "principal_krw": 1, "known_on": known_on}
    frame = pl.DataFrame([row | {"is_retracted": is_retracted}], schema=TABLES["loans"].polars_schema).with_columns(
        pulled_from=pl.lit(source), priority=pl.lit(0, dtype=pl.Int64), file=pl.lit("f"), line=pl.lit(line, dtype=pl.Int64)
    )
    commit_rows(home, "loans", stage_rows(home, "loans", frame, night), night)


def assert_buckets_agree(home: Home, as_of: date) -> None:
    whole = read_known(home, as_of)["loans"].collect()
    parts = [read_known(home, as_of, bucket)["loans"].collect() for bucket in range(count_buckets(home))]
    assert_frame_equal(pl.concat(parts), whole, check_row_order=False)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS, order=st.sampled_from(["as they come", "earlier nights again"]))
def test_whoever_takes_in_what_and_when_the_buckets_alone_say_what_all_say(
    versions: list[tuple[int, int, str, str, int, bool]], order: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    choose_buckets(home, 1)
    coming = sorted(versions, key=lambda version: version[0]) if order == "as they come" else versions
    for night, ago, *rest in coming:
        take_version(home, day(night), day(night - ago), *rest)
    for night in range(5) if versions else ():
        assert_buckets_agree(home, day(night))


def test_of_two_versions_of_one_day_the_later_pulled_stands_in_its_bucket_too(tmp_path: Path) -> None:
    home = Home(tmp_path)
    choose_buckets(home, 1)
    take_version(home, day(0), day(0), "b0", "zbank", 1, False)
    take_version(home, day(1), day(0), "b1", "abank", 1, False)
    assert_buckets_agree(home, day(1))


def test_a_late_version_of_a_later_night_ends_nothing_on_an_earlier_one_that_runs_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    choose_buckets(home, 1)
    take_version(home, day(2), day(1), "b1", "abank", 1, False)
    take_version(home, day(1), day(0), "b0", "zbank", 1, False)
    assert_buckets_agree(home, day(1))


def test_a_line_sent_again_and_again_belongs_to_whom_it_names_last(tmp_path: Path) -> None:
    home = Home(tmp_path)
    choose_buckets(home, 1)
    for number, borrower in enumerate(["b0", "b1", "b0"]):
        take_version(home, day(number), day(0), borrower, "abank", 1, False)
    assert_buckets_agree(home, day(2))


def test_the_rows_that_end_moved_facts_come_in_one_order_so_that_receipts_are_equal(tmp_path: Path) -> None:
    hashes = set()
    for number in range(4):
        home = Home(tmp_path / str(number))
        choose_buckets(home, 1)
        rows = [
            {
                "loan_id": f"L{loan}",
                "borrower_id": f"b{loan + turn}",
                "lender_id": "k",
                "product": "p",
                "principal_krw": 1,
                "known_on": day(turn),
            }
            for loan in range(200)
            for turn in range(3)
        ]
        frame = pl.DataFrame(rows, schema=TABLES["loans"].polars_schema).with_columns(
            pulled_from=pl.lit("a"), priority=pl.lit(0, dtype=pl.Int64), file=pl.lit("f"), line=pl.int_range(pl.len())
        )
        hashes.add(tuple(one.content_hash for one in stage_rows(home, "loans", frame, day(3))))
    assert len(hashes) == 1
