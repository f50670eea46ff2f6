"""A source file says what its source sends and on what right; what can't be right is refused with its place."""

from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

import signals.sources
from signals.errors import SettingsError
from signals.sources.source_file import read_source_file

EXAMPLES = Path(signals.sources.__file__).parent / "examples"
RIGHT = 'basis = "consent"\nlegal_basis = "a form"\npurposes = ["score"]\n'
COLUMNS = '"loan" = "loan_id"\n"owner" = "borrower_id"\n"month" = "due_month"\n"late" = "days_past_due"\n"told" = "known_on"\n'


def write(folder: Path, *, top: str = RIGHT, table: str = "repayments", said: str = 'files = "*.csv"\n', columns: str = COLUMNS) -> Path:
    file = folder / "bank.toml"
    file.write_text(f'place = "drop"\n{top}\n[tables.{table}]\n{said}\n[tables.{table}.columns]\n{columns}', encoding="utf-8")
    return file


def test_the_shipped_examples_can_be_read_and_say_all_a_source_says() -> None:
    bank, cards, registers = read_source_file(EXAMPLES / "sources.toml")
    assert (bank.source_id, bank.kind, bank.name_ko, bank.priority, bank.basis) == ("hanbit_bank", "drop", "한빛은행", 10, "consent")
    assert bank.place == str(EXAMPLES / "drops" / "hanbit_bank")
    assert (bank.every_days, bank.window_days, bank.purposes) == (1, 31, ("score", "train"))
    assert {name: mapping.encoding for name, mapping in bank.tables.items()} == {"loans": "cp949", "repayments": "cp949"}
    assert cards.tables["sales"].mapped["카드매출액(천원)"].factor == 1000
    assert (registers.kind, registers.tables) == ("folder", {})


def test_each_shipped_example_is_read_alone_too() -> None:
    assert [read_source_file(EXAMPLES / f"{name}.toml")[0].source_id for name in ("hanbit_bank", "card_network")] == [
        "hanbit_bank",
        "card_network",
    ]


def test_a_file_written_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_source_file(file)[0].source_id == "bank"


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("town", "folder"),
        ("/data/town", "folder"),
        ("s3://town/drops", "folder"),
        ("postgresql://host/town", "database"),
        ("airflow:town", "database"),
    ],
)
def test_what_kind_a_source_is_shows_in_its_place(tmp_path: Path, place: str, kind: str) -> None:
    file = tmp_path / "town.toml"
    file.write_text(f'place = "{place}"\n{RIGHT}')
    (source,) = read_source_file(file)
    assert source.kind == kind
    assert source.place == (str(tmp_path / "town") if place == "town" else place)


def test_a_database_may_name_the_schema_that_is_read_and_nothing_else_may(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    file.write_text('place = "airflow:bank"\nschema = "out"\nbasis = "consent"\nlegal_basis = "a form"\npurposes = ["score"]\n')
    assert read_source_file(file)[0].tables == {"schema": "out"}
    file.write_text(file.read_text().replace("airflow:bank", "folder"))
    with pytest.raises(SettingsError, match="schema: only a database has one"):
        read_source_file(file)


@pytest.mark.parametrize("missing", ["basis", "legal_basis", "purposes"])
def test_a_source_without_a_right_to_its_data_is_refused(tmp_path: Path, missing: str) -> None:
    top = "\n".join(line for line in RIGHT.splitlines() if not line.startswith(f"{missing} "))
    with pytest.raises(SettingsError, match=f"{missing}: Field required"):
        read_source_file(write(tmp_path, top=top))


@pytest.mark.parametrize(
    ("top", "words"),
    [
        (RIGHT.replace('"consent"', '"pseudonymised"'), "never the scoring of people"),
        (RIGHT.replace('"a form"', '" "'), "name the statute or the consent"),
        (RIGHT.replace('["score"]', '["sell"]'), "purposes.0"),
        (RIGHT.replace('["score"]', "[]"), "purposes"),
        (RIGHT.replace('"consent"', '"custom"'), "basis"),
        (RIGHT + 'id = "Bank 1"', "id"),
        (RIGHT + 'colour = "red"', "colour"),
        (RIGHT + 'encoding = "euc-kr"', "encoding"),
        (RIGHT + 'kind = "folder"', "only a drop"),
        (RIGHT + 'separator = "\\""', "separator"),
    ],
)
def test_a_source_that_is_written_wrong_is_refused(tmp_path: Path, top: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read_source_file(write(tmp_path, top=top))
    assert refused.value.where == str(tmp_path / "bank.toml")


def test_pseudonymised_data_may_serve_training(tmp_path: Path) -> None:
    top = RIGHT.replace('"consent"', '"pseudonymised"').replace('["score"]', '["train"]')
    assert read_source_file(write(tmp_path, top=top))[0].basis == "pseudonymised"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table": "repayment"}, "no table of ours is called 'repayment'"),
        ({"columns": COLUMNS + '"x" = "colour"'}, "repayments has no column 'colour'"),
        ({"columns": COLUMNS + '"x" = "loan_id"'}, "'loan_id' is given twice"),
        ({"columns": COLUMNS.replace('"late" = "days_past_due"', "")}, "nothing gives 'days_past_due'"),
        ({"columns": COLUMNS.replace('"told" = "known_on"', "")}, "nothing gives 'known_on'"),
        ({"said": 'files = "*"\nconstants = { loan_id = "L1" }'}, "'loan_id' is given twice"),
        ({"said": 'files = "*"\nconstants = { balance_krw = "much" }'}, "balance_krw can't be 'much': it is Int64"),
        ({"said": 'files = "*"\nconstants = { limit_krw = -1 }'}, "limit_krw can't be -1: it breaks the rule min"),
        ({"said": ""}, "files: Field required"),
        ({"said": 'files = "*"\nknown_on = { from_file = "([0-9]{8})" }'}, "'known_on' is given twice"),
        ({"said": 'files = "*"\nknown_on = { from_file = "[0-9]{8}" }'}, "exactly one group"),
        ({"said": 'files = "*"\nknown_on = { from_file = "([0-9]{8" }'}, "no regular expression"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", date = "%Y%m%d" }'}, "column 'x': date makes no sense for due_krw, which is Int64"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", prefix = "L" }'}, "prefix makes no sense"),
        ({"columns": COLUMNS + '"x" = { to = "due_on", scale = 10 }'}, "scale makes no sense"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", scale = 0.5 }'}, "scale must be a whole number"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", scale = 0 }'}, "greater than 0"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", scale = 1000, unit = "천원" }'}, "keep one"),
        ({"columns": COLUMNS + '"x" = { to = "due_krw", unit = "달러" }'}, "unit"),
        ({"columns": COLUMNS + '"x" = { to = "due_on", date = "%y%m%d" }'}, "anything else would be a guess"),
        ({"columns": COLUMNS + '"x" = { to = "is_retracted", true = ["Y"] }'}, "give both true and false"),
        ({"columns": COLUMNS + '"x" = { to = "is_retracted", true = ["Y"], false = ["Y"] }'}, "no word in common"),
        ({"columns": COLUMNS + '"x" = { colour = "red" }'}, "tables.repayments.columns.x.to: Field required"),
    ],
)
def test_a_mapping_that_cannot_be_right_is_refused(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_source_file(write(tmp_path, **changes))
    assert words in refused.value.what


def test_a_code_that_our_table_does_not_know_is_refused(tmp_path: Path) -> None:
    columns = (
        '"a" = "borrower_id"\n"b" = "happened_on"\n"c" = "known_on"\n"d" = { to = "kind", codes = { "1" = "closure", "2" = "wedding" } }'
    )
    with pytest.raises(SettingsError, match="kind can't be 'wedding': it breaks the rule known_code"):
        read_source_file(write(tmp_path, table="events", columns=columns))


def test_a_constant_may_be_a_day(tmp_path: Path) -> None:
    file = write(tmp_path, said='files = "*"\nconstants = { known_on = 2026-10-31 }', columns=COLUMNS.replace('"told" = "known_on"', ""))
    assert read_source_file(file)[0].tables["repayments"].constants == {"known_on": date(2026, 10, 31)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[source]]\nfile = "hanbit_bank.toml"\n[[source]]\nfile = "hanbit_bank.toml"', "two sources are called hanbit_bank"),
        ('[[source]]\nfile = "hanbit_bank.toml"\npriority = 3', "an entry with `file` says nothing else"),
        ('[[source]]\nfile = "nobody.toml"', "can't be read"),
        ('[[source]]\nfile = "sources.toml"', "can't hold another list"),
        ('name = "x"\n[[source]]\nfile = "hanbit_bank.toml"', "and nothing else"),
        ('[[source]]\nplace = "x"', "source 1: "),
        ("[[source]", "not TOML"),
    ],
)
def test_a_list_of_sources_that_cannot_be_right_is_refused(tmp_path: Path, text: str, words: str) -> None:
    folder = Path(copytree(EXAMPLES, tmp_path / "examples"))
    (folder / "list.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_source_file(folder / "list.toml")
    assert words in refused.value.what
