"""Trying a source file on a delivery before the night does: what is read, what is not, and the first problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from signals.checks import judge_rows
from signals.errors import InputError, SettingsError
from signals.sources import folder
from signals.sources.drop import find_column_faults, match_tables, read_rows
from signals.sources.mapping import TableMapping
from signals.sources.raw import open_raw
from signals.sources.source import Source
from signals.sources.source_file import read_source_file
from signals.sources.stored import StoredFile
from signals.tables import TABLES

MOST_SHOWN = 10


class UnclearError(ValueError):
    """It can't be told what a file should be checked against: the question, not the file, is wrong."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file, never with its value: `line` None: in the whole file; `column` None: in the whole row."""

    rule: str
    line: int | None = None
    column: str | None = None

    def say(self) -> str:
        """The problem on one line, in both languages.

        >>> Problem("not a number", 7, "balance_krw").say()
        '7행 · line 7 | 열 · column balance_krw | not a number'
        """
        line = [f"{self.line}행 · line {self.line}"] if self.line else []
        return " | ".join([*line, *([f"열 · column {self.column}"] if self.column else []), self.rule])


@dataclass(frozen=True)
class FileCheck:
    """What became of one file on trial.

    `table` None: it is none of ours. `columns`: theirs to ours. `problems`: the first ten of `problems_count`, in the order
    of their lines; `rows_aside`: how many of the `rows` a night would set aside. `about`: of a source file itself, what it says.
    """

    file: str
    table: str | None = None
    rows: int = 0
    rows_aside: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    problems_count: int = 0
    about: Sequence[tuple[str, str]] = ()

    @property
    def is_fine(self) -> bool:
        """Whether a night would take all of it."""
        return not self.problems_count

    def list_rows(self) -> list[tuple[str, str]]:
        """The rows a person reads of it: pairs of a name, in both languages, and what is to be said of it."""
        rows = list(self.about) if self.about else [("표 · table", self.table or "-")]
        if self.table:
            columns = ", ".join(name if name == ours else f"{name} → {ours}" for name, ours in self.columns.items())
            rows += [("행 · rows", f"{self.rows:,}"), ("격리될 행 · rows a night would set aside", f"{self.rows_aside:,}")]
            rows += [("열 · columns", columns or "-")]
            rows += [("무시하는 열 · ignored columns", ", ".join(self.ignored))] if self.ignored else []
        if self.is_fine:
            return [*rows, ("결과 · result", "이상 없음 · fine")]
        rows += [("결과 · result", f"문제 {self.problems_count:,}건 · {self.problems_count:,} problems, the first {len(self.problems)}:")]
        return rows + [(f"문제 · problem {number}", problem.say()) for number, problem in enumerate(self.problems, start=1)]


def check_files(files: Sequence[Path], source_file: Path | None, table: str | None) -> list[FileCheck]:
    """Check files with a source file; without one, source files themselves (`.toml`) and Parquet files of our own tables.

    Raises `UnclearError` where it is not clear what a file should be checked against, and `SettingsError` for a source file that
    can't be used to check others.
    """
    if table is not None and table not in TABLES:
        raise UnclearError(f"no table of ours is called {table!r}")
    if source_file is None:
        return [_check_alone(file, table) for file in files]
    found = read_source_file(source_file)
    if len(found) != 1 or found[0].kind != "drop":
        raise UnclearError(f"{source_file} describes {len(found)} sources; name the file of one drop")
    if table is not None and table not in found[0].tables:
        raise UnclearError(f"{source_file} says nothing of {table}")
    return check_source_files(found[0], files, table)


def _check_alone(file: Path, table: str | None) -> FileCheck:
    if file.suffix == ".toml":
        return _check_source_file(file)
    names = [table] if table else [name for name in (file.stem, file.resolve().parent.name) if name in TABLES]
    if not names or file.suffix != ".parquet":
        raise UnclearError(f"{file} is neither a source file nor a Parquet file named after a table of ours: say --with SOURCE.toml")
    return check_canonical_file(file, names[0])


def _check_source_file(file: Path) -> FileCheck:
    try:
        found = read_source_file(file)
    except SettingsError as error:
        return _fail(str(file), None, error.what, error.where)
    about = [(f"자료원 · source {source.source_id}", _describe_source(source)) for source in found]
    return FileCheck(str(file), about=about)


def _describe_source(source: Source) -> str:
    names = " · ".join(name for name in (source.name_ko, source.name_en) if name)
    is_drop = source.kind == "drop"
    tables = [
        f"{name} ({len(mapping.mapped)} columns from {mapping.files})" if is_drop else f"{name} {mapping}"
        for name, mapping in source.tables.items()
    ]
    right = f"{source.basis}: {source.legal_basis}; for {', '.join(source.purposes)}"
    return " | ".join(part for part in (names, source.kind, right, ", ".join(tables)) if part)


def check_source_files(source: Source, files: Sequence[Path], table: str | None = None) -> list[FileCheck]:
    """Try a drop's mapping on files, wherever they lie: which table each is by the source's globs, or as `table` says.

    What can't be used at all is a problem of the file too, in the words of its `InputError`.
    """
    return [_check_file(source, file.resolve(), table) for file in files]


def check_canonical_file(file: Path, table: str) -> FileCheck:
    """Check a Parquet file that claims to be one of our tables as it is."""
    try:
        rows = folder.read_file(StoredFile(file.parent, file.name), TABLES[table]).collect()
    except InputError as error:
        return _fail(str(file), table, error.what, error.where)
    columns = {column: column for column in TABLES[table].columns}
    return _sum_up(str(file), table, rows, columns, (), _find_row_problems(rows, table))


def _check_file(source: Source, file: Path, table: str | None) -> FileCheck:
    stored = _place_file(source, file, table)
    tables = [table] if table else match_tables(source, stored.name)
    if len(tables) != 1:
        found = f"globs of {' and '.join(tables)} both name this file" if tables else "no glob of the source file names this file"
        return _fail(str(file), None, found, "the night would not read it")
    mapping = source.tables[tables[0]]
    try:
        raw = open_raw(stored, mapping)
        faults = find_column_faults(raw.columns, mapping)
        problems = [Problem(fault, column=name) for name, fault in faults.items()]
        rows = None if set(faults) & set(mapping.columns) else read_rows(raw, stored, mapping)
    except InputError as error:
        return _fail(str(file), mapping.table, error.what, error.where)
    if rows is not None:
        problems += _find_row_problems(rows, mapping.table)
    mapped, ignored = _list_columns(raw.columns, mapping)
    return _sum_up(str(file), mapping.table, rows, mapped, ignored, problems)


def _place_file(source: Source, file: Path, table: str | None) -> StoredFile:
    """Name a file as the night would: by its path inside the place, or else by as much of its end as a glob knows."""
    place = Path(source.place)
    if file.is_relative_to(place):
        return StoredFile(place, file.relative_to(place).as_posix())
    ends = [StoredFile(parent, file.relative_to(parent).as_posix()) for parent in file.parents]
    known = (end for end in ends if ({table} if table else set(TABLES)) & set(match_tables(source, end.name)))
    return next(known, ends[min(1, len(ends) - 1)])


def _list_columns(columns: Mapping[str, pl.DataType], mapping: TableMapping) -> tuple[dict[str, str], list[str]]:
    mapped = {theirs: column.to for theirs, column in mapping.mapped.items() if theirs in columns}
    return mapped, [name for name in columns if mapping.columns.get(name, ...) is None]


def _find_row_problems(rows: pl.DataFrame, table: str) -> list[Problem]:
    """List what is wrong in rows, by line: what could not be read, then what breaks a row rule of the table; a row said twice is said once."""
    unread = rows.filter(pl.col("unreadable").is_not_null()) if "unreadable" in rows.columns else rows.clear()
    sound = rows.filter(pl.col("unreadable").is_null()).drop("unreadable") if "unreadable" in rows.columns else rows
    _, aside = judge_rows(sound.unique(list(TABLES[table].columns), keep="first", maintain_order=True), table)
    told = [unread.select("line", rules="unreadable")] if "unreadable" in rows.columns else []
    said = pl.concat([*told, aside.select("line", "rules")]).sort("line", maintain_order=True)
    return [problem for line, rules in said.iter_rows() for problem in _read_rules(line, rules)]


def _read_rules(line: int, rules: str) -> Iterator[Problem]:
    for rule in rules.split(","):
        column, bar, name = rule.rpartition("|")
        yield Problem(name.removeprefix("check__"), line, column if bar and column != "row" else None)


def _fail(file: str, table: str | None, what: str, where: str) -> FileCheck:
    text = what if where == file else f"{what} ({where.removeprefix(file).lstrip(', ')})"
    return FileCheck(file, table, problems=(Problem(text),), problems_count=1)


def _sum_up(
    file: str, table: str, rows: pl.DataFrame | None, columns: Mapping[str, str], ignored: Sequence[str], problems: Sequence[Problem]
) -> FileCheck:
    aside = len({problem.line for problem in problems if problem.line})
    height = 0 if rows is None else rows.height
    return FileCheck(file, table, height, aside, columns, ignored, tuple(problems[:MOST_SHOWN]), len(problems))
