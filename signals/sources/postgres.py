"""PostgreSQL's side of a source database: everything is read by COPY, in batches of some sixteen megabytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from signals.tables import Table

KINDS: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "int2": pl.Int16(),
    "int4": pl.Int32(),
    "int8": pl.Int64(),
    "float4": pl.Float32(),
    "float8": pl.Float64(),
    "text": pl.String(),
    "varchar": pl.String(),
    "bpchar": pl.String(),
}
_ASKED = {"client_encoding": "utf8", "connect_timeout": "20", "application_name": "deungdae"}
_SINCE = "deungdae.since"


def connect(url: str) -> Any:
    """Connect; texts come as UTF-8 whatever the database keeps, and a server that says nothing is given up after 20 seconds."""
    from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]

    asked = "&".join(f"{name}={value}" for name, value in _ASKED.items() if not re.search(rf"[?&]{name}=", url))
    return dbapi.connect(f"{url}{'&' if '?' in url else '?'}{asked}")


def list_relations(connection: Any, schema: str | None) -> dict[str, str]:
    """List the tables and views of one schema: each name with how SQL says it; None is the first of the search path."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname::text, format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = coalesce(nullif($1, ''), current_schema()::text) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')",
            [schema or ""],
        )
        return dict(cursor.fetchall())


def describe_columns(connection: Any, relation: str, _table: Table, _since: date | None) -> dict[str, pl.DataType | str]:
    """Say each column's type, as ours where it has a counterpart, else in PostgreSQL's own word."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {relation} LIMIT 0")  # noqa: S608 - the server itself quoted the name
        schema = cursor.fetch_record_batch().schema
    words = {field.name: (field.metadata or {}).get(b"POSTGRESQL:type", b"an unknown type").decode() for field in schema}
    return {name: KINDS.get(word, word) for name, word in words.items()}


def select_rows(cursor: Any, relation: str, table: Table, columns: Sequence[str], since: date | None) -> Any:
    """Read the rows known on or after `since`, and those of unknown day, as a stream of record batches in their order.

    The day goes in as a parameter of a setting that lasts for this transaction: a query that has parameters of its own can't
    be copied, and would arrive as a whole.
    """
    where = ""
    if since is not None:
        cursor.execute("SELECT set_config($1, $2, true)", [_SINCE, since.isoformat()])
        cursor.fetchall()
        where = f"WHERE known_on >= current_setting('{_SINCE}')::date OR known_on IS NULL"
    kinds = table.polars_schema
    said = {name: f'"{name}"::text' if kinds[name] == pl.String else f'"{name}"' for name in columns}
    order = ", ".join(f'{said[name]} COLLATE "C"' if kinds[name] == pl.String else said[name] for name in columns)
    wanted = ", ".join(f'{word} AS "{name}"' for name, word in said.items())
    cursor.execute(f"SELECT {wanted} FROM {relation} {where} ORDER BY {order}")  # noqa: S608 - declared names
    return cursor.fetch_record_batch()


def read_types(kept: pl.LazyFrame, _kinds: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Give the rows as they were kept: PostgreSQL has all our types."""
    return kept
