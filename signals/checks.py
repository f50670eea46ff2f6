"""Row rules: what is wrong with a row is said by the rule's name, and the row is set aside, not dropped."""

from __future__ import annotations

import types
from functools import cache

import dataframely as dy
import polars as pl

from signals.tables import TABLES

CARRIED = {"pulled_from": dy.String(nullable=True), "file": dy.String(nullable=True), "line": dy.Int64(nullable=True)}


def judge_rows(rows: pl.DataFrame, table: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part a table's arrivals into accepted rows and rows to quarantine.

    The quarantined come with `rules`: the names of the broken ones, joined by a comma. A rule that can't be
    evaluated because a value is unknown is not broken. Rows of one key and one `known_on` that say
    different things are all set aside: nobody can tell which is right.

    >>> lenders = pl.DataFrame({"lender_id": ["L1", "L2"], "kind": ["bank", None], "known_on": ["2026-01-01", None]})
    >>> judge_rows(lenders.with_columns(pl.col("known_on").str.to_date()), "lenders")[1]["rules"].to_list()
    ['known_on|nullability,kind|nullability']
    """
    schema = _with_provenance(table)
    absent = {name: pl.lit(None, dtype=column.dtype) for name, column in schema.columns().items() if name not in rows.columns}
    accepted, failure = schema.filter(rows.with_columns(**absent).select(schema.column_names()))
    columns = list(TABLES[table].columns) + list(CARRIED)
    details = failure.details()
    names = [name for name in details.columns if name not in columns]
    broken = pl.concat_list([pl.when(pl.col(name) == "invalid").then(pl.lit(name)) for name in names] or [pl.lit("")])
    return accepted, details.select(*columns, rules=broken.list.drop_nulls().list.join(","))


@cache
def _with_provenance(table: str) -> type[dy.Schema]:
    schema = TABLES[table].schema
    return types.new_class(f"{schema.__name__}Arrived", (schema,), exec_body=lambda body: body.update(CARRIED))
