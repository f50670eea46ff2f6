"""The offices that work cases: which regions each covers, and how many it can take a week."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl

from signals.codes.dated import walk_code
from signals.codes.regions import list_regions, region_on
from signals.errors import SettingsError
from signals.products import FLAGGED

SHIPPED = Path(__file__).parent / "offices.toml"


@dataclass(frozen=True)
class Office:
    """One office; the one without regions is the catch-all and takes the unknown."""

    id: str
    name_ko: str
    name_en: str
    regions: tuple[str, ...]
    weekly_capacity: int
    contact: str


def load_offices(home: Path) -> tuple[Office, ...]:
    """Load HOME's offices.toml, or the shipped example; raises `SettingsError` where it can't be used."""
    file = home / "offices.toml" if (home / "offices.toml").exists() else SHIPPED
    try:
        offices = tuple(
            Office(**{**row, "regions": tuple(row["regions"])}) for row in tomllib.loads(file.read_text(encoding="utf-8"))["office"]
        )
        offices = tuple(_refuse_wrong_types(office) for office in offices)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SettingsError(
            f"can't read the offices ({error})", str(file), "nobody would get a list", "mend the file; signals/offices.toml is the example"
        ) from error
    if sum(not office.regions for office in offices) != 1:
        raise SettingsError(
            "exactly one office must have no regions", str(file), "a borrower of an unknown region would get lost", "name one catch-all"
        )
    codes = [code for office in offices for code in office.regions]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise SettingsError(
            f"region {', '.join(twice)} is covered twice", str(file), "two offices would call one owner", "name each region once"
        )
    return offices


def _refuse_wrong_types(office: Office) -> Office:
    if not isinstance(office.weekly_capacity, int) or not all(isinstance(code, str) for code in office.regions):
        raise TypeError(f"{office.id}: weekly_capacity is a whole number, regions are texts")
    return office


def hash_offices(offices: tuple[Office, ...]) -> str:
    """What the offices say, in one hash."""
    return sha256(repr(offices).encode()).hexdigest()[:32]


def place_borrowers(borrowers: pl.DataFrame, offices: tuple[Office, ...], as_of: date) -> pl.DataFrame:
    """Say which office works each borrower: one row per borrower_id, with `office`; an unknown region goes to the catch-all.

    `borrowers`: borrower_id, region_code as reported, and district_code where there is one. The region as it reads on `as_of`
    decides, so that a register which still says an outdated code finds the office of its successor. Where no office names
    today's code, the one that names the code as reported works the borrower, else the only one whose codes became today's.

    >>> offices = (Office("gangwon", "강원", "Gangwon", ("51",), 1, ""), Office("rest", "본부", "Head office", (), 1, ""))
    >>> place_borrowers(pl.DataFrame({"borrower_id": ["a"], "region_code": ["42"]}), offices, date(2026, 9, 30)).row(0)
    ('a', 'gangwon')
    """
    by_code = {code: office.id for office in offices for code in office.regions}
    rest = next(office.id for office in offices if not office.regions)
    district = pl.col("district_code") if "district_code" in borrowers.columns else None
    today = region_on(pl.col("region_code"), as_of, district)
    found = (
        today.replace_strict(by_code, default=None, return_dtype=pl.String),
        pl.col("region_code").replace_strict(by_code, default=None, return_dtype=pl.String),
        today.replace_strict(_find_heirs(by_code, as_of), default=None, return_dtype=pl.String),
    )
    return borrowers.select("borrower_id", office=pl.coalesce(*found, pl.lit(rest)))


def _find_heirs(by_code: dict[str, str], as_of: date) -> dict[str, str]:
    """Find, for each code in force, the only office whose codes read so on a day."""
    heirs: dict[str, set[str]] = {}
    for code, office in by_code.items():
        if way := walk_code(code, list_regions(), as_of):
            heirs.setdefault(way[-1].code, set()).add(office)
    return {code: next(iter(offices)) for code, offices in heirs.items() if len(offices) == 1}


def list_cases(scores: pl.DataFrame, open_cases: pl.DataFrame, offices: tuple[Office, ...]) -> pl.Series:
    """Say who is on tonight's list: the flagged with an open case, and as many more as each office has room for.

    `scores`: borrower_id, office, rank, level, owner_state, one row per borrower, in the order of the result. An office's room is its
    weekly capacity less its open cases; capacity cuts the list, never the level. Within it the order is need, but half of
    the room is kept for those whose crisis can still be prevented (alert and caution, the shop not closed, no adjustment
    running), as long as there are any: else the distressed alone would fill every list, and nobody would be warned early
    (decision 0009).
    """
    taken = dict(open_cases.group_by("office").len().iter_rows())
    room = {office.id: max(0, office.weekly_capacity - taken.get(office.id, 0)) for office in offices}
    is_flagged = pl.col("level").is_in(FLAGGED)
    is_early = pl.col("level").is_in(["caution", "alert"]) & ~pl.col("owner_state").is_in(["closed", "in_adjustment"])
    is_open = pl.col("borrower_id").is_in(open_cases["borrower_id"].to_list())
    marked = scores.with_columns(
        waits=is_flagged & ~is_open,
        is_early=is_early,
        room=pl.col("office").replace_strict(room, return_dtype=pl.Int64),
    )
    early, late = ((pl.col("waits") & part).sum().over("office") for part in (pl.col("is_early"), ~pl.col("is_early")))
    kept = pl.min_horizontal(early, pl.max_horizontal(pl.col("room") - pl.col("room") // 2, pl.col("room") - late))
    part = pl.when("is_early").then(kept).otherwise(pl.col("room") - kept)
    place = pl.when("waits").then("rank").rank("ordinal").over("office", "is_early")
    return marked.select(is_listed=(is_flagged & is_open) | (pl.col("waits") & (place <= part).fill_null(value=False))).to_series()
