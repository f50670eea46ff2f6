"""Trade and region as numbers, on the days before and after codes changed."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features.places import place_shops
from features.reading import Reading
from signals.codes.regions import list_districts, list_regions, region_on


def place(shops: list[dict[str, str | None]], as_of: date) -> pl.DataFrame:
    schema = {"region_code": pl.String, "district_code": pl.String, "industry_code": pl.String}
    rows = pl.LazyFrame([{name: shop.get(name) for name in schema} for shop in shops], schema=schema)
    placed: pl.LazyFrame = place_shops(nw.from_native(rows), Reading({}, as_of)).to_native()
    return placed.collect()


@pytest.mark.parametrize("as_of", [date(2022, 1, 1), date(2023, 7, 1), date(2026, 9, 30)])
def test_a_region_reads_as_everywhere_else_in_the_house(as_of: date) -> None:
    places = [(region, district) for region in (*list_regions(), "21", None) for district in (None, *list_districts(), "11110")]
    placed = place([{"region_code": region, "district_code": district} for region, district in places], as_of)
    read = placed.select(region_on(pl.col("region_code"), as_of, pl.col("district_code")).cast(pl.Int32)).to_series()
    assert placed["region"].to_list() == read.to_list()


def test_a_trade_is_its_division_however_it_is_written() -> None:
    codes = ["I56111", "56111", " i56 ", "I", "C56111", "43", "525101", None]
    placed = place([{"industry_code": code} for code in codes], date(2026, 9, 30))
    assert placed["division"].to_list() == [56, 56, 56, None, None, None, 52, None]
