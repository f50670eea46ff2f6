"""Objections: what owners dispute, and what people decided of it; nothing is ever changed, only added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl
from sqlalchemy import Connection, insert, select

from signals.corrections import (
    ACCEPTED_SOURCE,
    EVENTS,
    OBJECTIONS_SCHEMA,
    OPENED,
    UPHELD,
    WHOLE_FACT,
    list_waiting_sources,
    parse_text,
    settle_objections,
    write_text,
)
from signals.errors import InputError
from signals.records.runs import find_newest_run
from signals.records.schema import OBJECTIONS
from signals.tables import TABLES

_WHERE = "the objection"


@dataclass(frozen=True)
class ObjectionEvent:
    """One thing that happened to an objection: who objects to which value of which row, and what was done about it.

    `key` names each column of the table's key, as text (days as 2026-03-01). `column_name` `is_retracted` disputes the fact
    as a whole. `value`: of an upheld one, the corrected value as text; null: unknown. `by`: who acted.
    """

    borrower_id: str
    table_name: str
    key: Mapping[str, str]
    column_name: str
    event: str
    on_day: date
    by: str
    value: str | None = None
    note: str | None = None


def append_event(connection: Connection, event: ObjectionEvent, known: pl.LazyFrame) -> int:
    """Write one event of an objection within the caller's transaction; its number.

    `known` is what the sources say of the table, without corrections (`read_known` without objections): of an upheld or
    accepted event, what they say now is written beside it. Raises `InputError`, without a value, when the row is not the
    borrower's, the column can't be disputed, the value can't stand in it, the event does not follow from those before, or
    its day is not later than every published night and than the events before it: a published night must not change.
    """
    _refuse_wrong_place(event)
    event = replace(event, key=_settle_key(event))
    earlier = _read_place(connection, event)
    _refuse_wrong_day(connection, event, earlier)
    _refuse_wrong_turn(event, settle_objections(earlier, event.table_name, event.on_day))
    if event.event == UPHELD:
        _refuse_wrong_value(event)
    source_value = _find_source_value(known, event) if event.event in (OPENED, UPHELD, ACCEPTED_SOURCE) else None
    if event.event == ACCEPTED_SOURCE:
        waiting = list_waiting_sources(known, event.table_name, earlier, event.on_day)
        _refuse(waiting.collect().is_empty(), "the source says nothing new", "there is nothing to accept", "leave the correction as it is")
    row = {**event.__dict__, "key": dict(event.key), "source_value": None if event.event == OPENED else source_value}
    return int(connection.execute(insert(OBJECTIONS).values(**row).returning(OBJECTIONS.c.event_id)).scalar_one())


def read_objections(connection: Connection, as_of: date) -> pl.DataFrame:
    """Read what happened to objections by the end of `as_of`, in order: one row per event (OBJECTIONS_SCHEMA)."""
    return _read(connection, select(OBJECTIONS).where(OBJECTIONS.c.on_day <= as_of))


def _read(connection: Connection, wanted: object) -> pl.DataFrame:
    rows = connection.execute(wanted.order_by(OBJECTIONS.c.event_id)).mappings()  # type: ignore[attr-defined]
    told = [{**{name: row[name] for name in OBJECTIONS_SCHEMA}, "key": _write_key(row["key"])} for row in rows]
    return pl.DataFrame(told, schema=OBJECTIONS_SCHEMA)


def _read_place(connection: Connection, event: ObjectionEvent) -> pl.DataFrame:
    mine = select(OBJECTIONS).where(OBJECTIONS.c.borrower_id == event.borrower_id, OBJECTIONS.c.table_name == event.table_name)
    is_here = (pl.col("key") == _write_key(event.key)) & (pl.col("column_name") == event.column_name)
    return _read(connection, mine).filter(is_here)


def _settle_key(event: ObjectionEvent) -> dict[str, str]:
    """Write the key the one way: two spellings of one day would pass for two rows, and double the one they both name."""
    kinds = TABLES[event.table_name].polars_schema
    return {name: pl.select(write_text(parse_text(pl.lit(text, pl.String), kinds[name]))).item() for name, text in event.key.items()}


def _write_key(key: Mapping[str, str]) -> str:
    return json.dumps(dict(key), ensure_ascii=False, sort_keys=True)


def _refuse(is_wrong: bool, what: str, why: str, next_step: str) -> None:
    if is_wrong:
        raise InputError(what, _WHERE, why, next_step)


def _refuse_wrong_place(event: ObjectionEvent) -> None:
    table = TABLES.get(event.table_name)
    is_owned = table is not None and table.has_borrower
    _refuse(not is_owned, "no such table speaks of a borrower", "only what is said of a person can be disputed", "see docs/tables.md")
    table = TABLES[event.table_name]
    fixed = {*table.key, "borrower_id", "known_on"}
    is_open_to_dispute = event.column_name in table.columns and event.column_name not in fixed
    why = "who and when a fact is about is not one of its values"
    _refuse(not is_open_to_dispute, "that column can't be disputed", why, f"dispute {WHOLE_FACT} to dispute the fact as a whole")
    kinds = table.polars_schema
    parsed = {name: pl.select(parse_text(pl.lit(text, pl.String), kinds[name])).item() for name, text in event.key.items() if name in kinds}
    is_whole = set(event.key) == set(table.key) and None not in parsed.values()
    _refuse(not is_whole, "the key does not name a row", "the value could not be found again", f"give {', '.join(table.key)}")
    is_own = event.key.get("borrower_id", event.borrower_id) == event.borrower_id
    _refuse(not is_own, "the row is another borrower's", "only the owner of a fact can dispute it", "check the key")
    _refuse(event.event not in EVENTS, "no such event", "it would mean nothing", f"use one of {', '.join(EVENTS)}")


def _refuse_wrong_day(connection: Connection, event: ObjectionEvent, earlier: pl.DataFrame) -> None:
    newest, last = find_newest_run(connection), earlier["on_day"].max()
    is_published = newest is not None and event.on_day <= newest["as_of"]
    _refuse(is_published, "a night of its day is published", "what a night was made from must not change", "give it a later day")
    is_before = isinstance(last, date) and event.on_day < last
    _refuse(is_before, "its day is before the last event's", "events count in the order they happened", "give it a later day")


def _refuse_wrong_turn(event: ObjectionEvent, states: pl.DataFrame) -> None:
    is_open = bool(states["is_open"].any())
    is_corrected = bool(states["is_corrected"].any())
    if event.event == OPENED:
        _refuse(is_open, "it is open already", "one objection to a value is enough", "decide the open one first")
    elif event.event == ACCEPTED_SOURCE:
        _refuse(not is_corrected, "no correction stands there", "a source can only be accepted over one", "check the key and the column")
    else:
        _refuse(not is_open, "no objection is open there", "there is nothing to decide", "open one first")


def _refuse_wrong_value(event: ObjectionEvent) -> None:
    column = TABLES[event.table_name].schema.columns()[event.column_name]
    frame = pl.select(parse_text(pl.lit(event.value, pl.String), column.dtype).alias(event.column_name))
    is_unread = event.value is not None and frame[event.column_name].has_nulls()
    rules = column.validation_rules(pl.col(event.column_name))
    broken = [name for name, rule in rules.items() if frame.select(rule).item() is False]
    what = f"the corrected value can't be read as {column.dtype}" if is_unread else f"the corrected value breaks {', '.join(broken)}"
    _refuse(is_unread or bool(broken), what, "no source may say such a thing either", f"see {event.column_name} in docs/tables.md")


def _find_source_value(known: pl.LazyFrame, event: ObjectionEvent) -> str | None:
    kinds = TABLES[event.table_name].polars_schema
    is_row = [pl.col(name) == parse_text(pl.lit(text, pl.String), kinds[name]) for name, text in event.key.items()]
    has_column = event.column_name in known.collect_schema().names()
    now = pl.col(event.column_name) if has_column else pl.lit("false" if event.column_name == WHOLE_FACT else None, pl.String)
    found = known.filter(*is_row, pl.col("borrower_id") == event.borrower_id).select(write_text(now)).collect().to_series()
    _refuse(found.is_empty(), "no such row is known of this borrower", "there is nothing to dispute", "check the key")
    value = found.item()
    return None if value is None else str(value)
