"""What a source file says of a lender's own columns: theirs to ours, column by column; what can't be right is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

from signals.tables import TABLES

UNITS = {"원": 1, "천원": 1_000, "만원": 10_000, "백만원": 1_000_000, "억원": 100_000_000}
TRUE_WORDS = ("true", "True", "TRUE", "Y", "y", "1")
FALSE_WORDS = ("false", "False", "FALSE", "N", "n", "0")
LARGEST_SCALE = 10**9

Value = StrictBool | StrictInt | StrictFloat | date | str
_PYTHON: dict[type[pl.DataType], tuple[type, ...]] = {
    pl.String: (str,),
    pl.Int64: (int,),
    pl.Float64: (int, float),
    pl.Boolean: (bool,),
    pl.Date: (date,),
}
_OPTIONS: dict[str, tuple[type[pl.DataType], ...]] = {
    "unit": (pl.Int64, pl.Float64),
    "scale": (pl.Int64, pl.Float64),
    "thousands": (pl.Int64, pl.Float64),
    "date": (pl.Date,),
    "true": (pl.Boolean,),
    "false": (pl.Boolean,),
    "prefix": (pl.String,),
    "codes": (pl.String, pl.Int64, pl.Boolean),
}


class _Said(BaseModel):
    """Every key counts: an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnMapping(_Said):
    """How one column of a lender becomes one of ours.

    `unit` (원, 천원, 만원, 백만원, 억원) or `scale` multiplies a number; `thousands`: commas between thousands are taken out
    (None: in CSV); `codes`: their code to ours; `date`: its form, such as %Y%m%d or %Y%m (a month is its first day);
    `true` and `false`: the words for them; `prefix` goes before an id; `null`: words that mean nothing is known;
    `may_be_absent`: a file without the column is no error.
    """

    to: str
    unit: Literal["원", "천원", "만원", "백만원", "억원"] | None = None
    scale: StrictInt | StrictFloat | None = Field(default=None, gt=0)
    thousands: StrictBool | None = None
    codes: dict[str, StrictBool | StrictInt | str] | None = None
    date: str | None = None
    true: tuple[str, ...] | None = None
    false: tuple[str, ...] | None = None
    prefix: str | None = None
    null: tuple[str, ...] = ()
    may_be_absent: StrictBool = False

    @property
    def factor(self) -> int | float:
        """What a number is multiplied by to be in our unit."""
        return UNITS[self.unit] if self.unit else self.scale or 1


class DayInName(_Said):
    """`known_on` read from a file's name: the first group of `from_file`, in the form `date`."""

    from_file: str
    date: str = "%Y%m%d"

    @model_validator(mode="after")
    def _finds_one_day(self) -> DayInName:
        try:
            groups = re.compile(self.from_file).groups
        except re.error as error:
            raise ValueError(f"from_file is no regular expression ({error})") from error
        if groups != 1:
            raise ValueError("from_file must have exactly one group in round brackets: the day")
        _refuse_date_form(self.date)
        return self


def _read_entry(entry: Any) -> Any:
    """An entry is "ignore", the name of a column of ours, or a table."""
    if isinstance(entry, str):
        return None if entry == "ignore" else {"to": entry}
    return entry


Entry = Annotated[ColumnMapping | None, BeforeValidator(_read_entry)]


class TableMapping(_Said):
    """How the files of a lender become rows of one of our tables.

    `files` is a glob inside the place; `columns`: their name to what becomes of it, None: ignored; `constants`: columns of
    ours that have one value in every row; `known_on`: where the day is read from the file's name; `null`: words that mean
    "nothing" in every column.
    """

    table: str
    files: str = Field(min_length=1)
    columns: dict[str, Entry] = Field(min_length=1)
    constants: dict[str, Value] = {}
    known_on: DayInName | None = None
    format: Literal["csv", "parquet"] = "csv"
    encoding: Literal["utf-8", "cp949"] = "utf-8"
    separator: str = Field(default=",", min_length=1, max_length=1)
    null: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_right(self) -> TableMapping:
        if self.table not in TABLES:
            raise ValueError(f"no table of ours is called {self.table!r}; docs/tables.md lists them")
        faults = [*_find_target_faults(self), *_find_constant_faults(self)]
        for theirs, column in self.columns.items():
            if column and column.to in TABLES[self.table].columns:
                faults += [f"column {theirs!r}: {fault}" for fault in _find_column_faults(column, self.table)]
        if not self.separator.isascii() or self.separator in '"\r\n':
            faults.append("separator must be one plain character")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def mapped(self) -> dict[str, ColumnMapping]:
        """Their columns that become one of ours."""
        return {theirs: column for theirs, column in self.columns.items() if column}


def _find_target_faults(mapping: TableMapping) -> list[str]:
    """Say which columns of ours are named but not declared, named twice, or needed and not named."""
    table = TABLES[mapping.table]
    named = [column.to for column in mapping.mapped.values()] + list(mapping.constants) + ["known_on"] * bool(mapping.known_on)
    faults = [f"{table.name} has no column {name!r}" for name in dict.fromkeys(named) if name not in table.columns]
    faults += [f"{name!r} is given twice" for name in dict.fromkeys(named) if named.count(name) > 1]
    return faults + [f"nothing gives {name!r}, and a row of {table.name} says nothing without it"
                     for name in table.needed_columns if name not in named]  # fmt: skip


def _find_column_faults(column: ColumnMapping, table: str) -> list[str]:
    kind = TABLES[table].polars_schema[column.to]
    given = [name for name in _OPTIONS if getattr(column, name) is not None]
    faults = [f"{name} makes no sense for {column.to}, which is {kind}" for name in given if kind not in _OPTIONS[name]]
    if column.codes is not None and len(given) > 1:
        faults.append(f"codes stand alone, without {', '.join(name for name in given if name != 'codes')}")
    if column.unit and column.scale:
        faults.append("unit and scale say the same thing: keep one")
    if kind == pl.Int64 and column.scale and not (isinstance(column.scale, int) and column.scale <= LARGEST_SCALE):
        faults.append(f"scale must be a whole number up to {LARGEST_SCALE:,}: {column.to} is whole")
    if (column.true is None) != (column.false is None) or set(column.true or ()) & set(column.false or ()):
        faults.append("give both true and false, with no word in common")
    if column.date:
        faults += _find_date_faults(column.date)
    return faults + [fault for value in (column.codes or {}).values() for fault in _find_value_faults(column.to, value, table)]


def _find_constant_faults(mapping: TableMapping) -> list[str]:
    known = {name: value for name, value in mapping.constants.items() if name in TABLES[mapping.table].columns}
    return [f"constants: {fault}" for name, value in known.items() for fault in _find_value_faults(name, value, mapping.table)]


def _find_value_faults(name: str, value: Value, table: str) -> list[str]:
    """Say why a value that a mapping names could never pass the column's own rules."""
    declared = TABLES[table].schema.columns()[name]
    kinds = next(kinds for kind, kinds in _PYTHON.items() if declared.dtype == kind)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return [f"{name} can't be {value!r}: it is {declared.dtype}"]
    rules = declared.validation_rules(pl.col(name))
    kept = pl.DataFrame({name: [value]}, schema={name: declared.dtype}).select(**rules).row(0, named=True)
    return [f"{name} can't be {value!r}: it breaks the rule {rule.removeprefix('check__')}" for rule, holds in kept.items() if not holds]


def _find_date_faults(form: str) -> list[str]:
    directives = re.findall(r"%(.)", form)
    if not {"Y", "m"} <= set(directives) or not set(directives) <= set("YmdHMS") or len(directives) != len(set(directives)):
        return [f"the date form {form!r} needs %Y and %m once each, and may have %d, %H, %M, %S: anything else would be a guess"]
    return []


def _refuse_date_form(form: str) -> None:
    faults = _find_date_faults(form)
    if faults:
        raise ValueError(faults[0])
