"""A holder's database as a source, on both kinds: what is read, what is refused, and with which words."""

import tempfile
import traceback
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from polars.testing import assert_frame_equal

from signals.errors import InputError, SettingsError
from signals.records.watermarks import since
from signals.sources import database as database_source
from signals.tables import TABLES
from tests.signals.holders import open_pieces, random_tables, run_sql, write_table
from tests.signals.reading import read_folder

DAY = date(2026, 3, 1)
LENDERS = "CREATE TABLE lenders (lender_id text, kind text, known_on date)"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    (tmp_path / "bank.db").touch()
    return f"sqlite:///{tmp_path / 'bank.db'}"


def lenders(*days: date | None) -> pl.DataFrame:
    rows = {"lender_id": [f"L{number}" for number in range(len(days))], "kind": "bank", "known_on": days}
    return pl.DataFrame(rows, schema_overrides={"known_on": pl.Date})


def read_ids(url: str, **asked: date) -> list[str]:
    return open_pieces(url, asked)["lenders"].read().collect()["lender_id"].to_list()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_tables())
@example(("facts", pl.DataFrame(schema=TABLES["facts"].polars_schema)))
def test_a_whole_reading_equals_the_folder_with_the_same_rows(url: str, written: tuple[str, pl.DataFrame]) -> None:
    name, frame = written
    write_table(url, name, frame)
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(Path(folder) / f"{name}.parquet")
        wanted = read_folder(Path(folder))[name].drop("file", "line").collect()
    read = open_pieces(url)[name].read().collect()
    run_sql(url, f"DROP TABLE {name}")
    order = ["known_on", *TABLES[name].key]
    order += [column for column in frame.columns if column not in order]
    assert_frame_equal(read.drop("file", "line"), wanted.sort(order, nulls_last=True), check_exact=True)
    assert read["line"].to_list() == list(range(1, frame.height + 1))
    assert set(read["file"]) <= {name}


def test_a_table_is_one_piece_read_by_its_watermark_and_what_is_no_table_of_ours_is_left_alone(url: str) -> None:
    write_table(url, "lenders", lenders(DAY))
    write_table(url, "payroll", lenders(DAY))
    pieces = open_pieces(url)
    assert [(piece.table, piece.file, piece.stamp) for piece in pieces.values()] == [("lenders", "lenders", None)]


def test_only_what_is_known_since_is_read_and_what_has_no_day_at_all(url: str) -> None:
    write_table(url, "lenders", lenders(DAY - timedelta(days=1), DAY, None, DAY + timedelta(days=1)))
    assert read_ids(url, lenders=DAY) == ["L1", "L3", "L2"]
    assert read_ids(url, loans=DAY) == ["L0", "L1", "L3", "L2"]


def test_the_window_before_the_watermark_brings_what_came_late(url: str) -> None:
    write_table(url, "lenders", lenders(DAY))
    asked = since({"lenders": DAY}, window_days=7)
    late = [DAY - timedelta(days=7), DAY - timedelta(days=8)]
    write_table(url, "lenders", lenders(DAY, *late))
    assert read_ids(url, **asked) == ["L1", "L0"]


def test_what_becomes_known_later_moves_no_line(url: str) -> None:
    write_table(url, "lenders", lenders(DAY, DAY))
    before = open_pieces(url)["lenders"].read().collect()
    run_sql(url, "INSERT INTO lenders VALUES ('A first by its name', 'bank', '2026-03-02')")
    assert open_pieces(url)["lenders"].read().collect().head(2).equals(before)


def test_lines_are_counted_alike_whatever_order_the_database_gives_its_letters(postgres_url: str) -> None:
    run_sql(postgres_url, LENDERS.replace("lender_id text", 'lender_id text COLLATE "unicode"'))
    run_sql(postgres_url, *(f"INSERT INTO lenders VALUES ('{name}', 'bank', '2026-03-01')" for name in ("b", "A", "가", "a", "B")))
    assert read_ids(postgres_url) == ["A", "B", "a", "b", "가"]


def test_a_view_is_read_as_a_table_is(url: str) -> None:
    write_table(url, "ours", lenders(DAY))
    run_sql(url, "CREATE VIEW lenders AS SELECT lender_id, kind, known_on FROM ours")
    assert read_ids(url, lenders=DAY) == ["L0"]


def test_a_frame_outlives_its_piece_and_its_file_goes_with_the_last_frame(url: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "kept"))
    write_table(url, "lenders", lenders(DAY))
    frame = open_pieces(url)["lenders"].read().filter(pl.col("kind") == "bank").select("line", "lender_id")
    assert len(list((tmp_path / "kept").iterdir())) == 1
    run_sql(url, "DROP TABLE lenders")
    assert frame.collect().rows() == frame.head(1).collect().rows() == [(1, "L0")]
    del frame
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_large_table_comes_in_few_batches_and_never_as_a_whole(url: str, monkeypatch) -> None:
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
    run_sql(
        url,
        "CREATE TABLE repayments "
        "(loan_id text, due_month date, borrower_id text, days_past_due bigint, paid_krw bigint, balance_krw bigint, known_on date)",
        f"{counted} INSERT INTO repayments SELECT 'the bank:' || i, '2026-03-01', 'b' || (i / 2), i % 90, i, i, '2026-03-05' FROM n"
        if url.startswith("sqlite")
        else "INSERT INTO repayments SELECT 'the bank:' || i, '2026-03-01', 'b' || (i / 2), i % 90, i, i, '2026-03-05' "
        "FROM generate_series(1, 300000) i",
    )
    rows: list[int] = []
    take = database_source._take_batches

    def counting(*words) -> Iterator[object]:
        for batch in take(*words):
            rows.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(database_source, "_take_batches", counting)
    read = open_pieces(url, {"repayments": DAY})["repayments"].read().select(pl.len(), pl.col("paid_krw").sum()).collect()
    assert read.rows() == [(300_000, 300_000 * 300_001 // 2)]
    assert 2 <= len(rows) <= 10


COLUMN_ERRORS = [
    ("ALTER TABLE lenders ADD colour text", "unknown column 'colour'"),
    ("ALTER TABLE lenders DROP COLUMN kind", "missing column 'kind'"),
    ("ALTER TABLE lenders DROP COLUMN known_on", "missing column 'known_on'"),
    (
        "INSERT INTO lenders VALUES ('900101-1234567', 'bank', '2026-03-02')",
        "column 'lender_id' holds what looks like resident registration numbers",
    ),
]


def refuse(url: str, words: str) -> str:
    with pytest.raises(InputError) as refused:
        open_pieces(url)["lenders"].read()
    text = str(refused.value)
    assert text.startswith(words)
    assert ", table lenders" in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("change", "words"), COLUMN_ERRORS)
def test_a_table_that_cannot_be_used_is_refused_in_one_line_that_names_it(url: str, change: str, words: str) -> None:
    write_table(url, "lenders", lenders(DAY))
    run_sql(url, change)
    assert "900101" not in refuse(url, words)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("numeric(15)", "7654321", "wrong type in column 'is_fund_member': numeric, expected Boolean"),
        ("int", "1", "wrong type in column 'is_fund_member': Int32, expected Boolean"),
        ("timestamp", "'2026-03-01 10:00'", "wrong type in column 'is_fund_member': timestamp, expected Boolean"),
        ("json", "'{}'", "wrong type in column 'is_fund_member': json, expected Boolean"),
    ],
)
def test_postgresql_types_that_are_no_lossless_widening_are_refused(postgres_url: str, kind: str, value: str, words: str) -> None:
    write_table(postgres_url, "lenders", lenders(DAY))
    run_sql(postgres_url, f"ALTER TABLE lenders ADD is_fund_member {kind}", f"UPDATE lenders SET is_fund_member = {value}")
    assert "7654321" not in refuse(postgres_url, words)


def test_postgresql_narrow_and_padded_types_and_domains_are_read(postgres_url: str) -> None:
    run_sql(
        postgres_url,
        "CREATE DOMAIN won AS bigint",
        "CREATE TABLE loans (loan_id char(9), borrower_id varchar(9), lender_id text, product text, principal_krw won, "
        "annual_rate_pct real, is_secured boolean, known_on date)",
        "INSERT INTO loans VALUES ('L1', 'b', 'bank', 'term', 5, 4.5, true, '2026-03-01')",
        "CREATE TABLE repayments (loan_id text, borrower_id text, due_month date, days_past_due smallint, known_on date)",
        "INSERT INTO repayments VALUES ('L1', 'b', '2026-03-01', 41, '2026-03-01')",
    )
    pieces = open_pieces(postgres_url)
    wanted = ["loan_id", "borrower_id", "principal_krw", "annual_rate_pct", "is_secured"]
    assert pieces["loans"].read().select(wanted).collect().rows() == [("L1", "b", 5, 4.5, True)]
    assert pieces["repayments"].read().collect()["days_past_due"].to_list() == [41]


@pytest.mark.parametrize("day", ["infinity", "-infinity", "4000-01-01 BC", "10000-01-01"])
def test_a_day_that_is_in_no_calendar_is_refused(postgres_url: str, day: str) -> None:
    run_sql(postgres_url, LENDERS, f"INSERT INTO lenders VALUES ('L1', 'bank', '{day}')")
    refuse(postgres_url, "column 'known_on' holds a day that is in no calendar")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("known_on", "'20260301'", "text that is no Date, expected Date"),
        ("known_on", "'01/03/2026'", "text that is no Date, expected Date"),
        ("known_on", "'2026-02-30'", "text that is no Date, expected Date"),
        ("known_on", "'2026-03-01 10:00'", "text that is no Date, expected Date"),
        ("known_on", "20260301", "integer that is no Date, expected Date"),
        ("is_fund_member", "7", "integer that is no Boolean, expected Boolean"),
        ("is_fund_member", "'true'", "text that is no Boolean, expected Boolean"),
        ("kind", "7", "integer that is no String, expected String"),
        ("kind", "x'41'", "blob that is no String, expected String"),
    ],
)
def test_sqlite_values_of_another_kind_are_refused_even_before_the_watermark(tmp_path: Path, column: str, value: str, words: str) -> None:
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    run_sql(url, "CREATE TABLE lenders (lender_id, kind, is_fund_member, known_on)")
    run_sql(url, "INSERT INTO lenders VALUES ('L1', 'bank', 1, '2026-03-01'), ('L2', 'bank', 0, '2026-03-01')")
    run_sql(url, f"UPDATE lenders SET {column} = {value} WHERE lender_id = 'L2'")
    asked = {"lenders": date(9999, 1, 1) if column == "known_on" else DAY}
    with pytest.raises(InputError) as refused:
        open_pieces(url, asked)["lenders"].read()
    assert str(refused.value).startswith(f"wrong type in column '{column}': {words}")
    assert value.strip("'x") not in str(refused.value).partition("what to do")[0].replace(words, "").replace(url, "")


def test_a_text_that_is_not_utf8_is_refused_and_one_that_can_be_told_is_read(tmp_path: Path, postgres_server: str) -> None:
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    run_sql(url, LENDERS, f"INSERT INTO lenders VALUES ('L1', cast(x'{'은행'.encode('cp949').hex()}' AS text), '2026-03-01')")
    refuse(url, "a text is not UTF-8")
    run_sql(postgres_server, "CREATE DATABASE old ENCODING 'EUC_KR' LOCALE 'C' TEMPLATE template0")
    old = postgres_server.replace("/postgres?", "/old?")
    run_sql(old, LENDERS, "INSERT INTO lenders VALUES ('L1', '은행', '2026-03-01')")
    assert open_pieces(old)["lenders"].read().collect()["kind"].to_list() == ["은행"]
    run_sql(postgres_server, "DROP DATABASE old")


def test_another_schema_is_named_by_the_source_or_by_the_options_of_the_url(postgres_url: str) -> None:
    run_sql(postgres_url, 'CREATE SCHEMA "Out"', LENDERS, LENDERS.replace("lenders", '"Out".lenders'))
    run_sql(postgres_url, "INSERT INTO \"Out\".lenders VALUES ('ours', 'bank', '2026-03-01')")
    by_options = f"{postgres_url}&options=-csearch_path%3D%22Out%22"
    assert read_ids(postgres_url) == []
    assert read_ids(by_options) == ["ours"]
    assert open_pieces(postgres_url, schema="Out")["lenders"].read().collect().height == 1


def test_a_database_without_a_table_of_ours_or_with_an_entry_that_means_nothing_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no table of ours"):
        open_pieces(url)
    write_table(url, "lenders", lenders(DAY))
    with pytest.raises(SettingsError, match="unknown entry 'colour'"):
        open_pieces(url, colour="red")


def test_a_file_that_is_no_database_or_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such database file"):
        open_pieces(f"sqlite:///{tmp_path / 'nowhere.db'}")
    (tmp_path / "torn.db").write_text("nothing of a database " * 100)
    with pytest.raises(InputError, match="the database does not give its rows"):
        open_pieces(f"sqlite:///{tmp_path / 'torn.db'}")


@pytest.fixture
def locked(postgres_url: str) -> Iterator[str]:
    """A database and a role that must give a password and may read nothing."""
    run_sql(postgres_url, "CREATE ROLE locked LOGIN PASSWORD 's3cret'", LENDERS)
    yield postgres_url.replace("postgres:@", "locked:PASSWORD@")
    run_sql(postgres_url, "DROP OWNED BY locked", "DROP ROLE locked")


def failure_of(url: str) -> str:
    with pytest.raises(InputError) as refused:
        open_pieces(url)["lenders"].read()
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))
    return str(refused.value)


def test_a_server_that_does_not_let_us_in_is_said_without_the_password(locked: str) -> None:
    assert "the database refuses the role or its password | where: postgresql://locked:***@/" in failure_of(
        locked.replace("PASSWORD", "wrong-s3cret")
    )
    assert "the database can't be reached" in failure_of("postgresql://locked:s3cret@127.0.0.1:1/loans")
    assert "the database can't be reached" in failure_of("postgresql://locked:s3cret@ss@nowhere.invalid/loans")


def test_a_role_that_may_not_read_a_table_is_said_and_the_password_is_nowhere(locked: str, postgres_url: str, monkeypatch) -> None:
    right = locked.replace("PASSWORD", "s3cret")
    assert "the role may not read it" in failure_of(right)
    run_sql(postgres_url, "GRANT SELECT ON lenders TO locked")
    piece = open_pieces(right)["lenders"]
    assert "s3cret" not in repr(piece)
    assert piece.read().collect().is_empty()
    monkeypatch.setenv("AIRFLOW_CONN_BANK", right)
    assert "lenders" in open_pieces("airflow:bank")


def test_an_error_of_a_view_in_the_midst_of_its_rows_tells_no_value(postgres_url: str) -> None:
    run_sql(postgres_url, "CREATE TABLE ours (a text)", "INSERT INTO ours VALUES ('s3cret')")
    run_sql(postgres_url, "CREATE VIEW lenders AS SELECT a AS lender_id, a AS kind, a::date AS known_on FROM ours")
    assert "breaks off while it gives its rows" in failure_of(postgres_url)


def test_the_page_for_holders_is_right(postgres_url: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "source-database.md").read_text()
    blocks = [block.partition("```")[0] for block in page.split("```sql\n")[1:]]
    run_sql(
        postgres_url,
        "CREATE SCHEMA core",
        "CREATE TABLE core.account (number text, customer text, product text, amount numeric(15), rate numeric(5, 2), opened timestamp, "
        "reported_on date, is_void boolean)",
        "CREATE TABLE core.status (number text, month text, customer text, overdue integer, reported_on date, is_void boolean)",
        "INSERT INTO core.account VALUES ('1', 'owner', 'term', 10000000, 4.25, '2025-01-02 09:00', '2026-02-01', false)",
        "INSERT INTO core.status VALUES ('1', '202602', 'owner', 31, '2026-03-01', false)",
    )
    try:
        for block in blocks:
            run_sql(postgres_url, block)
        pieces = open_pieces(postgres_url.replace("postgres:@", "deungdae_reader:@"))
        loans, repayments = (pieces[name].read().collect() for name in ("loans", "repayments"))
        assert loans.select("loan_id", "principal_krw", "annual_rate_pct", "opened_on").rows() == [
            ("bank:1", 10_000_000, 4.25, date(2025, 1, 2))
        ]
        days = repayments.select("due_month", "days_past_due", "is_retracted").rows()
        assert [row[0] for row in days] == [date(2026, 2, 1)] * 3
        assert [row[1:] for row in days] == [(31, False), (0, False), (0, True)]
        assert repayments["known_on"].is_sorted()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            run_sql(postgres_url.replace("postgres:@", "deungdae_reader:@"), "CREATE TABLE x (a int)")
    finally:
        run_sql(postgres_url, "DROP OWNED BY deungdae_reader", "DROP ROLE deungdae_reader")
