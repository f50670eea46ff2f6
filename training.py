"""Training and backtests: what is known → labelled origins → an honest trial → a model in the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signals.errors import InputError, SettingsError
from signals.home import Home

if TYPE_CHECKING:
    import polars as pl

    from models.labels import Span
    from models.lot import Lot
    from models.model import Model
    from models.recipe import Recipe
    from signals.forgotten import Forgotten
    from signals.offices import Office

Progress = Callable[[str], None]

HORIZON_DAYS = 180  # what a scheduled training foretells, as the command does unless told otherwise


@dataclass(frozen=True)
class TrainingReport:
    """What a training made: the model's version, whether it became champion, and its honest trial's figures."""

    version: str
    is_champion: bool
    folder: Path
    known_by: date
    origins: tuple[date, ...]
    about: dict[str, Any]


def train(
    sources: Sequence[str],
    as_of: date,
    horizon_days: int,
    home: Path,
    on_progress: Progress | None = None,
    forgotten: Forgotten | None = None,
    *,
    may_lead: bool = True,
) -> TrainingReport:
    """Train a model on all that was known by `as_of`, try it honestly, and register it (the first becomes champion if it `may_lead`).

    Raises `SettingsError` for a horizon of no day or of more than ten years, and `InputError` when a required table is missing, no origin's horizon of `horizon_days` had ended by `as_of`,
    or too few defaults are known for any model.
    """
    from models.extremes import refuse_extremes
    from models.registry import register_model
    from models.tonight import sketch_training
    from models.train import fit_model
    from signals.receipts import hash_content

    refuse_extremes(horizon_days, None)
    book = _open_book(sources, horizon_days, on_progress, forgotten)
    origins = book.list_origins(as_of)
    if not origins:
        raise _unfinished(sources, f"no month end before {as_of} has a known horizon of {horizon_days} days")
    rows = book.read_rows(origins, as_of)
    book.say(f"fitting on {len(origins)} origins, {len(rows):,} rows")
    lot, model = book.lot.to_json(), fit_model(rows, book.directions, book.recipe, horizon_days, as_of)
    evaluation = _evaluate_latest(book, origins[-1], rows, as_of)
    sketch = sketch_training(model, rows.filter(origin=origins[-1]))
    told = {"lot": lot, "rows_hash": hash_content(rows, ("origin", "borrower_id")), "sketch": sketch, "evaluation": evaluation}
    folder, made = Home(home).models, replace(model, about=(about := {**model.about, **told}))
    version, is_champion = register_model(folder, made, _try_champion(book, folder, made, rows, as_of), may_lead=may_lead)
    return TrainingReport(version, is_champion, folder / version, as_of, model.origins, about)


def backtest(
    sources: Sequence[str],
    origins: Sequence[date],
    horizon_days: int,
    folds: int | None = None,
    on_progress: Progress | None = None,
    forgotten: Forgotten | None = None,
    offices: Sequence[Office] | None = None,
) -> dict[str, Any]:
    """Try the model and its baselines on each origin as if it were that day, and measure what came.

    Several origins, or one without `folds`: out of time and borrower-disjoint, each trained only on what was known
    before it. One with `folds`: borrower-disjoint at that origin. The keys are those of the house plan §10 and decision 0032,
    the verdict first. `offices` (null: the shipped example) say how long the lists are. Raises
    `InputError` for an unfinished horizon, or an origin before which there is nothing to learn from; `SettingsError`
    for no origin, and for a horizon or a number of folds out of bounds.
    """
    from models.extremes import refuse_extremes

    days = sorted(set(origins))
    if not days:
        raise SettingsError("a backtest needs an origin", "--as-of", "there is no day to test on", "give at least one origin")
    refuse_extremes(horizon_days, folds)
    book = _open_book(sources, horizon_days, on_progress, forgotten)
    for origin in days:
        if origin > book.span.last_known - timedelta(days=horizon_days):
            raise _unfinished(sources, f"the horizon of {origin} ends {horizon_days} days after it, knowledge ends {book.span.last_known}")
    is_out_of_time = folds is None or len(days) > 1
    tried = [_try_origin(book, origin, folds, is_out_of_time) for origin in days]
    return _sum_up(book, tried, folds or book.recipe.evaluation_folds, is_out_of_time, offices)


def _sum_up(
    book: _Book, trials: Sequence[pl.DataFrame], folds: int, is_out_of_time: bool, offices: Sequence[Office] | None
) -> dict[str, Any]:
    import polars as pl

    from models.beside import look_beside
    from models.fairness import measure_fairness
    from models.segments import join_segments, measure_segments
    from models.trial import summarise_trial
    from signals.offices import SHIPPED, load_offices

    known_by, days = book.span.last_known, [trial["origin"][0] for trial in trials]
    offices = offices or load_offices(SHIPPED.parent)
    joined = [
        join_segments(trial, book.know(day, ("borrowers", "businesses")), day, offices) for day, trial in zip(days, trials, strict=True)
    ]
    figures = summarise_trial(joined, {day: book.excluded[day, known_by] for day in days}, book.recipe)
    tried, beside = pl.concat(joined), book.recipe.beside_days
    return {
        "verdict": figures.pop("verdict"),
        "is_out_of_time": is_out_of_time,
        "horizon_days": book.horizon_days,
        **figures,
        "beside": {} if beside == book.horizon_days else {str(beside): look_beside(tried, book.tables, known_by, book.recipe)},
        "segments": measure_segments(tried, book.recipe),
        "fairness": measure_fairness(tried, book.recipe),
        "audit": _audit_trial(book, trials[-1] if is_out_of_time else None, days, folds),
    }


def _audit_trial(book: _Book, out_of_time: pl.DataFrame | None, days: Sequence[date], folds: int) -> dict[str, Any]:
    """Look for leaks at the origins tried; out of time, the last is tried once more by what was learned at random."""
    from models.leakage import audit_features, can_audit, find_jump, sum_up_audit
    from models.trial import try_models

    book.say("looking for leaks")
    rows, jump = book.read_rows(days, book.span.last_known), None
    if out_of_time is not None:
        latest = rows.filter(origin=days[-1])
        jump = find_jump(try_models(latest, latest, book.directions, book.recipe, book.horizon_days, folds), out_of_time, book.recipe)
    found = audit_features(rows, list(book.directions), book.recipe, book.horizon_days)
    return sum_up_audit(found, len(book.directions), jump, is_judged=can_audit(rows, book.recipe))


def run_task(as_of: str) -> dict[str, str]:
    """Make a challenger for a scheduler, of what was known by a day, and promote nothing: settings from the environment, what was made as plain values."""
    from signals.forget import read_who_is_forgotten
    from signals.settings import Settings
    from signals.sources import list_sources
    from signals.sources.rights import refuse_without_basis

    settings = Settings.read()
    sources = settings.locate_sources()
    if not sources:
        raise SettingsError("no source named", "DEUNGDAE_SOURCES, HOME/sources.toml", "there is nothing to learn from", "name one of them")
    if settings.require_legal_basis:
        refuse_without_basis(list_sources(sources, "train"))
    report = train(sources, date.fromisoformat(as_of), HORIZON_DAYS, settings.home, print, read_who_is_forgotten(settings), may_lead=False)
    return {"version": report.version, "known_by": as_of, "folder": str(report.folder)}


def run_outcomes(as_of: str) -> dict[str, Any]:
    """Hold, for a scheduler, earlier nights against what came of them by a day: settings from the environment, what was found as plain values."""
    from models.aftermath import record_outcomes
    from signals.settings import Settings

    return record_outcomes(Settings.read(), date.fromisoformat(as_of))


def _try_origin(book: _Book, origin: date, folds: int | None, is_out_of_time: bool) -> pl.DataFrame:
    from models.trial import try_models

    present = book.read_rows([origin], book.span.last_known)
    if not is_out_of_time:
        past = present
    else:
        earlier = book.list_origins(origin)
        if not earlier:
            raise _unfinished(
                book.sources,
                f"before {origin} no month end has a known horizon of {book.horizon_days} days, so there is nothing to learn from (one origin alone can be tested by --folds)",
            )
        past = book.read_rows(earlier, origin)
    book.say(f"trying {origin} on {len(past):,} rows")
    return try_models(past, present, book.directions, book.recipe, book.horizon_days, folds or book.recipe.evaluation_folds)


def _evaluate_latest(book: _Book, latest: date, rows: pl.DataFrame, as_of: date) -> dict[str, Any]:
    """The trial of a training: at its latest origin, out of time where enough was known before it, else only borrower-disjoint."""
    from models.fairness import measure_fairness
    from models.folds import count_defaults
    from models.leakage import audit_features, can_audit, sum_up_audit
    from models.segments import join_segments
    from models.trial import summarise_trial, try_models

    # The model on trial is told of default events: an origin told by repayments alone has another definition (decision 0010).
    earlier = book.list_origins(latest, told_by=as_of)
    past = book.read_rows(earlier, latest) if earlier else rows.clear()
    is_out_of_time = count_defaults(past) >= 2 * book.recipe.least_defaults
    present = rows.filter(origin=latest)
    book.say(f"trying {latest} {'out of time' if is_out_of_time else 'not out of time'}")
    tried = try_models(
        past if is_out_of_time else rows, present, book.directions, book.recipe, book.horizon_days, book.recipe.evaluation_folds
    )
    kinds = join_segments(tried, book.know(latest, ("borrowers", "businesses")), latest)
    found = audit_features(present, list(book.directions), book.recipe, book.horizon_days)
    return {
        "is_out_of_time": is_out_of_time,
        "horizon_days": book.horizon_days,
        **summarise_trial([tried], {latest: book.excluded[latest, as_of]}, book.recipe),
        "fairness": measure_fairness(kinds, book.recipe),
        "audit": sum_up_audit(found, len(book.directions), None, is_judged=can_audit(present, book.recipe)),
    }


def _try_champion(book: _Book, folder: Path, model: Model, rows: pl.DataFrame, as_of: date) -> dict[str, Any] | None:
    """How the present champion does on the trial of a new model (null: there is none)."""
    from models.acts import find_champion
    from models.registry import load_model
    from models.rivals import try_champion

    act, latest = find_champion(folder), model.origins[-1]
    if act is None:
        return None
    earlier, is_out_of_time = book.list_origins(latest, told_by=as_of), model.about["evaluation"]["is_out_of_time"]

    def read_past() -> pl.DataFrame:
        return book.read_rows(earlier, latest) if is_out_of_time else rows

    try:
        champion = load_model(folder, act.version)
    except SettingsError as error:  # no reason to lose what was learned
        return {"version": act.version, "way": None, "auc": None, "average_precision": None, "why": error.what}
    return try_champion(champion, model, rows.filter(origin=latest), read_past, book.recipe)


@dataclass
class _Book:
    """The sources as training reads them: all versions, with the features of each origin built once.

    `excluded` counts, per origin and day of knowledge, who has no label there.
    """

    sources: Sequence[str]
    tables: Mapping[str, pl.LazyFrame]
    horizon_days: int
    span: Span
    directions: Mapping[str, int]
    recipe: Recipe
    say: Progress
    lot: Lot
    features: dict[date, pl.DataFrame] = field(default_factory=dict)
    excluded: dict[tuple[date, date], dict[str, int]] = field(default_factory=dict)

    def list_origins(self, known_by: date, told_by: date | None = None) -> list[date]:
        """The origins to learn from, known by a day; whether default events are told is judged by `told_by` (null: that day)."""
        from models.labels import find_first_outcome
        from models.origins import list_origins

        return list_origins(
            self.span.first_known,
            min(known_by, self.span.last_known),  # after the last news nobody knows who stayed well
            self.horizon_days,
            min_history_days=self.recipe.min_history_days,
            max_origins=self.recipe.origins_max,
            outcomes_from=find_first_outcome(self.tables, told_by or known_by),
        )

    def read_rows(self, origins: Sequence[date], known_by: date) -> pl.DataFrame:
        """One row per origin and borrower_id with a label: the label known by a day, and the features of the origin."""
        import polars as pl

        from models.labels import count_excluded, join_features, label_defaults
        from models.lot import thin_labels

        labels = {origin: label_defaults(self.tables, origin, self.horizon_days, known_by) for origin in origins}
        self.excluded |= {(origin, known_by): count_excluded(frame) for origin, frame in labels.items()}
        labels, self.lot.rows_left_out = thin_labels(labels, self.recipe)
        rows = pl.concat([join_features(frame, self._build_features(origin), origin) for origin, frame in labels.items()])
        if rows.is_empty():
            raise _unfinished(self.sources, f"nobody is known, and not in crisis, at {origins[-1]}")
        return rows

    def know(self, origin: date, names: Sequence[str] | None = None) -> dict[str, pl.LazyFrame]:
        """What was known of the named tables (null: all) at an origin."""
        from signals.settled import settle_known

        return {name: settle_known(frame, name, origin) for name, frame in self.tables.items() if names is None or name in names}

    def _build_features(self, origin: date) -> pl.DataFrame:
        from features import build_features

        if origin not in self.features:
            self.say(f"features as known on {origin}")
            self.features[origin] = build_features(self.know(origin), origin).collect()
        return self.features[origin]


def _open_book(sources: Sequence[str], horizon_days: int, on_progress: Progress | None, forgotten: Forgotten | None = None) -> _Book:
    from features import directions
    from models.labels import find_span
    from models.lot import hold_lot
    from models.recipe import load_recipe
    from signals.checks import judge_rows
    from signals.forgotten import NOBODY
    from signals.orphans import part_orphans
    from signals.sources import read_sources
    from signals.tables import TABLES

    # As the night does: what is said twice alike is no contradiction, and what breaks a rule or hangs in the air is not learned from.
    recipe = load_recipe()
    read, lot = hold_lot(read_sources(sources, forgotten or NOBODY), recipe)
    said = {name: frame.unique(list(TABLES[name].columns), keep="first", maintain_order=True).collect() for name, frame in read.items()}
    sound = {name: judge_rows(frame, name)[0] for name, frame in said.items()}
    tables = {name: part_orphans(frame, name, _list_known(sound, name))[0].lazy() for name, frame in sound.items()}
    span = find_span(tables)
    if span is None:
        raise _unfinished(sources, "there is no repayment at all")
    return _Book(sources, tables, horizon_days, span, directions(), recipe, on_progress or (lambda _: None), lot)


def _list_known(sound: Mapping[str, pl.DataFrame], table: str) -> list[pl.LazyFrame]:
    from signals.tables import TABLES

    waits_for = TABLES[table].waits_for
    return [] if waits_for is None else [sound[waits_for].lazy()]


def _unfinished(sources: Sequence[str], what: str) -> InputError:
    from signals.sources.places import say_place

    return InputError(
        what,
        ", ".join(map(say_place, sources)),
        "what came of the borrowers must be known to learn or to test",
        "choose an earlier day, a shorter horizon or a longer history",
    )
