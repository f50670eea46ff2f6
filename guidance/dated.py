"""The dated lists that facts lean on: regions with their successors, industries that programmes leave out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

HERE = Path(__file__).parent
FILES = (HERE / "industries.toml", HERE / "regions.toml")


@cache
def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def hash_dated_lists() -> str:
    """What the dated lists say, in one hash; part of what a night's catalogue hash stands for."""
    return sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()


def left_out(industry: pl.Expr, name: str, as_of: date) -> pl.Expr:
    """Say whether an industry code falls under a list of `industries.toml`.

    True when the code lies at or below an entry in force; null when the code is unknown, or coarser than an entry so that
    only part of it falls under the list; false otherwise.

    >>> codes = pl.DataFrame({"industry_code": ["I56211", "I56", "I56111", None]})
    >>> codes.select(left_out(pl.col("industry_code"), "policy_funds", date(2026, 9, 30))).to_series().to_list()
    [True, None, False, None]
    """
    lists: dict[str, Sequence[Mapping[str, Any]]] = {row["name"]: row["entries"] for row in _read(FILES[0])["list"]}
    codes = [row["code"] for row in lists[name] if _in_force(row, as_of)]
    is_left_out = pl.any_horizontal([pl.lit(False), *(industry.str.starts_with(code) for code in codes)])
    is_coarser = pl.any_horizontal([pl.lit(False), *(pl.lit(code).str.starts_with(industry) for code in codes)])
    return pl.when(is_left_out).then(True).when(is_coarser | industry.is_null()).then(None).otherwise(False)


def region_today(region: pl.Expr, as_of: date) -> pl.Expr:
    """Give a region code as it reads on `as_of`: an outdated code becomes its successor, an unlisted one null.

    >>> pl.DataFrame({"region_code": ["42", "99"]}).select(region_today(pl.col("region_code"), date(2026, 1, 1))).to_series().to_list()
    ['51', None]
    """
    rows = {row["code"]: row for row in _read(FILES[1])["region"]}
    today = {code: code if _in_force(row, as_of) else str(row["successor"]) for code, row in rows.items()}
    return region.replace_strict(today, default=None, return_dtype=pl.String)


def name_regions() -> dict[str, str]:
    """Name the regions in Korean, by code, outdated codes included.

    >>> name_regions()["26"]
    '부산'
    """
    return {row["code"]: row["words"] for row in _read(FILES[1])["region"]}


def is_inside_capital(region: pl.Expr) -> pl.Expr:
    """Say whether a region lies inside the capital region; an unknown region counts as inside (house plan, guidance)."""
    codes = [row["code"] for row in _read(FILES[1])["region"] if row["is_capital"]]
    return region.is_in(codes).fill_null(value=True)


def _in_force(row: Mapping[str, Any], as_of: date) -> bool:
    return bool(row.get("from_on", as_of) <= as_of <= row.get("until_on", as_of))
