"""The page "connect a lender" can be followed to the letter: its commands run, its examples are the shipped ones."""

import gzip
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import deungdae
from tests.signals.deliveries import DAY, EXAMPLES, write_world

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "connect-a-lender.md").read_text(encoding="utf-8")


def fenced(kind: str) -> list[str]:
    return [line for block in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line]


COMMANDS = fenced("sh")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped examples with what their sources send, one sample under another name, and one broken file."""
    write_world(tmp_path)
    day = tmp_path / "drops" / "hanbit_bank" / DAY
    (tmp_path / "sample.csv.gz").write_bytes((day / "repayments_001.csv.gz").read_bytes())
    lines = gzip.decompress((day / "repayments_001.csv.gz").read_bytes()).decode("cp949").split("\r\n")
    fields = lines[3].split(",", 2)
    broken = [lines[0], lines[1].replace(",N,", ",?,"), "짧은,줄", f"{fields[0]},{fields[1]},202610,,,,모름,,0,{DAY},N,"]
    (day / "repayments_002.csv.gz").write_bytes(gzip.compress("\n".join(broken).encode("cp949")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> Result:
    name, *words = shlex.split(command, comments=True)
    assert name == "deungdae"
    return CliRunner().invoke(deungdae.app, words, env={"COLUMNS": "300"})


@pytest.mark.parametrize("command", [command for command in COMMANDS if "sources check" in command])
def test_each_check_on_the_page_runs_and_ends_as_the_page_says(world: Path, command: str) -> None:
    done = run(command)
    assert done.exit_code == (1 if command.endswith("# exits 1") else 0), done.output
    if done.exit_code:
        shown = [line for line in fenced("text") if line not in done.output]
        assert shown == []


@pytest.mark.slow
def test_the_night_on_the_page_runs_on_all_three_sources(world: Path) -> None:
    (world / "drops" / "hanbit_bank" / DAY / "repayments_002.csv.gz").unlink()
    (command,) = [command for command in COMMANDS if "sources check" not in command]
    done = run(command)
    assert done.exit_code == 0, done.output
    assert "FAILED" not in done.output


def test_the_source_file_on_the_page_is_the_shipped_one() -> None:
    shipped = (EXAMPLES / "hanbit_bank.toml").read_text(encoding="utf-8")
    assert [line for line in fenced("toml") if line not in shipped.splitlines() and f"{line} #" not in shipped] == []
    for words in re.findall(r"`((?:constants|known_on) = \{[^`]*\})`", PAGE):
        assert words in shipped


def test_each_option_of_a_column_is_on_the_page() -> None:
    from signals.sources.mapping import ColumnMapping

    table = PAGE[PAGE.index("| in a column's entry") : PAGE.index("Beside `files`")]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) | set(re.findall(r"^\| `\w+`, `(\w+)`", table, re.MULTILINE)) == set(
        ColumnMapping.model_fields
    )
