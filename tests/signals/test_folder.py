"""What a source folder may hold, and what is refused with which words."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from signals.errors import InputError
from signals.sources import list_sources, read_sources
from signals.sources.folder import unknown_files
from tests.signals.reading import read_folder

DAY = date(2026, 3, 1)


def write_town(folder: Path, **changes: pl.DataFrame) -> Path:
    frames = {
        "borrowers": pl.DataFrame({"borrower_id": ["bakery"], "known_on": [DAY]}),
        "loans": pl.DataFrame(
            {
                "loan_id": ["L1"],
                "borrower_id": ["bakery"],
                "lender_id": ["bank"],
                "product": ["term"],
                "principal_krw": [10_000_000],
                "known_on": [DAY],
            }
        ),
        "repayments": pl.DataFrame(
            {"loan_id": ["L1"], "borrower_id": ["bakery"], "due_month": [DAY], "days_past_due": [41], "known_on": [DAY]}
        ),
    }
    folder.mkdir(exist_ok=True)
    for name, frame in (frames | changes).items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


def test_columns_that_are_absent_come_as_nulls_of_the_declared_type(tmp_path: Path) -> None:
    loans = read_folder(write_town(tmp_path))["loans"].collect()
    assert loans["matures_on"].to_list() == [None]
    assert loans.schema["matures_on"] == pl.Date


def test_each_row_says_which_file_and_line_it_came_from(tmp_path: Path) -> None:
    rows = read_folder(write_town(tmp_path))["repayments"].select("file", "line").collect()
    assert rows.rows() == [("repayments.parquet", 1)]


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    write_town(tmp_path)
    (tmp_path / "sales").mkdir()
    for part in ("a", "b"):
        pl.DataFrame({"borrower_id": [part], "sales_month": [DAY], "card_sales_krw": [5], "known_on": [DAY]}).write_parquet(
            tmp_path / "sales" / f"{part}.parquet"
        )
    assert read_folder(tmp_path)["sales"].select("borrower_id", "file", "line").collect().rows() == [
        ("a", "sales/a.parquet", 1),
        ("b", "sales/b.parquet", 1),
    ]


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int16, pl.Int32, pl.UInt32, pl.UInt64])
def test_whole_numbers_of_any_width_are_read(tmp_path: Path, kind: pl.DataType) -> None:
    narrow = pl.DataFrame(
        {"loan_id": ["L1"], "borrower_id": ["b"], "due_month": [DAY], "days_past_due": pl.Series([41], dtype=kind), "known_on": [DAY]}
    )
    assert read_folder(write_town(tmp_path, repayments=narrow))["repayments"].collect()["days_past_due"].to_list() == [41]


def loan(**columns: object) -> pl.DataFrame:
    row = {"loan_id": "L1", "borrower_id": "bakery", "lender_id": "bank", "product": "term", "principal_krw": 1, "known_on": DAY}
    return pl.DataFrame([{name: value for name, value in (row | columns).items() if value is not None}])


@pytest.mark.parametrize(
    ("loans", "words"),
    [
        (loan(colour="red"), "unknown column 'colour'"),
        (loan(principal_krw=None), "missing column 'principal_krw'"),
        (loan(principal_krw="a lot"), "wrong type in column 'principal_krw': String, expected Int64"),
        (loan(principal_krw=1.5), "wrong type in column 'principal_krw': Float64, expected Int64"),
        (loan(opened_on="2020-01-01"), "wrong type in column 'opened_on': String, expected Date"),
        (loan(guarantor_id="900101-1234567"), "column 'guarantor_id' holds what looks like resident registration numbers"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_that_names_it(tmp_path: Path, loans: pl.DataFrame, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_folder(write_town(tmp_path, loans=loans))
    text = str(refused.value)
    assert text.startswith(words)
    assert "loans.parquet" in text
    assert "why it matters:" in text
    assert "what to do:" in text
    assert "\n" not in text


def test_a_file_of_zero_bytes_is_an_error_and_a_file_of_zero_rows_is_not(tmp_path: Path) -> None:
    write_town(tmp_path, loans=loan().clear())
    assert read_folder(tmp_path)["loans"].collect().height == 0
    (tmp_path / "loans.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="zero bytes"):
        read_folder(tmp_path)


def test_a_mangled_file_is_an_error(tmp_path: Path) -> None:
    write_town(tmp_path)
    whole = (tmp_path / "loans.parquet").read_bytes()
    (tmp_path / "loans.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_folder(tmp_path)


def test_a_missing_required_table_is_named(tmp_path: Path) -> None:
    (write_town(tmp_path) / "repayments.parquet").unlink()
    with pytest.raises(InputError, match="missing required table repayments"):
        read_sources([str(tmp_path)])


def test_several_sources_are_read_together_and_told_apart(tmp_path: Path) -> None:
    write_town(tmp_path / "north")
    write_town(tmp_path / "south")
    tables = read_sources([str(tmp_path / "north"), str(tmp_path / "south")])
    assert sorted(tables["loans"].collect()["pulled_from"]) == ["north", "south"]
    assert [source.source_id for source in list_sources(["/x/drop", "/y/drop"])] == ["drop", "drop-2"]


def test_files_of_no_canonical_table_are_named(tmp_path: Path) -> None:
    write_town(tmp_path)
    loan().write_parquet(tmp_path / "notes.parquet")
    assert unknown_files(tmp_path) == ["notes.parquet"]


def resident_number(born: str) -> str:
    """A made-up number with the right check digit."""
    digits = f"{born}1{'23456'}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    return f"{digits}{(11 - total % 11) % 10}"


def test_bare_numbers_with_a_date_and_the_right_check_digit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="guarantor_id"):
        read_folder(write_town(tmp_path, loans=loan(guarantor_id=resident_number("900101"))))


def test_bare_numbers_with_a_wrong_check_digit_are_let_in(tmp_path: Path) -> None:
    number = resident_number("900101")
    other = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert read_folder(write_town(tmp_path, loans=loan(guarantor_id=other)))["loans"].collect().height == 1


def test_the_real_data_is_read_whole(taiwan: Path) -> None:
    counts = {name: frame.select(pl.len()).collect().item() for name, frame in read_folder(taiwan).items()}
    assert counts == {"borrowers": 30_000, "loans": 30_000, "repayments": 180_000, "events": 6_636}
