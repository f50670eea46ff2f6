"""A folder of Parquet files, one file or one folder of parts per canonical table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.sources.canonical import cast_column, refuse_columns, refuse_days
from signals.sources.residents import refuse_resident_numbers
from signals.sources.source import Piece
from signals.sources.stored import StoredFile, list_stored_files
from signals.tables import TABLES, Table

_ROWS_IN_MEMORY = 500_000  # a file of no more is read once and then looked at and written from memory


def open_folder(place: str | Path, into: Path = Path()) -> Iterator[Piece]:
    """Open a source folder: one piece per file of a canonical table, in the declared types once read.

    What lies in an object store comes to the folder `into` once it is read. Absent optional columns come as nulls. Raises
    `InputError` for a missing folder; reading a piece raises it for a file of zero bytes or one that is not Parquet, an unknown
    column, a missing or mistyped one, a resident registration number, or a day in no calendar.
    """
    files = list(list_stored_files(str(place), into))
    for name, table in TABLES.items():
        for file in files:
            if _name_table(file.name) == name:
                yield file.as_piece(name, partial(read_file, file, table))


def unknown_files(place: str | Path) -> list[str]:
    """Name the Parquet files and folders of a source folder that belong to no canonical table (they are not read)."""
    names = [file.name for file in list_stored_files(str(place)) if file.name.lower().endswith(".parquet")]
    return sorted({name.split("/")[0] for name in names if _name_table(name) not in TABLES})


def _name_table(name: str) -> str | None:
    """Name the table of a Parquet file: its own name, or that of the folder in which it is a part; None: neither."""
    parts = name.split("/")
    return parts[0].removesuffix(".parquet") if name.endswith(".parquet") and len(parts) <= 2 else None  # noqa: PLR2004


def read_file(stored: StoredFile, table: Table) -> pl.LazyFrame:
    """Read one file of a canonical table, as a piece of a source folder is read."""
    frame = _open_file(stored)
    schema = dict(frame.collect_schema())
    refuse_columns(stored.where, schema, table)
    if frame.select(pl.len()).collect().item() <= _ROWS_IN_MEMORY:
        frame = frame.collect().lazy()
    frame = frame.select([cast_column(stored.where, name, schema.get(name), kind) for name, kind in table.polars_schema.items()])
    _refuse_values_too_large(stored, schema, table)
    refuse_resident_numbers(stored.where, frame)
    refuse_days(stored.where, frame)
    return frame.with_row_index("line", offset=1).with_columns(line=pl.col("line").cast(pl.Int64), file=pl.lit(stored.name))


def _open_file(stored: StoredFile) -> pl.LazyFrame:
    if stored.path.stat().st_size == 0:
        raise InputError(
            "the file has zero bytes",
            stored.where,
            "a table with no rows still has a header; this is a broken delivery",
            "send the file again",
        )
    try:
        frame = pl.scan_parquet(stored.path)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"not a readable Parquet file ({reason})", stored.where, "nothing of it can be trusted", "send the file again"
        ) from error
    return frame


def _refuse_values_too_large(stored: StoredFile, schema: dict[str, pl.DataType], table: Table) -> None:
    for name, given in schema.items():
        if given == pl.UInt64 and table.polars_schema[name] == pl.Int64:
            lost = pl.scan_parquet(stored.path).select((pl.col(name) > pl.lit(2**63 - 1, dtype=pl.UInt64)).any()).collect().item()
            if lost:
                raise InputError(
                    f"a value of '{name}' does not fit 64 bits", stored.where, "it would be lost", "check the unit of the column"
                )
