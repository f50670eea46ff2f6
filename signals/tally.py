"""What became of each source's rows, table by table: rows read = accepted + quarantined + already known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from signals.checks import CONFLICT
from signals.errors import NightError
from signals.profile import add_profiles, profile_rows, split_profile
from signals.records.deliveries import TableDelivery


@dataclass
class Tally:
    """Counts of one table's rows, by source and kind, added up over the parts in which they are judged."""

    table: str
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    rules: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    profiles: list[pl.DataFrame] = field(default_factory=list)

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Count rows as read, retried, already_known, accepted, quarantined (those that wait among them) or waiting."""
        for source_id, count in rows.group_by("pulled_from").len().iter_rows():
            self.counts[source_id][kind] += count

    def count_part(self, rows: pl.DataFrame, new: pl.DataFrame, good: pl.DataFrame, bad: pl.DataFrame, orphans: pl.DataFrame) -> None:
        """Count a part: of the `rows` that were read the `new` ones, and of those the good, the bad and those that wait."""
        self.add("already_known", rows)
        for source_id, count in new.group_by("pulled_from").len().iter_rows():
            self.counts[source_id]["already_known"] -= count
        self.add("accepted", good)
        self.add("waiting", orphans)
        self._set_aside(bad)
        self._set_aside(orphans)
        self.profiles.append(profile_rows(new, self.table))

    def _set_aside(self, rows: pl.DataFrame) -> None:
        self.add("quarantined", rows)
        self.add("repeated", rows.filter(pl.col("rules").str.contains(CONFLICT, literal=True)))
        for source_id, rules, count in rows.group_by("pulled_from", "rules").len().sort("rules").iter_rows():
            self.rules[source_id][rules] += count

    def reconcile(self) -> None:
        """Refuse to go on when a row that was read is not counted exactly once: raises `NightError`."""
        for source_id, count in self.counts.items():
            lost = count["read"] + count["retried"] - count["accepted"] - count["quarantined"] - count["already_known"]
            if lost:
                raise NightError(
                    f"{lost} rows of {self.table} are unaccounted for", source_id, "a row that is lost is an owner missed", "report it"
                )

    def describe(self, newest: Mapping[str, str | None]) -> list[TableDelivery]:
        """Describe the delivery of each source that sent this table, for the gate and the records.

        `newest`: by source that sent it, the newest known_on it brought; None: it sent no row. Rows that only waited for tonight
        are no delivery: a source that stays away is missed all the same.
        """
        profiles = split_profile(add_profiles(self.profiles))
        found = []
        for source_id in sorted(newest):
            count = self.counts[source_id]
            counts = {**count, "quarantined": count["quarantined"] - count["waiting"]}
            day = newest[source_id]
            found.append(
                TableDelivery(source_id, self.table, counts, date.fromisoformat(day) if day else None, profiles.get(source_id, {}))
            )
        return found
