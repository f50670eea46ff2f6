"""Trade and region of a shop as small numbers, the codes of all revisions and merged regions brought to those of as_of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from features.reading import Reading
from signals.codes.dated import walk_code
from signals.codes.industries import list_divisions
from signals.codes.regions import list_districts, list_today


def place_shops(rows: nw.LazyFrame[Any], reading: Reading) -> nw.LazyFrame[Any]:
    """Add `division` (two digits of the industry) and `region` (two digits of the administrative region); null: unknown.

    A region reads as `signals.codes.regions.region_on` reads it; where only the district is known, by its first digits.
    """
    today, region, district = list_today(reading.as_of), nw.col("region_code"), nw.col("district_code")
    moved = {code: way[-1].code[:2] for code in list_districts() if (way := walk_code(code, list_districts(), reading.as_of))}
    places = _read_number(district, moved), _read_number(region, today), _read_number(district.str.slice(0, 2), today)
    return rows.with_columns(division=_read_division(reading), region=nw.coalesce(*places))


def _read_division(reading: Reading) -> nw.Expr:
    code, heads = nw.col("industry_code").str.strip_chars().str.to_uppercase(), list_divisions(reading.as_of)
    numbers = {head: division[1:] for head, division in heads.items()}
    return nw.coalesce(*(_read_number(code.str.slice(0, width), _of_length(numbers, width)) for width in (3, 2)))


def _of_length(numbers: Mapping[str, str], length: int) -> dict[str, str]:
    return {code: number for code, number in numbers.items() if len(code) == length}


def _read_number(code: nw.Expr, numbers: Mapping[str, str]) -> nw.Expr:
    # the engines share no look-up in a dictionary: what stays is cast, the few that changed are named, number by number
    last = nw.when(code.is_in([one for one, number in numbers.items() if one.endswith(number)])).then(code.str.slice(-2))
    changed: dict[str, list[str]] = {}
    for one, number in numbers.items():
        if not one.endswith(number):
            changed.setdefault(number, []).append(one)
    named = (nw.when(code.is_in(codes)).then(nw.lit(int(number), nw.Int32)) for number, codes in changed.items())
    return nw.coalesce(last.cast(nw.Int32), *named)
