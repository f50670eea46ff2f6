"""The measured night as tables for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 120


def show_results(results: dict[str, Any]) -> None:
    """Print the night, the engines and the targets."""
    console = Console(width=WIDTH)
    for table in (_list_night(results), _list_engines(results), _list_targets(results)):
        if table.row_count:
            console.print(table)


def _list_night(results: dict[str, Any]) -> Table:
    model, bare, both = results["model"], results["bare"], {}
    for kind in ("seconds", "cpu_seconds"):
        both[kind] = bare["scan of inputs"][kind] + bare["predict"][kind]
    title = (
        f"{results['borrowers']:,} borrowers, {results['months']} months, {results['buckets']} buckets, {results['cores']} cores; champion: "
        f"{model['trees']} trees of {model['leaves_per_tree']} leaves, {model['features']} features"
    )
    table = Table("step", *_right("rows", "s", "cpu s", "peak MiB", "/ (scan + predict)", "by cpu", "Delta writes s"), title=title)
    for name, one in bare.items():
        table.add_row(f"bare {name}", f"{one['rows']:,}", *_say_times(one), f"{one['peak_mib']:,}")
    table.add_row("scan of inputs + predict", "", *_say_times(both), "", "1.00", "1.00", end_section=True)
    counted = [name for name in results["stages"] if name in results["counted"]]
    for name, one in results["stages"].items():
        rows = sum(one["rows"].values())
        table.add_row(name, f"{rows:,}" if rows else "", *_say_stage(one))
        if len(counted) > 1 and name == counted[-1]:
            table.add_row(f"{counted[0]} to {name}", "", *_say_stage(results["night"]), end_section=True)
    return table


def _list_engines(results: dict[str, Any]) -> Table:
    title = "the same features from what was known, by engine (values as polars' to 1e-9)"
    table = Table("engine", *_right("s", "cpu s", "/ polars", "peak MiB", "largest difference"), "borrowers computed", title=title)
    polars = results["engines"].get("polars", {}).get("seconds")
    for name, one in results["engines"].items():
        if "skipped" in one:
            table.add_row(name, "", "", "", "", "", f"skipped: {one['skipped']}")
            continue
        said = f"{one['computed']:,}" + (f" of {results['borrowers']:,}: its time is scaled" if one["is_scaled"] else "")
        ratio = f"{one['seconds'] / polars:.2f}" if polars else ""
        table.add_row(name, *_say_times(one), ratio, f"{one['peak_mib']:,}", f"{one['largest_difference']:.0e}", said)
    return table


def _list_targets(results: dict[str, Any]) -> Table:
    title = "targets (of the house plan, for 3,000,000 borrowers on two cores)"
    table = Table("target", *_right("measured", "by cpu", "at most"), "", title=title)
    for one in results["targets"]:
        by_cpu = "" if one["by_cpu"] is None else f"{one['by_cpu']:,.2f}"
        table.add_row(one["target"], f"{one['value']:,.2f}", by_cpu, f"{one['at_most']:,g}", "held" if one["is_held"] else "NOT held")
    return table


def _right(*names: str) -> list[Any]:
    from rich.table import Column

    return [Column(name, justify="right") for name in names]


def _say_times(one: dict[str, Any]) -> list[str]:
    return [f"{one[kind]:,.2f}" for kind in ("seconds", "cpu_seconds")]


def _say_stage(one: dict[str, Any]) -> list[str]:
    return [*_say_times(one), f"{one['peak_mib']:,}", f"{one['ratio']:.2f}", f"{one['cpu_ratio']:.2f}", f"{one['write_seconds']:.2f}"]
