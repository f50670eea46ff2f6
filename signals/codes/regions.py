"""Regions and districts: a code as reported on some day, read as of another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import pairwise

import polars as pl

from signals.codes.dated import Code, index_codes, read_list, walk_code

FILE = "signals/codes/regions.toml"
_TWO, _THREE = 2, 3


@cache
def list_regions() -> Mapping[str, Code]:
    """List the regions by code, ended ones included; raises `SettingsError` where their successors can't be followed."""
    return index_codes(read_list("regions")["region"], FILE)


@cache
def list_districts() -> Mapping[str, Code]:
    """List by code the districts that changed their region on their own, ended ones included."""
    return index_codes(read_list("regions")["district"], FILE)


@cache
def list_kostat_only() -> Mapping[str, Code]:
    """List the codes that only the statistics office uses; they are unknown here."""
    return index_codes(read_list("regions")["kostat_only"], FILE)


def region_on(region: pl.Expr, as_of: date, district: pl.Expr | None = None) -> pl.Expr:
    """Give a region code as it reads on `as_of`; null: unknown.

    An ended code reads as its successor, and a code not yet in force as the one it came after (null after a merger: it came
    after several). With `district`, a district that changed its region on its own decides, and stands in where the region is
    unknown.

    >>> frame = pl.DataFrame({"region": ["42", "47", None, "21"], "district": [None, "47720", "26110", None]})
    >>> frame.select(region_on(pl.col("region"), date(2026, 1, 1), pl.col("district"))).to_series().to_list()
    ['51', '27', '26', None]
    """
    read = region.replace_strict(list_today(as_of), default=None, return_dtype=pl.String)
    if district is None:
        return read
    of_district = district_on(district, as_of).str.head(_TWO)
    return pl.when(district.is_in(list(list_districts()))).then(pl.coalesce(of_district, read)).otherwise(pl.coalesce(read, of_district))


def list_today(as_of: date) -> dict[str, str]:
    """List the region codes that can be read on a day, ended ones included, each with how it reads then.

    >>> list_today(date(2026, 9, 30))["42"]
    '51'
    """
    return {code: way[-1].code for code in list_regions() if (way := walk_code(code, list_regions(), as_of))}


def district_on(district: pl.Expr, as_of: date) -> pl.Expr:
    """Give a district code (five digits) as it reads on `as_of`; null: unknown.

    Its region must be listed. Where the region's code changed, the district follows only if the list says that districts kept
    their last three digits; where that is not known (a merger), it is null. Whether the last three digits exist is not judged.

    >>> codes = pl.DataFrame({"district_code": ["42110", "47720", "11110", "29110", "21010"]})
    >>> codes.select(district_on(pl.col("district_code"), date(2026, 9, 30))).to_series().to_list()
    ['51110', '27720', '11110', None, None]
    """
    heads = {code: _follow_districts(code, as_of) for code in list_regions()}
    followed = _follow_region(district, heads)
    moved = {code: way[-1].code if (way := walk_code(code, list_districts(), as_of)) else None for code in list_districts()}
    there = _follow_region(district.replace_strict(moved, default=None, return_dtype=pl.String), heads)
    return pl.when(district.is_in(list(moved))).then(there).when(has_five_digits(district)).then(followed)


def _follow_districts(region: str, as_of: date) -> str | None:
    way = walk_code(region, list_regions(), as_of)
    ended = (one if one.successor == other.code else other for one, other in pairwise(way))
    return way[-1].code if way and all(code.keeps_districts for code in ended) else None


def _follow_region(district: pl.Expr, heads: Mapping[str, str | None]) -> pl.Expr:
    return district.str.head(_TWO).replace_strict(heads, default=None, return_dtype=pl.String) + district.str.tail(_THREE)


def has_five_digits(district: pl.Expr) -> pl.Expr:
    """Say whether a code has the form of a district's."""
    return district.str.contains(r"^[0-9]{5}$")


def read_places(borrowers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Read where each borrower is: one row per row of `borrowers`, `borrower_id` and `region_code` as it reads on `as_of`.

    Null: unknown. A column `district_code` that is absent counts as unknown.
    """
    district = pl.col("district_code") if "district_code" in borrowers.collect_schema().names() else None
    return borrowers.select("borrower_id", region_code=region_on(pl.col("region_code"), as_of, district))


def name_regions() -> dict[str, str]:
    """Name the regions in Korean, by code, ended codes included.

    >>> name_regions()["26"]
    '부산'
    """
    return {code: row.words_ko for code, row in list_regions().items()}


def is_inside_capital(region: pl.Expr) -> pl.Expr:
    """Say whether a region lies inside the capital region; an unknown region counts as inside (house plan, guidance)."""
    return region.is_in([code for code, row in list_regions().items() if row.is_capital]).fill_null(value=True)
