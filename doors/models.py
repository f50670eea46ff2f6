"""`deungdae models`: which models there are, who serves, the acts that change it, and what came of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from doors.terminal import HomeFolder, say, show_pairs, standard_out

if TYPE_CHECKING:
    from models.acts import Act

app = typer.Typer(help="모형 · The models: who serves, who stands beside, and why.", no_args_is_help=True)

Because = Annotated[str, typer.Option(help="Why, in a sentence; kept for good.")]
_ROLES = {
    "champion": "운영 모형 · champion",
    "challenger": "후보 모형 · challenger",
    "earlier": "이전 운영 · earlier",
    "passed over": "– · passed over",
}


@app.command("list")
def list_models(home: HomeFolder) -> None:
    """List the models: version, role, what their trial found, when and why each was made champion."""
    from models.promote import list_models as list_registered

    models = list_registered(home / "models")
    if not models:
        say("no model is registered: nights are scored by the scorecard of official signs; `deungdae train` makes one")
    table = Table("모형 model", "구분 role", "AUC", "정밀도 average precision", "보정 오차 calibration error", "승격 made champion")
    for one in models:
        figures = ("–" if one[name] is None else f"{one[name]:.4f}" for name in ("auc", "average_precision", "calibration_error"))
        table.add_row(one["version"], _ROLES[one["role"]], *figures, "\n".join(map(_say_act, one["acts"])))
    standard_out().print(table)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The challenger's version, as `deungdae models list` names it.")],
    because: Because,
    home: HomeFolder,
) -> None:
    """Make the challenger champion, if it passes every gate; from the next night on it scores."""
    from models.gates import load_gates
    from models.promote import promote_challenger

    with _alone(home) as folder:
        act = promote_challenger(folder, version, because, _now(), load_gates())
    _show_act("승격 · promoted", act)


@app.command()
def rollback(because: Because, home: HomeFolder) -> None:
    """Make the champion before this one champion again, with the thresholds it had."""
    from models.promote import roll_back

    with _alone(home) as folder:
        act = roll_back(folder, because, _now())
    _show_act("되돌림 · rolled back", act)


@app.command()
def fairness(
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="A night that was run.")],
    home: HomeFolder,
) -> None:
    """Show of a night whom it flagged, and whom of these it found a place, group by group. What came of them, a backtest tells."""
    import polars as pl

    from models.fairness import KINDS, measure_selection
    from models.segments import join_segments
    from signals.lake import read_known
    from signals.night import Night
    from signals.products import FLAGGED
    from signals.settings import Settings

    night = Night(as_of.date(), Settings.read(home=home))
    flags = night.read("scores").select("borrower_id", is_flagged=pl.col("level").is_in(FLAGGED)).collect()
    helped = night.read("assignments").filter(pl.col("place") != "open").select("borrower_id").unique().collect()
    known = read_known(night.home, night.as_of, tables=("borrowers", "businesses"))
    people = join_segments(flags.with_columns(has_place=pl.col("borrower_id").is_in(helped["borrower_id"].implode())), known, night.as_of)
    flagged, placed = measure_selection(people, "is_flagged"), measure_selection(people.filter("is_flagged"), "has_place")
    of_flagged = {(one["kind"], one["group"]): one for one in placed}
    table = Table("", "집단 group", "차주 borrowers", "선별 flagged", "선별된 사람 중 배정 with a place, of the flagged")
    for one in flagged:
        share = of_flagged.get((one["kind"], one["group"]))
        place = f"{share['selection_rate']:.1%}" if share else "–"
        table.add_row(KINDS.get(one["kind"], ""), one["group"], f"{one['borrowers']:,}", f"{one['selection_rate']:.1%}", place)
    standard_out().print(table)


@app.command()
def resume(because: Because, home: HomeFolder) -> None:
    """End shock mode: from the next night on the champion scores again, and what was seen since the shock began is the new usual."""
    from models.resume import end_shock
    from signals.settings import Settings

    with _alone(home):
        made = end_shock(Settings.read(home=home), because, _now())
    rows = [("충격 모드 시작 · shock since", str(made.since)), ("운영 모형 복귀 · champion from the night of", str(made.from_on))]
    show_pairs("충격 모드 종료 · shock ended", [*rows, ("사유 · because", made.because)])


@app.command()
def outcomes(
    home: HomeFolder,
    as_of: Annotated[
        datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="What came is judged by all that was known on this day.")
    ],
) -> None:
    """Hold the nights whose horizon is over against what came of them: were the risks right, were the crises seen?"""
    from guidance.watching import OUTCOME_HEADS, list_outcome_rows
    from models.aftermath import record_outcomes
    from signals.settings import Settings

    found = record_outcomes(Settings.read(home=home), as_of.date(), lambda: say("a night holds the lease; waiting for it to end"))
    if not found["nights"]:
        say(f"no published night's horizon was over on {as_of.date()}: there is nothing to hold against what came")
    table = Table(*OUTCOME_HEADS)
    for row in list_outcome_rows({"outcomes": found}):
        table.add_row(*row)
    standard_out().print(table)


@contextmanager
def _alone(home: Path) -> Iterator[Path]:
    """The registry, under the lease of this HOME: one night is scored and explained by one model."""
    from signals.errors import SettingsError
    from signals.records.database import open_database
    from signals.settings import Settings
    from signals.turns import hold_lease

    settings = Settings.read(home=home)
    folder = settings.places.models
    if not folder.is_dir():
        raise SettingsError("no model is registered", str(folder), "there is nothing to choose from", "`deungdae train` makes a model")
    with hold_lease(open_database(settings.records_url), settings, lambda: say("a night holds the lease; waiting for it to end")):
        yield folder


def _show_act(title: str, act: Act) -> None:
    gates = [(f"관문 · gate {one['gate']}", one["words"]) for one in act.gates]
    levels = [(f"기준 · from risk {name}", f"{risk:.4f}") for name, risk in (act.thresholds or {}).items()]
    show_pairs(f"{title} {act.version}", [("이전 · before", act.before or "–"), *gates, *levels, ("사유 · because", act.because)])


def _say_act(act: Act) -> str:
    return f"{act.act}{f' {act.at}' if act.at else ''}: {act.because}"


def _now() -> str:
    return datetime.now(ZoneInfo("Asia/Seoul")).isoformat(timespec="seconds")
