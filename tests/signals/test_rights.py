"""On what right a source is read: said every night, refused where it must be, and found in one place by every door."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import deungdae
import nightly
from signals.arrivals import read_deliveries
from signals.doctor import examine
from signals.errors import InputError, NightError
from signals.night import Night
from signals.settings import Settings
from tests.cast import CAST_AS_OF
from tests.signals.deliveries import write_world

ARCHIVE = """
[[source]]
id = "archive"
place = "registers"
basis = "pseudonymised"
legal_basis = "신용정보법 제32조 제6항"
purposes = ["train"]
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_world(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def night_of(world: Path, *sources: str, **settings: bool) -> Night:
    return Night(CAST_AS_OF, Settings(home=world / "home", sources=sources, **settings))


def run(*words: object, **environment: str) -> Result:
    return CliRunner().invoke(deungdae.app, [str(word) for word in words], env={"COLUMNS": "300", **environment})


def states(settings: Settings) -> dict[str, tuple[bool, str]]:
    return {finding.what: (finding.is_well, finding.state) for finding in examine(settings)}


def test_a_source_without_a_basis_runs_for_trials_and_is_refused_where_a_basis_is_required(world: Path) -> None:
    bare, listed = str(shutil.copytree(world / "registers", world / "bare")), str(world / "sources.toml")
    night = night_of(world, bare, listed)
    assert nightly.pull(night)
    assert [one.failure for one in read_deliveries(night.home, CAST_AS_OF)] == [None] * 4
    strict = night_of(world, bare, listed, require_legal_basis=True)
    nightly.pull(strict)
    failures = {one.source_id: one.failure for one in read_deliveries(strict.home, CAST_AS_OF) if one.failure}
    assert list(failures) == ["bare"]
    assert failures["bare"].startswith("no legal basis named | where: source bare | ")


def test_when_all_is_refused_the_night_ends_with_that_as_its_own_error(world: Path) -> None:
    night = night_of(world, str(world / "registers"), require_legal_basis=True)
    nightly.pull(night)
    with pytest.raises(InputError, match="no legal basis named \\(so there is no table borrowers"):
        nightly.check(night)


def test_a_source_that_may_not_serve_a_night_is_named_and_not_pulled(world: Path) -> None:
    file = world / "sources.toml"
    file.write_text(file.read_text(encoding="utf-8") + ARCHIVE, encoding="utf-8")
    night = night_of(world, str(file))
    assert [source.source_id for source in night.sources] == ["hanbit_bank", "card_network", "registers", "archive"]
    assert "archive" not in [source.source_id for source in night.list_wanted()]
    with pytest.raises(NightError, match="no source named"):
        night.list_wanted("archive")
    file.write_text(ARCHIVE, encoding="utf-8")
    with pytest.raises(NightError, match="no named source may serve the night"):
        night_of(world, str(file)).list_wanted()


def test_training_refuses_a_source_without_a_basis_where_one_is_required(world: Path) -> None:
    words = ("train", "--source", "registers", "--as-of", "2026-10-31", "--home", "home")
    done = run(*words, DEUNGDAE_REQUIRE_LEGAL_BASIS="true")
    assert isinstance(done.exception, InputError)
    assert done.exception.what == "no legal basis named"
    assert not (world / "home").exists()


def test_sources_are_those_of_home_where_nothing_else_is_named(world: Path) -> None:
    listed = Settings(home=world)
    assert listed.locate_sources() == (str(world / "sources.toml"),)
    assert Settings(home=world, sources=("/data",)).locate_sources() == ("/data",)
    assert Settings(home=world / "home").locate_sources() == ()
    assert [source.source_id for source in Night(date(2026, 1, 1), listed).serving] == ["hanbit_bank", "card_network", "registers"]


def test_airflow_names_the_sources_of_home(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEUNGDAE_HOME", str(world))
    monkeypatch.delenv("DEUNGDAE_SOURCES", raising=False)
    assert nightly.name_sources() == ["hanbit_bank", "card_network", "registers"]


@pytest.mark.parametrize("door", [("night", "--home", "home"), ("train", "--home", "home"), ("backtest", "--json", "-")], ids=str)
def test_a_door_without_any_source_is_wrong_usage_and_says_where_one_may_be_named(world: Path, door: tuple[str, ...]) -> None:
    done = run(*door, "--as-of", "2026-10-31")
    assert done.exit_code == 2
    assert done.stderr.strip().startswith("error: no source named | where: --source, DEUNGDAE_SOURCES, home/sources.toml | ")
    assert not (world / "home").exists()


def test_the_check_without_a_file_tries_the_sources_of_a_night(world: Path) -> None:
    done = run("sources", "check", "--home", world, DEUNGDAE_SOURCES='["drops"]')
    assert done.exit_code == 0, done.output
    assert "2개 중 0개에 문제 · 2 checked, 0 with problems" in done.output
    assert "법적 근거 미기재 · no legal basis named" in done.output
    assert "동의 · consent: 신용정보법 제32조" in done.output
    assert "4 files" in done.output
    (world / "drops" / "card_network").rename(world / "drops" / "gone")
    done = run("sources", "check", "--home", world)
    assert done.exit_code == 1
    assert "card_network: no such source folder" in done.output


def test_the_doctor_says_which_source_can_be_reached_and_which_has_no_basis(world: Path) -> None:
    (world / "home").mkdir()
    found = states(Settings(home=world / "home", sources=(str(world / "registers"), str(world / "nowhere"), "sqlite:////nowhere/bank.db")))
    assert found["source registers"][0]
    assert found["source registers"][1].startswith("reached: 4 files; 법적 근거 미기재")
    assert found["source nowhere"] == (False, "no such source folder")
    assert found["source bank"] == (False, "no such database file")
    strict = states(Settings(home=world / "home", sources=(str(world / "registers"),), require_legal_basis=True))
    assert not strict["source registers"][0]
    assert states(Settings(home=world / "home"))["sources"] == (True, "none named")


def test_a_source_whose_connection_is_not_set_fails_alone(world: Path) -> None:
    night = night_of(world, "airflow:nobody", str(world / "registers"))
    assert nightly.pull(night)
    failures = {one.source_id: one.failure for one in read_deliveries(night.home, CAST_AS_OF)}
    assert failures["registers"] is None
    assert "AIRFLOW_CONN_NOBODY" in next(failure for failure in failures.values() if failure)
