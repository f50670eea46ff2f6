"""The command: one function per door."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from doors.models import app as models
from doors.terminal import HomeFolder, said, say, show_pairs, standard_out
from signals.errors import DeungdaeError, list_store_errors
from signals.progress import ProgressBar

if TYPE_CHECKING:
    from signals.settings import Settings

app = typer.Typer(
    help="등대 Deungdae: early warning and guidance for small-business owners with loans.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback that shows values would name people
)
programmes = typer.Typer(help="The support programmes.", no_args_is_help=True)
app.add_typer(programmes, name="programmes")
sources = typer.Typer(help="자료원 · The sources: who sends what.", no_args_is_help=True)
app.add_typer(sources, name="sources")
app.add_typer(models, name="models")

Day = Annotated[datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="All that was known by the end of this day, Korean time.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="A folder, database, object store or source file; may be given more than once. Else HOME/sources.toml."),
]


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="The source folder to write; the truth goes beside it.")],
    borrowers: Annotated[int, typer.Option(min=1)] = 20_000,
    months: Annotated[int, typer.Option(min=1)] = 36,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day anything is known.")] = datetime(2026, 9, 30),  # noqa: DTZ001
) -> None:
    """Write a source folder for a made-up town, and apart from it the simulator's own truth."""
    from signals.simulate import truth_path, write_town_folder

    with ProgressBar("simulating", said) as advance:
        write_town_folder(out, borrowers=borrowers, months=months, seed=seed, until=until.date(), on_progress=advance)
    say(f"{borrowers:,} borrowers over {months} months in {out}; the simulator's own hazard in {truth_path(out)}")


@app.command()
def train(
    as_of: Day,
    home: HomeFolder,
    source: Sources = None,
    horizon_days: Annotated[int, typer.Option(min=1)] = 180,
) -> None:
    """Train, evaluate and register a challenger on what was known by --as-of; the first becomes champion."""
    import training
    from signals.forget import read_who_is_forgotten

    settings = _read_settings(home, source, "train")
    _refuse_unwritable(home)
    given: dict[str, Any] = {"on_progress": say, "forgotten": read_who_is_forgotten(settings)}
    report = training.train(settings.locate_sources(), as_of.date(), horizon_days, home, **given)
    place = "운영 모형 · champion" if report.is_champion else "후보 모형 · challenger"
    figures = {name: figure for name, figure in report.about["evaluation"].items() if isinstance(figure, int | float)}
    rows = [(name, f"{figure:,.4g}") for name, figure in figures.items()]
    show_pairs(f"{place} {report.version}", [*rows, ("폴더 · folder", str(report.folder))])


@app.command()
def backtest(
    as_of: Annotated[list[datetime], typer.Option("--as-of", formats=["%Y-%m-%d"], help="An origin; may be given more than once.")],
    json_file: Annotated[str, typer.Option("--json", help="Where to write the figures; - for standard output.")],
    source: Sources = None,
    home: HomeFolder = Path("home"),
    horizon_days: Annotated[int, typer.Option(min=1)] = 180,
    folds: Annotated[int | None, typer.Option(min=2, help="One origin: borrower-disjoint folds.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Where to write the report to read, in Markdown.")] = None,
) -> None:
    """Test the model honestly at past days, beside days past due, a logistic regression and the scorecard."""
    import training
    from models.report import show_report, write_report
    from signals.forget import read_who_is_forgotten
    from signals.offices import load_offices

    for file in [Path(name) for name in (json_file, report) if name and name != "-"]:
        _refuse_unwritable(file.resolve().parent)
    settings = _read_settings(home, source, "train")
    given: dict[str, Any] = {"on_progress": say, "forgotten": read_who_is_forgotten(settings), "offices": load_offices(home)}
    figures = training.backtest(settings.locate_sources(), [day.date() for day in as_of], horizon_days, folds, **given)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    sys.stdout.write(text + "\n") if json_file == "-" else Path(json_file).write_text(text + "\n", encoding="utf-8")
    if report:
        report.write_text(write_report(figures), encoding="utf-8")
    show_report(figures, said if json_file == "-" else standard_out())


@app.command()
def night(
    as_of: Day,
    home: HomeFolder,
    source: Sources = None,
    engine: Annotated[
        Literal["polars", "spark"] | None,
        typer.Option(help="What builds features and scores: polars here, or spark (docs/spark.md). Else DEUNGDAE_ENGINE."),
    ] = None,
) -> None:
    """Run the whole night."""
    import nightly
    from signals.night import Night
    from signals.spark_session import refuse_without_spark

    settings = _read_settings(home, source, "score", **({"engine": engine} if engine else {}))
    refuse_without_spark(settings)  # before the sources are read, not after
    the_night = Night(as_of.date(), settings)
    has_changed = nightly.run_night(the_night, on_stage=say, on_wait=lambda: say("another night holds the lease; waiting for it to end"))
    show_night(the_night, is_unchanged=not has_changed)


@app.command()
def forget(
    borrower: Annotated[str, typer.Argument(help="The borrower's id; - reads it from standard input, so that no shell keeps it.")],
    home: HomeFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase every trace of a borrower, for good, and drop what is still sent of them; replays then say redacted."""
    from signals.forget import forget_borrower
    from signals.settings import Settings

    identity = sys.stdin.readline().rstrip("\n") if borrower == "-" else borrower
    if not yes:
        typer.confirm("Every trace of this borrower goes for good and can't be brought back. Go on?", abort=True)
    wait = "a night holds the lease; waiting for it to end"
    gone = forget_borrower(identity, Settings.read(home=home), lambda step: say(f"forget {step}"), lambda: say(wait))
    rows = [(name, f"{getattr(gone, name):,}") for name in ("records", "files", "lake", "products")]
    rows += [("밤 · nights pinned anew", f"{len(gone.nights):,}"), ("꾸러미 · packs emptied", f"{len(gone.packs):,}")]
    show_pairs("잊음 · forgotten", rows)
    if gone.packs:
        say(f"run the night again for packs without them: {', '.join(sorted({pack.parent.name for pack in gone.packs}))}")


@programmes.command("check")
def check_programmes(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day to judge the windows by; today in Seoul if not given.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Check HOME's programmes over the shipped ones.")] = None,
) -> None:
    """Check every programme file: its fields, its rules, its worked examples, its window."""
    from guidance.catalogue import SHIPPED
    from guidance.check import check_programmes as find_faults

    faults = find_faults([SHIPPED, *([home / "programmes"] if home else [])], as_of=(as_of or datetime.now(ZoneInfo("Asia/Seoul"))).date())
    for fault in faults:
        said.print(str(fault), markup=False, highlight=False)
    errors = [fault for fault in faults if not fault.is_warning]
    say(f"{len(errors)} faults, {len(faults) - len(errors)} warnings")
    if errors:
        raise typer.Exit(1)


@sources.command("check")
def check_sources(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", exists=True, dir_okay=False, help="Deliveries, or a source file itself; else the night's sources."),
    ] = None,
    with_file: Annotated[Path | None, typer.Option("--with", exists=True, dir_okay=False, help="The source file to try on them.")] = None,
    table: Annotated[str | None, typer.Option(help="Which table the files are, whatever their names.")] = None,
    home: HomeFolder = Path("home"),
) -> None:
    """Try a source file on deliveries: what is read, and the first ten problems of each file, never a value.

    Without FILE: check the sources a night would read (DEUNGDAE_SOURCES, HOME/sources.toml), and whether each can be reached.
    """
    from signals.settings import Settings
    from signals.sources.reach import check_places
    from signals.sources.trial import UnclearError, check_files

    named = Settings.read(home=home).list_locations()
    if not files and (with_file or table or not named):
        raise typer.BadParameter(f"name a FILE: neither DEUNGDAE_SOURCES nor {home / 'sources.toml'} names a source")
    try:
        checks = check_files(files, with_file, table) if files else check_places(named)
    except UnclearError as error:
        raise typer.BadParameter(str(error)) from error
    for check in checks:
        show_pairs(check.file, check.list_rows())
    broken = sum(not check.is_fine for check in checks)
    say(f"{len(checks)}개 중 {broken}개에 문제 · {len(checks)} checked, {broken} with problems")
    if broken:
        raise typer.Exit(1)


@app.command()
def doctor(home: HomeFolder = Path("home")) -> None:
    """Say what is installed, reachable, stale or broken, and how to mend it."""
    from signals.doctor import examine
    from signals.settings import Settings

    findings = examine(Settings.read(home=home))
    table = Table()
    for head in ("what", "state", "how to mend it"):
        table.add_column(head, overflow="fold")
    for finding in findings:
        table.add_row(finding.what, ("[green]ok[/] " if finding.is_well else "[red]bad[/] ") + finding.state, finding.mend)
    standard_out().print(table)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


@app.command("explain-feature")
def explain_feature(
    name: Annotated[str, typer.Argument(help="A feature, as docs/features.md names it.")],
    borrower: Annotated[str, typer.Option(help="The borrower's pseudonym.")],
    as_of: Day,
    home: HomeFolder,
    is_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object on standard output.")] = False,
) -> None:
    """Show the rows that went into a feature's value, for an analyst who doubts it."""
    from doors.tracing import explain_feature as trace
    from features.traced import list_trace_rows
    from signals.night import Night
    from signals.settings import Settings

    traced = trace(Night(as_of.date(), Settings.read(home=home)), name, borrower)
    if is_json:
        typer.echo(json.dumps(traced, ensure_ascii=False, indent=1, default=str))
        return
    show_pairs(f"{traced['label_ko']} · {traced['feature']}", list_trace_rows(traced))


@app.command()
def maintain(
    home: HomeFolder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done and change nothing.")] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day by which age is counted; the newest published night if not given."),
    ] = None,
) -> None:
    """Let go what is past its time, sort the lake's buckets, and delete the files that no kept night needs."""
    from signals.maintenance import find_day, run_maintenance
    from signals.settings import Settings

    settings = Settings.read(home=home)
    day = as_of.date() if as_of else find_day(settings)
    upkeeps = run_maintenance(settings, day, is_dry=dry_run, on_step=say, on_wait=lambda: say("a night holds the lease; waiting for it"))
    _show_upkeep(f"{'정비 예정 · what would be maintained' if dry_run else '정비 · maintained'} {day}", upkeeps)


def show_night(the_night: Any, *, is_unchanged: bool) -> None:
    """Print the published night as a table a person can read."""
    import nightly
    from guidance.terminal import list_night_rows

    summary = nightly.read_summary(the_night)
    show_pairs(f"야간 산출 · night of {summary['as_of']}", list_night_rows(summary))
    if is_unchanged:
        standard_out().print("변경 없음 · nothing changed: this night stood already with equal receipts")


def main() -> None:
    """Run the command; an error a person must mend is one line, without a value of the data, and exit 1."""
    from polars.exceptions import PolarsError

    try:
        app()
    except DeungdaeError as error:
        _fail(str(error))
    except OSError as error:
        _fail(
            f"{error.strerror or type(error).__name__} | where: {error.filename or 'HOME or the object store'} "
            "| what to do: check that it is there and may be read or written; `deungdae doctor` tries it"
        )
    except list_store_errors() as error:  # asked for once something failed; their own words show the statement
        _fail(
            f"what HOME holds can't be read or written ({type(error).__name__}) | where: HOME, DEUNGDAE_DATABASE_URL or DEUNGDAE_STORE | what to do: "
            "see that its disk is not full and the database answers, then run this again; `deungdae doctor` tries it"
        )
    except (PolarsError, OverflowError) as error:
        _fail(f"{type(error).__name__} | where: the sources or the lake | what to do: run `deungdae doctor`; send the broken file again")


def _fail(text: str) -> None:
    say(f"error: {text}")
    sys.exit(1)


def _refuse_unwritable(folder: Path) -> None:
    """Find out before hours of work, not after, that a folder can't be written."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "the folder can't be written", str(folder))


def _read_settings(home: Path, source: list[str] | None, purpose: str, **given: Any) -> Settings:
    """Read the settings of a door that reads sources; where none is named it ends as wrong usage."""
    from signals.settings import Settings
    from signals.sources import list_sources
    from signals.sources.rights import refuse_without_basis

    settings = Settings.read(home=home, **given, **({"sources": tuple(source)} if source else {}))
    if not settings.locate_sources():
        where = f"--source, DEUNGDAE_SOURCES, {home / 'sources.toml'}"
        say(f"error: no source named | where: {where} | why it matters: there is nothing to read | what to do: name one of them")
        raise typer.Exit(2)
    if settings.require_legal_basis and purpose == "train":  # the night refuses each on its own
        refuse_without_basis(list_sources(settings.locate_sources(), purpose))
    return settings


def _show_upkeep(title: str, upkeeps: list[Any]) -> None:
    table = Table("표 table", "파일 files", "디스크 bytes on disk", "만료 rows expired", "삭제 files removed", title=title)
    for one in upkeeps:
        files, size = f"{one.files_before:,} → {one.files_after:,}", f"{one.bytes_before:,} → {one.bytes_after:,}"
        table.add_row(one.name, files, size, f"{one.rows_expired:,}", f"{one.files_removed:,}")
    standard_out().print(table)


if __name__ == "__main__":
    main()
