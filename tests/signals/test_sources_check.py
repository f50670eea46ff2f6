"""`deungdae sources check` says what a night would make of a file, and never a value of it."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import deungdae
from signals.sources.source_file import read_source_file
from signals.sources.trial import MOST_SHOWN, FileCheck, Problem, check_source_files
from tests.signals.deliveries import DAY, write_world


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return write_world(tmp_path)


def repayments(world: Path) -> Path:
    return world / "drops" / "hanbit_bank" / DAY / "repayments_001.csv.gz"


def change(file: Path, old: str, new: str, times: int = 1) -> None:
    text = gzip.decompress(file.read_bytes()).decode("cp949")
    assert old in text
    file.write_bytes(gzip.compress(text.replace(old, new, times).encode("cp949")))


def check(world: Path, *files: Path, table: str | None = None) -> list[FileCheck]:
    (bank,) = read_source_file(world / "hanbit_bank.toml")
    return check_source_files(bank, files or [repayments(world)], table)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(deungdae.app, ["sources", "check", *map(str, words)], env={"COLUMNS": "300"})


def test_a_sound_delivery_is_fine_and_its_rows_and_columns_are_told(world: Path) -> None:
    loans = repayments(world).with_name("loans_001.csv.gz")
    first, second = check(world, loans, repayments(world))
    assert (first.is_fine, first.table, second.is_fine, second.table) == (True, "loans", True, "repayments")
    assert second.rows > 100
    assert second.columns["대출잔액"] == "balance_krw"
    assert second.ignored == ["비고"]


def test_problems_are_told_by_line_column_and_rule(world: Path) -> None:
    change(repayments(world), ",0,20", ",-3,20")
    change(repayments(world), "\r\n", "\r\n짧은,줄\r\n")
    (found,) = check(world)
    assert found.rows_aside == found.problems_count == 2
    assert found.problems[0] == Problem("too few fields", 2)
    assert (found.problems[1].rule, found.problems[1].column) == ("min", "days_past_due")


def test_the_first_ten_problems_are_shown_and_all_are_counted(world: Path) -> None:
    change(repayments(world), ",N,", ",?,", times=25)
    (found,) = check(world)
    assert found.problems_count == 25
    assert list(found.problems) == [Problem("not true or false", line, "is_retracted") for line in range(2, 2 + MOST_SHOWN)]


def test_an_unmapped_column_is_a_problem_and_the_rest_is_tried_all_the_same(world: Path) -> None:
    change(repayments(world), "비고", "메모")
    change(repayments(world), "N,", "?,")
    (found,) = check(world)
    assert [problem.rule for problem in found.problems] == ["unmapped column '메모'", "not true or false"]


def test_a_missing_column_is_a_problem(world: Path) -> None:
    change(repayments(world), "대출잔액", "비고2")
    assert "missing column '대출잔액' (our balance_krw)" in [problem.rule for problem in check(world)[0].problems]


def test_rows_that_contradict_each_other_are_told_and_a_row_said_twice_is_not(world: Path) -> None:
    first = gzip.decompress(repayments(world).read_bytes()).decode("cp949").split("\r\n")[1]
    change(repayments(world), first, f"{first}\r\n{first}")
    assert check(world)[0].is_fine
    change(repayments(world), f",{DAY},N,", f",{DAY},Y,")
    assert check(world)[0].problems == (Problem("primary_key", 2), Problem("primary_key", 3))


def test_a_file_that_cannot_be_used_is_a_problem_in_the_words_of_its_error(world: Path) -> None:
    file = repayments(world)
    file.write_bytes(file.read_bytes()[:-20])
    assert check(world)[0].problems == (Problem("the gzip is cut short or damaged"),)


def test_a_file_elsewhere_is_known_by_the_end_of_its_path_or_by_the_table_that_is_named(world: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mail" / DAY / "repayments_7.csv.gz"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(repayments(world).read_bytes())
    assert check(world, elsewhere)[0].is_fine
    odd = elsewhere.rename(tmp_path / "sample.csv.gz")
    assert check(world, odd)[0].problems == (Problem("no glob of the source file names this file (the night would not read it)"),)
    assert check(world, odd, table="repayments")[0].is_fine


def test_the_door_says_what_was_read_in_both_languages_and_exits_0(world: Path) -> None:
    done = run(repayments(world), "--with", world / "hanbit_bank.toml")
    assert done.exit_code == 0, done.output
    for words in ("표 · table", "repayments", "대출잔액 → balance_krw", "무시하는 열 · ignored columns", "이상 없음 · fine"):
        assert words in done.output


def test_the_door_exits_1_with_the_problems_and_never_a_value(world: Path) -> None:
    change(repayments(world), ",N,", ",secret,")
    done = run(repayments(world), "--with", world / "hanbit_bank.toml")
    assert done.exit_code == 1
    assert "2행 · line 2 | 열 · column is_retracted | not true or false" in done.output
    assert "secret" not in done.output


def test_the_door_checks_a_source_file_itself(world: Path) -> None:
    done = run(world / "sources.toml", world / "hanbit_bank.toml")
    assert done.exit_code == 0, done.output
    assert "한빛은행 · Hanbit Bank | drop | consent: " in done.output
    (world / "hanbit_bank.toml").write_text('place = "x"\nbasis = "consent"')
    done = run(world / "hanbit_bank.toml")
    assert done.exit_code == 1
    assert "legal_basis: Field required; purposes: Field required" in done.output


def test_the_door_checks_a_parquet_file_named_after_our_table_as_it_is(world: Path) -> None:
    file = world / "registers" / "borrowers.parquet"
    assert run(file).exit_code == 0
    pl.read_parquet(file).with_columns(employees=pl.lit(-1, dtype=pl.Int64)).write_parquet(file)
    done = run(file)
    assert done.exit_code == 1
    assert "1행 · line 1 | 열 · column employees | min" in done.output
    parts = world / "parts" / "borrowers"
    parts.mkdir(parents=True)
    pl.read_parquet(file).rename({"employees": "staff"}).write_parquet(parts / "a.parquet")
    assert "unknown column 'staff'" in run(parts / "a.parquet").output


@pytest.mark.parametrize(
    "words",
    [
        ("drops/hanbit_bank/20261031/loans_001.csv.gz",),
        ("nowhere.csv", "--with", "hanbit_bank.toml"),
        ("sources.toml", "--with", "sources.toml"),
        ("sources.toml", "--with", "hanbit_bank.toml", "--table", "wishes"),
        ("sources.toml", "--with", "hanbit_bank.toml", "--table", "sales"),
        (),
    ],
)
def test_a_question_that_makes_no_sense_exits_2(world: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(world)
    assert run(*words).exit_code == 2
