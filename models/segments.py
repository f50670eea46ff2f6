"""Who the borrowers of a trial are: by region, industry, size and age of the shop; and how each kind is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from models.recipe import Recipe
from models.trial import CONTENDERS, measure_contenders
from signals.codes.industries import is_small_in, section_of
from signals.codes.regions import is_inside_capital, region_on
from signals.offices import Office, place_borrowers

UNKNOWN = "unknown"
SEGMENTS = ("capital", "region", "industry", "size", "employees", "age")
YEAR_DAYS = 365.25
_REGISTER = {
    "region_code": pl.String, "district_code": pl.String, "industry_code": pl.String,
    "employees": pl.Int64, "annual_sales_krw": pl.Int64, "opened_on": pl.Date, "owner_birth_year": pl.Int64, "owner_sex": pl.String,
}  # fmt: skip


def join_segments(
    tried: pl.DataFrame, known: Mapping[str, pl.LazyFrame], origin: date, offices: Sequence[Office] | None = None
) -> pl.DataFrame:
    """Put beside each row of a trial at one origin (or of a night) who it is about, as known then.

    Adds office and places (its weekly capacity) where offices are given, and the segments: capital (inside, outside), region
    (code), industry (section of the classification), size (small or not, by `signals/codes/sizes.toml`), employees, age and
    owner_age (bands) and owner_sex (these two for the fairness report alone). What is not known is `unknown`, also of a borrower
    whom the register does not name. A shop is as old as its register says, else as its oldest business.
    """
    people = tried.join(_read_register(known), on="borrower_id", how="left", maintain_order="left")
    segments = people.select("borrower_id", **_name_segments(origin))
    named = tried.join(segments, on="borrower_id", maintain_order="left")
    if offices is None:
        return named
    placed = place_borrowers(people, tuple(offices), origin)
    capacity = {office.id: office.weekly_capacity for office in offices}
    places = pl.col("office").replace_strict(capacity, return_dtype=pl.Int64)
    return named.join(placed.with_columns(places=places), on="borrower_id", maintain_order="left")


def _read_register(known: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    register = known["borrowers"]
    names = register.collect_schema().names()
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in _REGISTER.items() if name not in names]
    people = register.with_columns(absent).select("borrower_id", *_REGISTER).unique("borrower_id").collect()
    if "businesses" not in known or "opened_on" not in known["businesses"].collect_schema().names():
        return people
    oldest = known["businesses"].group_by("borrower_id").agg(oldest_on=pl.col("opened_on").min()).collect()
    joined = people.join(oldest, on="borrower_id", how="left", maintain_order="left")
    return joined.with_columns(opened_on=pl.coalesce("opened_on", "oldest_on")).drop("oldest_on")


def _name_segments(origin: date) -> dict[str, pl.Expr]:
    region = region_on(pl.col("region_code"), origin, pl.col("district_code"))
    section = section_of(pl.col("industry_code"), origin)
    is_small = is_small_in(section, pl.col("employees"), pl.col("annual_sales_krw"), origin)
    years = (pl.lit(origin) - pl.col("opened_on")).dt.total_days() / YEAR_DAYS
    named = {
        "capital": pl.when(region.is_not_null()).then(
            pl.when(is_inside_capital(region)).then(pl.lit("inside")).otherwise(pl.lit("outside"))
        ),
        "region": region,
        "industry": section,
        "size": pl.when(is_small).then(pl.lit("small")).when(~is_small).then(pl.lit("larger")),
        "employees": _name_band(pl.col("employees"), (0, 1, 5, 10), ("0", "1-4", "5-9", "10+")),
        "owner_age": _name_band(
            pl.lit(origin.year) - pl.col("owner_birth_year"), (0, 30, 40, 50, 60), ("-29", "30-39", "40-49", "50-59", "60+")
        ),
        "owner_sex": pl.col("owner_sex"),
        "age": _name_band(years, (0, 1, 3, 7), ("under 1 year", "1-3 years", "3-7 years", "7+ years")),
    }
    return {name: segment.fill_null(UNKNOWN) for name, segment in named.items()}


def _name_band(value: pl.Expr, from_on: Sequence[float], names: Sequence[str]) -> pl.Expr:
    """The last band that begins at or below the value; null below the first."""
    band = pl.lit(None, dtype=pl.String)
    for bound, name in zip(from_on, names, strict=True):
        band = pl.when(value >= bound).then(pl.lit(name)).otherwise(band)
    return band


def measure_segments(tried: pl.DataFrame, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Measure the model in each segment, and the AUC of each baseline there: per kind of segment and its name, sorted.

    A kind that is unknown of everyone is left empty. The figures are those of a trial, within the segment.
    """
    told: dict[str, dict[str, Any]] = {}
    for kind in SEGMENTS:
        names = tried[kind].unique().sort().to_list()
        told[kind] = {name: _measure_segment(tried.filter(pl.col(kind) == name), recipe) for name in names if names != [UNKNOWN]}
    return told


def _measure_segment(rows: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    rows = rows.drop("office", "places")  # an office's list is not cut by segment
    told = measure_contenders(rows, CONTENDERS[:1], recipe)[0]["model"]
    bare, _ = measure_contenders(rows, CONTENDERS[1:], recipe, is_ranking_only=True, has_intervals=False)
    kept = {name: figure for name, figure in told.items() if "_at_capacity" not in name}
    return kept | {"baselines": {name: {"auc": figures["auc"]} for name, figures in bare.items()}}
