"""However small the parts in which arrivals are judged: the same lake, and each key's rows in one part, in their order."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.buckets import FEWEST_BUCKETS
from signals.home import Home
from signals.parts import split_arrivals
from tests.signals.worlds import Town, day, open_gate, read_lake, read_quarantine, take_in

ROWS = st.lists(st.tuples(st.sampled_from(["L1", "L2", "L3", "L4", None]), st.sampled_from(["b0", "b1", "b2", "b3", None])), max_size=30)


def split(tmp_path: Path, rows: list[tuple[str | None, str | None]], at_once: int, in_memory: int = 0) -> list[pl.DataFrame]:
    frame = pl.DataFrame(rows, schema={"loan_id": pl.String, "borrower_id": pl.String}, orient="row").with_row_index("came")
    return list(split_arrivals(frame.lazy(), "loans", FEWEST_BUCKETS, tmp_path / "parts", at_once, in_memory))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, at_once=st.integers(1, 20), in_memory=st.sampled_from([0, 100]))
def test_parts_hold_every_row_once_and_all_rows_of_a_key_together_in_order(
    rows: list[tuple[str | None, str | None]], at_once: int, in_memory: int, tmp_path: Path
) -> None:
    parts = split(tmp_path, rows, at_once, in_memory)
    assert sorted(pl.concat(parts)["came"]) == list(range(len(rows)))
    assert all(part["came"].is_sorted() for part in parts)
    keys = [key for part in parts for key in part["loan_id"].unique()]
    assert len(keys) == len(set(keys))
    assert not (tmp_path / "parts").exists()


def test_what_a_killed_check_left_of_its_parts_is_not_read_again(tmp_path: Path) -> None:
    rows: list[tuple[str | None, str | None]] = [(f"L{number}", f"b{number}") for number in range(20)]
    frame = pl.DataFrame(rows, schema=["loan_id", "borrower_id"], orient="row")
    for bucket in range(FEWEST_BUCKETS + 1):
        left = tmp_path / "parts" / f"group={bucket}" / "9.parquet"
        left.parent.mkdir(parents=True)
        frame.with_row_index("came").write_parquet(left)
    assert pl.concat(split(tmp_path, rows, 5)).height == 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_lake_filled_in_tiny_parts_is_the_lake_filled_at_once(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(tmp_path / "town", seed)
    homes = Home(tmp_path / "whole"), Home(tmp_path / "parts")
    for number in range(3):
        town.send_night(number, most=12, broken=0.2)
        said = []
        for home in homes:
            with open_gate(), monkeypatch.context() as patched:
                patched.setattr(split_arrivals, "__defaults__", (2, 4) if home is homes[1] else split_arrivals.__defaults__)
                said.append(take_in(home, town.sources, day(number)))
        assert said[0] == said[1]
        aside = [read_quarantine(home, day(number)) for home in homes]
        assert aside[0].keys() == aside[1].keys()
        for name, frame in aside[0].items():
            assert_frame_equal(frame.sort("file", "line"), aside[1][name].sort("file", "line"))
    whole, parts = (read_lake(home) for home in homes)
    assert whole.keys() == parts.keys()
    for table, frame in whole.items():
        assert_frame_equal(frame, parts[table])
