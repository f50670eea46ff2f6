"""Codes change: what a code of one day reads as on another, what no list knows, and how small a small business is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.codes.dated import HERE, hash_dated_lists, index_codes, read_list, walk_code
from signals.codes.industries import is_small_business, left_out, list_sections, section_of, with_section
from signals.codes.pages import describe_codes
from signals.codes.regions import district_on, is_inside_capital, list_districts, list_kostat_only, list_regions, read_places, region_on
from signals.codes.unknown import count_unknown_codes
from signals.errors import SettingsError
from signals.simulate.people import REGION_CODES
from signals.simulate.places import DISTRICTS
from signals.simulate.rates import INDUSTRIES

AS_OF = date(2026, 9, 30)
Reader = Callable[..., pl.Expr]


def read(reader: Reader, code: str | None, *said: Any) -> Any:
    return pl.DataFrame({"code": [code]}, schema={"code": pl.String}).select(reader(pl.col("code"), *said)).item()


@pytest.mark.parametrize(
    ("code", "first", "before", "after"),
    [
        ("42", date(2023, 6, 11), "42", "51"),
        ("51", date(2023, 6, 11), "42", "51"),
        ("45", date(2024, 1, 18), "45", "52"),
        ("52", date(2024, 1, 18), "45", "52"),
        ("29", date(2026, 7, 1), "29", "12"),
        ("46", date(2026, 7, 1), "46", "12"),
        ("12", date(2026, 7, 1), None, "12"),  # it came after two: which one it was is not known
        ("11", date(2026, 7, 1), "11", "11"),
    ],
)
def test_a_region_reads_differently_from_the_day_its_code_changed(code: str, first: date, before: str | None, after: str) -> None:
    assert (read(region_on, code, first - timedelta(days=1)), read(region_on, code, first)) == (before, after)


@pytest.mark.parametrize(
    ("code", "first", "before", "after"),
    [
        ("47720", date(2023, 7, 1), "47720", "27720"),
        ("27720", date(2023, 7, 1), "47720", "27720"),
        ("47730", date(2023, 7, 1), "47730", "47730"),
        ("42110", date(2023, 6, 11), "42110", "51110"),
        ("51110", date(2023, 6, 11), "42110", "51110"),
        ("45111", date(2024, 1, 18), "45111", "52111"),
        ("29110", date(2026, 7, 1), "29110", None),
        ("46150", date(2026, 7, 1), "46150", None),
        ("12100", date(2026, 7, 1), None, "12100"),
    ],
)
def test_a_district_follows_its_region_where_that_is_known(code: str, first: date, before: str | None, after: str | None) -> None:
    assert (read(district_on, code, first - timedelta(days=1)), read(district_on, code, first)) == (before, after)


@pytest.mark.parametrize(
    "code", ["21", "22", "23", "24", "25", "32", "33", "34", "35", "37", "38", "39", "99", "1", "", "011", "서울", None]
)
def test_a_code_that_is_not_ours_is_unknown_and_the_statistics_offices_own_are_not(code: str | None) -> None:
    assert read(region_on, code, AS_OF) is None
    assert read(district_on, None if code is None else f"{code}010", AS_OF) is None


@pytest.mark.parametrize("code", ["1111", "111100", "11 10", "1111O", "１１１１０", None])
def test_a_district_has_five_digits(code: str | None) -> None:
    assert read(district_on, code, AS_OF) is None


def test_no_code_is_both_ours_and_the_statistics_offices_alone() -> None:
    assert not set(list_regions()) & set(list_kostat_only())


@pytest.mark.parametrize(
    ("region", "district", "today"),
    [
        ("47", "47720", "27"),
        ("27", "47720", "27"),
        ("47", "27720", "27"),
        ("47", "47130", "47"),
        ("47", None, "47"),
        (None, "26110", "26"),
        ("99", "26110", "26"),
        ("11", "26110", "11"),
        ("29", "29110", "12"),
        (None, None, None),
    ],
)
def test_a_district_that_moved_decides_its_region_and_one_that_did_not_only_fills_in(
    region: str | None, district: str | None, today: str | None
) -> None:
    codes = {"borrower_id": pl.String, "region_code": pl.String, "district_code": pl.String}
    places = read_places(pl.LazyFrame([("a", region, district)], schema=codes, orient="row"), AS_OF).collect()
    assert places.rows() == [("a", today)]


def test_a_book_without_districts_has_places_all_the_same() -> None:
    assert read_places(pl.LazyFrame({"borrower_id": ["a"], "region_code": ["42"]}), AS_OF).collect().rows() == [("a", "51")]


def test_only_three_regions_are_inside_and_the_unknown_counts_with_them() -> None:
    inside = [code for code in list_regions() if read(is_inside_capital, code)]
    assert sorted(inside) == ["11", "28", "41"]
    assert read(is_inside_capital, None) is True


def row(code: str, **said: Any) -> dict[str, Any]:
    return {"code": code, "words_ko": "곳", "words_en": "place", "mark": "M", "source": "a test", **said}


DAYS = [date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)]
CHAIN = [
    row("a", until_on=DAYS[0] - timedelta(days=1), successor="b"),
    row("b", from_on=DAYS[0], until_on=DAYS[1] - timedelta(days=1), successor="c"),
    row("c", from_on=DAYS[1]),
]


@pytest.mark.parametrize("code", ["a", "b", "c"])
@pytest.mark.parametrize(("as_of", "reads"), [(DAYS[0] - timedelta(days=1), "a"), (DAYS[0], "b"), (DAYS[1], "c"), (DAYS[2], "c")])
def test_a_chain_of_successors_is_followed_to_the_day_and_back(code: str, as_of: date, reads: str) -> None:
    assert walk_code(code, index_codes(CHAIN, "a test"), as_of)[-1].code == reads


def test_between_an_end_and_a_beginning_a_code_says_nothing() -> None:
    codes = index_codes([row("a", until_on=DAYS[0], successor="b"), row("b", from_on=DAYS[1]), row("gone", until_on=DAYS[0])], "a test")
    assert [walk_code(code, codes, DAYS[0] + timedelta(days=1)) for code in codes] == [(), (), ()]
    assert [bool(walk_code(code, codes, DAYS[1])) for code in codes] == [True, True, False]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("a"), row("a")], "a code stands twice"),
        ([row("a", until_on=DAYS[0], successor="b")], "not listed"),
        ([row("a", successor="b"), row("b")], "no last day"),
        ([row("a", from_on=DAYS[1], until_on=DAYS[0])], "ends before it begins"),
        ([row("a", until_on=DAYS[1], successor="b"), row("b", from_on=DAYS[1])], "begins before a has ended"),
        ([row("a", until_on=DAYS[0], successor="a")], "lead back to it"),
        ([row("a", until_on=DAYS[0], successor="b"), row("b", until_on=DAYS[1], successor="a")], "lead back to it"),
    ],
)
def test_rows_whose_successors_cannot_be_followed_are_refused(rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        index_codes(rows, "a test")


SOME_DAY = st.dates(date(2020, 1, 1), date(2030, 1, 1))
SOME_REGION = st.sampled_from([*list_regions(), *list_kostat_only(), "99"])
SOME_DISTRICT = st.one_of(
    st.sampled_from([*list_districts(), *(code for codes in DISTRICTS.values() for code in codes)]),
    st.from_regex(r"[0-9]{5}", fullmatch=True),
)


@given(SOME_REGION, SOME_DAY)
def test_reading_a_region_twice_changes_nothing_and_gives_only_what_is_in_force(code: str, as_of: date) -> None:
    once = read(region_on, code, as_of)
    assert read(region_on, once, as_of) == once
    assert once is None or list_regions()[once].is_in_force(as_of)


@given(SOME_DISTRICT, SOME_DAY)
def test_reading_a_district_twice_changes_nothing_and_gives_only_what_is_in_force(code: str, as_of: date) -> None:
    once = read(district_on, code, as_of)
    assert read(district_on, once, as_of) == once
    assert once is None or list_regions()[once[:2]].is_in_force(as_of)
    assert once not in list_districts() or list_districts()[once].is_in_force(as_of)


@given(SOME_REGION, SOME_DAY, SOME_DAY)
def test_a_code_read_today_reads_tomorrow_as_if_it_had_been_read_then(code: str, one: date, other: date) -> None:
    first, later = sorted((one, other))
    assert read(region_on, code, first) is None or read(region_on, read(region_on, code, first), later) == read(region_on, code, later)


@pytest.mark.parametrize(
    ("code", "whole", "letter"),
    [
        ("I56111", "I56111", "I"),
        ("56111", "I56111", "I"),
        ("I56", "I56", "I"),
        ("56", "I56", "I"),
        ("i 56", None, None),
        (" i56111 ", "I56111", "I"),
        ("I", "I", "I"),
        ("01110", "A01110", "A"),
        ("03", "A03", "A"),
        ("04", None, None),
        ("C56111", None, None),
        ("V56", None, None),
        ("I5", None, None),
        ("5", None, None),
        ("I561111", None, None),
        ("561111", None, None),
        ("67", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_an_industry_code_comes_with_or_without_its_letter(code: str | None, whole: str | None, letter: str | None) -> None:
    assert (read(with_section, code, AS_OF), read(section_of, code, AS_OF)) == (whole, letter)


@given(st.text(st.sampled_from("ABIU0123456789 "), max_size=7), SOME_DAY)
def test_writing_a_letter_first_twice_changes_nothing(code: str, as_of: date) -> None:
    once = read(with_section, code, as_of)
    assert read(with_section, once, as_of) == once


def test_each_day_has_one_revision_with_its_21_sections_and_no_division_in_two() -> None:
    for day in (date(2024, 6, 30), date(2024, 7, 1)):
        divisions = [division for section in list_sections(day).values() for division in section]
        assert "".join(list_sections(day)) == "ABCDEFGHIJKLMNOPQRSTU"
        assert len(divisions) == len(set(divisions)) == 77


def test_a_bare_code_is_left_out_like_one_with_its_letter_and_an_unknown_one_is_a_question() -> None:
    read_out = [read(left_out, code, "new_start_fund", AS_OF) for code in ("68112", "L68112", "L", "Q87", "X99")]
    assert read_out == [True, True, None, False, None]


OLD, NEW = date(2025, 8, 31), date(2025, 9, 1)
BILLION = 1_000_000_000


@pytest.mark.parametrize(
    ("industry", "employees", "sales", "as_of", "is_small"),
    [
        ("I56111", 4, BILLION, OLD, True),
        ("56111", 4, BILLION, OLD, True),
        ("I56111", 5, 1, OLD, False),
        ("I56111", 4, BILLION + 1, OLD, False),
        ("I56111", 4, BILLION + 1, NEW, None),  # 1.5 billion from September 2025 is not confirmed
        ("I56111", 4, BILLION, NEW, True),
        ("I56111", 4, 1_500_000_001, NEW, False),
        ("G47", 4, 5 * BILLION, OLD, True),
        ("G47", 4, 5 * BILLION + 1, OLD, False),
        ("G47", 4, 5 * BILLION + 1, NEW, None),
        ("F41", 9, 8 * BILLION, NEW, True),
        ("H49", 10, 1, NEW, False),
        ("B05", 9, 1, NEW, True),
        ("C10", 9, 2 * BILLION, OLD, None),
        ("C10", 9, 12 * BILLION + 1, OLD, False),
        ("C10", 9, 12 * BILLION + 1, NEW, None),
        ("C10", 9, 14 * BILLION + 1, NEW, False),
        ("P85", 4, -1, NEW, True),
        (None, 4, BILLION, OLD, True),
        (None, 5, 1, OLD, None),
        (None, 10, None, OLD, False),
        ("X1", 9, 1, OLD, None),
        ("I56", None, 1, OLD, None),
        ("I56", 4, None, OLD, None),
        ("I56", None, 2 * BILLION, OLD, False),
    ],
)
def test_a_small_business_has_few_workers_and_modest_sales(
    industry: str | None, employees: int | None, sales: int | None, as_of: date, is_small: bool | None
) -> None:
    schema = {"industry": pl.String, "employees": pl.Int64, "sales": pl.Int64}
    shop = pl.DataFrame([(industry, employees, sales)], schema=schema, orient="row")
    assert shop.select(is_small_business(*(pl.col(name) for name in schema), as_of)).item() is is_small


@given(st.sampled_from([None, *"ABCDEFGHIJKLMNOPQRSTU"]), st.integers(0, 15), st.integers(0, 20 * BILLION), SOME_DAY)
def test_fewer_workers_or_smaller_sales_never_make_a_small_business_large(
    industry: str | None, workers: int, sales: int, day: date
) -> None:
    schema = {"industry": pl.String, "employees": pl.Int64, "sales": pl.Int64}
    shops = [(industry, workers, sales), (industry, workers // 2, sales), (industry, workers, sales // 2), (industry, None, None)]
    frame = pl.DataFrame(shops, schema=schema, orient="row").select(is_small_business(*(pl.col(name) for name in schema), day))
    worth = {False: 0, None: 1, True: 2}
    whole, *smaller, unknown = (worth[answer] for answer in frame.to_series())
    assert min(smaller) >= whole
    assert unknown == 1


@pytest.mark.parametrize("name", ["workers", "cap"])
@pytest.mark.parametrize("as_of", [OLD, NEW, AS_OF])
def test_each_section_has_one_limit_on_each_day(name: str, as_of: date) -> None:
    rows = [one for one in read_list("sizes")[name] if one.get("from_on", as_of) <= as_of <= one.get("until_on", as_of)]
    assert sorted(section for one in rows for section in one["sections"]) == list("ABCDEFGHIJKLMNOPQRSTU")


def test_a_cap_is_verified_just_where_it_is_one_number() -> None:
    assert all((cap["least_krw"] == cap["most_krw"]) == (cap["status"] == "verified") for cap in read_list("sizes")["cap"])
    assert all(cap["least_krw"] <= cap["most_krw"] for cap in read_list("sizes")["cap"])


def test_every_row_has_words_in_both_languages_a_source_and_a_mark() -> None:
    rows = [one for name in ("regions", "industries", "sizes") for part in read_list(name).values() for one in part]
    lists = read_list("excluded")["list"]
    assert len(rows) > len(list_regions()) + 21
    assert all(one["source"].startswith("FACTS §") and one["mark"] in {*"ABCDM"} for one in [*rows, *lists])
    assert all(one["words_ko"] and one["words_en"] for one in [*rows, *(entry for one in lists for entry in one["entries"])])


def test_every_excluded_code_is_a_code_and_its_list_says_that_it_is_not_confirmed() -> None:
    for one in read_list("excluded")["list"]:
        assert one["status"] == "unverified"
        assert all(read(with_section, entry["code"], AS_OF) == entry["code"] for entry in one["entries"])


@pytest.mark.parametrize("name", ["regions", "industries", "excluded", "sizes"])
def test_the_hash_changes_with_any_list(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_dated_lists()
    monkeypatch.setattr("signals.codes.dated.HERE", shutil.copytree(HERE, tmp_path / "codes"))
    assert hash_dated_lists() == before
    file = tmp_path / "codes" / f"{name}.toml"
    file.write_text(file.read_text(encoding="utf-8") + "# another line\n", encoding="utf-8")
    assert hash_dated_lists() != before


def test_the_page_shows_every_code() -> None:
    page = describe_codes()
    assert all(f"| {code} |" in page for code in [*list_regions(), *list_districts(), *list_kostat_only()])


def test_what_no_list_can_read_is_counted_by_table_and_column_and_no_code_at_all_is_not() -> None:
    borrowers = pl.LazyFrame(
        {
            "region_code": ["21", "99", "42", None, "12"],
            "district_code": ["21010", "29110", "47720", None, "111"],
            "industry_code": ["56", "I56", "Z", None, "525101"],
        }
    )
    status = pl.LazyFrame({"region_code": ["00", "11", "77"]})
    counted = count_unknown_codes({"borrowers": borrowers, "programme_status": status, "loans": pl.LazyFrame()}, AS_OF)
    assert counted.rows() == [
        ("borrowers", "region_code", 2, 1, 0),
        ("borrowers", "district_code", 2, 1, 1),
        ("borrowers", "industry_code", 2, 0, 0),
        ("programme_status", "region_code", 1, 0, 0),
    ]


def test_where_all_codes_are_known_nothing_is_counted() -> None:
    borrowers = pl.LazyFrame({"region_code": ["42", None], "industry_code": [None, "I56"]})
    counted = count_unknown_codes({"borrowers": borrowers, "businesses": pl.LazyFrame({"business_id": ["x"]})}, AS_OF)
    assert counted.columns == ["table", "column", "unknown", "kostat", "unreadable"]
    assert counted.is_empty()


def test_the_made_up_town_lies_in_regions_and_trades_that_the_lists_know() -> None:
    day = date(2026, 6, 30)
    assert all(read(region_on, code, day) == code for code in REGION_CODES)
    assert all(read(district_on, code, day) == code for codes in DISTRICTS.values() for code in codes)
    assert all(read(with_section, kind.code, day) == kind.code for kind in INDUSTRIES)
