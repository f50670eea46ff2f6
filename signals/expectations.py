"""The Great Expectations suites made from what a table declares, and their verdicts in plain words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import polars as pl

from signals.profile import list_null_limits, name_facts
from signals.tables import TABLES, Limits

FACT = "source_key_and_day"


def import_gx() -> Any:
    """Import Great Expectations, and keep it from importing PySpark, of which it only asks whether it is there.

    Where no file is run (`python -c`, a worker of pytest-xdist or of multiprocessing), PySpark's Connect takes a first import that
    finds something missing for a doctest and ends the process with exit 0: a night would break off and look done.
    """
    if "great_expectations.expectations" in sys.modules:
        return sys.modules["great_expectations"]
    hidden = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "pyspark"}
    sys.modules.update(dict.fromkeys(["pyspark", *hidden]))  # type: ignore[arg-type]  # None: not to be found
    try:
        import great_expectations as gx
        import great_expectations.expectations
    finally:
        del sys.modules["pyspark"]
        sys.modules.update(hidden)
    return gx


def select_counted(batch: pl.DataFrame, table: str) -> pl.DataFrame:
    """Select what Great Expectations counts of a batch: its limited columns, its codes, whether each row passed, what it speaks of.

    Columns that are only asked for nulls enter as numbers that stand for their values, null for null: no page can show an id,
    and numbers cost Great Expectations a tenth of what dates and long texts do.
    """
    codes = TABLES[table].limits.codes
    limited = [name for name in list_null_limits(table) if name not in codes]
    return batch.select(*(_stand_in(name, batch.schema[name]) for name in limited), *codes, "is_accepted", name_facts(table).alias(FACT))


def _stand_in(name: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if kind == pl.String:
        return pl.when(value.is_not_null()).then(value.hash()).alias(name)
    return value.cast(pl.Int32) if kind == pl.Date else value


def expect_rows(table: str) -> list[Any]:
    """Expect of all rows of a table tonight, whoever sent them: few nulls, declared codes, rules kept, no key twice on a day."""
    gxe = import_gx().expectations

    limits = TABLES[table].limits
    filled = {name: "info" if name in limits.nulls else "warning" for name in list_null_limits(table)}
    most = list_null_limits(table)
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=1 - most[name], severity=severity) for name, severity in filled.items()),
        *(
            gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(codes), mostly=limits.usual_accepted, severity="warning")
            for name, codes in limits.codes.items()
        ),
        gxe.ExpectColumnValuesToBeInSet(column="is_accepted", value_set=[True], mostly=limits.usual_accepted, severity="warning"),
        gxe.ExpectColumnValuesToBeUnique(column=FACT, mostly=1 - limits.broken, severity="warning"),
    ]


def expect_deliveries(limits: Limits) -> list[Any]:
    """Expect of a table's deliveries, one row per source: what is critical fails the source it names, the rest warns."""
    gxe = import_gx().expectations

    between = gxe.ExpectColumnValuesToBeBetween
    fresh = [between(column="days_old", max_value=limits.fresh_days, severity="warning")] if limits.fresh_days is not None else []
    return [
        gxe.ExpectColumnValuesToBeUnique(column="source_id", severity="critical"),
        between(column="volume_share", min_value=limits.fewest, severity="critical"),
        between(column="volume_share", max_value=limits.most, severity="warning"),
        between(column="accepted_share", min_value=limits.worst_accepted, severity="critical"),
        between(column="accepted_share", min_value=limits.usual_accepted, severity="warning"),
        *fresh,
        between(column="null_excess", max_value=0, severity="warning"),
        between(column="shift", max_value=limits.shift_fails, severity="critical"),
        between(column="shift", max_value=limits.shift_warns, severity="warning"),
        between(column="repeated_share", max_value=limits.broken, severity="warning"),
    ]


def say_measure(measure: str, row: Mapping[str, Any], limits: Limits, *, is_critical: bool) -> str:
    """Say in plain words what a measure of one source's delivery breaks.

    >>> say_measure("volume_share", {"volume_share": 0.25, "rows": 250, "usual_rows": 1000.0}, Limits(), is_critical=True)
    '250 rows came where 1,000 are usual on such a night: 25.0 %, 50 % at least'
    """
    value = row[measure]
    shift = limits.shift_fails if is_critical else limits.shift_warns
    bound = f"{_percent(limits.fewest)} at least" if is_critical else f"{_percent(limits.most)} at most"
    accepted = limits.worst_accepted if is_critical else limits.usual_accepted
    words = {
        "volume_share": lambda: (
            f"{row['rows']:,} rows came where {row['usual_rows']:,.0f} are usual on such a night: {100 * value:.1f} %, {bound}"
        ),
        "accepted_share": lambda: f"of all rows sent {100 * value:.1f} % pass the row rules, {_percent(accepted)} needed",
        "days_old": lambda: f"the newest news is {value} days old, {limits.fresh_days} at most",
        "null_excess": lambda: f"{row['null_column']} is null in {100 * value:.1f} % of the rows more than may be",
        "shift": lambda: (
            f"the values of {row['shift_column']} lie {value:.2f} from the usual (population stability index), {shift:g} at most:"
            " look for a changed unit or code list"
        ),
        "repeated_share": lambda: (
            f"{100 * value:.1f} % of the rows say twice what one key was on one day, {_percent(limits.broken)} at most"
        ),
    }
    return words[measure]()


def say_count(kind: str, column: str, share: float, needed: float) -> str:
    """Say in plain words which share of all rows of a table meets an expectation.

    >>> say_count("expect_column_values_to_be_in_set", "is_accepted", 0.9, 0.99)
    'is_accepted: of all rows 90.0 % pass the row rules, 99 % needed'
    """
    words = {
        "expect_column_values_to_not_be_null": "are not null",
        "expect_column_values_to_be_in_set": "pass the row rules" if column == "is_accepted" else "hold a declared code",
        "expect_column_values_to_be_unique": "are alone in saying what one key was on one day",
    }
    return f"{column}: of all rows {100 * share:.1f} % {words[kind]}, {_percent(needed)} needed"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
