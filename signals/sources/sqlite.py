"""SQLite's side of a source database: it has no dates and flags, and lets any value stand in any column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

import polars as pl

from signals.tables import Table

_BATCH_ROWS = "65536"
_FITS = {
    pl.Int64: "typeof({0}) = 'integer'",
    pl.Float64: "typeof({0}) IN ('integer', 'real')",
    pl.String: "typeof({0}) = 'text'",
    pl.Boolean: "typeof({0}) = 'integer' AND {0} IN (0, 1)",
    pl.Date: "typeof({0}) = 'text' AND date({0}) IS {0}",
}
_EXAMPLES = {pl.Int64: "0", pl.Float64: "0.0", pl.String: "''", pl.Boolean: "0", pl.Date: "''"}


def connect(url: str) -> Any:
    """Connect to a file, to read it only."""
    from adbc_driver_sqlite import dbapi

    return dbapi.connect(f"file:{quote(url.removeprefix('sqlite:///'))}?mode=ro")


def list_relations(connection: Any, _schema: str | None) -> dict[str, str]:
    """List the tables and views: each name with how SQL says it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, '\"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_master WHERE type IN ('table', 'view')")
        return dict(cursor.fetchall())


def describe_columns(connection: Any, relation: str, table: Table, since: date | None) -> dict[str, pl.DataType | str]:
    """Say each column's type by looking at every value that will be read: ours where all fit, else what one of the others is."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {relation} LIMIT 0")  # noqa: S608 - quoted above
        names = [column[0] for column in cursor.description]
        declared = [name for name in names if name in table.columns]
        if "known_on" not in declared:
            return dict.fromkeys(names, "unknown")
        odd = [_name_misfit(name, table.polars_schema[name]) for name in declared]
        where, parameters = _limit(since)
        cursor.execute(f"SELECT {', '.join(odd)} FROM {relation} {where}", parameters)  # noqa: S608 - declared names
        misfits = {name: word for name, word in zip(declared, cursor.fetchone(), strict=True) if word}
    return {name: misfits.get(name, table.polars_schema.get(name, "unknown")) for name in names}


def select_rows(cursor: Any, relation: str, table: Table, columns: Sequence[str], since: date | None) -> Any:
    """Read the rows known on or after `since`, and those of unknown day, as a stream of record batches in their order.

    Before them comes one made-up row, for the driver guesses each column's type from the first batch, and a column that begins
    with nulls would be guessed wrong; `read_types` drops it.
    """
    kinds = table.polars_schema
    examples = ", ".join(f'{_EXAMPLES[type(kinds[name])]} AS "{name}"' for name in columns)
    said = ", ".join(f'CAST("{name}" AS REAL)' if kinds[name] == pl.Float64 else f'"{name}"' for name in columns)
    order = ", ".join(f'"{name}" NULLS LAST' for name in columns)
    where, parameters = _limit(since)
    cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": _BATCH_ROWS})
    cursor.execute(
        f"SELECT 0 AS is_row, {examples} UNION ALL SELECT 1, {said} FROM {relation} {where} ORDER BY is_row, {order}",  # noqa: S608
        parameters,
    )
    return cursor.fetch_record_batch()


def read_types(kept: pl.LazyFrame, kinds: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Give the rows, without the made-up one, with dates and flags as such."""
    dates = [pl.col(name).str.to_date("%Y-%m-%d") for name, kind in kinds.items() if kind == pl.Date]
    flags = [pl.col(name).cast(pl.Boolean) for name, kind in kinds.items() if kind == pl.Boolean]
    return kept.filter(pl.col("is_row") == 1).drop("is_row").with_columns(*dates, *flags)


def _name_misfit(name: str, kind: pl.DataType) -> str:
    fits = _FITS[type(kind)].format(f'"{name}"')
    word = f"typeof(\"{name}\") || ' that is no {kind}'"
    return f'max(CASE WHEN "{name}" IS NOT NULL AND NOT ({fits}) THEN {word} END)'


def _limit(since: date | None) -> tuple[str, list[str] | None]:
    """Text that is no ISO date compares with none, so it is looked at whenever it was written and then refused."""
    if since is None:
        return "", None
    return "WHERE known_on >= ?1 OR known_on IS NULL OR date(known_on) IS NOT known_on", [since.isoformat()]
