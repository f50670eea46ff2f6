"""A database of a holder, PostgreSQL or SQLite, that keeps the canonical tables, or views of that shape."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from signals.errors import InputError, SettingsError
from signals.sources import postgres, sqlite
from signals.sources.canonical import cast_column, refuse_columns, refuse_days
from signals.sources.kept import keep_batches
from signals.sources.places import find_url, hide_password
from signals.sources.residents import refuse_resident_numbers
from signals.sources.source import Piece, Since, Source
from signals.tables import TABLES, Table

_NOTHING = "nothing of it can be read tonight"


class _Kind(Protocol):
    """What each kind of database does in its own way: the modules `postgres` and `sqlite`."""

    def connect(self, url: str) -> Any: ...
    def list_relations(self, connection: Any, schema: str | None) -> dict[str, str]: ...
    def describe_columns(self, connection: Any, relation: str, table: Table, since: date | None) -> dict[str, pl.DataType | str]: ...
    def select_rows(self, cursor: Any, relation: str, table: Table, columns: Sequence[str], since: date | None) -> Any: ...
    def read_types(self, kept: pl.LazyFrame, kinds: dict[str, pl.DataType]) -> pl.LazyFrame: ...


@dataclass(frozen=True)
class _Database:
    """One source database: its URL (a secret), its place as people may read it, and of which kind it is."""

    url: str = field(repr=False)
    place: str
    kind: _Kind


def open_database_source(source: Source, since: Since) -> Iterator[Piece]:
    """Give one piece per canonical table that the database holds as a table or a view, in the order of the plan.

    `source.place`: a URL or `airflow:CONN_ID`. Tables are looked for in one schema: `source.tables["schema"]` if it is named,
    else the first of the search path (public, unless the URL's options or the role say otherwise).

    A piece reads the rows with `known_on >= since[table]` and those without a `known_on` (to be quarantined, each time), all
    rows where the table is not in `since`; `file` is the table's name, `line` counts those rows ordered by known_on (none
    last), then by the key, then by the other columns, so that what becomes known later moves no line. It reads them once,
    in one query, to a temporary file; the frame stands on that file.

    Raises `InputError` when the database can't be reached or holds no table of ours; a piece when its table may not be read,
    has an unknown, missing or mistyped column, or holds resident registration numbers. Raises `SettingsError` for a place
    or an entry in `source.tables` that means nothing. No error holds a password or a value.
    """
    database = _find_database(source)
    with _telling(database.place), database.kind.connect(database.url) as connection:
        relations = database.kind.list_relations(connection, _read_schema(source))
    names = [name for name in TABLES if name in relations]
    if not names:
        raise InputError(
            "no table of ours",
            database.place,
            "nothing can be read from it",
            "name the schema, or make one view per table (docs/source-database.md)",
        )
    return iter([Piece(name, name, None, partial(_read_table, database, relations[name], name, since.get(name))) for name in names])


def _find_database(source: Source) -> _Database:
    url = find_url(source.place, os.environ)
    if url.startswith("postgresql:"):
        return _Database(url, hide_password(url), postgres)
    if not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError(
            "no such database file", url, "there is nothing to read", "name an existing file; an absolute path has four slashes"
        )
    return _Database(url, url, sqlite)


def _read_schema(source: Source) -> str | None:
    unknown = set(source.tables) - {"schema"}
    if unknown:
        raise SettingsError(
            f"unknown entry {', '.join(repr(name) for name in sorted(unknown))} in the tables of a database",
            source.source_id,
            "it would be passed over in silence",
            "name a schema, and make one view per table there",
        )
    schema = source.tables.get("schema")
    return None if schema is None else str(schema)


def _read_table(database: _Database, relation: str, name: str, since: date | None) -> pl.LazyFrame:
    table, place, kind = TABLES[name], f"{database.place}, table {name}", database.kind
    with _telling(place), kind.connect(database.url) as connection:
        given = kind.describe_columns(connection, relation, table, since)
        refuse_columns(place, given, table)
        casts = [cast_column(place, column, given.get(column), wanted) for column, wanted in table.polars_schema.items()]
        with connection.cursor() as cursor:
            reader = kind.select_rows(cursor, relation, table, _order_columns(table, given), since)
            kept = keep_batches(reader.schema, _take_batches(reader, place))
    frame = kind.read_types(kept, {column: table.polars_schema[column] for column in given}).select(casts)
    _refuse_values(place, frame)
    return frame.with_row_index("line", offset=1).with_columns(line=pl.col("line").cast(pl.Int64), file=pl.lit(name))


def _order_columns(table: Table, given: dict[str, pl.DataType | str]) -> list[str]:
    first = ["known_on", *table.key]
    return [*first, *(column for column in table.columns if column in given and column not in first)]


def _take_batches(reader: Any, place: str) -> Iterator[Any]:
    """Tell an error of the stream from one of the file that it is written to."""
    while True:
        with _telling(place):
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except OSError:  # the stream's own errors carry the server's words, and no SQLSTATE
                next_step = "read the whole table or view by hand, with the same role"
                raise InputError("the database breaks off while it gives its rows", place, _NOTHING, next_step) from None
        yield batch


def _refuse_values(place: str, frame: pl.LazyFrame) -> None:
    try:
        refuse_resident_numbers(place, frame)
        refuse_days(place, frame)
    except pl.exceptions.ComputeError:
        raise InputError("a text is not UTF-8", place, "names and codes would be mangled", "convert the database to UTF-8") from None


@contextmanager
def _telling(place: str) -> Iterator[None]:
    """Say what the driver says in our words: its own may quote a value or a password."""
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        raise _describe_failure(place, error.sqlstate, str(error)) from None


def _describe_failure(place: str, state: str | None, text: str) -> InputError:
    if state == "42501":
        return InputError("the role may not read it", place, _NOTHING, "grant it USAGE on the schema and SELECT on the table or view")
    if "password authentication failed" in text or "no password supplied" in text:
        return InputError("the database refuses the role or its password", place, _NOTHING, "mend the connection's role or password")
    if "Failed to connect" in text:
        next_step = "check that the server runs, and host, port, database and role in the connection"
        return InputError("the database can't be reached or does not let us in", place, _NOTHING, next_step)
    what = f"the database does not give its rows ({f'SQLSTATE {state}' if state else 'it is no database, or broken'})"
    return InputError(what, place, _NOTHING, "try the table or view by hand, with the same role")
