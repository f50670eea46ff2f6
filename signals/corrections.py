"""Values that people dispute or have put right: what stands in their place, over what the sources say."""

from __future__ import annotations

from datetime import date

import polars as pl

from signals.tables import TABLES

OPENED, UPHELD, REJECTED, WITHDRAWN, ACCEPTED_SOURCE = "opened", "upheld", "rejected", "withdrawn", "accepted_source"
EVENTS = (OPENED, UPHELD, REJECTED, WITHDRAWN, ACCEPTED_SOURCE)
WHOLE_FACT = "is_retracted"  # whoever disputes it disputes that the fact stands at all
PLACE = ("borrower_id", "key", "column_name")

OBJECTIONS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.Int64,
    "borrower_id": pl.String,
    "table_name": pl.String,
    "key": pl.String,
    "column_name": pl.String,
    "event": pl.String,
    "on_day": pl.Date,
    "value": pl.String,
    "source_value": pl.String,
}
_WAITING = ("borrower_id", "table_name", "key", "column_name", "value", "source_value", "source_now")


def apply_corrections(known: pl.LazyFrame, table: str, objections: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """Put over what was known of `table` what people said of it by the end of `as_of`: the same rows and columns.

    `known` comes from `as_known`; `objections` from `read_objections` (OBJECTIONS_SCHEMA), and what happened after `as_of`
    counts for nothing. A disputed value is null while its objection is open, in columns that are else never null too. An
    upheld correction stands until a person accepts what the source now says, and even then where the source says again the
    very value that was found wrong. Where it is `is_retracted` that is disputed, or found true, the row is absent. A value
    belongs to a borrower and a key: where a correction gave the loan to somebody else, the objection moves nothing.

    Lazy: one join with the few rows that have objections; without any it is `known` itself.

    >>> known = pl.LazyFrame({"borrower_id": ["A", "B"], "employees": [9, 2]})
    >>> opened = pl.DataFrame([{"event_id": 1, "borrower_id": "A", "table_name": "borrowers", "key": '{"borrower_id": "A"}',
    ...     "column_name": "employees", "event": "opened", "on_day": date(2026, 3, 1)}], schema=OBJECTIONS_SCHEMA)
    >>> apply_corrections(known, "borrowers", opened, date(2026, 3, 1)).sort("borrower_id").collect()["employees"].to_list()
    [None, 2]
    """
    states = settle_objections(objections, table, as_of)
    if states.is_empty():
        return known
    names = known.collect_schema().names()
    columns = sorted(states["column_name"].unique())
    values = [name for name in columns if name != WHOLE_FACT]
    absent = [pl.lit(None, TABLES[table].polars_schema[name]).alias(name) for name in values if name not in names]
    patch = _spread(states, table, columns)
    on = [name for name in patch.columns if name in names and name not in values]
    told = known.with_columns(absent).join(patch.lazy(), on=on, how="left")
    stands = ~_settle(WHOLE_FACT, pl.lit(value=False)).fill_null(value=True) if WHOLE_FACT in columns else pl.lit(value=True)
    ordered = [*names, *(name for name in values if name not in names)]
    return told.filter(stands).select(_settle(name, pl.col(name)) if name in values else pl.col(name) for name in ordered)


def settle_objections(objections: pl.DataFrame, table: str, as_of: date) -> pl.DataFrame:
    """Say how each objection to a value of `table` stands at the end of `as_of`; one row per value still disputed or corrected.

    borrower_id, key, column_name; `is_open`; `is_corrected`, with `value` and the disputed `source_value` as text (null:
    none); `is_accepted`: a person accepted what the source said after that. A rejected or withdrawn objection leaves an
    earlier correction standing.
    """
    happened = objections.filter((pl.col("table_name") == table) & (pl.col("on_day") <= as_of)).sort("on_day", "event_id")
    event, turn = pl.col("event"), pl.int_range(pl.len())
    is_upheld = event == UPHELD
    settled = happened.group_by(PLACE, maintain_order=True).agg(
        is_open=(event.filter(event != ACCEPTED_SOURCE).last() == OPENED).fill_null(value=False),
        is_corrected=is_upheld.any(),
        value=pl.col("value").filter(is_upheld).last(),
        source_value=pl.col("source_value").filter(is_upheld).last(),
        is_accepted=(turn.filter(event == ACCEPTED_SOURCE).max() > turn.filter(is_upheld).max()).fill_null(value=False),
    )
    return settled.filter(pl.col("is_open") | pl.col("is_corrected"))


def list_waiting_sources(known: pl.LazyFrame, table: str, objections: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """List where a source now says something new that a standing correction outranks: a person must accept it or not.

    One row per value: borrower_id, table_name, key (JSON), column_name, the corrected `value`, the disputed `source_value`
    and what the source says now, `source_now`, all as text. `known` is what the sources say, without corrections. A fact
    the source took back, and one disputed anew, wait for nobody.
    """
    states = settle_objections(objections, table, as_of).filter(
        pl.col("is_corrected") & ~pl.col("is_open") & ~pl.col("is_accepted") & (pl.col("column_name") != WHOLE_FACT)
    )
    names = known.collect_schema().names()
    found = [_list_new(known, table, name, states) for name in sorted(states["column_name"].unique()) if name in names]
    return pl.concat([pl.LazyFrame(schema=dict.fromkeys(_WAITING, pl.String)), *found])


def parse_text(text: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Read a value written as text in a column's type; null where it can't be.

    >>> pl.DataFrame({"t": ["2026-03-01", "x"]}).select(parse_text(pl.col("t"), pl.Date()))["t"].to_list()
    [datetime.date(2026, 3, 1), None]
    """
    if kind == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if kind == pl.Boolean:
        return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    return text.cast(kind, strict=False)


def write_text(value: pl.Expr) -> pl.Expr:
    """Write values as the text that `parse_text` reads."""
    return value.cast(pl.String)


def _list_new(known: pl.LazyFrame, table: str, name: str, states: pl.DataFrame) -> pl.LazyFrame:
    mine = states.filter(pl.col("column_name") == name)
    patch = _spread(mine, table, [name], "key")
    on = [column for column in patch.columns if column in (*TABLES[table].key, "borrower_id")]
    now, said = pl.col(name), {part: pl.col(f"{name} {part}") for part in ("value", "source_value")}
    told = known.join(patch.lazy(), on=on).filter(_is_new(name, now))
    texts = {"value": said["value"], "source_value": said["source_value"], "source_now": now}
    return told.select(
        "borrower_id", pl.lit(table).alias("table_name"), "key", pl.lit(name).alias("column_name"),
        **{part: write_text(value) for part, value in texts.items()},
    )  # fmt: skip


def _spread(states: pl.DataFrame, table: str, columns: list[str], *kept: str) -> pl.DataFrame:
    """One row per borrower and key, its key columns in their types, and what is said of each of `columns`."""
    schema = TABLES[table].polars_schema
    key = [name for name in TABLES[table].key if name != "borrower_id"]
    wide = states.select("borrower_id", "key").unique()
    for name in columns:
        mine = states.filter(pl.col("column_name") == name).select(
            "borrower_id", "key", *(pl.col(part).alias(f"{name} {part}") for part in ("is_open", "is_corrected", "is_accepted")),
            *(parse_text(pl.col(part), schema[name]).alias(f"{name} {part}") for part in ("value", "source_value")),
        )  # fmt: skip
        wide = wide.join(mine, on=["borrower_id", "key"], how="left")
    parts = pl.col("key").str.json_decode(pl.Struct(dict.fromkeys(TABLES[table].key, pl.String)))
    typed = [parse_text(parts.struct.field(name), schema[name]).alias(name) for name in key]
    return wide.with_columns(typed).select("borrower_id", *key, *kept, pl.selectors.contains(" "))


def _settle(name: str, now: pl.Expr) -> pl.Expr:
    is_over = pl.col(f"{name} is_accepted") & _is_new(name, now)
    return (
        pl.when(pl.col(f"{name} is_open"))
        .then(None)
        .when(pl.col(f"{name} is_corrected") & ~is_over)
        .then(f"{name} value")
        .otherwise(now)
        .alias(name)
    )


def _is_new(name: str, now: pl.Expr) -> pl.Expr:
    return now.ne_missing(pl.col(f"{name} value")) & now.ne_missing(pl.col(f"{name} source_value"))
