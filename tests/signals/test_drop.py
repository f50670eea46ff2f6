"""What a lender really sends: every way a delivery can be unusual is read, every way it can be broken is named."""

import gzip
import unicodedata
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from signals.errors import InputError
from signals.sources import raw
from signals.sources.drop import list_unread_files, open_drop
from signals.sources.mapping import TableMapping
from signals.sources.source import Source
from signals.tables import TABLES

HEADER = "대출번호,고객,기준월,예정액,잔액,연체일수,작성일,비고"
ROW = 'L1,owner,202610,,"1,234,567",41,20261031,'
COLUMNS: dict[str, Any] = {
    "대출번호": {"to": "loan_id", "prefix": "hanbit-"},
    "고객": "borrower_id",
    "기준월": {"to": "due_month", "date": "%Y%m"},
    "예정액": {"to": "due_krw", "unit": "천원"},
    "잔액": "balance_krw",
    "연체일수": "days_past_due",
    "작성일": {"to": "known_on", "date": "%Y%m%d"},
    "비고": "ignore",
}


def bank(folder: Path, columns: dict[str, Any] = COLUMNS, *, table: str = "repayments", **said: Any) -> Source:
    mapping = TableMapping.model_validate({"table": table, "files": "**/*.csv*", "columns": columns} | said)
    return Source("hanbit", str(folder), "drop", tables={table: mapping})


def send(folder: Path, *rows: str, header: str = HEADER, name: str = "day/r.csv", encoding: str = "utf-8") -> Path:
    return put(folder, "\n".join([header, *rows, ""]).encode(encoding), name)


def put(folder: Path, content: bytes, name: str = "day/r.csv") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def read(source: Source) -> pl.DataFrame:
    (piece,) = open_drop(source)
    return piece.read().collect()


def read_one(folder: Path, text: str, *, ours: str = "balance_krw", **said: Any) -> tuple[Any, str | None]:
    """Read one value of one column: the value, and why there is none."""
    theirs = next(name for name, entry in COLUMNS.items() if entry == ours or (isinstance(entry, dict) and entry["to"] == ours))
    send(folder, ROW.replace('"1,234,567"', text) if ours == "balance_krw" else ROW.replace("202610,,", f"202610,{text},"))
    return read(bank(folder, COLUMNS | {theirs: {"to": ours} | said})).select(ours, "unreadable").row(0)


def test_a_row_is_read_into_the_declared_columns_and_says_where_it_stood(tmp_path: Path) -> None:
    send(tmp_path, ROW)
    rows = read(bank(tmp_path))
    wanted = {**TABLES["repayments"].polars_schema, "unreadable": pl.String, "file": pl.String, "line": pl.Int64}
    assert dict(rows.schema) == wanted
    said = {name: value for name, value in rows.row(0, named=True).items() if value is not None}
    assert said == {
        "known_on": date(2026, 10, 31),
        "loan_id": "hanbit-L1",
        "due_month": date(2026, 10, 1),
        "borrower_id": "owner",
        "balance_krw": 1_234_567,
        "days_past_due": 41,
        "file": "day/r.csv",
        "line": 2,
    }


@pytest.mark.parametrize("is_zipped", [False, True])
@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp949", b"")])
def test_utf8_with_or_without_its_mark_and_cp949_are_read_gzip_or_not(tmp_path: Path, encoding: str, mark: bytes, is_zipped: bool) -> None:
    content = mark + f"{HEADER}\n{ROW}똠방각하\n".encode(encoding)
    put(tmp_path, gzip.compress(content) if is_zipped else content)
    rows = read(bank(tmp_path, COLUMNS | {"비고": "borrower_id", "고객": "ignore"}, encoding=encoding))
    assert rows["borrower_id"].to_list() == ["똠방각하"]


def test_files_come_sorted_by_name_each_with_the_digest_of_its_bytes_and_what_no_glob_names_is_left_out(tmp_path: Path) -> None:
    for name in ("b/r.csv", "a/r.csv", "a/.r.csv", "a/notes.txt"):
        send(tmp_path, ROW, name=name)
    first, second = open_drop(bank(tmp_path))
    assert [first.file, second.file] == ["a/r.csv", "b/r.csv"]
    assert first.digest() == second.digest()
    assert len(first.digest()) == 64
    assert list_unread_files(bank(tmp_path)) == ["a/notes.txt"]


@pytest.mark.parametrize(
    ("glob", "found"),
    [("*/r*.csv", ["a/r.csv"]), ("**/r.csv", ["a/b/r.csv", "a/r.csv"]), ("a/?.csv", ["a/r.csv"]), ("r.csv", []), ("a/[r].csv", [])],
)
def test_a_glob_stays_inside_one_folder_unless_it_says_otherwise(tmp_path: Path, glob: str, found: list[str]) -> None:
    for name in ("a/r.csv", "a/b/r.csv"):
        send(tmp_path, ROW, name=name)
    assert [piece.file for piece in open_drop(bank(tmp_path, files=glob))] == found


def test_a_file_that_two_tables_claim_is_refused(tmp_path: Path) -> None:
    send(tmp_path, ROW)
    one = bank(tmp_path).tables["repayments"]
    with pytest.raises(InputError, match="claimed by two tables: repayments, loans"):
        list(open_drop(Source("hanbit", str(tmp_path), "drop", tables={"repayments": one, "loans": one})))


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such source folder"):
        list(open_drop(bank(tmp_path / "nowhere")))


def test_names_that_a_mac_takes_apart_are_the_same_names(tmp_path: Path) -> None:
    send(tmp_path, ROW, header=unicodedata.normalize("NFD", HEADER), name=unicodedata.normalize("NFD", "상환.csv"))
    assert read(bank(tmp_path, files="상환.csv")).height == 1


def test_columns_may_come_in_any_order_with_blanks_around_their_names(tmp_path: Path) -> None:
    header, row = HEADER.split(","), ["L1", "owner", "202610", "", "7", "41", "20261031", ""]
    send(tmp_path, ",".join(reversed(row)), header=" , ".join(reversed(header)))
    assert read(bank(tmp_path)).select("loan_id", "balance_krw").rows() == [("hanbit-L1", 7)]


@pytest.mark.parametrize("separator", ["|", ";", "\t"])
def test_fields_may_be_parted_by_another_character(tmp_path: Path, separator: str) -> None:
    send(
        tmp_path, ROW.replace(",", separator).replace(f"1{separator}234{separator}567", "1,234,567"), header=HEADER.replace(",", separator)
    )
    assert read(bank(tmp_path, separator=separator))["balance_krw"].to_list() == [1_234_567]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_line_may_end_as_windows_ends_it_and_the_last_one_not_at_all(tmp_path: Path, end: str) -> None:
    between = end or "\n"
    put(tmp_path, f"{HEADER}{between}{ROW}{between}{ROW}{end}".encode())
    rows = read(bank(tmp_path))
    assert rows.select("line", "days_past_due", "unreadable").rows() == [(2, 41, None), (3, 41, None)]


def test_blank_lines_are_no_rows_and_lines_are_counted_all_the_same(tmp_path: Path) -> None:
    send(tmp_path, "", ROW, "   ", ",,,,,,,", ROW, "")
    assert read(bank(tmp_path)).select("line", "unreadable").rows() == [(3, None), (6, None)]


def test_a_quoted_field_may_hold_commas_quotes_and_line_breaks_and_lines_are_counted_all_the_same(tmp_path: Path) -> None:
    send(tmp_path, ROW + '"전화, ""내일""\r\n다시"', ROW, ROW + '"\n\n"', ROW)
    rows = read(bank(tmp_path))
    assert rows["line"].to_list() == [2, 4, 5, 8]
    assert rows["unreadable"].null_count() == 4
    noted = read(bank(tmp_path, COLUMNS | {"비고": "borrower_id", "고객": "ignore"}))
    assert noted["borrower_id"].to_list() == ['전화, "내일"\n다시', None, None, None]


@pytest.mark.parametrize("size", [1, 40, 120])
def test_a_file_larger_than_a_block_reads_as_if_it_were_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    note = '"' + "다음\n달, " * 30 + '"'
    send(tmp_path, *[ROW.replace("41", str(late)) + (note if late % 3 == 0 else "") for late in range(20)], encoding="cp949")
    whole = read(bank(tmp_path, encoding="cp949"))
    monkeypatch.setattr(raw, "BLOCK_BYTES", size)
    monkeypatch.setattr(raw, "HEADER_BYTES", size)
    assert_frame_equal(read(bank(tmp_path, encoding="cp949")), whole)
    assert whole["days_past_due"].to_list() == list(range(20))


@pytest.mark.parametrize(
    ("text", "value"),
    [('"1,234,567"', 1_234_567), ("-5", -5), ("+5", 5), ('"-1,000"', -1000), ("007", 7), (" 12 ", 12), ("12.00", 12), ("", None), ('""', None)],
)  # fmt: skip
def test_whole_numbers_are_read_as_people_write_them(tmp_path: Path, text: str, value: int | None) -> None:
    assert read_one(tmp_path, text) == (value, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12.5", "not whole"),
        ('"1,5"', "not a number"),
        ('"1,23,456"', "not a number"),
        ("1e3", "not a number"),
        ("모름", "not a number"),
        (".", "not a number"),
        ("-", "not a number"),
        ("9223372036854775808", "too large"),
    ],
)
def test_a_number_that_cannot_be_read_is_null_and_named_without_its_value(tmp_path: Path, text: str, why: str) -> None:
    assert read_one(tmp_path, text) == (None, f"balance_krw|{why}")


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12_000), ("12.5", 12_500), ('"1,234.567"', 1_234_567), ("-0.5", -500), (".5", 500), ("5.", 5_000), ("1.1230", 1_123),
     ("9007199254740.993", 9_007_199_254_740_993), ("", None)],
)  # fmt: skip
def test_thousands_of_won_become_won_to_the_last_digit(tmp_path: Path, text: str, value: int | None) -> None:
    assert read_one(tmp_path, text, ours="due_krw", scale=1000) == (value, None)


@pytest.mark.parametrize(("text", "why"), [("1.2345", "not whole"), ("9223372036854776", "too large"), ("0.00000000001", "not whole")])
def test_a_fraction_of_a_won_is_never_rounded(tmp_path: Path, text: str, why: str) -> None:
    assert read_one(tmp_path, text, ours="due_krw", unit="천원") == (None, f"due_krw|{why}")


def test_where_thousands_is_false_a_comma_is_no_part_of_a_number(tmp_path: Path) -> None:
    assert read_one(tmp_path, '"1,234"', thousands=False) == (None, "balance_krw|not a number")


def test_words_for_nothing_are_null_in_one_column_or_in_all(tmp_path: Path) -> None:
    assert read_one(tmp_path, "없음", null=["없음"]) == (None, None)
    send(tmp_path, ROW.replace(",41,", ",41,").replace("202610,,", "202610,-,"))
    assert read(bank(tmp_path, null=["-"])).select("due_krw", "unreadable").row(0) == (None, None)


LOANS: dict[str, Any] = {
    "no": "loan_id",
    "who": "borrower_id",
    "kind": {"to": "product", "codes": {"01": "term"}},
    "won": "principal_krw",
    "rate": {"to": "annual_rate_pct", "scale": 100},
    "from": {"to": "opened_on", "date": "%Y.%m.%d"},
    "flag": "is_secured",
    "for": {"to": "purpose", "codes": {"1": "business", "2": "household"}},
    "back": {"to": "is_retracted", "true": ["취소"], "false": ["정상"]},
}
LOAN = {"no": "1", "who": "o", "kind": "01", "won": "9", "rate": "0.045", "from": "2020.3.1", "flag": "Y", "for": "2", "back": "정상"}


def read_loan(folder: Path, *, day: str = "20261031", files: str = "*.csv", **changes: str) -> dict[str, Any]:
    send(folder, ",".join((LOAN | changes).values()), header=",".join(LOAN), name=f"loans_{day}.csv")
    named = {"from_file": r"_(\d+)", "date": "%Y%m%d"}
    return read(bank(folder, LOANS, table="loans", files=files, known_on=named, constants={"lender_id": "HANBIT"})).row(0, named=True)


def test_constants_codes_flags_rates_and_the_day_in_the_name_are_read(tmp_path: Path) -> None:
    loan = read_loan(tmp_path)
    assert loan["known_on"] == date(2026, 10, 31)
    assert (loan["lender_id"], loan["product"], loan["purpose"], loan["is_secured"], loan["is_retracted"]) == (
        "HANBIT", "term", "household", True, False)  # fmt: skip
    assert loan["annual_rate_pct"] == pytest.approx(4.5)
    assert (loan["opened_on"], loan["unreadable"]) == (date(2020, 3, 1), None)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"kind": "09"}, "product|unknown code"),
        ({"for": "9", "kind": "1"}, "product|unknown code,purpose|unknown code"),
        ({"from": "2020.2.30"}, "opened_on|not a date"),
        ({"from": "20200301"}, "opened_on|not a date"),
        ({"flag": "maybe"}, "is_secured|not true or false"),
        ({"back": "Y"}, "is_retracted|not true or false"),
        ({"rate": "nan"}, "annual_rate_pct|not a number"),
        ({"rate": "inf"}, "annual_rate_pct|not a number"),
    ],
)
def test_what_cannot_be_read_in_a_row_is_named_column_by_column(tmp_path: Path, changes: dict[str, str], rules: str) -> None:
    loan = read_loan(tmp_path, **changes)
    assert loan["unreadable"] == rules
    assert [loan[rule.split("|")[0]] for rule in rules.split(",")] == [None] * len(rules.split(","))
    assert loan["loan_id"] == "1"


@pytest.mark.parametrize("spoilt", ["1.23457E+11", "7E+5", "=A1", '"=""00121"""', "#N/A", "#REF!"])
def test_an_id_that_a_spreadsheet_spoilt_is_set_aside_and_never_taken_for_a_loan(tmp_path: Path, spoilt: str) -> None:
    loan = read_loan(tmp_path, no=spoilt)
    assert (loan["loan_id"], loan["unreadable"]) == (None, "loan_id|spoilt by a spreadsheet")


@pytest.mark.parametrize("plain", ["0012E5", "E+1", "#12", "a=b"])
def test_an_id_that_only_looks_odd_stands(tmp_path: Path, plain: str) -> None:
    assert read_loan(tmp_path, no=plain)["loan_id"] == plain


@pytest.mark.parametrize("day", ["20261301", "1"])
def test_a_name_that_does_not_say_its_day_is_an_error(tmp_path: Path, day: str) -> None:
    with pytest.raises(InputError, match="name does not say its day"):
        read_loan(tmp_path, day=day)


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("%Y%m%d", "20261101", date(2026, 11, 1)),
        ("%Y%m%d", "2026111", None),  # 1 November, or 11 January?
        ("%Y%m", "202611", date(2026, 11, 1)),
        ("%Y%m", "20261", None),
        ("%Y-%m", "2026-3", date(2026, 3, 1)),
        ("%Y년 %m월", "2026년 3월", date(2026, 3, 1)),
        ("%Y-%m-%d %H:%M:%S", "2026-03-31 23:59:59", date(2026, 3, 31)),
        ("%Y/%m/%d", "20260/03/31", None),
        ("%Y/%m/%d", "26/03/31", None),  # the form is another, not the year
        ("%d/%m/%Y", "31/03/26", None),
        ("%Y/%m/%d", "+20260/03/31", None),
        ("%Y%m%d", "99991231", date(9999, 12, 31)),
        ("%Y%m%d", "00000000", None),
        ("%Y-%m-%d", "26-03-01", None),  # a year of two digits is not the year 26
        ("%Y/%m", "226/03", None),
        ("%Y-%m-%d", "-2026-03-01", None),
    ],
)
def test_days_are_read_in_the_form_that_is_said_and_never_guessed(tmp_path: Path, form: str, text: str, day: date | None) -> None:
    send(tmp_path, ROW + text)
    row = read(bank(tmp_path, COLUMNS | {"비고": {"to": "due_on", "date": form}})).row(0, named=True)
    assert (row["due_on"], row["unreadable"]) == (day, None if day else "due_on|not a date")


@pytest.mark.parametrize(
    ("row", "rule"),
    [("L1,owner,202610", "row|too few fields"), (ROW + ",more", "row|too many fields"), (ROW.replace('"', ""), "row|too many fields")],
)
def test_a_row_whose_fields_cannot_be_told_apart_says_nothing_but_where_it_stands(tmp_path: Path, row: str, rule: str) -> None:
    send(tmp_path, ROW, row, ROW)
    rows = read(bank(tmp_path))
    assert rows["unreadable"].to_list() == [None, rule, None]
    said = {name: value for name, value in rows.row(1, named=True).items() if value is not None}
    assert said == {"unreadable": rule, "file": "day/r.csv", "line": 3}


def refused(source: Source) -> str:
    with pytest.raises(InputError) as error:
        read(source)
    assert "r.csv" in error.value.where
    assert "1,234" not in str(error.value)
    assert error.value.__cause__ is None
    return error.value.what


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)], ids=["plain", "zipped"])
def test_a_file_of_zero_bytes_is_an_error(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, content)
    assert "zero bytes" in refused(bank(tmp_path))


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_header_without_rows_is_fine(tmp_path: Path, end: str) -> None:
    put(tmp_path, (HEADER + end).encode())
    assert read(bank(tmp_path)).height == 0


def test_a_gzip_cut_short_or_damaged_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([HEADER, *[ROW] * 1000]).encode())
    for content in (whole[: len(whole) // 2], whole[:-6], whole[:30] + b"\x00\x01\x02" + whole[33:], whole[:-8] + b"\x00" * 8):
        put(tmp_path, content)
        assert refused(bank(tmp_path)) == "the gzip is cut short or damaged"


def test_bytes_that_are_not_of_the_encoding_are_an_error_with_their_line(tmp_path: Path) -> None:
    send(tmp_path, ROW, ROW + "비고", encoding="cp949")
    with pytest.raises(InputError, match="the text is not utf-8"):
        read(bank(tmp_path))
    put(tmp_path, f"{HEADER}\n{ROW}\n{ROW}".encode() + "비고".encode("cp949") + b"\n")
    with pytest.raises(InputError) as error:
        read(bank(tmp_path))
    assert error.value.where.endswith("r.csv, line 3")
    send(tmp_path, ROW, ROW + "비고", encoding="utf-8-sig")
    assert refused(bank(tmp_path, encoding="cp949")) == "the file begins with the mark of UTF-8, its mapping says cp949"


@pytest.mark.parametrize("note", ['"never closed', 'half"quoted', '"shut"open'])
def test_quotes_that_do_not_match_up_are_an_error_and_swallow_nothing(tmp_path: Path, note: str) -> None:
    send(tmp_path, ROW, ROW + note, ROW, ROW)
    assert refused(bank(tmp_path)) == "a field opens or closes with a quote where it should not"


def test_a_column_that_is_not_mentioned_or_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    send(tmp_path, ROW + ",1", header=HEADER.replace("비고", "메모") + ",등급")
    assert refused(bank(tmp_path)) == "unmapped column '메모', unmapped column '등급'"
    send(tmp_path, ROW, header=HEADER.replace("잔액", "비고2").replace("비고2", "비고", 1).replace(",비고", "", 1))
    assert "missing column '잔액' (our balance_krw)" in refused(bank(tmp_path))


def test_a_column_that_may_be_absent_is_null_then(tmp_path: Path) -> None:
    send(tmp_path, ROW.replace('"1,234,567",', ""), header=HEADER.replace("잔액,", ""))
    rows = read(bank(tmp_path, COLUMNS | {"잔액": {"to": "balance_krw", "may_be_absent": True}}))
    assert rows.select("balance_krw", "unreadable").rows() == [(None, None)]


def test_a_header_that_names_a_column_twice_is_an_error(tmp_path: Path) -> None:
    send(tmp_path, ROW, header=HEADER.replace("예정액", "잔액"))
    assert refused(bank(tmp_path)) == "the header names column '잔액' twice"


@pytest.mark.parametrize("where", ["비고", "고객"])
def test_resident_registration_numbers_refuse_the_file_even_in_a_column_that_is_ignored(tmp_path: Path, where: str) -> None:
    place = HEADER.split(",").index(where)
    row = ["L1", "owner", "202610", "", "7", "41", "20261031", "전화"]
    row[place] = "주민번호 900101-1234567"
    send(tmp_path, *[ROW] * 500, ",".join(row))
    with pytest.raises(InputError) as error:
        read(bank(tmp_path))
    assert error.value.what == f"column '{where}' holds what looks like resident registration numbers"
    assert "900101" not in str(error.value)


@pytest.mark.parametrize(("bare", "is_refused"), [(1, False), (30, True)])
def test_bare_numbers_are_judged_by_their_share_of_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: int, is_refused: bool
) -> None:
    monkeypatch.setattr(raw, "BLOCK_BYTES", 500)
    send(tmp_path, *[ROW + "9001011234568" if number < bare else ROW + "전화" for number in range(200)])
    if is_refused:
        with pytest.raises(InputError, match="resident registration numbers"):
            read(bank(tmp_path))
    else:
        assert read(bank(tmp_path)).height == 200


def deliver(folder: Path, **columns: Any) -> Source:
    frame = pl.DataFrame({"loan": ["L1"], "who": ["o"], "month": [date(2026, 10, 1)], "late": [3], "told": [date(2026, 10, 31)]})
    frame = frame.with_columns(**{name: pl.Series(value) for name, value in columns.items()})
    (folder / "p.parquet").unlink(missing_ok=True)
    frame.write_parquet(folder / "p.parquet")
    names = {"loan": "loan_id", "who": "borrower_id", "month": {"to": "due_month", "date": "%Y%m"}, "late": "days_past_due",
             "told": "known_on", "won": {"to": "due_krw", "scale": 1000, "may_be_absent": True}}  # fmt: skip
    return bank(folder, names, files="*.parquet", format="parquet")


@pytest.mark.parametrize(
    ("columns", "ours", "value"),
    [
        ({"month": [202610]}, "due_month", date(2026, 10, 1)),
        ({"month": ["202610"]}, "due_month", date(2026, 10, 1)),
        ({"loan": [12]}, "loan_id", "12"),
        ({"who": pl.Series(["o"], dtype=pl.Categorical)}, "borrower_id", "o"),
        ({"told": [datetime(2026, 10, 31, 23)]}, "known_on", date(2026, 10, 31)),  # noqa: DTZ001
        ({"told": pl.Series([datetime(2026, 10, 31, 23)]).dt.replace_time_zone("UTC")}, "known_on", date(2026, 11, 1)),  # noqa: DTZ001
        ({"won": [12.5]}, "due_krw", 12_500),
        ({"won": [1.1]}, "due_krw", 1_100),
        ({"won": [Decimal("12.345")]}, "due_krw", 12_345),
        ({"won": ["12.5"]}, "due_krw", 12_500),
        ({"won": pl.Series([12], dtype=pl.UInt8)}, "due_krw", 12_000),
        ({"won": pl.Series([None], dtype=pl.Null)}, "due_krw", None),
    ],
)
def test_a_parquet_drop_is_read_in_whatever_type_says_the_same(tmp_path: Path, columns: Any, ours: str, value: Any) -> None:
    row = read(deliver(tmp_path, **columns)).row(0, named=True)
    assert (row[ours], row["unreadable"], row["line"]) == (value, None, 1)


@pytest.mark.parametrize(
    "won",
    [[-1], [-1.0], ["-1"], [Decimal(-1)], pl.Series([date(9999, 12, 31)]), pl.Series([datetime(9999, 12, 31)])],  # noqa: DTZ001
)
def test_a_word_that_means_nothing_means_it_in_parquet_of_any_type(tmp_path: Path, won: Any) -> None:
    source = deliver(tmp_path, **{"told" if isinstance(won, pl.Series) else "won": won})
    mapping = source.tables["repayments"].model_copy(update={"null": ("-1", "9999-12-31")})
    row = read(replace(source, tables={"repayments": mapping})).row(0, named=True)
    assert (row["known_on" if isinstance(won, pl.Series) else "due_krw"], row["unreadable"]) == (None, None)


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"won": [0.00001]}, "due_krw|not whole"),
        ({"won": [float("nan")]}, "due_krw|not a number"),
        ({"won": [1e300]}, "due_krw|too large"),
        ({"won": [2**60]}, "due_krw|too large"),
        ({"won": ["1,000"]}, "due_krw|not a number"),
    ],
)
def test_what_cannot_be_read_in_a_parquet_row_is_named(tmp_path: Path, columns: Any, rule: str) -> None:
    assert read(deliver(tmp_path, **columns)).select("due_krw", "unreadable").row(0) == (None, rule)


@pytest.mark.parametrize("columns", [{"late": [date(2026, 1, 1)]}, {"who": [1.5]}, {"told": [3.5]}, {"won": [True]}, {"month": [[1]]}])
def test_a_parquet_column_of_a_type_that_cannot_say_it_is_an_error(tmp_path: Path, columns: Any) -> None:
    with pytest.raises(InputError, match=f"wrong type in column '{next(iter(columns))}'"):
        read(deliver(tmp_path, **columns))


def test_a_large_parquet_file_counts_its_rows_through_and_a_mangled_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = deliver(tmp_path)
    file = tmp_path / "p.parquet"
    pl.concat([pl.read_parquet(file)] * 5).write_parquet(file)
    monkeypatch.setattr(raw, "BLOCK_ROWS", 2)
    assert read(source)["line"].to_list() == [1, 2, 3, 4, 5]
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:4] + b"\xff" * 60 + whole[64:]):
        file.write_bytes(content)
        with pytest.raises(InputError, match="not a readable Parquet file"):
            read(source)


DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
WON = st.none() | st.integers(-(10**15), 10**15)
WORDS = st.text("가나다라마abcXYZ019 -_,\"'|\n", min_size=1, max_size=12).map(str.strip).filter(bool)
KOREAN = {
    "known_on": "작성일자", "is_retracted": "취소여부", "loan_id": "대출번호", "due_month": "기준년월", "borrower_id": "고객식별값",
    "due_on": "납입기일", "due_krw": "납입예정액", "paid_krw": "납입액", "balance_krw": "대출잔액", "limit_krw": "한도금액", "days_past_due": "연체일수",
}  # fmt: skip
REPAYMENTS = st.lists(
    st.tuples(DAYS, st.none() | st.booleans(), WORDS, DAYS.map(lambda day: day.replace(day=1)), WORDS, st.none() | DAYS, WON, WON, WON, WON,
              st.integers(0, 40_000)),
    max_size=30,
)  # fmt: skip


def write_korean(frame: pl.DataFrame) -> bytes:
    """Write canonical repayments as a Korean bank would: its own headers, commas between thousands, CP949, gzip."""
    texts = {}
    for name, kind in frame.schema.items():
        form = {pl.Int64: "{:,}".format, pl.Boolean: {True: "Y", False: "N"}.get, pl.String: str}.get(
            type(kind), ("{:%Y%m}" if name == "due_month" else "{:%Y%m%d}").format
        )
        texts[KOREAN[name]] = pl.Series([None if value is None else form(value) for value in frame[name]], dtype=pl.String)
    return gzip.compress(pl.DataFrame(texts).write_csv(line_terminator="\r\n").encode("cp949"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=REPAYMENTS)
def test_any_repayments_written_as_a_korean_bank_would_read_back_equal(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=TABLES["repayments"].polars_schema, orient="row")
    put(tmp_path, write_korean(frame), "r.csv.gz")
    days = {"due_month": "%Y%m", "known_on": "%Y%m%d", "due_on": "%Y%m%d"}
    columns = {korean: {"to": ours, **({"date": days[ours]} if ours in days else {})} for ours, korean in KOREAN.items()}
    found = read(bank(tmp_path, columns, encoding="cp949"))
    assert_frame_equal(found.select(frame.columns), frame)
    assert found["unreadable"].null_count() == found.height
