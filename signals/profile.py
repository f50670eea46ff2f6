"""What a delivery's values look like: counts by part, which add up over parts of a delivery and over nights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from signals.tables import TABLES

NULL, KNOWN, OTHER = "(null)", "(known)", "(other)"
PROFILE = {"pulled_from": pl.String, "column": pl.String, "part": pl.String, "n": pl.Int64}
_LEAST_SHARE = 1e-4  # an empty part would make the index infinite
_STEADYING = 75  # rows of the usual kind thought to lie beside tonight's: few rows differ by chance alone

Parts = Mapping[str, float]
"""By part, how many values lie in it, or which share."""


def profile_rows(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Count the values of each limited or watched column by part, source by source.

    One row per `pulled_from`, `column`, `part`: `n` rows. The part of a number is its sign and its size to a factor of two
    (how many binary digits its whole part has); of a code the code itself, or "(other)"
    where it is not declared, so that no value of a person is kept; of a column that is only limited "(known)". Null is a part
    of its own. Profiles of two parts of a delivery, summed, are the profile of both.

    >>> rows = pl.DataFrame({"pulled_from": "bank", "lender_id": ["a", "b", "c"], "kind": ["bank", "circus", None]})
    >>> profile_rows(rows, "lenders").filter(pl.col("column") == "kind")["part"].to_list()
    ['(null)', '(other)', 'bank']
    """
    codes, watched = TABLES[table].limits.codes, TABLES[table].limits.watched
    kinds = TABLES[table].polars_schema
    wanted = [name for name in dict.fromkeys((*list_null_limits(table), *codes, *watched)) if name in rows.columns]
    parts = {name: _name_part(name, kinds[name], codes.get(name), is_watched=name in watched) for name in wanted}
    named = rows.lazy().select(pl.col("pulled_from").cast(pl.Categorical), **parts)
    counted = [
        named.group_by("pulled_from", part=pl.col(name))
        .agg(n=pl.len())
        .with_columns(column=pl.lit(name), part=pl.col("part").cast(pl.String))
        for name in wanted
    ]
    empty = pl.LazyFrame(schema=PROFILE)
    whole = pl.concat([empty, *(part.select(pl.col(name).cast(kind) for name, kind in PROFILE.items()) for part in counted)])
    return whole.with_columns(pl.col("part").fill_null(NULL)).sort("pulled_from", "column", "part").collect()


def _name_part(name: str, kind: pl.DataType, codes: Sequence[str] | None, *, is_watched: bool) -> pl.Expr:
    """Name the part as a number or a code; null stays null until all is counted, which is far cheaper."""
    value = pl.col(name)
    if codes is not None:
        return pl.when(value.is_in(codes)).then(value).when(value.is_not_null()).then(pl.lit(OTHER))
    if not is_watched:
        return pl.when(value.is_not_null()).then(pl.lit(KNOWN))
    if kind == pl.Boolean:
        return value
    whole = value.cast(pl.Int64, strict=False)  # what is no number counts as null
    return whole.sign().cast(pl.Int16) * (64 - whole.abs().cast(pl.UInt64, strict=False).bitwise_leading_zeros().cast(pl.Int16))


def list_null_limits(table: str) -> dict[str, float]:
    """List the columns whose nulls are limited, each with the largest share: those that must be filled, then the declared."""
    limits = TABLES[table].limits
    return dict.fromkeys(TABLES[table].needed_columns, limits.broken) | dict(limits.nulls)


def add_profiles(profiles: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add the profiles of the parts of a delivery up to that of the whole."""
    whole = pl.concat([pl.DataFrame(schema=PROFILE), *profiles])
    return whole.group_by("pulled_from", "column", "part").agg(pl.col("n").sum()).sort("pulled_from", "column", "part")


def split_profile(profile: pl.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Give a profile as it is kept: by source, by column, by part, the number of rows.

    >>> split_profile(pl.DataFrame({"pulled_from": ["bank"], "column": ["kind"], "part": ["card"], "n": [3]}))
    {'bank': {'kind': {'card': 3}}}
    """
    kept: dict[str, dict[str, dict[str, int]]] = {}
    for source, column, part, n in profile.select(list(PROFILE)).iter_rows():
        kept.setdefault(source, {}).setdefault(column, {})[part] = n
    return kept


def name_facts(table: str) -> pl.Expr:
    """Name what a row speaks of, as one number: its source, its key and the day it was known; null where one of them is."""
    names = ("pulled_from", *TABLES[table].key, "known_on")
    return pl.when(pl.all_horizontal(pl.col(name).is_not_null() for name in names)).then(pl.struct(names).hash())


def measure_null_share(parts: Parts) -> float | None:
    """Say which share of a column's values is null; None where there are no rows.

    >>> measure_null_share({"(null)": 1, "12": 3})
    0.25
    """
    rows = sum(parts.values())
    return parts.get(NULL, 0) / rows if rows else None


def average_shares(nights: Sequence[Parts]) -> dict[str, float]:
    """Give the usual share of each part: every night counts the same, so that one large night does not speak for all.

    >>> average_shares([{"a": 1}, {"a": 500, "b": 500}])
    {'a': 0.75, 'b': 0.25}
    """
    filled = [(parts, sum(parts.values())) for parts in nights if sum(parts.values())]
    names = sorted({name for parts, _ in filled for name in parts})
    return {name: sum(parts.get(name, 0) / rows for parts, rows in filled) / len(filled) for name in names}


def measure_shift(tonight: Parts, usual: Parts) -> float:
    """Measure how far tonight's values lie from the usual ones: the population stability index over the parts.

    0 is no change, above 0.25 is usually called a shift, a wrong unit gives 5 and more. It is an effect size: it does not grow
    with the number of rows; few rows are drawn towards the usual, as if 75 rows of the usual kind lay beside them. No
    rows on a side: 0.

    >>> measure_shift({"20": 300, "21": 700}, {"20": 0.3, "21": 0.7}), measure_shift({"10": 1000}, {"20": 1.0}) > 5
    (0.0, True)
    """
    rows, usual_rows = sum(tonight.values()), sum(usual.values())
    if not rows or not usual_rows:
        return 0.0
    weight, shift = rows / (rows + _STEADYING), 0.0
    for part in sorted({*tonight, *usual}):
        before = usual.get(part, 0) / usual_rows
        old = max(before, _LEAST_SHARE)
        new = max(weight * tonight.get(part, 0) / rows + (1 - weight) * before, _LEAST_SHARE)
        shift += (new - old) * math.log(new / old)
    return round(shift, 6)
