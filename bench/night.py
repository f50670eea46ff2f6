"""How long a night takes, and in how much memory, beside one bare scan of its inputs and the champion's bare predict.

The data is made once and kept. Every step runs in a process of its own; its libraries are imported before its clock starts.
Below the night stand the same features by other engines, from the same files; an engine whose values differ has no time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from process import HERE, run_step
from show import show_results

COUNTED = ("build_features", "score", "explain", "judge", "assign")  # what the targets speak of
AFTER = ("publish", "report")  # told beside them; pull and check have a benchmark of their own
ENGINES = ("polars", "duckdb", "spark", "pandas")
ALIKE = 1e-9
FEATURES_LIMIT, NIGHT_LIMIT, MEMORY_LIMIT_MIB = 3, 4, 3 * 1024


def main() -> None:
    """Prepare, measure, print, and write the JSON."""
    arguments = _read_arguments()
    about = _run("prepare", data=arguments.data, borrowers=arguments.borrowers, months=arguments.months, school=arguments.school)
    place = Path(about["place"])
    found = _take_best([_measure_night(place, arguments.stages) for _ in range(arguments.repeats)])
    engines = {name: _measure_engine(place, name, arguments) for name in arguments.engines}
    _forget_strangers(engines)
    results = {
        **{name: getattr(arguments, name) for name in ("borrowers", "months", "repeats", "school")},
        **{name: about[name] for name in ("as_of", "seed", "buckets")},
        "cores": os.cpu_count(),
        "counted": list(COUNTED),
        **_sum_up(found),
        "engines": engines,
    }
    smaller = json.loads(arguments.against.read_text(encoding="utf-8")) if arguments.against else None
    results["targets"] = _hold_targets(results, smaller)
    show_results(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _read_arguments() -> argparse.Namespace:
    def names(text: str) -> list[str]:
        return [part for part in text.split(",") if part]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--borrowers", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="the folder in which the made data stays for the next run")
    parser.add_argument("--school", default="20000,36", help="borrowers and months of the town that the champion learns from")
    parser.add_argument("--repeats", type=int, default=1, help="how often the night is measured; the best of each step counts")
    parser.add_argument(
        "--stages", type=names, default=[*COUNTED, *AFTER], help="the stages to run, in order; a stage needs those before it"
    )
    parser.add_argument("--engines", type=names, default=list(ENGINES), help="who else computes the features; none: ''")
    parser.add_argument("--patience", type=float, default=3_600, help="after so many seconds an engine that is compared is given up")
    parser.add_argument("--against", type=Path, help="the JSON of a smaller run: has time grown faster than the borrowers?")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.data = arguments.data.resolve()
    return arguments


def _measure_night(place: Path, stages: list[str]) -> dict[str, dict[str, Any]]:
    """Measure the bare steps and the stages once, on a HOME that knows of no earlier night."""
    for name in ("nights", "docs", "packs"):
        shutil.rmtree(place / "home" / name, ignore_errors=True)
    for file in (place / "home").glob("deungdae.db*"):
        file.unlink()
    found = {f"scan of {what}": _run("scan", data=place, what=what) for what in ("features", "inputs")}
    for stage in stages:
        found[stage] = _run("stage", data=place, stage=stage)
        if stage == "build_features":  # only now is there a matrix to predict from
            found["predict"] = _run("predict", data=place)
    return found


def _take_best(found: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The fastest of each step, with the largest peak of it that was seen."""
    best = {step: min((one[step] for one in found), key=lambda one: one["seconds"]) for step in found[0]}
    return {step: {**one, "peak_mib": round(max(each[step]["peak_mib"] for each in found))} for step, one in best.items()}


def _measure_engine(place: Path, name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure one engine, if it is here and its values are polars'; pandas' time is scaled from its sample."""
    borrowers, patience = arguments.borrowers, arguments.patience
    try:
        told = _run("agree", patience, data=place, engine=name) if name != ENGINES[0] else {"largest_difference": 0.0, "compared": 0}
        if "skipped" in told:
            return {"skipped": told["skipped"]}
        differs = told["largest_difference"]
        if not differs <= ALIKE:
            return {"skipped": f"its values differ from polars' by {differs:.1e}"}
        made = _run("engine", patience, data=place, engine=name)
    except subprocess.CalledProcessError as error:
        return {"skipped": f"it broke off: {_find_last_line(error.stderr)}"}
    except subprocess.TimeoutExpired as error:
        return {"skipped": f"it had not ended after {error.timeout:,.0f} s"}
    finally:
        shutil.rmtree(place / "spill", ignore_errors=True)
    scale = borrowers / made["borrowers"]
    return {
        "seconds": made["seconds"] * scale,
        "cpu_seconds": (made["cpu_seconds"] + made["children_cpu_seconds"]) * scale,
        "peak_mib": round(made["peak_mib"] + made["children_peak_mib"]),
        "computed": made["borrowers"],
        "is_scaled": made["borrowers"] < borrowers,
        "compared": told["compared"],
        "largest_difference": differs,
        "sums": made["sums"],
    }


def _find_last_line(said: str) -> str:
    return next((line.strip()[:200] for line in reversed(said.splitlines()) if line.strip()), "it did not say why")


def _forget_strangers(engines: dict[str, dict[str, Any]]) -> None:
    """Take away the time of an engine whose sums over everybody are not polars'."""
    wanted = engines.get("polars", {}).get("sums")
    for name, one in list(engines.items()):
        sums = one.pop("sums", None)
        if sums and wanted and not one["is_scaled"]:
            differ = max(abs(sums[column] - value) / max(abs(value), wanted["rows"]) for column, value in wanted.items())
            engines[name] = one if differ <= ALIKE else {"skipped": f"its sums differ from polars' by {differ:.1e}"}


def _sum_up(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What was measured, with each stage's ratio to scan + predict."""
    bare = {name: found[name] for name in ("scan of features", "scan of inputs", "predict") if name in found}
    stages = {name: one for name, one in found.items() if name not in bare}
    for kind in ("seconds", "cpu_seconds"):
        both = bare["scan of inputs"][kind] + bare["predict"][kind]
        ratio = "ratio" if kind == "seconds" else "cpu_ratio"
        for one in stages.values():
            one[ratio] = one[kind] / both
    model = bare["predict"].pop("model")
    counted = [stages[name] for name in COUNTED if name in stages]
    kinds = ("seconds", "cpu_seconds", "write_seconds", "write_cpu_seconds", "ratio", "cpu_ratio")
    night = {kind: sum(one[kind] for one in counted) for kind in kinds}
    return {"model": model, "bare": bare, "stages": stages, "night": {**night, "peak_mib": max(one["peak_mib"] for one in counted)}}


def _hold_targets(results: dict[str, Any], smaller: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Hold what was measured against the house's targets, which speak of 3,000,000 borrowers on two cores."""
    bare, stages, night = results["bare"], results["stages"], results["night"]
    features = {kind: stages["build_features"][kind] / bare["scan of features"][kind] for kind in ("seconds", "cpu_seconds")}
    rows = [
        ("features / bare scan of what they read", features["seconds"], features["cpu_seconds"], FEATURES_LIMIT),
        ("build_features to assign / (scan of inputs + predict), writes apart", night["ratio"], night["cpu_ratio"], NIGHT_LIMIT),
        ("peak memory of build_features to assign, MiB", night["peak_mib"], None, MEMORY_LIMIT_MIB),
    ]
    if smaller:
        grown = results["borrowers"] / smaller["borrowers"]
        times = [night[kind] / smaller["night"][kind] for kind in ("seconds", "cpu_seconds")]
        rows.append((f"growth of the night's time from {smaller['borrowers']:,} borrowers", *times, grown))
    is_whole = [name for name in COUNTED if name in stages] == list(COUNTED)
    return [
        {"target": name, "value": value, "by_cpu": cpu, "at_most": most, "is_held": value <= most}
        for name, value, cpu, most in rows
        if is_whole or name.startswith("features")
    ]


def _run(step: str, patience: float | None = None, **given: Any) -> dict[str, Any]:
    print(f"… {step} {given.get('stage') or given.get('engine') or given.get('what') or ''}", file=sys.stderr, flush=True)
    return run_step(step, patience, **given)


if __name__ == "__main__":
    main()
