"""Forgetting a borrower in the operational database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from signals.errors import SettingsError
from signals.forgotten import Forgotten, mark_borrower
from signals.records.runs import find_newest_run
from signals.records.schema import CASES, FORGOTTEN, LEDGER, OBJECTIONS, RUNS
from signals.redaction import redact_receipt

BY, _LIVE = "forget", "reserved"


def read_forgotten(connection: Connection, key: str) -> Forgotten:
    """Read the marks of all who were forgotten.

    Raises `SettingsError` when `key` is not the one they were made with: nobody would be recognised, and all would come back.
    """
    rows = connection.execute(select(FORGOTTEN.c.mark, FORGOTTEN.c.key_check)).all()
    if any(row.key_check != _check_key(key) for row in rows):
        raise SettingsError(
            "the pseudonym key has changed",
            "DEUNGDAE_PSEUDONYM_KEY",
            "those who were forgotten would not be recognised, and would come back with the next delivery",
            "set it to the key it was",
        )
    return Forgotten(key, frozenset(row.mark for row in rows))


def mark_forgotten(connection: Connection, borrower_id: str, key: str) -> None:
    """Mark a borrower as forgotten, the erasure still to be done, within the caller's transaction; again: done anew.

    Raises `SettingsError` when `key` is not the one of earlier marks.
    """
    read_forgotten(connection, key)
    mark = mark_borrower(borrower_id, key)
    if not connection.execute(update(FORGOTTEN).where(FORGOTTEN.c.mark == mark).values(is_complete=False)).rowcount:
        row = {"mark": mark, "key_check": _check_key(key), "is_complete": False, "forgotten_at": datetime.now(UTC)}
        connection.execute(insert(FORGOTTEN).values(**row))


def complete_forgetting(connection: Connection, borrower_id: str, key: str) -> None:
    """Note that nothing of a forgotten borrower is left."""
    connection.execute(update(FORGOTTEN).where(FORGOTTEN.c.mark == mark_borrower(borrower_id, key)).values(is_complete=True))


def count_unfinished(connection: Connection) -> int:
    """Count the erasures that were broken off and must be run again."""
    return int(connection.execute(select(func.count()).where(FORGOTTEN.c.is_complete.is_(other=False))).scalar_one())


def erase_records(connection: Connection, borrower_id: str) -> int:
    """Erase a borrower from the operational database within the caller's transaction; how many rows were theirs.

    Cases and objections go. The ledger keeps its sums: its rows stand under a name that leads to nobody, one for all of
    the borrower's, and places not yet taken up are cancelled, so that others can have them.
    """
    gone = sum(connection.execute(delete(table).where(table.c.borrower_id == borrower_id)).rowcount for table in (CASES, OBJECTIONS))
    _cancel_places(connection, borrower_id)
    stranger = f"forgotten-{secrets.token_hex(8)}"
    kept = connection.execute(update(LEDGER).where(LEDGER.c.borrower_id == borrower_id).values(borrower_id=stranger)).rowcount
    return gone + kept


def redact_runs(connection: Connection, histories: Mapping[str, Sequence[Mapping[str, Any]]], packs: Mapping[date, str]) -> list[date]:
    """Pin every published night to what still stands, within the caller's transaction; which nights changed.

    `histories`: the Delta commits of each table; `packs`: what the packs now say, of the nights whose packs lost an office's.
    """
    changed = []
    for run in connection.execute(select(RUNS.c.as_of, RUNS.c.receipts, RUNS.c.packs_hash).order_by(RUNS.c.as_of)).all():
        receipts = {name: redact_receipt(receipt, run.as_of, histories.get(name, ())) for name, receipt in run.receipts.items()}
        packs_hash = packs.get(run.as_of, run.packs_hash)
        if (receipts, packs_hash) != (run.receipts, run.packs_hash):
            connection.execute(update(RUNS).where(RUNS.c.as_of == run.as_of).values(receipts=receipts, packs_hash=packs_hash))
            changed.append(run.as_of)
    return changed


def vacuum_records(engine: Engine) -> None:
    """Have the database give up the space of deleted rows: what was deleted would else still stand in its file."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("VACUUM")
        finally:
            connection.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        autocommit.exec_driver_sql("VACUUM (FULL) cases, ledger, objections, runs")


def _cancel_places(connection: Connection, borrower_id: str) -> None:
    newest = find_newest_run(connection)
    entries = connection.execute(select(LEDGER).where(LEDGER.c.borrower_id == borrower_id).order_by(LEDGER.c.sequence)).mappings()
    standing = {(entry["programme_id"], entry["period"]): entry for entry in entries}
    for entry in standing.values():
        if entry["state"] == _LIVE:
            day = max(entry["as_of"], newest["as_of"] if newest else entry["as_of"])
            row = {name: value for name, value in entry.items() if name != "sequence"}
            connection.execute(insert(LEDGER).values(**{**row, "state": "cancelled", "as_of": day, "by": BY}))


def _check_key(key: str) -> str:
    return mark_borrower("", key)[:16]
