"""From arrival to lake: row rules, then the gate, then what passed is taken in and the rest is set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl
from sqlalchemy import Engine

from signals.arrivals import Delivery, read_deliveries, scan_arrivals
from signals.buckets import choose_buckets, count_buckets, number_buckets
from signals.check_reports import CheckReport, write_reports
from signals.checks import judge_rows
from signals.errors import InputError, NightError
from signals.gate import Gate, GateReport
from signals.home import Home
from signals.lake import Staged, commit_rows, discard_files, scan_lake, scan_lake_buckets, scan_staged, stage_rows, without_sources
from signals.measures import measure_deliveries
from signals.newness import collapse_rows, drop_known, of_other_nights, of_this_night
from signals.orphans import part_orphans
from signals.parts import split_arrivals
from signals.quarantine import Quarantine, count_returned, read_waiting
from signals.records.deliveries import DeliveryHistory, TableDelivery, read_deliveries_before, write_deliveries
from signals.records.reading import note_files_read
from signals.tables import TABLES
from signals.tally import Tally


@dataclass(frozen=True)
class _Check:
    """One night's check while it runs."""

    home: Home
    as_of: date
    deliveries: list[Delivery]
    history: DeliveryHistory
    quarantine: Quarantine
    gate: Gate


@dataclass(frozen=True)
class _Judged:
    """What the check made of one table: its files, written and not yet taken in, its counts, and what the gate said."""

    tally: Tally
    deliveries: list[TableDelivery]
    staged: list[Staged]
    returned: Mapping[str, int]
    gates: list[GateReport]


def admit_arrivals(home: Home, records: Engine, as_of: date, source_ids: Sequence[str]) -> list[CheckReport]:
    """Check the named sources' deliveries of this night and take what passes into the lake; a failed source stops no other.

    Nothing is taken before everything is judged. Raises `InputError` when a required table was never known and does not come
    tonight either, and `NightError` when nothing was pulled for this night; then all stays as it was.
    """
    deliveries = [delivery for delivery in read_deliveries(home, as_of) if delivery.source_id in source_ids]
    if not deliveries:
        next_step = "run the night from its first stage, pull"
        raise NightError(
            f"nothing was pulled for {as_of}", str(home.arrivals), "a check would set aside nothing and keep nothing", next_step
        )
    with records.begin() as connection:
        history = read_deliveries_before(connection, as_of)
    check = _Check(home, as_of, deliveries, history, Quarantine(home, as_of), Gate(home.docs / "data_docs" / str(as_of), as_of))
    is_first = not home.layout.exists()
    _choose_layout(check)
    judged: dict[str, _Judged] = {}
    for table in TABLES:
        judged[table] = _judge_table(check, table, judged)
    check.gate.write_docs()
    refused = _list_refused(judged)
    reports = [_report(delivery, judged, refused) for delivery in deliveries]
    missing = _name_missing(home, reports)
    if missing:
        check.quarantine.put_in_place(write_reports(reports))
        _take_back(home, judged, is_first=is_first)
        raise missing
    # In this order a night that breaks off here and is never run again leaves what waited waiting, and the files unread.
    _take_in(check, judged, set(refused))
    _keep_waiting(check, set(refused))
    check.quarantine.put_in_place(write_reports(reports))
    _record(check, records, judged, refused)
    return reports


def _choose_layout(check: _Check) -> None:
    """Divide the lake by the borrowers who come on the first night that brings any, whichever table names them."""
    if check.home.layout.exists():
        return
    count = 0
    for table in [name for name in TABLES if TABLES[name].has_borrower]:
        came = scan_arrivals(check.home, check.as_of, check.deliveries, table)
        if came is not None and not count:
            count = came.select(pl.col("borrower_id").n_unique()).collect(engine="streaming").item()
    choose_buckets(check.home, count)


def _judge_table(check: _Check, table: str, judged: Mapping[str, _Judged]) -> _Judged:
    home, as_of, tally = check.home, check.as_of, Tally(table)
    lake, staged, returned = scan_lake(home, table), [], Counter[str]()
    for rows in _read_parts(check, table, tally):
        new = drop_known(collapse_rows(rows, table), table, of_other_nights(lake, as_of))
        sound, bad = judge_rows(new, table)
        good, orphans = part_orphans(sound, table, _list_known(check, table, judged, sound))
        tally.count_part(rows, new, good, bad, orphans)
        check.quarantine.set_aside(table, pl.concat([bad, orphans.select(bad.columns)]))
        check.gate.count_rows(
            table,
            pl.concat(
                [part.drop("rules", strict=False).with_columns(is_accepted=pl.lit(part is not bad)) for part in (good, bad, orphans)]
            ),
        )
        returned.update(count_returned(home, table, good, as_of))
        staged += stage_rows(home, table, drop_known(good, table, of_this_night(lake, as_of)), as_of)
    tally.reconcile()
    newest = {delivery.source_id: delivery.newest_known_on(table) for delivery in check.deliveries if table in delivery.read}
    delivered = tally.describe(newest)
    measures = measure_deliveries(table, delivered, check.history, [one.source_id for one in check.deliveries if not one.failure], as_of)
    return _Judged(tally, delivered, staged, returned, check.gate.judge_deliveries(table, measures))


def _read_parts(check: _Check, table: str, tally: Tally) -> Iterator[pl.DataFrame]:
    """Read what came of a table tonight, and what waited for tonight before it, in parts that fit into memory."""
    came = scan_arrivals(check.home, check.as_of, check.deliveries, table)
    waited = read_waiting(check.home, table, check.as_of)
    for delivery in check.deliveries:
        tally.counts[delivery.source_id]["read"] += delivery.read.get(table, 0)
    if waited is not None:
        tally.add("retried", waited)
    frames = [frame for frame in (waited is not None and waited.lazy(), came) if isinstance(frame, pl.LazyFrame)]
    if frames:
        waiting = check.home.arrivals / str(check.as_of) / ".parts"
        yield from split_arrivals(pl.concat(frames, how="diagonal"), table, count_buckets(check.home), waiting)


def _list_known(check: _Check, table: str, judged: Mapping[str, _Judged], rows: pl.DataFrame) -> Iterator[pl.LazyFrame]:
    """The rows that some rows of a table may wait for: what nights up to this one took in and what passed tonight, gate and all.

    First those in the same buckets, where nearly all are.
    """
    waits_for = TABLES[table].waits_for
    if waits_for is None:
        return
    staged, buckets = judged[waits_for].staged, count_buckets(check.home)
    refused = [gate.source_id for gate in judged[waits_for].gates if gate.failures]
    near = set(number_buckets(rows["borrower_id"], buckets).unique())
    for some in (near, set(range(buckets)) - near):
        lake = scan_lake_buckets(check.home, waits_for, some)
        if lake is not None:
            yield lake.filter(pl.col("pulled_for") <= check.as_of)
        tonight = scan_staged(check.home, waits_for, [one for one in staged if one.bucket in some])
        yield from (frame.filter(~pl.col("pulled_from").is_in(refused)) for frame in tonight)


def _list_refused(judged: Mapping[str, _Judged]) -> dict[str, str]:
    """Say of each source that the gate refuses, why."""
    said: dict[str, list[str]] = {}
    for one in judged.values():
        for gate in one.gates:
            said.setdefault(gate.source_id, []).extend(f"{gate.table}: {text}" for text in gate.failures)
    return {source_id: str(_refuse(source_id, "; ".join(texts))) for source_id, texts in said.items() if texts}


def _report(delivery: Delivery, judged: Mapping[str, _Judged], refused: Mapping[str, str]) -> CheckReport:
    source_id = delivery.source_id
    if delivery.failure:
        return CheckReport(source_id, delivery.failure)
    gates = [gate for one in judged.values() for gate in one.gates if gate.source_id == source_id]
    unread = [f"{name} is no table of ours and was not read" for name in delivery.unread]
    unread += [
        f"{table}: {rows:,} rows are of longer ago than the lake keeps them and were left out" for table, rows in delivery.past.items()
    ]
    counts = {table: one.tally.counts[source_id] for table, one in judged.items()}
    counts = {table: count for table, count in counts.items() if table in delivery.read or count["retried"]}

    def some(kind: str) -> dict[str, int]:
        return {table: count[kind] for table, count in counts.items()}

    return CheckReport(
        source_id,
        refused.get(source_id),
        read={table: count["read"] + count["retried"] for table, count in counts.items()},
        accepted=some("accepted"),
        quarantined=some("quarantined"),
        already_known=some("already_known"),
        waiting=some("waiting"),
        returned={table: judged[table].returned.get(source_id, 0) for table in counts},
        rules={table: dict(judged[table].tally.rules[source_id]) for table in counts if judged[table].tally.rules[source_id]},
        warnings=(*(f"{gate.table}: {text}" for gate in gates for text in gate.warnings), *unread),
    )


def _name_missing(home: Home, reports: Sequence[CheckReport]) -> InputError | None:
    """Name the required tables that were never known and don't come tonight: by the first failed source's own error where one failed."""
    come = {table for report in reports if report.failure is None for table in report.read}
    required = [name for name, table in TABLES.items() if table.is_required]
    missing = [name for name in required if name not in come and scan_lake(home, name) is None]
    if not missing:
        return None
    failures = [report.failure for report in reports if report.failure]
    if failures:
        first = InputError.read(failures[0])
        what = f"{first.what} (so there is no table {', '.join(missing)})"
        return InputError(what, first.where, first.why, first.next_step)
    return InputError(
        f"missing required table {', '.join(missing)}",
        ", ".join(report.source_id for report in reports),
        "without borrowers, loans and repayments nobody can be scored",
        "send what is missing and run the night again",
    )


def _take_back(home: Home, judged: Mapping[str, _Judged], *, is_first: bool) -> None:
    """Leave the lake as it was."""
    for table, one in judged.items():
        discard_files(home, table, one.staged)
    if is_first and home.layout.exists():
        home.layout.remove()


def _take_in(check: _Check, judged: Mapping[str, _Judged], refused: set[str]) -> None:
    """Make what passed part of the lake, table by table; a table of no rows is a table all the same."""
    passed = [delivery for delivery in check.deliveries if not delivery.failure and delivery.source_id not in refused]
    for table, one in judged.items():
        staged = without_sources(check.home, table, one.staged, refused, check.as_of)
        is_new = scan_lake(check.home, table) is None and any(table in delivery.read for delivery in passed)
        if staged or is_new:
            commit_rows(check.home, table, staged, check.as_of)


def _keep_waiting(check: _Check, refused: set[str]) -> None:
    """Let the rows that waited for tonight wait on where their source was refused: they are in no file of it any more."""
    for table in TABLES if refused else ():
        waited = read_waiting(check.home, table, check.as_of)
        if waited is not None:
            check.quarantine.wait_on(table, waited.filter(pl.col("pulled_from").is_in(refused)))


def _record(check: _Check, records: Engine, judged: Mapping[str, _Judged], refused: Mapping[str, str]) -> None:
    """Record what each source delivered and which files are read, in one transaction: only what was taken in counts as read."""
    rows = [replace(row, failure=refused.get(row.source_id)) for one in judged.values() for row in one.deliveries]
    rows += [TableDelivery(delivery.source_id, "", failure=delivery.failure) for delivery in check.deliveries if delivery.failure]
    source_ids = {row.source_id for row in rows} | {delivery.source_id for delivery in check.deliveries}
    with records.begin() as connection:
        write_deliveries(connection, check.as_of, sorted(source_ids), rows)
        for delivery in check.deliveries:
            if not delivery.failure and delivery.source_id not in refused:
                note_files_read(connection, check.as_of, delivery.source_id, delivery.list_files())


def _refuse(source_id: str, failures: str) -> InputError:
    return InputError(
        f"the gate refused the delivery: {failures}",
        source_id,
        "so much of it is unlike what it should be that its meaning must have changed",
        "see quarantine/ and Data Docs, mend the source and run the night again",
    )
