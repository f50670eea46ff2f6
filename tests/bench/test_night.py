"""The benchmark of the night runs, on a very small town; its numbers are those it promises, and its engines agree."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ["build_features", "score", "explain", "judge", "assign"]


@pytest.mark.slow
def test_a_night_is_measured_beside_scan_and_predict_and_other_engines_agree(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    words = f"--borrowers 300 --months 14 --school 1500,15 --data {tmp_path} --engines polars,duckdb,pandas --json {numbers}"
    words += f" --stages {','.join(STAGES)}"
    done = subprocess.run([sys.executable, "bench/night.py", *words.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(numbers.read_text())
    assert list(found["stages"]) == STAGES
    assert found["model"]["trees"] > 0
    assert {name: one["rows"] for name, one in found["bare"].items()}["predict"] == 300
    assert found["stages"]["build_features"]["rows"] == {"features": 300}
    for one in found["stages"].values():
        assert min(one["seconds"], one["cpu_seconds"], one["write_seconds"], one["peak_mib"], one["ratio"]) > 0
    assert found["night"]["seconds"] == pytest.approx(sum(one["seconds"] for one in found["stages"].values()))
    assert [one["at_most"] for one in found["targets"]] == [3, 4, 3072]
    assert found["engines"]["pandas"]["is_scaled"]
    assert not found["engines"]["polars"]["is_scaled"]
    is_there = importlib.util.find_spec("duckdb") is not None
    assert found["engines"]["duckdb"].get("skipped") == (None if is_there else "duckdb is not installed")
    assert all(one["largest_difference"] <= 1e-9 for one in found["engines"].values() if "skipped" not in one)
