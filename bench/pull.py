"""How fast a night's traffic is pulled and checked, and in how much memory, beside a bare polars read-and-write of the same files.

Three nights: the first load of the history, a month-end, a normal night. Of each: `pull` (landing), `check` without the
gate's Great Expectations, and with it. Every step runs in a process of its own; the bare one alternates with ours.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from process import run_step

AS_OF = {"first load": "2026-09-29", "month-end": "2026-09-30", "normal": "2026-10-06"}
HEAD = (
    "history", "night", "rows", "bare s", "pull s", "check s", "gate s", "rows/s", "ratio", "with gate", "cpu ratio", "bare MiB", "pull MiB",
    "check MiB",
)  # fmt: skip


def main() -> None:
    """Make the traffic unless it is kept, measure, print, and write the JSON."""
    arguments = _read_arguments()
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="bench-pull-"))
    try:
        traffic = _make_traffic(keep, arguments)
        results = [row for months in arguments.histories for row in _measure_history(keep / "run", traffic, months, arguments)]
    finally:
        shutil.rmtree(keep / "run" if arguments.keep else keep, ignore_errors=True)
    if arguments.json:
        settings = {name: getattr(arguments, name) for name in ("borrowers", "months", "form", "repeats")}
        arguments.json.write_text(json.dumps({**settings, "cores": os.cpu_count(), "results": results}, indent=1), encoding="utf-8")


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--borrowers", type=int, default=300_000)
    parser.add_argument("--months", type=int, default=24, help="length of the history that is made")
    parser.add_argument(
        "--histories", type=lambda text: [int(part) for part in text.split(",")], help="lengths to measure, such as 6,12,24"
    )
    parser.add_argument("--form", choices=["parquet", "csv"], default="parquet", help="csv: CP949, gzip, through a mapping")
    parser.add_argument("--repeats", type=int, default=3, help="how often a night is measured; the best counts (the first load: once)")
    parser.add_argument("--keep", type=Path, help="a folder in which the made files stay for the next run")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    months = arguments.months
    arguments.histories = arguments.histories or sorted({max(months // 4, 1), max(months // 2, 1), months})
    return arguments


def _make_traffic(keep: Path, arguments: argparse.Namespace) -> Path:
    place = keep / f"{arguments.form}-{arguments.borrowers}-{arguments.months}"
    if not (place / "rows.json").exists():
        shutil.rmtree(place, ignore_errors=True)
        wanted = {name: str(getattr(arguments, name)) for name in ("borrowers", "months", "form")}
        made = run_step("make", out=str(place), **wanted)
        (place / "rows.json").write_text(json.dumps(made["rows"]), encoding="utf-8")
        print(f"made {sum(made['rows'].values()):,} rows in {made['seconds']:.0f} s")
    return place


def _measure_history(run: Path, traffic: Path, months: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the three nights on a history of so many months, one after the other on one HOME."""
    shutil.rmtree(run, ignore_errors=True)
    (run / "home").mkdir(parents=True)
    results = []
    for night, as_of in AS_OF.items():
        files = _deliver(traffic / night, run / "sources", months)
        sources = _name_sources(run, arguments.form)
        times = 1 if night == "first load" else arguments.repeats
        shutil.move(run / "home", run / "before")
        found = [_measure_night(run, as_of, files, sources) for _ in range(times)]
        shutil.rmtree(run / "before")
        results.append({"history_months": months, "night": night, **_take_best(found)})
        _print_row(results[-1], is_first=months == arguments.histories[0] and night == "first load")
    return results


def _measure_night(run: Path, as_of: str, files: Path, sources: Path) -> dict[str, dict[str, Any]]:
    """Measure one night once, on a copy of HOME as it was before; the copy stays as `home`."""
    shutil.rmtree(run / "home", ignore_errors=True)
    shutil.copytree(run / "before", run / "home", copy_function=_link_data)
    found = {"bare": run_step("bare", files=str(files), out=str(run / "bare"))}
    shutil.rmtree(run / "bare")
    given = {"home": str(run / "home"), "as-of": as_of, "files": str(sources)}
    return {**found, "pull": run_step("pull", **given), "check": run_step("check", **given)}


def _take_best(found: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """The fastest of each step, with the largest peak of it that was seen."""
    best = {step: min((one[step] for one in found), key=lambda one: one["seconds"]) for step in found[0]}
    peaks = {f"{step}_peak_mib": round(max(one[step]["peak_mib"] for one in found)) for step in best}
    wall, cpu = (_list_seconds(best, kind) for kind in ("seconds", "cpu_seconds"))
    if best["check"]["failures"]:
        raise SystemExit(f"a delivery was refused: {best['check']['failures'][0]}")
    counts = {kind: best["check"][kind] for kind in ("read", "accepted", "quarantined")}
    ours = {"ratio": wall, "cpu_ratio": cpu}
    without = {f"{name}_without_gate": round((one["pull"] + one["check_without_gate"]) / one["bare"], 2) for name, one in ours.items()}
    whole = {f"{name}_with_gate": round((sum(one.values()) - one["bare"]) / one["bare"], 2) for name, one in ours.items()}
    speed = round(counts["read"] / (sum(wall.values()) - wall["bare"]))
    return {**counts, "seconds": wall, "cpu_seconds": cpu, "rows_per_second": speed, **without, **whole, **peaks}


def _list_seconds(best: dict[str, dict[str, Any]], kind: str) -> dict[str, float]:
    """The seconds of each step, those of the gate apart from the rest of the check."""
    gate = best["check"][f"gate_{kind}"]
    steps = {"bare": best["bare"][kind], "pull": best["pull"][kind], "check_without_gate": best["check"][kind] - gate, "gate": gate}
    return {name: round(value, 3) for name, value in steps.items()}


def _deliver(night: Path, sources: Path, months: int) -> Path:
    """Put a night's files where the sources are read from, of the history only its last months; the list of the files."""
    files = [file for file in sorted(night.rglob("*.*")) if file.is_file()]
    history = sorted({file.name for file in files if file.parent.name == "repayments"})[-months:]
    wanted = [file for file in files if file.parent.name != "repayments" or file.name in history]
    for file in wanted:
        place = sources / file.relative_to(night)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, place)
    listed = sources.parent / "files.json"
    listed.write_text(json.dumps([str(file) for file in wanted]), encoding="utf-8")
    return listed


def _name_sources(run: Path, form: str) -> Path:
    """Write down where the sources are: folders, or for CSV one source file per lender."""
    places = sorted((run / "sources").iterdir())
    if form == "csv":
        from traffic import write_mapping

        places = [place if place.name == "register" else write_mapping(run, place.name, place) for place in places]
    listed = run / "sources.json"
    listed.write_text(json.dumps([str(place) for place in places]), encoding="utf-8")
    return listed


def _link_data(source: str, place: str) -> None:
    """Copy a file of HOME; Parquet is never changed in place, so a link will do."""
    if source.endswith(".parquet"):
        os.link(source, place)
    else:
        shutil.copy2(source, place)


def _print_row(row: dict[str, Any], *, is_first: bool) -> None:
    if is_first:
        print(" ".join(f"{name:>10}" for name in HEAD))
    seconds = [f"{row['seconds'][name]:.2f}" for name in ("bare", "pull", "check_without_gate", "gate")]
    ratios = [f"{row[name]:.2f}" for name in ("ratio_without_gate", "ratio_with_gate", "cpu_ratio_without_gate")]
    peaks = [f"{row[f'{step}_peak_mib']:,}" for step in ("bare", "pull", "check")]
    cells = [row["history_months"], row["night"], f"{row['read']:,}", *seconds, f"{row['rows_per_second']:,}", *ratios, *peaks]
    print(" ".join(f"{cell:>10}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
