"""From arrival to lake: row rules, then the gate, then what passed is appended and the rest set aside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from signals.arrivals import Delivery, find_new, read_arrival, read_deliveries
from signals.checks import judge_rows
from signals.errors import InputError
from signals.gate import judge_arrival
from signals.home import Home
from signals.store import append_rows, choose_buckets, scan_lake
from signals.tables import TABLES


@dataclass(frozen=True)
class CheckReport:
    """What became of one source's delivery: read = accepted + quarantined + already known, table by table.

    `failure` says why nothing of it was taken; null: it was taken. `rules` counts the quarantined rows by broken rules.
    """

    source_id: str
    failure: str | None
    read: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    rules: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def already_known(self) -> dict[str, int]:
        """Rows per table that earlier nights had, or that stood twice in this delivery."""
        return {table: rows - self.accepted[table] - self.quarantined[table] for table, rows in self.read.items()}


def admit_arrivals(home: Home, as_of: date, source_ids: Sequence[str]) -> list[CheckReport]:
    """Check the named sources' deliveries of this night and take what passes into the lake; a failed source stops no other.

    Nothing is taken before everything is judged. Raises `InputError` when a required table was never known and does not come
    tonight either; then the lake stays as it was.
    """
    waiting = home.quarantine / f".as_of={as_of}"
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    deliveries = [delivery for delivery in read_deliveries(home, as_of) if delivery.source_id in source_ids]
    reports = [_judge_delivery(home, as_of, delivery, waiting) for delivery in deliveries]
    text = json.dumps([report.__dict__ for report in reports], indent=1, ensure_ascii=False)
    (waiting / "report.json").write_text(text, encoding="utf-8")
    place = home.quarantine / f"as_of={as_of}"
    shutil.rmtree(place, ignore_errors=True)
    waiting.rename(place)
    passed = [report for report in reports if report.failure is None]
    _refuse_missing(home, passed, [report.failure for report in reports if report.failure], [delivery.source_id for delivery in deliveries])
    _take_in(home, as_of, passed)
    return reports


def _refuse_missing(home: Home, passed: Sequence[CheckReport], failures: Sequence[str], source_ids: Sequence[str]) -> None:
    come = {table for report in passed for table in report.read}
    required = [name for name, table in TABLES.items() if table.is_required]
    missing = [name for name in required if name not in come and scan_lake(home, name) is None]
    if missing:
        raise name_missing(missing, failures, source_ids)


def _take_in(home: Home, as_of: date, passed: Sequence[CheckReport]) -> None:
    """Append what passed, table by table; what an earlier try of this night appended is not appended again."""
    borrowers = [_accepted_file(home, as_of, report.source_id, "borrowers") for report in passed if "borrowers" in report.read]
    choose_buckets(home, pl.scan_parquet(borrowers).select(pl.col("borrower_id").n_unique()).collect().item() if borrowers else 0)
    for report in passed:
        for table in report.read:
            accepted = pl.read_parquet(_accepted_file(home, as_of, report.source_id, table))
            missing = find_missing(home, table, accepted, as_of)
            if not missing.is_empty() or scan_lake(home, table) is None:  # a table of no rows is a table all the same
                append_rows(home, table, missing, as_of, report.source_id)


def _accepted_file(home: Home, as_of: date, source_id: str, table: str) -> Path:
    return home.arrivals / str(as_of) / source_id / "accepted" / f"{table}.parquet"


def read_check_reports(home: Home, as_of: date) -> list[CheckReport]:
    """Read again what became of each source's delivery for this night."""
    file = home.quarantine / f"as_of={as_of}" / "report.json"
    return [CheckReport(**values) for values in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []


def _judge_delivery(home: Home, as_of: date, delivery: Delivery, waiting: Path) -> CheckReport:
    if delivery.failure:
        return CheckReport(delivery.source_id, delivery.failure)
    counts: dict[str, Any] = {"read": delivery.read, "accepted": {}, "quarantined": {}, "rules": {}}
    judged = _judge_tables(home, as_of, delivery, waiting / delivery.source_id, counts)
    gates = judge_arrival(delivery.source_id, judged, home.docs / "data_docs" / str(as_of) / delivery.source_id)
    said = [f"{gate.table}: {text}" for gate in gates for text in gate.warnings]
    counts["warnings"] = (*said, *(f"{name} is no table of ours and was not read" for name in delivery.unread))
    failures = "; ".join(f"{gate.table}: {text}" for gate in gates for text in gate.failures)
    return CheckReport(delivery.source_id, str(_refuse(delivery.source_id, failures)) if failures else None, **counts)


def _judge_tables(
    home: Home, as_of: date, delivery: Delivery, aside: Path, counts: dict[str, Any]
) -> Iterator[tuple[str, pl.DataFrame, int]]:
    """Judge table by table, so that no more than one is in memory: what passes waits in a file until the gate has seen all."""
    for table in delivery.new:
        good, bad = judge_rows(read_arrival(home, as_of, delivery.source_id, table), table)
        file = _accepted_file(home, as_of, delivery.source_id, table)
        file.parent.mkdir(exist_ok=True)
        good.write_parquet(file, compression="zstd", compression_level=1)
        counts["accepted"][table], counts["quarantined"][table] = good.height, bad.height
        if not bad.is_empty():
            counts["rules"][table] = dict(bad.group_by("rules").len().sort("rules").iter_rows())
            aside.mkdir(parents=True, exist_ok=True)
            bad.write_parquet(aside / f"{table}.parquet")
        shown = TABLES[table].key
        marked = [part.select(*shown, "known_on", is_accepted=pl.lit(part is good)) for part in (good, bad)]
        yield table, pl.concat(marked), delivery.read[table]


def name_missing(missing: Sequence[str], failures: Sequence[str], sources: Sequence[str]) -> InputError:
    """Say that required tables were never known: by the first failed source's own error where one failed."""
    if failures:
        first = InputError.read(failures[0])
        what = f"{first.what} (so there is no table {', '.join(missing)})"
        return InputError(what, first.where, first.why, first.next_step)
    return InputError(
        f"missing required table {', '.join(missing)}",
        ", ".join(sources),
        "without borrowers, loans and repayments nobody can be scored",
        "send what is missing and run the night again",
    )


def find_missing(home: Home, table: str, accepted: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Keep the accepted rows that an earlier try of this very night has not yet appended."""
    lake = scan_lake(home, table)
    if lake is None:
        return accepted
    taken = lake.filter(pl.col("pulled_for") == as_of).with_columns(pulled_for=pl.lit(date.min))  # as if another night's
    return find_new(accepted, table, taken, as_of)


def _refuse(source_id: str, failures: str) -> InputError:
    return InputError(
        f"the gate refused the delivery: {failures}",
        source_id,
        "so much of it breaks the rules that its meaning must have changed",
        "see quarantine/ and Data Docs, mend the source and run the night again",
    )
