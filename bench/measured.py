"""What is measured, each in a process of its own, so that its peak memory is its own: says what it took as one line of JSON."""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import polars as pl


def make(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the traffic."""
    from traffic import make_traffic

    return {"rows": make_traffic(arguments.out, arguments.borrowers, arguments.months, arguments.form)}


def bare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the given files and write their rows again, table by table, with polars alone."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = 0
    for table in ("borrowers", "loans", "repayments"):
        files = [file for file in _list_files(arguments.files) if table in f"/{file}".split(".")[0].split("/")]
        frames = [pl.scan_parquet(file) if file.suffix == ".parquet" else _read_text(file) for file in files]
        frames = [frame for frame in frames if frame.select(pl.len()).collect().item()]  # a text without rows does not say its types
        if frames:
            place = arguments.out / f"{table}.parquet"
            pl.concat(frames).sink_parquet(place, compression="zstd", compression_level=1)
            rows += pl.scan_parquet(place).select(pl.len()).collect().item()
    return {"rows": rows}


def pull(arguments: argparse.Namespace) -> dict[str, Any]:
    """Land what all sources brought, as the night's first stage does."""
    from signals.arrivals import pull_source
    from signals.forgotten import NOBODY
    from signals.home import Home
    from signals.records.database import open_database
    from signals.sources import list_sources

    home = Home(arguments.home)
    records = open_database(home.database_url)
    sources = list_sources(_list_files(arguments.files))
    receipts = [receipt for source in sources for receipt in pull_source(home, records, source, arguments.as_of, NOBODY)]
    return {"rows": sum(receipt.rows for receipt in receipts)}


def check(arguments: argparse.Namespace) -> dict[str, Any]:
    """Judge what arrived and take in what passes, as the night's second stage does; the gate's seconds are told apart."""
    from signals.admit import admit_arrivals
    from signals.gate import Gate
    from signals.home import Home
    from signals.records.database import open_database
    from signals.sources import list_sources

    spent = {"gate_seconds": 0.0, "gate_cpu_seconds": 0.0}
    for name in ("count_rows", "judge_deliveries", "write_docs"):
        setattr(Gate, name, _timed(getattr(Gate, name), spent))
    home = Home(arguments.home)
    sources = [source.source_id for source in list_sources(_list_files(arguments.files))]
    reports = admit_arrivals(home, open_database(home.database_url), arguments.as_of, sources)
    counts = {kind: sum(sum(getattr(report, kind).values()) for report in reports) for kind in ("read", "accepted", "quarantined")}
    failures = [report.failure for report in reports if report.failure]
    return {"rows": counts["read"], **spent, "failures": failures, **counts}


def _timed(call: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(call)
    def timed(*given: Any, **named: Any) -> Any:
        started, used = time.perf_counter(), time.process_time()
        try:
            return call(*given, **named)
        finally:
            spent["gate_seconds"] += time.perf_counter() - started
            spent["gate_cpu_seconds"] += time.process_time() - used

    return timed


def _list_files(listed: Path) -> list[Any]:
    kept = json.loads(listed.read_text(encoding="utf-8"))
    return [Path(one) if one.endswith((".parquet", ".gz")) else one for one in kept]


def _read_text(file: Path) -> pl.LazyFrame:
    return pl.read_csv(gzip.decompress(file.read_bytes()).decode("cp949").encode(), infer_schema_length=1000).lazy()


STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"make": make, "bare": bare, "pull": pull, "check": check}
# Those of the night are found by the module that holds them, so that a step's memory holds nothing of another's.
ELSEWHERE = {
    "prepare": "prepare",
    "scan": "stages",
    "predict": "stages",
    "stage": "stages",
    "engine": "engines",
    "agree": "engines",
}
OPTIONS: dict[str, Callable[[str], Any]] = {
    "out": Path, "borrowers": int, "months": int, "form": str, "home": Path, "files": Path, "as-of": date.fromisoformat,
    "data": Path, "school": str, "what": str, "stage": str, "engine": str,
}  # fmt: skip


def main() -> None:
    """Run one step by its name; what it measures itself (without its imports, say) counts in place of the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=[*STEPS, *ELSEWHERE])
    for name, kind in OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind)
    arguments = parser.parse_args()
    step = STEPS[arguments.step] if arguments.step in STEPS else importlib.import_module(ELSEWHERE[arguments.step]).STEPS[arguments.step]
    started = time.perf_counter()
    found = step(arguments)
    seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(json.dumps({"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": peak, **found}))


if __name__ == "__main__":
    main()
