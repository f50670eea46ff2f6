"""Lint, format and types are part of the suite: `make check` and CI run the same."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("words", ["ruff check .", "ruff format --check .", "mypy"])
def test_the_checks_pass(words: str) -> None:
    checked = subprocess.run([sys.executable, "-m", *words.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
