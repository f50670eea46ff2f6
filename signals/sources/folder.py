"""A folder of Parquet files, one file or one folder of parts per canonical table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.sources.residents import refuse_resident_numbers
from signals.sources.source import Piece, piece_of_file
from signals.tables import TABLES, Table

_WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def open_folder(folder: Path) -> Iterator[Piece]:
    """Open a source folder: one piece per file of a canonical table, in the declared types once read.

    Absent optional columns come as nulls. Raises `InputError` for a missing folder; reading a piece raises it for a file of zero
    bytes or one that is not Parquet, an unknown column, a missing or mistyped one, or a resident registration number.
    """
    if not folder.is_dir():
        raise InputError("no such source folder", str(folder), "there is nothing to read", "name an existing folder")
    for name, table in TABLES.items():
        for file in _find_files(folder, name):
            yield piece_of_file(name, file, folder, partial(_read_file, folder, file, table))


def unknown_files(folder: Path) -> list[str]:
    """Name the Parquet files and folders of a source folder that belong to no canonical table (they are not read)."""
    entries = [entry for entry in folder.iterdir() if entry.suffix == ".parquet" or (entry.is_dir() and any(entry.glob("*.parquet")))]
    return sorted(entry.name for entry in entries if entry.name.removesuffix(".parquet") not in TABLES)


def _find_files(folder: Path, name: str) -> list[Path]:
    single = folder / f"{name}.parquet"
    return ([single] if single.is_file() else []) + sorted((folder / name).glob("*.parquet"))


def _read_file(folder: Path, file: Path, table: Table) -> pl.LazyFrame:
    frame = _open_file(file)
    schema = dict(frame.collect_schema())
    _refuse_columns(file, schema, table)
    frame = frame.select([_cast(file, name, schema.get(name), kind) for name, kind in table.polars_schema.items()])
    _refuse_values_too_large(file, schema, table)
    refuse_resident_numbers(file, frame)
    return frame.with_row_index("line", offset=1).with_columns(
        line=pl.col("line").cast(pl.Int64), file=pl.lit(str(file.relative_to(folder)))
    )


def _open_file(file: Path) -> pl.LazyFrame:
    if file.stat().st_size == 0:
        raise InputError(
            "the file has zero bytes",
            str(file),
            "a table with no rows still has a header; this is a broken delivery",
            "send the file again",
        )
    try:
        frame = pl.scan_parquet(file)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"not a readable Parquet file ({reason})", str(file), "nothing of it can be trusted", "send the file again"
        ) from error
    return frame


def _refuse_columns(file: Path, schema: dict[str, pl.DataType], table: Table) -> None:
    unknown = [name for name in schema if name not in table.columns]
    if unknown:
        raise InputError(
            f"unknown column {', '.join(repr(name) for name in unknown)}",
            str(file),
            f"its meaning is not declared for {table.name}, so it can be neither used nor safely ignored",
            "remove or rename it; the declared columns are in docs/tables.md",
        )
    absent = [name for name in table.needed_columns if name not in schema]
    if absent:
        raise InputError(
            f"missing column {', '.join(repr(name) for name in absent)}",
            str(file),
            f"a row of {table.name} says nothing without it",
            "add it",
        )


def _cast(file: Path, name: str, given: pl.DataType | None, wanted: pl.DataType) -> pl.Expr:
    if given is None:
        return pl.lit(None, dtype=wanted).alias(name)
    is_widening = (
        given in (wanted, pl.Null)
        or (wanted == pl.Int64 and given in _WHOLE)
        or (wanted == pl.Float64 and (given in _WHOLE or given == pl.Float32))
        or (wanted == pl.String and given in _TEXTS)
    )
    if not is_widening:
        raise InputError(
            f"wrong type in column '{name}': {given}, expected {wanted}",
            str(file),
            "a guess at what was meant could put a wrong row in somebody's file",
            f"write the column as {wanted}",
        )
    return pl.col(name).cast(wanted, strict=False)


def _refuse_values_too_large(file: Path, schema: dict[str, pl.DataType], table: Table) -> None:
    for name, given in schema.items():
        if given == pl.UInt64 and table.polars_schema[name] == pl.Int64:
            lost = pl.scan_parquet(file).select((pl.col(name) > pl.lit(2**63 - 1, dtype=pl.UInt64)).any()).collect().item()
            if lost:
                raise InputError(f"a value of '{name}' does not fit 64 bits", str(file), "it would be lost", "check the unit of the column")
