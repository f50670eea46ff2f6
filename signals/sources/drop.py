"""A drop: files as a lender writes them, one per table and day, read as its source file says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import polars as pl

from signals.errors import InputError
from signals.sources.canonical import quote_name
from signals.sources.mapping import TableMapping
from signals.sources.raw import RawFile, open_raw, settle_name
from signals.sources.residents import Resemblance, count_resemblance, refuse_resemblance
from signals.sources.source import Piece, Source
from signals.sources.stored import StoredFile, list_stored_files
from signals.sources.translate import find_type_faults, settle_types, translate_rows
from signals.tables import TABLES


def open_drop(source: Source, into: Path = Path()) -> Iterator[Piece]:
    """Give the files of a drop as pieces, in the order of their names; files that no glob of the source names are left out.

    What lies in an object store comes to the folder `into` once it is read.

    A piece's rows are described at `Piece`: the columns in the declared types, `file`, `line` and `unreadable`.
    Raises `InputError` for a missing folder and a file that two tables claim; a piece's `read` raises it for a file that can't
    be used, naming the file.
    """
    for file in list_stored_files(source.place, into):
        tables = match_tables(source, file.name)
        if len(tables) > 1:
            raise InputError(
                f"the file is claimed by two tables: {', '.join(tables)}",
                file.name,
                "nobody can tell which it is",
                "make the globs `files` of the source file narrower",
            )
        for table in tables:
            yield _make_piece(file, source.tables[table])


def list_unread_files(source: Source) -> list[str]:
    """Name the files of a drop that no glob of its source file names: they are not read."""
    return [file.name for file in list_stored_files(source.place) if not match_tables(source, file.name)]


def match_tables(source: Source, name: str) -> list[str]:
    """Name the tables whose glob a file's name (its path inside the place) matches."""
    return [table for table, mapping in source.tables.items() if _read_glob(mapping.files).fullmatch(settle_name(name))]


def _read_glob(glob: str) -> re.Pattern[str]:
    """Read a glob: * and ? stay inside one folder, **/ is any number of folders."""
    words = {"**/": "(?:.+/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", settle_name(glob))
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts))


def _make_piece(file: StoredFile, mapping: TableMapping) -> Piece:
    def read() -> pl.LazyFrame:
        raw = open_raw(file, mapping)
        faults = find_column_faults(raw.columns, mapping)
        if faults:
            raise _refuse_columns(faults, file, mapping)
        return read_rows(raw, file, mapping).lazy()

    return file.as_piece(mapping.table, read)


def find_column_faults(columns: Mapping[str, pl.DataType], mapping: TableMapping) -> dict[str, str]:
    """Say what is wrong with the columns of a file: not mentioned, missing, or of a type that can't be read; name to fault."""
    if columns and not set(columns) & set(mapping.columns):  # its first line is then somebody's, and none of it is shown
        return {"header": "none of its columns is one that the source file names: it may lack its header"}
    unmapped = {name: f"unmapped column {quote_name(name)}" for name in columns if name not in mapping.columns}
    missing = {
        name: f"missing column '{name}' (our {column.to})"
        for name, column in mapping.mapped.items()
        if name not in columns and not column.may_be_absent
    }
    return unmapped | missing | find_type_faults(columns, mapping)


def read_rows(raw: RawFile, file: StoredFile, mapping: TableMapping) -> pl.DataFrame:
    """Read a file whose columns are in order, block by block; columns the mapping does not mention are looked at but not read.

    Raises `InputError` for resident registration numbers in any text column, ignored ones too, and for a name without its day.
    """
    known_on = _find_day(file, mapping)
    parts = [_make_no_rows(mapping)]
    counts: dict[str, Resemblance] = {}
    for block in raw.read():
        settled = settle_types(block.frame, mapping)
        for name, found in count_resemblance(settled.lazy()).items():
            counts[name] = counts.get(name, Resemblance(0, 0, 0)) + found
        rows = translate_rows(settled, block.broken, mapping, known_on)
        parts.append(rows.with_columns(file=pl.lit(file.name), line=block.lines))
    refuse_resemblance(file.where, counts)
    return pl.concat(parts)


def _make_no_rows(mapping: TableMapping) -> pl.DataFrame:
    return pl.DataFrame(schema={**TABLES[mapping.table].polars_schema, "unreadable": pl.String, "file": pl.String, "line": pl.Int64})


def _find_day(file: StoredFile, mapping: TableMapping) -> date | None:
    if mapping.known_on is None:
        return None
    found = re.search(mapping.known_on.from_file, settle_name(file.name))
    try:
        if found:
            return datetime.strptime(found.group(1), mapping.known_on.date).date()  # noqa: DTZ007
    except ValueError:
        pass
    raise InputError(
        "the file's name does not say its day",
        file.where,
        "nobody can tell when its rows were known",
        f"name the file so that {mapping.known_on.from_file} finds a day in the form {mapping.known_on.date}",
    )


def _refuse_columns(faults: Mapping[str, str], file: StoredFile, mapping: TableMapping) -> InputError:
    return InputError(
        ", ".join(faults.values()),
        file.where,
        f"its meaning for {mapping.table} is not said, so it can be neither used nor safely left out",
        'name it in the source file, as one of our columns or as "ignore", or send the file as agreed',
    )
