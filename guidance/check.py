"""What a policy owner hears about the programme files: every fault, and windows that end soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from guidance.catalogue import SHIPPED, Fault, ProgrammeFile, read_programmes
from guidance.facts import FACTS
from guidance.judge import list_conditions
from guidance.programme import Example, Programme, Verdict

SOON = timedelta(days=60)
FEWEST_EXAMPLES = 2


def check_programmes(folders: Sequence[Path] = (SHIPPED,), *, as_of: date) -> list[Fault]:
    """Check every programme file: what is written wrong, examples that do not come true, windows that end within 60 days.

    Every fault, by file and line; only those whose `is_warning` is false stop a night.
    """
    files, faults = read_programmes(folders)
    ids = {read.programme.id for read in files}
    for read in files:
        faults += [*_check_examples(read), *_check_order(read, ids), *_check_window(read, as_of)]
    return sorted(faults, key=lambda fault: (str(fault.file), fault.line, fault.what))


def run_example(programme: Programme, example: Example) -> tuple[Verdict, tuple[str, ...]]:
    """Judge a worked example: its verdict, and the conditions that are unmet (or, where unknown, unknown)."""
    known = {fact.name: pl.Series([example.facts.get(fact.name)], dtype=fact.kind) for fact in FACTS.values()}
    conditions = list_conditions(programme)
    row = pl.DataFrame(known).select(condition.met.alias(condition.id) for condition in conditions).row(0, named=True)
    failed = tuple(name for name, met in row.items() if met is False)
    unknown = tuple(name for name, met in row.items() if met is None)
    if failed:
        return "ineligible", failed
    return ("unknown", unknown) if unknown else ("eligible", ())


def _check_examples(read: ProgrammeFile) -> list[Fault]:
    faults = []
    for number, example in enumerate(read.programme.example):
        verdict, because = run_example(read.programme, example)
        wanted = example.because or because
        if (verdict, set(because)) != (example.verdict, set(wanted)):
            line = read.lines.find("example", number, "verdict")
            told = f" because of {', '.join(because)}" if because else ""
            faults.append(Fault(read.file, line, f"the example {example.name!r} says {example.verdict}, the rules say {verdict}{told}"))
    for verdict in ("eligible", "ineligible"):
        count = sum(example.verdict == verdict for example in read.programme.example)
        if count < FEWEST_EXAMPLES:
            faults.append(
                Fault(read.file, read.lines.find("example"), f"{count} {verdict} worked examples; at least {FEWEST_EXAMPLES} are needed")
            )
    return faults


def _check_order(read: ProgrammeFile, ids: set[str]) -> list[Fault]:
    line = read.lines.find("must_come_first")
    return [
        Fault(read.file, line, f"must_come_first names {name!r}, which no file declares")
        for name in read.programme.must_come_first
        if name not in ids
    ]


def _check_window(read: ProgrammeFile, as_of: date) -> list[Fault]:
    ends = read.programme.window.to_on
    if read.programme.status != "active" or ends is None or as_of + SOON < ends:
        return []
    days = (ends - as_of).days
    said = f"the window ended on {ends}, {-days} days ago" if days < 0 else f"the window ends on {ends}, in {days} days"
    return [Fault(read.file, read.lines.find("window", "to_on"), said, is_warning=True)]
