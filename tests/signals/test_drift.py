"""Drift is an effect size: zero for the same people, large for a shift, the same for more of the same."""

import polars as pl

from signals.drift import measure_drift


def night(values: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"borrower_id": [f"{number:05}" for number in range(len(values))], "x": values, "y": 0.0}, schema_overrides={"x": pl.Float64}
    )


def psi(now: list[float | None], before: list[float | None]) -> float:
    return dict(measure_drift(night(now), night(before), ["x", "y"]).iter_rows())["x"]


STEADY: list[float | None] = [float(number % 100) for number in range(2000)]


def test_the_same_values_have_no_drift_and_a_shift_has_much() -> None:
    assert psi(STEADY, STEADY) == 0
    assert psi([None if value is None else value + 50 for value in STEADY], STEADY) > 0.25


def test_values_that_become_unknown_are_a_drift() -> None:
    assert psi([None] * 1000 + STEADY[1000:], STEADY) > 0.25


def test_more_rows_of_the_same_are_no_drift() -> None:
    assert psi(STEADY * 5, STEADY) < 0.001


def test_the_most_moved_column_comes_first() -> None:
    moved = night(STEADY).with_columns(pl.col("x") * 2)
    assert measure_drift(moved, night(STEADY), ["y", "x"])["column"].to_list() == ["x", "y"]
