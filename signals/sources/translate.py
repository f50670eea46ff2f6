"""From a lender's own columns to ours: pure, value by value; what can't be read is null and said, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

import polars as pl

from signals.sources.mapping import FALSE_WORDS, TRUE_WORDS, ColumnMapping, TableMapping
from signals.tables import TABLES

NOT_A_NUMBER, NOT_WHOLE, TOO_LARGE = "not a number", "not whole", "too large"
NOT_A_DATE, NOT_A_FLAG, UNKNOWN_CODE = "not a date", "not true or false", "unknown code"
SPOILT = "spoilt by a spreadsheet"

_TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Decimal)
_DAYS = (pl.Date, pl.Datetime)
_LARGEST = 2**63 - 1
_DECIMALS = 9  # as many as the largest scale has zeros
_FIRST_DAY, _LAST_DAY = date(1000, 1, 1), date(9999, 12, 31)  # a year has four digits: 26 is not the year 26
_SPOILT = r"^(?:[0-9.]+E\+[0-9]+$|=|#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)$)"  # many ids in one, formulas, errors
_THOUSANDS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$"


def settle_types(raw: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    """Write as text what a mapping reads as text: categories, decimals, and whole numbers that are ids, codes, days or flags."""
    wanted = TABLES[mapping.table].polars_schema
    turned = []
    for name, kind in raw.schema.items():
        column = mapping.columns.get(name)
        is_worded = column is not None and (column.codes is not None or wanted[column.to] in (pl.String, pl.Date, pl.Boolean))
        if (kind in _TEXTS and kind != pl.String) or kind == pl.Null or (is_worded and kind.is_integer()):
            turned.append(pl.col(name).cast(pl.String))
    return raw.with_columns(turned)


def find_type_faults(columns: Mapping[str, pl.DataType], mapping: TableMapping) -> dict[str, str]:
    """Say which columns of a file have a type that can't become what the mapping wants: their name to what is wrong."""
    wanted = {theirs: TABLES[mapping.table].polars_schema[column.to] for theirs, column in mapping.mapped.items()}
    return {
        name: f"wrong type in column '{name}': {kind}, which can't become {wanted[name]}"
        for name, kind in columns.items()
        if name in wanted and not _can_become(kind, wanted[name], mapping.mapped[name])
    }


def _can_become(kind: pl.DataType, wanted: pl.DataType, column: ColumnMapping) -> bool:
    if kind in _TEXTS or kind == pl.Null:
        return True
    if column.codes is not None or wanted == pl.String:
        return kind.is_integer()
    if wanted == pl.Date:
        return kind in _DAYS or (kind.is_integer() and column.date is not None)
    return (kind == pl.Boolean or kind.is_integer()) if wanted == pl.Boolean else kind.is_numeric()


def translate_rows(raw: pl.DataFrame, broken: pl.Series, mapping: TableMapping, known_on: date | None) -> pl.DataFrame:
    """Give a table's declared columns for rows of a lender, in the same order, and `unreadable`.

    `raw`: their columns, settled by `settle_types`. `broken`: null, or why a row's fields can't be told apart: all its values are
    null then. `known_on`: the day in the file's name; None where a column tells it. `unreadable`: null, or the rules a
    row breaks, joined by a comma.
    """
    table = TABLES[mapping.table]
    values: dict[str, pl.Series] = {name: pl.Series([value], dtype=table.polars_schema[name]) for name, value in mapping.constants.items()}
    if known_on:
        values["known_on"] = pl.Series([known_on])
    reasons: dict[str, pl.Series] = {}
    mapped = {column.to: (theirs, column) for theirs, column in mapping.mapped.items() if theirs in raw.columns}
    said = _read_values(raw, mapping, mapped)
    for ours, (_, column) in mapped.items():
        values[ours], lost = said[ours], said[f"{ours}|lost"]
        if lost.any():
            values[ours], reasons[ours] = _settle_lost(values[ours], said[f"{ours}|said"], lost, column)
    absent = {name: pl.Series([None], dtype=kind) for name, kind in table.polars_schema.items() if name not in values}
    whole = {**values, **absent}
    rows = pl.DataFrame({name: _spread(whole[name], raw.height) for name in table.columns})
    return _say_unreadable(rows, broken, reasons)


def _spread(values: pl.Series, height: int) -> pl.Series:
    return values if len(values) == height else values.new_from_index(0, height)


def _read_values(raw: pl.DataFrame, mapping: TableMapping, mapped: Mapping[str, tuple[str, ColumnMapping]]) -> pl.DataFrame:
    """Read each mapped column in one pass: the value, what was said, and whether something was said that gave no value."""
    said, values = [], []
    for ours, (theirs, column) in mapped.items():
        nothing = [*mapping.null, *column.null]
        kind = raw.schema[theirs]
        told = pl.when(~_means_nothing(pl.col(theirs), kind, nothing)).then(pl.col(theirs)) if nothing else pl.col(theirs)
        wanted = TABLES[mapping.table].polars_schema[ours]
        said.append(_settle_thousands(told, kind, wanted, column, mapping).alias(f"{ours}|said"))
        values.append(_read_value(pl.col(f"{ours}|said"), kind, wanted, column).alias(ours))
    lost = ((pl.col(f"{ours}|said").is_not_null() & pl.col(ours).is_null()).alias(f"{ours}|lost") for ours in mapped)
    return raw.lazy().select(said).with_columns(values).with_columns(*lost).collect()


def _means_nothing(value: pl.Expr, kind: pl.DataType, words: list[str]) -> pl.Expr:
    """Say whether a value is one of the words for nothing, as a person would read it: -1 is -1.0, and a moment is its day."""
    if kind.is_numeric():
        numbers = pl.Series(words, dtype=pl.String).cast(pl.Float64, strict=False).drop_nulls()
        return value.cast(pl.Float64).is_in(numbers.to_list())
    day = value.dt.date() if isinstance(kind, pl.Datetime) else value
    return day.cast(pl.String).is_in(words)


def _read_value(told: pl.Expr, kind: pl.DataType, wanted: pl.DataType, column: ColumnMapping) -> pl.Expr:
    """Read one column; null where the value can't be read (or is not whole: `_settle_lost` looks again)."""
    if column.codes is not None:
        return told.replace_strict(list(column.codes), list(column.codes.values()), default=None, return_dtype=wanted)
    if wanted == pl.String:
        if column.to.endswith("_id"):
            told = pl.when(~told.str.contains(_SPOILT)).then(told)
        return pl.lit(column.prefix) + told if column.prefix else told
    if wanted == pl.Boolean:
        return told if kind == pl.Boolean else _read_flags(told, column)
    if wanted == pl.Date:
        return _read_days(told, kind, column.date or "%Y-%m-%d")
    return _read_whole(told, kind, int(column.factor)) if wanted == pl.Int64 else _read_float(told, column.factor)


def _read_flags(told: pl.Expr, column: ColumnMapping) -> pl.Expr:
    words = dict.fromkeys(column.true or TRUE_WORDS, True) | dict.fromkeys(column.false or FALSE_WORDS, False)
    return told.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Boolean)


def _read_days(told: pl.Expr, kind: pl.DataType, form: str) -> pl.Expr:
    """Read days; where no character parts year, month and day, each digit must be there (2026111 is two days at once)."""
    if isinstance(kind, pl.Datetime):
        return (told.dt.convert_time_zone("Asia/Seoul") if kind.time_zone else told).dt.date()
    if kind == pl.Date:
        return told
    if re.search(r"%.%", form):
        told = pl.when(told.str.len_chars() == len(datetime(2000, 1, 1).strftime(form))).then(told)  # noqa: DTZ001
    whole = (told, form) if "%d" in form else (told + " 01", f"{form} %d")
    day = whole[0].str.to_date(whole[1], strict=False)
    return pl.when(day.is_between(_FIRST_DAY, _LAST_DAY)).then(day)


def _settle_thousands(told: pl.Expr, kind: pl.DataType, wanted: pl.DataType, column: ColumnMapping, mapping: TableMapping) -> pl.Expr:
    """Take out commas of a number where each stands before three digits; elsewhere (1,5) it may mean anything, and stays."""
    has_thousands = mapping.format == "csv" if column.thousands is None else column.thousands
    if kind != pl.String or not wanted.is_numeric() or column.codes is not None or not has_thousands:
        return told
    return pl.when(told.str.contains(_THOUSANDS)).then(told.str.replace_all(",", "", literal=True)).otherwise(told)


def _read_whole(number: pl.Expr, kind: pl.DataType, scale: int) -> pl.Expr:
    if kind.is_float():
        won = number.cast(pl.Float64) * scale
        is_whole = ((won - won.round()).abs() <= 1e-6 + won.abs() * 4e-16) & (won.abs() <= 2.0**53)
        return pl.when(is_whole).then(won.round()).cast(pl.Int64, strict=False)
    whole = number.cast(pl.Int64, strict=False)
    limit = _LARGEST // scale
    return whole if scale == 1 else pl.when(whole.is_between(-limit, limit)).then(whole * scale)


def _read_float(number: pl.Expr, scale: float) -> pl.Expr:
    value = number.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value if scale == 1 else value * scale)


def _settle_lost(values: pl.Series, said: pl.Series, lost: pl.Series, column: ColumnMapping) -> tuple[pl.Series, pl.Series]:
    """Look again at what gave no value: decimals that are whole in won are read, the rest gets its reason (a text per row, else null)."""
    rows = lost.arg_true()
    told = said.gather(rows)
    if column.codes is not None:
        reasons = pl.repeat(UNKNOWN_CODE, len(rows), eager=True)
    elif values.dtype == pl.Int64:
        again = _read_decimals(told, int(column.factor))
        values = values.scatter(rows, again["value"])
        reasons = again["reason"]
    else:
        word = {pl.Date: NOT_A_DATE, pl.Boolean: NOT_A_FLAG, pl.String: SPOILT}.get(type(values.dtype), NOT_A_NUMBER)
        reasons = pl.repeat(word, len(rows), eager=True)
    return values, pl.repeat(None, len(values), dtype=pl.String, eager=True).scatter(rows, reasons)


def _read_decimals(told: pl.Series, scale: int) -> pl.DataFrame:
    """Read decimals exactly, digit by digit: `value` where the scaled number is whole, else `reason`."""
    if told.dtype != pl.String:
        is_number = pl.col("told").is_finite() if told.dtype.is_float() else pl.lit(value=True)
        is_small = pl.col("told").cast(pl.Float64).abs() * scale <= 2.0**53 if told.dtype.is_float() else pl.lit(value=False)
        why = pl.when(~is_number).then(pl.lit(NOT_A_NUMBER)).when(is_small).then(pl.lit(NOT_WHOLE)).otherwise(pl.lit(TOO_LARGE))
        return told.to_frame("told").select(value=pl.lit(None, dtype=pl.Int64), reason=why)
    plain = told.to_frame("told").select(pl.col("told").str.extract_groups(r"^([+-]?)([0-9]*)\.?([0-9]*)$").alias("g"))
    sign, whole, rest = (pl.col("g").struct.field(str(place)).fill_null("") for place in (1, 2, 3))
    digits = rest.str.strip_chars_end("0")
    parts = plain.select(
        is_number=(whole + rest).str.len_bytes() > 0,
        is_minus=sign == "-",
        whole=pl.when(whole == "").then(0).otherwise(whole.cast(pl.Int64, strict=False)),
        won=pl.when(digits == "").then(0).otherwise(digits.cast(pl.Int64, strict=False)) * scale,
        decimals=digits.str.len_bytes().cast(pl.Int64),
    )
    power = pl.col("decimals").replace_strict({place: 10**place for place in range(_DECIMALS + 1)}, default=None, return_dtype=pl.Int64)
    is_whole = (pl.col("won") % power == 0).fill_null(value=False)
    fits = (pl.col("whole") < _LARGEST // scale).fill_null(value=False)
    won = pl.col("whole") * scale + pl.col("won") // power
    value = pl.when("is_number", is_whole, fits).then(pl.when("is_minus").then(-won).otherwise(won))
    why = pl.when(~pl.col("is_number")).then(pl.lit(NOT_A_NUMBER)).when(~fits).then(pl.lit(TOO_LARGE)).otherwise(pl.lit(NOT_WHOLE))
    return parts.select(value=value, reason=pl.when(value.is_null()).then(why))


def _say_unreadable(rows: pl.DataFrame, broken: pl.Series, reasons: Mapping[str, pl.Series]) -> pl.DataFrame:
    said = {ours: reason for ours, reason in reasons.items() if reason.count()}
    if not said and not broken.count():
        return rows.with_columns(unreadable=pl.lit(None, dtype=pl.String))
    named = {ours: f"{ours}|" + reason for ours, reason in said.items()}
    words = pl.DataFrame(named).select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series() if said else broken
    why = pl.DataFrame({"words": words, "broken": broken}).select(
        pl.coalesce("broken", pl.when(pl.col("words") != "").then(pl.col("words")))
    )
    rows = rows.with_columns(unreadable=why.to_series())
    if broken.count():
        rows = rows.with_columns(pl.when(broken.is_null()).then(pl.exclude("unreadable")).name.keep())
    return rows
