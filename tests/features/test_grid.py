"""Both ways of filling the leaves give the same values, to the last won."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features import FEATURES
from features.build import join_views
from features.formula import Aggregate, Window
from features.grid import fill_grid
from features.reading import Reading
from features.views import VIEWS
from tests.features.worlds import draw_day, know, make_world

BY_MONTH = ("repayments", "sales", "credit")
SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
WORLD, DAY = make_world(7), date(2026, 2, 10)


def read(world: dict[str, pl.DataFrame], as_of: date) -> Reading:
    return Reading({name: nw.from_native(frame) for name, frame in know(world, as_of).items()}, as_of)


def whole_columns(view: str) -> list[str]:
    schema = VIEWS[view].rows(read(WORLD, DAY), 6).collect_schema()
    return sorted(name for name, kind in schema.items() if kind.is_integer())


WHOLE_COLUMNS = {view: whole_columns(view) for view in VIEWS}


@st.composite
def draw_leaves(draw: st.DrawFn) -> dict[str, list[Aggregate]]:
    """A few leaves that no feature need ever have declared."""
    leaves: dict[str, list[Aggregate]] = {}
    for view in draw(st.sets(st.sampled_from(sorted(VIEWS)), min_size=1, max_size=4)):
        first, last = sorted(draw(st.tuples(st.integers(0, 14), st.integers(0, 14))))
        windows = [None, Window(first, last), Window(0, 0)] if view in BY_MONTH else [None]
        how, of = st.sampled_from(["sum", "max", "min", "count"]), st.sampled_from(WHOLE_COLUMNS[view])
        some = st.sets(st.builds(Aggregate, st.just(view), how, of, st.sampled_from(windows)), min_size=1, max_size=8)
        leaves[view] = sorted(draw(some), key=lambda leaf: leaf.name)
    return leaves


def fill_both(reading: Reading, leaves: dict[str, list[Aggregate]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    joined, gridded = (
        frame.collect().sort("borrower_id") for frame in (join_views(reading, leaves).to_native(), fill_grid(reading, leaves))
    )
    return joined.cast({name: kind for name, kind in gridded.schema.items() if name in joined.columns}), gridded


@given(SEEDS, draw_leaves())
@settings(max_examples=40, deadline=None)
def test_the_grid_tells_what_grouping_and_joining_tells(seed: int, leaves: dict[str, list[Aggregate]]) -> None:
    rng = np.random.default_rng(seed)
    as_of = draw_day(rng)
    world = make_world(seed)
    # somebody sells but has neither loan nor name with us
    world["sales"] = pl.concat([world["sales"], world["sales"].with_columns(borrower_id=pl.lit("stranger"))])
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in world.items()}
    for told in (world, shuffled):
        joined, gridded = fill_both(read(told, as_of), leaves)
        assert_frame_equal(gridded, joined.select(gridded.columns))
        assert "stranger" not in gridded["borrower_id"]


@pytest.mark.parametrize("rows_at_once", [1, 7])
def test_in_how_many_slices_rows_are_added_is_of_no_account(rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.grid._ROWS_AT_ONCE", rows_at_once)
    leaves = {view: [leaf for leaf in needed() if leaf.view == view] for view in VIEWS}
    joined, gridded = fill_both(read(WORLD, DAY), leaves)
    assert_frame_equal(gridded, joined.select(gridded.columns))


def test_every_column_a_declared_feature_folds_is_whole_numbers() -> None:
    assert {(leaf.view, leaf.of) for leaf in needed() if leaf.how != "count"} <= {
        (view, column) for view, columns in WHOLE_COLUMNS.items() for column in columns
    }


def needed() -> list[Aggregate]:
    return sorted(frozenset().union(*(feature.value.leaves for feature in FEATURES)), key=lambda leaf: leaf.name)
