"""The benchmark of the pull runs, on a very small town, and says what a reader of its numbers looks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_three_nights_are_measured_beside_bare_polars(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    words = f"--borrowers 200 --months 2 --histories 2 --repeats 1 --form csv --keep {tmp_path / 'kept'} --json {numbers}"
    done = subprocess.run([sys.executable, "bench/pull.py", *words.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(numbers.read_text())
    assert [(row["history_months"], row["night"]) for row in found["results"]] == [(2, "first load"), (2, "month-end"), (2, "normal")]
    for row in found["results"]:
        assert row["read"] == row["accepted"] + row["quarantined"] > 0
        assert {"bare", "pull", "check_without_gate", "gate"} == set(row["seconds"]) == set(row["cpu_seconds"])
        assert min(row["ratio_without_gate"], row["rows_per_second"], row["check_peak_mib"], row["bare_peak_mib"]) > 0
        assert row["ratio_with_gate"] > row["ratio_without_gate"]
    assert [place.name for place in (tmp_path / "kept").iterdir()] == ["csv-200-2"]
