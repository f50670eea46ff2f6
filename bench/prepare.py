"""What the night is measured on: a town, its lake as it stands after maintenance, a champion, and what was known; made once and kept."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from signals.home import Home

AS_OF, TRAINED = date(2026, 10, 1), date(2026, 9, 30)
SEED, SCHOOL_SEED = 2, 1
HORIZON_DAYS = 180


def prepare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make whatever of a night's data is not there yet, and say what is there."""
    from signals.buckets import count_buckets

    borrowers, months = (int(part) for part in arguments.school.split(","))
    place = prepare_night(arguments.data, arguments.borrowers, arguments.months, (borrowers, months))
    return {"place": str(place), "buckets": count_buckets(Home(place / "home")), "as_of": str(AS_OF), "seed": SEED}


def prepare_night(data: Path, borrowers: int, months: int, school: tuple[int, int]) -> Path:
    """Make what is not there yet below `data`; the folder of this night, with `home`, `known` and `source` inside."""
    place = data / f"night-{borrowers}-{months}"
    place.mkdir(parents=True, exist_ok=True)
    (data / ".gitignore").write_text("*\n", encoding="utf-8")
    if not (place / "source").exists():
        _say(f"simulating {borrowers:,} borrowers over {months} months")
        _simulate(place / "source", borrowers, months, SEED)
    if not _is_of_today(place / "home"):
        _fill_lake(place, borrowers)
    if not (place / "known").exists():
        _write_known(place)
    _install_champion(place / "home", _train_champion(data, school))
    return place


def open_settings(place: Path) -> object:
    """The settings of the measured HOME, whatever the environment says."""
    from signals.settings import Settings

    return Settings.read(home=place / "home", store=None, database_url=None, sources=())


def _simulate(out: Path, borrowers: int, months: int, seed: int) -> None:
    from signals.simulate import truth_path, write_town_folder

    write_town_folder(out, borrowers=borrowers, months=months, seed=seed, until=AS_OF)
    shutil.rmtree(truth_path(out).parent)


def _fill_lake(place: Path, borrowers: int) -> None:
    """Take the whole source in by the product's own writers, as one night's delivery, and sort its buckets as maintenance does."""
    from signals.buckets import choose_buckets
    from signals.compaction import compact_table
    from signals.lake import commit_rows, stage_rows
    from signals.tables import TABLES

    draft = Home(place / "home.writing")
    for folder in (draft.root, place / "home", place / "known"):
        shutil.rmtree(folder, ignore_errors=True)
    choose_buckets(draft, borrowers)
    for table in TABLES:
        _say(f"filling {table}")
        staged = [one for rows in _read_source(place / "source", table) for one in stage_rows(draft, table, rows, AS_OF)]
        commit_rows(draft, table, staged, AS_OF)
        compact_table(draft, table, fewest=1)
        _drop_replaced(draft, table)
    (draft.root / "layout.txt").write_text(_name_layout(), encoding="utf-8")
    draft.root.rename(place / "home")


def _read_source(source: Path, table: str) -> Iterator[pl.DataFrame]:
    """Read a table part by part, as a pull reads a source folder."""
    from signals.sources.folder import open_folder

    for piece in open_folder(source):
        if piece.table == table:
            yield piece.read().with_columns(pulled_from=pl.lit("town"), priority=pl.lit(0, dtype=pl.Int64)).collect()


def _drop_replaced(home: Home, table: str) -> None:
    """Delete the files that sorting replaced, as a vacuum does where no night pins them."""
    from signals.vacuum import vacuum_table

    vacuum_table(home.table(table), pins=())


def _is_of_today(home: Path) -> bool:
    """Say whether a kept lake lies as the code lays it out now."""
    named = home / "layout.txt"
    return named.exists() and named.read_text(encoding="utf-8") == _name_layout()


def _name_layout() -> str:
    from signals.lake import lake_schema
    from signals.tables import TABLES

    return "\n".join(f"{table}: {sorted((name, str(kind)) for name, kind in lake_schema(table).items())}" for table in TABLES)


def _write_known(place: Path) -> None:
    """Write what was known on the night, one file per table and bucket, sorted by borrower: what all engines are given alike."""
    from signals.buckets import count_buckets
    from signals.lake import read_known
    from signals.tables import TABLES

    home, draft = Home(place / "home"), place / "known.writing"
    shutil.rmtree(draft, ignore_errors=True)
    for bucket in range(count_buckets(home)):
        _say(f"writing what was known of bucket {bucket}")
        for table, frame in read_known(home, AS_OF, bucket).items():
            contract = TABLES[table]
            if bucket and not contract.has_borrower:
                continue
            file = draft / table / f"{bucket:03}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            order = list(dict.fromkeys([*(["borrower_id"] if contract.has_borrower else []), *contract.key]))
            frame.sort(order).sink_parquet(file, compression="zstd", compression_level=1, engine="streaming")
    draft.rename(place / "known")


def _train_champion(data: Path, school: tuple[int, int]) -> Path:
    """Train a champion on a small town by the product's own training; kept for as long as the declared features are the same."""
    import features
    from models.registry import load_champion
    from training import train

    named = json.dumps([features.directions(), (Path(features.__file__).parents[1] / "models" / "recipe.toml").read_text(encoding="utf-8")])
    place = data / f"champion-{school[0]}-{school[1]}-{sha256(named.encode()).hexdigest()[:8]}"
    if load_champion(place / "models", TRAINED)[0] is None:
        shutil.rmtree(place, ignore_errors=True)
        _say(f"training a champion on {school[0]:,} borrowers over {school[1]} months")
        _simulate(place / "source", *school, SCHOOL_SEED)
        train([str(place / "source")], TRAINED, HORIZON_DAYS, place)
        shutil.rmtree(place / "source")
    return place / "models"


def _install_champion(home: Path, models: Path) -> None:
    shutil.rmtree(home / "models", ignore_errors=True)
    shutil.copytree(models, home / "models")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"prepare": prepare}
