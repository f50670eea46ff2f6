"""What every kind of source holds its columns against: the declared names and types, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.tables import Table

_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def refuse_columns(where: Path | str, columns: Collection[str], table: Table) -> None:
    """Raise `InputError` where a column is not declared for the table, or a needed one is missing.

    >>> from signals.tables import TABLES
    >>> refuse_columns("lenders.parquet", ["lender_id", "kind"], TABLES["lenders"])
    Traceback (most recent call last):
    signals.errors.InputError: missing column 'known_on' | where: lenders.parquet | ...
    """
    unknown = [name for name in columns if name not in table.columns]
    if unknown:
        raise InputError(
            f"unknown column {', '.join(quote_name(name) for name in unknown)}",
            str(where),
            f"its meaning is not declared for {table.name}, so it can be neither used nor safely ignored",
            "remove or rename it; the declared columns are in docs/tables.md",
        )
    absent = [name for name in table.needed_columns if name not in columns]
    if absent:
        raise InputError(
            f"missing column {', '.join(repr(name) for name in absent)}",
            str(where),
            f"a row of {table.name} says nothing without it",
            "add it",
        )


def quote_name(name: str) -> str:
    """Quote a column's name for people; one with six digits in a row is somebody's number, of a file without a header, and not shown.

    >>> quote_name("balance"), quote_name("900101-1234568")
    ("'balance'", "'…'")
    """
    return "'…'" if re.search(r"\d{6}", name) else repr(name)


def refuse_days(where: Path | str, frame: pl.LazyFrame) -> None:
    """Raise `InputError` where a day lies in no calendar: outside the years 1 to 9999, or infinite, as some databases have it."""
    dates = [name for name, kind in frame.collect_schema().items() if kind == pl.Date]
    odd = frame.select((~pl.col(*dates).is_between(_FIRST, _LAST)).any()).collect(engine="streaming")
    for name in dates:
        if odd[name].item():
            raise InputError(
                f"column '{name}' holds a day that is in no calendar (infinity, or outside the years 1 to 9999)",
                str(where),
                "it can't be compared with any other day",
                "write null where no day is meant",
            )


def cast_column(where: Path | str, name: str, given: pl.DataType | str | None, wanted: pl.DataType) -> pl.Expr:
    """Read a column in its declared type where nothing can be lost by it; nulls where it is absent (`given` None).

    `given` in words is a type that has no counterpart here. Raises `InputError` for every other type.

    >>> print(cast_column("a file", "employees", pl.Int32(), pl.Int64()))
    col("employees").cast(Int64)
    """
    if given is None:
        return pl.lit(None, dtype=wanted).alias(name)
    is_widening = not isinstance(given, str) and (
        given in (wanted, pl.Null)
        or (wanted == pl.Int64 and given in _WHOLE)
        or (wanted == pl.Float64 and (given in _WHOLE or given == pl.Float32))
        or (wanted == pl.String and given in _TEXTS)
    )
    if not is_widening:
        raise InputError(
            f"wrong type in column '{name}': {given}, expected {wanted}",
            str(where),
            "a guess at what was meant could put a wrong row in somebody's file",
            f"write the column as {wanted}",
        )
    return pl.col(name).cast(wanted, strict=False)
