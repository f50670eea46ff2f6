"""One step of a benchmark in a process of its own, so that its seconds and its peak memory are its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run_step(step: str, patience: float | None = None, **given: Any) -> dict[str, Any]:
    """Run one step of `measured.py` with the code that stands here; after so many seconds of `patience` it is given up."""
    words = [
        sys.executable,
        str(HERE / "measured.py"),
        step,
        *(part for name, value in given.items() for part in (f"--{name}", str(value))),
    ]
    paths = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))  # an engine may be installed apart from ours
    environment = os.environ | {"PYTHONPATH": paths}
    told = subprocess.PIPE if patience else None  # of an engine that breaks off, the reason is shown
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=told, check=True, text=True, timeout=patience)  # noqa: S603
    return dict(json.loads(done.stdout.splitlines()[-1]))
