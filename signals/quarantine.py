"""Rows set aside: with the rule they broke, where they stood, and the night; and those that only wait."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from signals.home import Home
from signals.orphans import name_wait
from signals.tables import TABLES


class Quarantine:
    """One night's quarantine while it is filled: written aside, and put in place of what an earlier try left, whole."""

    def __init__(self, home: Home, as_of: date) -> None:
        self._home, self._as_of = home, as_of
        self._draft = home.quarantine / f".as_of={as_of}"
        _mend(home)
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(parents=True)

    def set_aside(self, table: str, rows: pl.DataFrame) -> None:
        """Set rows of one table aside, each source's in a file of its own; they come with `rules` and their provenance."""
        for (source_id,), part in rows.partition_by("pulled_from", as_dict=True, maintain_order=True).items():
            folder = self._draft / str(source_id)
            folder.mkdir(exist_ok=True)
            number = len(list(folder.glob(f"{table}.*.part")))
            part.with_columns(as_of=pl.lit(self._as_of)).write_parquet(folder / f"{table}.{number:05}.part")

    def wait_on(self, table: str, rows: pl.DataFrame) -> None:
        """Let rows that waited for this night, as `read_waiting` gives them, wait on, but for those that were set aside again."""
        files = sorted(self._draft.glob(f"*/{table}.*.part"))
        if files:
            rows = rows.join(pl.scan_parquet(files).select(rows.columns).collect(), on=rows.columns, how="anti", nulls_equal=True)
        self.set_aside(table, rows.with_columns(rules=pl.lit(name_wait(table))))

    def put_in_place(self, report: str) -> None:
        """Put the night's quarantine, with the report of the check, in its place."""
        for folder in sorted(self._draft.iterdir()):
            for table in TABLES:
                parts = sorted(folder.glob(f"{table}.*.part"))
                if parts:
                    pl.scan_parquet(parts).sink_parquet(folder / f"{table}.parquet")
                for part in parts:
                    part.unlink()
        (self._draft / "report.json").write_text(report, encoding="utf-8")
        place = self._home.quarantine / f"as_of={self._as_of}"
        if place.exists():
            place.rename(_aside(place))
        self._draft.rename(place)
        shutil.rmtree(_aside(place), ignore_errors=True)


def read_waiting(home: Home, table: str, as_of: date) -> pl.DataFrame | None:
    """Read the rows of a table that waited when the newest earlier night ended; None: none did.

    With `pulled_from`, `priority`, `file` and `line`, as they came. Earlier nights that were run again since then are read too:
    what is new on them, no later night has tried.
    """
    rule, nights = name_wait(table), [folder for night, folder in _list_nights(home) if night < as_of]
    if rule is None or not nights:
        return None
    untried = [folder for folder in nights if _written_at(folder) >= _written_at(nights[-1])]
    files = [file for folder in untried for file in sorted(folder.glob(f"*/{table}.parquet"))]
    rows = [pl.read_parquet(file).filter(pl.col("rules") == rule).drop("rules", "as_of") for file in files]
    return pl.concat(rows).unique(maintain_order=True) if rows else None


def count_returned(home: Home, table: str, accepted: pl.DataFrame, as_of: date) -> dict[str, int]:
    """Count, by source, tonight's accepted rows whose fact the same source had set aside on an earlier night: they came back mended."""
    key = ["pulled_from", *TABLES[table].key]
    files = [file for night, folder in _list_nights(home) if night < as_of for file in sorted(folder.glob(f"*/{table}.parquet"))]
    if not files or accepted.is_empty():
        return {}
    aside = pl.concat([pl.scan_parquet(file).select(key) for file in files]).unique().collect()
    back = accepted.select(key).join(aside, on=key, how="semi")
    return dict(back.group_by("pulled_from").len().iter_rows())


def _aside(place: Path) -> Path:
    return place.with_name(f".old.{place.name}")


def _mend(home: Home) -> None:
    """Put back what a check that was killed between two moves took out of its place."""
    for old in home.quarantine.glob(".old.as_of=*"):
        place = old.with_name(old.name.removeprefix(".old."))
        if place.exists():
            shutil.rmtree(old)
        else:
            old.rename(place)


def _written_at(folder: Path) -> int:
    report = folder / "report.json"
    return report.stat().st_mtime_ns if report.exists() else 0


def _list_nights(home: Home) -> Iterator[tuple[date, Path]]:
    for folder in sorted(home.quarantine.glob("as_of=*")):
        yield date.fromisoformat(folder.name.removeprefix("as_of=")), folder
