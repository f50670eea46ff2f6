"""What may go: how far back a table's rows and a HOME's nights are kept, and which nights can no longer be built again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from signals.errors import NightError
from signals.home import Home
from signals.nights import LONGEST_WAIT
from signals.tables.contract import Table


def count_back(as_of: date, months: int) -> date:
    """Say the first day of the month that lies so many months before the month of `as_of`.

    >>> count_back(date(2026, 3, 31), 14)
    datetime.date(2025, 1, 1)
    """
    year, month = divmod(as_of.year * 12 + as_of.month - 1 - months, 12)
    return date(year, month + 1, 1)


def find_first_kept(as_of: date, months: int, newest: date | None) -> date:
    """Say which is the first night still kept at `as_of`; never one whose lists the newest published night counts waits from.

    >>> find_first_kept(date(2026, 10, 3), 36, newest=date(2026, 10, 2))
    datetime.date(2023, 10, 1)
    >>> find_first_kept(date(2036, 10, 3), 36, newest=date(2026, 10, 2))
    datetime.date(2025, 10, 2)
    """
    wanted = count_back(as_of, months)
    return wanted if newest is None else min(wanted, newest - LONGEST_WAIT)


def find_horizon(table: Table, as_of: date, first_kept: date) -> date | None:
    """Say from which day on a table's rows are kept at `as_of`; None: all are.

    Replaced versions are kept at least as long as any night that read them.
    """
    if table.keep_months is None:
        return None
    horizon = count_back(as_of, table.keep_months)
    return horizon if table.keep_by in table.key else min(horizon, first_kept)


def keep_rows(rows: pl.LazyFrame, table: Table, horizon: date) -> pl.LazyFrame:
    """Keep, of one bucket of a lake table (or the whole of one without buckets), the rows its rule does not let go.

    Counted by a column of the key, whole facts before `horizon` go. Counted by `known_on`, a version goes that another of its
    key, known later, had replaced by `horizon`, both pulled by then: no night from `horizon` on reads it. So the newest version
    stays, also where it says that the fact was taken back.

    >>> from signals.tables import TABLES
    >>> days = [date(2020, 1, 1), date(2021, 1, 1), date(2026, 1, 1)]
    >>> rows = pl.LazyFrame({"lender_id": ["A"] * 3, "known_on": days, "pulled_for": days})
    >>> keep_rows(rows, TABLES["lenders"], date(2023, 1, 1)).collect()["known_on"].to_list()
    [datetime.date(2021, 1, 1), datetime.date(2026, 1, 1)]
    """
    if table.keep_by in table.key:
        return rows.filter(pl.col(table.keep_by) >= horizon)
    was_there = (pl.col("known_on") <= horizon) & (pl.col("pulled_for") <= horizon)
    newest = rows.filter(was_there).group_by(table.key).agg(newest_by_then=pl.col("known_on").max())
    is_replaced = was_there & (pl.col("known_on") < pl.col("newest_by_then"))
    return (
        rows.join(newest, on=table.key, how="left", maintain_order="left")
        .filter(~is_replaced.fill_null(value=False))
        .drop("newest_by_then")
    )


def is_past(table: Table, as_of: date) -> pl.Expr:
    """Say of each row that a source sends on `as_of` whether its fact lies further back than the lake keeps it: it must not come back.

    Of tables counted by `known_on` none does; a row that does not say its month does not either.

    >>> from signals.tables import TABLES
    >>> rows = pl.LazyFrame({"sales_month": [date(2020, 1, 1), date(2026, 1, 1)]})
    >>> rows.select(is_past(TABLES["sales"], date(2026, 3, 1))).collect().to_series().to_list()
    [True, False]
    """
    if table.keep_months is None or table.keep_by not in table.key:
        return pl.lit(value=False)
    return (pl.col(table.keep_by) < count_back(as_of, table.keep_months)).fill_null(value=False)


def find_old_folders(folders: Iterable[Path], before: date) -> list[Path]:
    """Find the folders named after a night before a day, in order; never the newest, and none that is named otherwise.

    >>> [place.name for place in find_old_folders(map(Path, ["as_of=2020-01-01", "as_of=2021-01-01", "kept"]), date(2026, 1, 1))]
    ['as_of=2020-01-01']
    """
    dated = sorted((night, folder) for folder in folders if (night := _read_night(folder.name)) is not None)
    return [folder for night, folder in dated if night < min(before, dated[-1][0])]


def _read_night(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removeprefix(".").removeprefix("as_of=")[:10])
    except ValueError:
        return None


def note_first_kept(home: Home, first_kept: date) -> date:
    """Note from which night on this HOME keeps what it published; it never moves back. Say what stands."""
    stands = max(first_kept, read_first_kept(home) or date.min)
    draft = _place(home).with_suffix(".draft")
    draft.write_text(json.dumps({"first_kept": str(stands)}), encoding="utf-8")
    draft.replace(_place(home))
    return stands


def read_first_kept(home: Home) -> date | None:
    """Read from which night on this HOME keeps what it published; None while nothing was let go."""
    place = _place(home)
    return date.fromisoformat(json.loads(place.read_text(encoding="utf-8"))["first_kept"]) if place.exists() else None


def refuse_before_retention(home: Home, as_of: date) -> None:
    """Refuse to build a night again that reads, with its year of waits, what was let go; raises `NightError`.

    Such a night would say something else than it said, and nobody could tell. Those still kept are read as they were published.
    """
    first_kept = read_first_kept(home)
    if first_kept and as_of < first_kept + LONGEST_WAIT:
        raise NightError(
            f"the night of {as_of} can't be built again",
            str(home.root),
            f"only what nights from {first_kept} on read is kept, and a night reads a year back: it would not say what it said",
            "read it as it was published, or build it from the sources in a HOME of its own",
        )


def _place(home: Home) -> Path:
    return home.root / "retention.json"
