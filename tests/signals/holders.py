"""A holder's database in the tests: tables of random rows, written as such a database would have them."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from signals.sources.database import open_database_source
from signals.sources.source import Piece, Source
from signals.tables import TABLES

_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.Float64: st.floats(allow_nan=False, allow_infinity=False),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(1, 1, 1), date(9999, 12, 31)),
    pl.String: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
}


@st.composite
def random_tables(draw: st.DrawFn) -> tuple[str, pl.DataFrame]:
    """A canonical table's name and rows of it: any values, nulls everywhere, some of the columns that may be absent absent."""
    table = TABLES[draw(st.sampled_from(["borrowers", "loans", "repayments", "events", "facts"]))]
    spare = [name for name in table.columns if name not in table.needed_columns]
    absent = draw(st.sets(st.sampled_from(spare)))
    kinds = {name: kind for name, kind in table.polars_schema.items() if name not in absent}
    rows = draw(st.lists(st.tuples(*(st.none() | _VALUES[type(kind)] for kind in kinds.values())), max_size=8))
    return table.name, pl.DataFrame(rows, schema=kinds, orient="row")


def write_table(url: str, name: str, frame: pl.DataFrame) -> None:
    """Make (or make again) a table of these rows; SQLite gets dates as ISO text and flags as 0 and 1."""
    if url.startswith("sqlite"):
        from adbc_driver_sqlite import dbapi

        frame = frame.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d"), pl.col(pl.Boolean).cast(pl.Int64))
        place = url.removeprefix("sqlite:///")
    else:
        from adbc_driver_postgresql import dbapi

        place = url
    with dbapi.connect(place) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.adbc_ingest(name, frame.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="create")
        connection.commit()


def run_sql(url: str, *statements: str) -> None:
    """Run statements, each on its own, and keep what they did."""
    import sqlite3
    from contextlib import closing

    import psycopg

    if url.startswith("sqlite"):
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def open_pieces(url: str, since: Mapping[str, date] | None = None, **tables: str) -> dict[str, Piece]:
    """Open the database as a source; its pieces by table."""
    return {piece.table: piece for piece in open_database_source(Source("bank", url, kind="database", tables=tables), since or {})}
