"""Drift is an effect size that counts only when it lasts; shock mode begins by rule, ends by a person, and changes no night that is past."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bars import load_bars
from models.decisions import OUTCOMES, append_record, read_outcomes, read_records, read_resumptions, record_resumption
from models.drift import measure_drift
from models.outcomes import measure_outcomes
from models.seasons import MONTHS, SINCE, TRAINING, YEAR, choose_usual
from models.shock import find_shock, from_rows, to_rows
from models.sketch import RISK, read_sketch, sketch_features, sketch_values, write_sketch
from models.watch import judge_drift
from signals.errors import SettingsError
from signals.products import PRODUCTS

STEADY = np.array([float(number % 100) for number in range(2000)])
TONIGHT = date(2026, 3, 10)
AT = "2026-03-11T09:00:00+09:00"
BARS = load_bars()
DAYS = st.dates(date(2024, 1, 1), date(2027, 1, 1))


def measure(now: Any, usual: Any = STEADY, least_rows: int = 1) -> dict[str, Any]:
    found = measure_drift(sketch_values({"x": np.array(now, dtype=float)}), sketch_values({"x": usual}), least_rows)
    return found.row(0, named=True) if found.height else {}


def drift_of(*rows: dict[str, Any]) -> pl.DataFrame:
    whole = {"psi": 0.0, "distance": 0.0, "unknown": 0.0, "unknown_usual": 0.0, "usual": MONTHS, "is_read": True, "is_over": False}
    return pl.DataFrame([{**whole, "is_alarm": False, "since": None, **row} for row in rows], schema=dict(PRODUCTS["drift"].columns))


def test_the_same_values_have_no_drift_however_many_they_are_and_a_shift_has_much() -> None:
    assert (measure(STEADY)["psi"], measure(STEADY)["distance"]) == (0, 0)
    assert measure(np.tile(STEADY, 5))["psi"] < 1e-6
    shifted = measure(STEADY + 50)
    assert shifted["psi"] > 1
    assert shifted["distance"] > 1


def test_what_becomes_unknown_and_what_never_was_there_before_is_a_drift() -> None:
    gone = measure([float("nan")] * 1000 + list(STEADY[1000:]))
    assert (gone["unknown"], gone["unknown_usual"]) == (0.5, 0)
    assert gone["psi"] > BARS.psi
    assert measure([float("nan")] * 2000)["distance"] is None
    nothing = np.zeros(2000)
    assert measure([7.0] * 400 + [0.0] * 1600, nothing)["psi"] > BARS.psi
    assert measure([-7.0] * 400 + [0.0] * 1600, nothing)["psi"] > BARS.psi


def test_a_few_borrowers_are_not_judged() -> None:
    assert measure(STEADY[:199], least_rows=200) == {}


@given(
    st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1), st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1)
)
def test_no_drift_is_below_nought_or_endless(now: list[float], usual: list[float]) -> None:
    found = measure(now, np.array(usual))
    assert 0 <= found["psi"] < 40
    assert found["distance"] is None or 0 <= found["distance"] <= 12**0.5


def test_a_sketch_comes_back_from_its_lines_and_parts_of_a_night_add_up() -> None:
    rows = pl.DataFrame({"borrower_id": ["a", "b", "c"], "x": [1.0, None, -3.5], "y": [0.0, 0.0, 2e9]})
    sketch = sketch_features(rows)
    assert read_sketch(write_sketch(sketch)).equals(sketch)
    parts = pl.concat([sketch_features(rows.head(1)), sketch_features(rows.tail(2))])
    assert parts.group_by("feature", "cell").agg(pl.col("rows").sum()).sort("feature", "cell").equals(sketch)


def test_usual_is_last_year_then_the_months_before_then_what_a_person_accepted_then_the_training() -> None:
    year = [date(2025, 3, day) for day in (8, 10, 12)]
    months = [date(2026, 2, 10), date(2025, 12, 9)]
    near = [date(2026, 3, day) for day in (1, 2)]
    assert choose_usual(TONIGHT, [*year, *months, *near]) == (YEAR, year[::-1])
    assert choose_usual(TONIGHT, [*year[:2], *months, *near]) == (MONTHS, months)
    assert choose_usual(TONIGHT, near) == (TRAINING, [])
    assert choose_usual(TONIGHT, [*year, *months, *near], near[0]) == (SINCE, near[::-1])
    assert choose_usual(date(2026, 4, 30), [date(2026, 3, 30), date(2026, 3, 31), date(2026, 2, 26)])[1] == [
        date(2026, 3, 31),
        date(2026, 3, 30),
    ]


@given(DAYS, st.sets(DAYS), st.none() | DAYS)
def test_no_later_night_and_none_before_the_new_usual_is_ever_usual(as_of: date, nights: set[date], since: date | None) -> None:
    found = choose_usual(as_of, nights, since)
    assert all(night < as_of and (since is None or night >= since) for night in found[1])
    assert choose_usual(as_of, {night for night in nights if night < as_of}, since) == found


def test_an_alarm_needs_enough_of_the_last_nights_and_says_since_when() -> None:
    watched: list[tuple[date, pl.DataFrame]] = []
    alarms = []
    for number, psi in enumerate([0.3, 0.0, 0.3, 0.0, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.3]):
        night = TONIGHT + timedelta(days=number)
        moved = pl.DataFrame([("x", psi, 0.0, 0.0, 0.0)], schema=["feature", "psi", "distance", "unknown", "unknown_usual"], orient="row")
        judged = judge_drift(moved, MONTHS, {"x"}, watched, night, BARS)
        watched.insert(0, (night, judged))
        alarms.append((judged["is_alarm"].item(), judged["since"].item()))
    assert [number for number, (is_alarm, _) in enumerate(alarms) if is_alarm] == [4, 5]
    assert {since for is_alarm, since in alarms if is_alarm} == {TONIGHT}


def broken_nights(many: int) -> list[tuple[date, pl.DataFrame]]:
    broken = drift_of({"feature": "x", "psi": 0.9}, {"feature": "y"}, {"feature": RISK, "psi": 0.1})
    return [(TONIGHT - timedelta(days=back), broken) for back in range(many)]


def test_the_gates_must_break_on_nights_on_end_and_a_shock_stands_until_a_person_ends_it() -> None:
    drifts = broken_nights(BARS.shock.nights)
    assert find_shock(TONIGHT, None, None, drifts[:-1], None, BARS) is None
    quiet = [drifts[0], (drifts[1][0], drift_of({"feature": "x"})), *drifts[2:]]
    assert find_shock(TONIGHT, None, None, quiet, None, BARS) is None
    shock = find_shock(TONIGHT, None, None, drifts, None, BARS)
    assert shock is not None
    assert shock.since == TONIGHT
    assert "50%" in shock.because_ko
    assert "50%" in shock.because_en
    later = TONIGHT + timedelta(days=9)
    assert find_shock(later, shock, None, [(later, drift_of())], None, BARS) == shock
    assert find_shock(TONIGHT, None, TONIGHT, drifts, None, BARS) is None  # what came before a decision breaks nothing after it
    assert from_rows(to_rows(shock)) == shock
    assert from_rows(to_rows(None)) is None


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([{"feature": RISK, "psi": 0.7}, {"feature": "x"}], "PSI 0.70"),
        ([{"feature": "x", "unknown": 0.4, "unknown_usual": 0.1}], "30% more than usual is not known"),
        ([{"feature": "x", "psi": 0.9, "is_read": False}, {"feature": "y"}], None),
        ([{"feature": "x", "psi": 5.7, "unknown": 0.4, "unknown_usual": 1.0}], None),
    ],
)
def test_risk_and_the_unknown_break_the_gates_too_and_what_no_champion_reads_or_became_known_does_not(
    rows: list[dict[str, Any]], word: str | None
) -> None:
    nights = [(TONIGHT - timedelta(days=back), drift_of(*rows)) for back in range(BARS.shock.nights)]
    shock = find_shock(TONIGHT, None, None, nights, None, BARS)
    assert (shock is not None and word in shock.because_en) if word else shock is None


def test_outcomes_out_of_bounds_break_the_gates_at_once() -> None:
    quiet = [(TONIGHT, drift_of({"feature": "x"}))]
    shock = find_shock(TONIGHT, None, None, quiet, {"foretold": 40.0, "came": 100}, BARS)
    assert shock is not None
    assert "40 crises were foretold and 100 came" in shock.because_en
    assert find_shock(TONIGHT, None, None, quiet, {"foretold": None, "came": 100}, BARS) is None


def test_a_decision_counts_from_its_night_on_once_and_with_a_reason(tmp_path: Path) -> None:
    from_on = TONIGHT + timedelta(days=1)
    with pytest.raises(SettingsError, match="no reason given"):
        record_resumption(tmp_path, TONIGHT, from_on, " ", AT)
    made = record_resumption(tmp_path, TONIGHT, from_on, " trained anew ", AT)
    assert (made.because, made.at) == ("trained anew", AT)
    assert read_resumptions(tmp_path, TONIGHT) == []
    assert read_resumptions(tmp_path, from_on) == [made]
    with pytest.raises(SettingsError, match="was ended already"):
        record_resumption(tmp_path, TONIGHT, from_on, "again", AT)


@given(st.lists(DAYS, max_size=6), DAYS)
def test_whatever_is_decided_later_an_earlier_night_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, days: list[date], as_of: date
) -> None:
    folder = tmp_path_factory.mktemp("registry")
    read = []
    for day in [as_of, *(max(day, as_of + timedelta(days=1)) for day in days)]:
        append_record(folder, OUTCOMES, {"from_on": day.isoformat(), "nights": []})
        append_record(folder, "resumptions", {"since": str(day), "from_on": str(day), "because": "so", "at": AT})
        read.append((read_outcomes(folder, as_of), read_resumptions(folder, as_of)))
    assert all(one == read[0] for one in read)
    assert read_outcomes(folder, as_of, after=as_of) is None


def test_of_two_records_at_once_both_stand_or_one_is_told_and_a_missing_one_is_said(tmp_path: Path) -> None:
    def append(number: int) -> str:
        try:
            append_record(tmp_path, OUTCOMES, {"from_on": "2026-03-11", "number": number})
        except SettingsError:
            return "told"
        return "stands"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(append, range(8)))
    assert len(read_records(tmp_path, OUTCOMES)) == said.count("stands") >= 1
    append_record(tmp_path, OUTCOMES, {"from_on": "2026-03-11"})
    append_record(tmp_path, OUTCOMES, {"from_on": "2026-03-11"})
    (tmp_path / OUTCOMES / "0001.json").unlink()
    with pytest.raises(SettingsError, match="a record among them is missing"):
        read_outcomes(tmp_path, TONIGHT)


def test_what_came_is_counted_among_those_foretold_flagged_and_listed() -> None:
    scores = pl.DataFrame({
        "borrower_id": ["a", "b", "c", "d"], "risk": [0.5, 0.25, 0.25, None], "level": ["alert", "caution", "none", "distressed"],
        "is_listed": [True, False, False, True],
    })  # fmt: skip
    labels = pl.DataFrame({"borrower_id": ["a", "b", "c", "d"], "is_default": [True, True, False, None]})
    found = measure_outcomes(scores, labels, ["c"])
    assert (found["borrowers"], found["came"], found["foretold"], found["in_the_large"]) == (3, 2, 1.0, pytest.approx(-1 / 3))
    assert (found["came_flagged"], found["came_listed"], found["capture_listed"]) == (2, 1, 0.5)
    assert measure_outcomes(scores, labels, ["b"])["capture_listed"] == 1
    by_scorecard = measure_outcomes(scores.with_columns(risk=pl.lit(None, dtype=pl.Float64)), labels)
    assert (by_scorecard["foretold"], by_scorecard["calibration_error"], by_scorecard["capture_flagged"]) == (None, None, 1)


@pytest.mark.parametrize(
    ("found", "written"),
    [("psi = 0.25 ", "psi = -1 "), ("of_nights = 5", "of_nights = 2"), ("share = 0.2 ", "share = 20 "), ("nights = 3 ", "nights = 2.5 "),
     ("most_ratio = 2.0", "most_ratio = 0.5"), ("risk_psi = 0.5", "risk_psl = 0.5"), ("[watch]", "[gaze]")],
)  # fmt: skip
def test_a_bar_that_can_be_none_is_refused(tmp_path: Path, found: str, written: str) -> None:
    text = Path(__file__).resolve().parents[2].joinpath("models", "recipe.toml").read_text(encoding="utf-8")
    assert found in text
    (tmp_path / "recipe.toml").write_text(text.replace(found, written, 1), encoding="utf-8")
    with pytest.raises(SettingsError, match="nothing to watch by"):
        load_bars(tmp_path / "recipe.toml")
