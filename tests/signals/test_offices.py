"""Which office works whom, and that capacity cuts the list and nothing else."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from signals.errors import SettingsError
from signals.offices import Office, list_cases, load_offices, place_borrowers

OFFICES = (Office("seoul", "서울", "Seoul", ("11",), 2, ""), Office("rest", "본부", "Head office", (), 1, ""))


def test_a_borrower_of_an_unknown_region_goes_to_the_catch_all() -> None:
    borrowers = pl.DataFrame({"borrower_id": ["a", "b", "c"], "region_code": ["11", "99", None]})
    assert place_borrowers(borrowers, OFFICES, date(2026, 9, 30))["office"].to_list() == ["seoul", "rest", "rest"]


def placed(codes: dict[str, tuple[str, ...]], as_of: date, *places: tuple[str | None, str | None]) -> list[str]:
    offices = (*(Office(name, name, name, regions, 1, "") for name, regions in codes.items()), OFFICES[1])
    schema = {"borrower_id": pl.String, "region_code": pl.String, "district_code": pl.String}
    borrowers = pl.DataFrame([(str(row), *place) for row, place in enumerate(places)], schema=schema, orient="row")
    return place_borrowers(borrowers, offices, as_of)["office"].to_list()


BEFORE, AFTER = date(2026, 6, 30), date(2026, 7, 1)


def test_an_outdated_code_finds_the_office_of_its_successor_as_of_the_night() -> None:
    codes = {"gangwon": ("51",), "old": ("42",)}
    places = (("42", None), ("51", None))
    assert placed(codes, date(2023, 6, 10), *places) == ["old", "old"]
    assert placed(codes, date(2023, 6, 11), *places) == ["gangwon", "gangwon"]


def test_an_office_that_names_an_outdated_code_keeps_its_people() -> None:
    assert placed({"gangwon": ("42",)}, AFTER, ("42", None), ("51", None)) == ["gangwon", "gangwon"]


def test_of_two_offices_whose_regions_merged_each_keeps_those_who_still_say_so_and_the_new_code_waits_for_the_file() -> None:
    apart, merged = {"gwangju": ("29",), "jeonnam": ("46",)}, {"gwangju": ("29",), "honam": ("12", "46")}
    places = (("29", None), ("46", None), ("12", None))
    assert placed(apart, BEFORE, *places) == ["gwangju", "jeonnam", "rest"]
    assert placed(apart, AFTER, *places) == ["gwangju", "jeonnam", "rest"]
    assert placed(merged, AFTER, *places) == ["honam"] * 3


def test_a_district_that_moved_goes_to_the_office_of_its_new_region() -> None:
    codes = {"daegu": ("27",), "gyeongbuk": ("47",)}
    assert placed(codes, date(2023, 6, 30), ("47", "47720"), ("47", "47130")) == ["gyeongbuk", "gyeongbuk"]
    assert placed(codes, date(2023, 7, 1), ("47", "47720"), ("47", "47130")) == ["daegu", "gyeongbuk"]


def listed(levels: list[str], open_cases: list[str], capacity: int = 2, states: list[str] | None = None) -> list[bool]:
    scores = pl.DataFrame(
        {
            "borrower_id": ["a", "b", "c", "d"],
            "office": "seoul",
            "rank": [4, 3, 2, 1],
            "level": levels,
            "owner_state": states or ["watch"] * 4,
        }
    )
    cases = pl.DataFrame(
        {"borrower_id": open_cases, "office": ["seoul"] * len(open_cases)}, schema={"borrower_id": pl.String, "office": pl.String}
    )
    return list_cases(scores, cases, (Office("seoul", "서울", "Seoul", ("11",), capacity, ""), OFFICES[1])).to_list()


ALERT = ["alert"] * 4


@pytest.mark.parametrize(
    ("levels", "open_cases", "result"),
    [
        (ALERT, [], [False, False, True, True]),
        (ALERT, ["a"], [True, False, False, True]),
        (ALERT, ["a", "b"], [True, True, False, False]),
        (ALERT, ["a", "b", "c"], [True, True, True, False]),
        (["watch", "caution", "none", "watch"], ["a"], [False, True, False, False]),
        (["none", "watch", "none", "watch"], [], [False] * 4),
    ],
)
def test_a_list_is_the_open_cases_and_by_need_as_many_more_as_there_is_room(
    levels: list[str], open_cases: list[str], result: list[bool]
) -> None:
    assert listed(levels, open_cases) == result


@pytest.mark.parametrize(
    ("levels", "capacity", "result"),
    [
        (["alert", "alert", "distressed", "distressed"], 2, [False, True, False, True]),
        (["alert", "alert", "distressed", "distressed"], 3, [True, True, False, True]),
        (["caution", "distressed", "distressed", "distressed"], 3, [True, False, True, True]),
        (["none", "distressed", "distressed", "distressed"], 2, [False, False, True, True]),
        (["alert", "alert", "alert", "distressed"], 4, [True] * 4),
    ],
)
def test_half_of_the_room_is_kept_for_those_whose_crisis_can_still_be_prevented(
    levels: list[str], capacity: int, result: list[bool]
) -> None:
    assert listed(levels, [], capacity) == result


def test_an_alert_whose_shop_is_closed_takes_no_kept_room() -> None:
    levels = ["alert", "alert", "distressed", "distressed"]
    assert listed(levels, [], 2, ["watch", "closed", "arrears_90", "arrears_90"]) == [True, False, False, True]


def test_the_shipped_offices_cover_each_region_once_and_have_one_catch_all(tmp_path: Path) -> None:
    offices = load_offices(tmp_path)
    assert sum(not office.regions for office in offices) == 1
    assert {"11", "26", "36", "42", "45", "50", "51", "52"} <= {code for office in offices for code in office.regions}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[office]\n", "can't read the offices"),
        ('[[office]]\nid="a"\nname_ko="a"\nname_en="a"\nregions=["11"]\nweekly_capacity=1\ncontact=""\n', "exactly one office"),
    ],
)
def test_offices_that_cannot_be_used_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "offices.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        load_offices(tmp_path)
