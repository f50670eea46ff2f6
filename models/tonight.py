"""What watching reads and writes of a night: the edge between the night's products and the pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from models.bars import Bars, load_bars
from models.decisions import Resumption, read_outcomes, read_resumptions
from models.drift import measure_drift
from models.model import Model
from models.seasons import TRAINING, choose_usual
from models.shock import Shock, find_shock, from_rows, to_rows
from models.sketch import RISK, keep_large, read_sketch, sketch_features, sketch_values, write_sketch
from models.train import KEYS
from models.watch import judge_drift
from signals.night import Night
from signals.nights import read_earlier_rows
from signals.receipts import Receipt
from signals.records.runs import list_nights
from signals.store import read_product_parts

SAMPLE = 50_000  # borrowers whose features are sketched: whole buckets, each a fair lot of all


def watch_night(night: Night, rows: pl.DataFrame, in_crisis: pl.DataFrame, champion: Model | None) -> tuple[list[Receipt], Shock | None]:
    """Watch a night before it is graded: write its sketches, drift and shock; give the receipts, and the shock where one stands.

    `rows` are those of `score_rows` whom the night grades, `in_crisis` the borrower_ids who are not scored. A shock calls for the
    scorecard. Only published nights before this one, and decisions that count on it, are looked at.
    """
    bars, before = load_bars(), _read_before(night)
    looked_at = rows.join(in_crisis, on="borrower_id", how="anti", maintain_order="left")
    tonight = keep_large(sketch_night(night, looked_at, champion), bars.least_rows)
    usual, sketch = before.usual, before.sketch
    if sketch.is_empty():
        usual, sketch = TRAINING, read_sketch(champion.about.get("sketch", {}) if champion else {})
    read = {*champion.features, RISK} if champion else set()
    moved = measure_drift(tonight, sketch, bars.least_rows)
    drift = judge_drift(moved, usual, read, before.drifts, night.as_of, bars)
    shock = _find_shock(night, before, drift, champion, bars)
    written = {"sketches": tonight, "drift": drift, "shock": to_rows(shock)}
    return [receipt for name, frame in written.items() for receipt in night.write(name, frame)], shock


def sketch_night(night: Night, rows: pl.DataFrame, champion: Model | None) -> pl.DataFrame:
    """Sketch the features of the first of `rows`, bucket by bucket until there are enough, and the champion's risk of them all."""
    parts, had = [], 0
    for part in read_product_parts(night.home, "features", night.as_of, night.list_columns("features")):
        parts.append(sketch_features(own := part.join(rows, on="borrower_id", how="semi")))
        had += own.height
        if had >= SAMPLE:
            break
    if champion is not None:
        parts.append(sketch_values({RISK: champion.calibration.apply(rows["raw_score"].to_numpy())}))
    return pl.concat(parts).group_by("feature", "cell").agg(pl.col("rows").sum())


def sketch_training(model: Model, rows: pl.DataFrame) -> dict[str, str]:
    """Sketch what a model was trained on, as it is kept with it (`about["sketch"]`): the features of `rows` (of one origin), and its risk of them."""
    some = rows.sort("borrower_id").gather_every(max(1, rows.height // SAMPLE))
    risk = sketch_values({RISK: model.calibration.apply(model.score_raw(some))})
    return write_sketch(pl.concat([sketch_features(some.drop(KEYS)), risk]))


@dataclass(frozen=True)
class _Before:
    """What stands when a night begins: what is usual, the drift of the nights before, the shock still standing, who ended others."""

    usual: str
    sketch: pl.DataFrame
    drifts: Sequence[tuple[date, pl.DataFrame]]
    standing: Shock | None
    resumptions: Sequence[Resumption] = field(default_factory=list)


def _read_before(night: Night) -> _Before:
    bars, resumptions = load_bars(), read_resumptions(night.home.models, night.as_of)
    with night.open_records().begin() as connection:
        given = (night.home, connection, night.as_of)
        nights = list_nights(connection, night.as_of)
        standing = from_rows(read_earlier_rows(*given, "shock", nights[:1]))
        if standing and standing.since in {one.since for one in resumptions}:
            standing = None
        sound = [one for one in nights if standing is None or one < standing.since]
        usual, like = choose_usual(night.as_of, sound, resumptions[-1].since if resumptions else None)
        last = nights[: max(bars.of_nights, bars.shock.nights) - 1]
        drifts, sketch = read_earlier_rows(*given, "drift", last), read_earlier_rows(*given, "sketches", like)
    told = [(one, drifts.filter(as_of=one).drop("as_of")) for one in last]
    return _Before(usual, sketch, told, standing, resumptions)


def _find_shock(night: Night, before: _Before, drift: pl.DataFrame, champion: Model | None, bars: Bars) -> Shock | None:
    resumed_from = before.resumptions[-1].from_on if before.resumptions else None
    told = read_outcomes(night.home.models, night.as_of, resumed_from)
    own = [one for one in told["nights"] if champion and one["model_version"] == champion.version] if told else []
    drifts = [(night.as_of, drift), *before.drifts]
    return find_shock(night.as_of, before.standing, resumed_from, drifts, own[0] if own else None, bars)
