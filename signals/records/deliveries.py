"""What each source delivered each night: the measure of what is usual, and each source's watermark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, delete, func, insert, select

from signals.like_nights import find_like_nights
from signals.records.schema import DELIVERIES


@dataclass(frozen=True)
class TableDelivery:
    """One table of one source's delivery.

    `counts`: rows `read` (all that were sent), `retried` (waiting from earlier nights), `accepted`, `quarantined`, `waiting`,
    `already_known`, and `repeated` (say twice what one key was on one day); what is not named is 0.
    `newest_known_on`: the newest day the source brought of this table that night; None: it brought none. `profile`: by column,
    how many rows lie in which part. `failure`: why nothing of it was taken; None: it was.
    """

    source_id: str
    table: str
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    newest_known_on: date | None = None
    profile: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    failure: str | None = None

    @property
    def new_rows(self) -> int:
        """The rows that are new this night: none that earlier nights took or that only wait."""
        count = self.counts.get
        return max(0, count("accepted", 0) + count("quarantined", 0) + count("waiting", 0) - count("retried", 0))


@dataclass(frozen=True)
class DeliveryHistory:
    """What was delivered before a night.

    `nights`: the like nights before, the newest first; `deliveries`: what came on them, by night, source and table, failed
    ones too. `first_nights` and `newest_known_on`, by source and table over all earlier nights whose delivery was taken: the
    first of them, and the newest day brought.
    """

    nights: tuple[date, ...] = ()
    deliveries: Mapping[tuple[date, str, str], TableDelivery] = field(default_factory=dict, hash=False)
    first_nights: Mapping[tuple[str, str], date] = field(default_factory=dict, hash=False)
    newest_known_on: Mapping[tuple[str, str], date | None] = field(default_factory=dict, hash=False)


def write_deliveries(connection: Connection, as_of: date, source_ids: Sequence[str], rows: Sequence[TableDelivery]) -> None:
    """Record what the named sources delivered this night in place of what stands there, within the caller's transaction.

    The newest day that an earlier try of the night brought stands: a file that was replaced since is not read for it again.
    """
    is_same = (DELIVERIES.c.as_of == as_of) & DELIVERIES.c.source_id.in_(source_ids)
    stood = select(DELIVERIES.c.source_id, DELIVERIES.c.table_name, DELIVERIES.c.newest_known_on).where(is_same)
    before = {(source, table): newest for source, table, newest in connection.execute(stood)}
    connection.execute(delete(DELIVERIES).where(is_same))
    if rows:
        connection.execute(insert(DELIVERIES), [_write_row(as_of, row, before.get((row.source_id, row.table))) for row in rows])


def _write_row(as_of: date, row: TableDelivery, before: date | None) -> dict[str, object]:
    days = [day for day in (row.newest_known_on, before) if day is not None]
    return {
        "as_of": as_of,
        "source_id": row.source_id,
        "table_name": row.table,
        "counts": dict(row.counts),
        "newest_known_on": max(days, default=None),
        "profile": {column: dict(parts) for column, parts in row.profile.items()},
        "failure": row.failure,
    }


def read_deliveries_before(connection: Connection, as_of: date, nights: int = 12) -> DeliveryHistory:
    """Read what was delivered before the night of `as_of`, on at most so many nights like it; later nights count for nothing."""
    earlier = connection.execute(select(DELIVERIES.c.as_of).distinct().where(DELIVERIES.c.as_of < as_of)).scalars()
    like = find_like_nights(as_of, earlier, nights)
    rows = connection.execute(select(DELIVERIES).where(DELIVERIES.c.as_of.in_(like)))
    came = {
        (row.as_of, row.source_id, row.table_name): TableDelivery(
            row.source_id, row.table_name, row.counts, row.newest_known_on, row.profile, row.failure
        )
        for row in rows
    }
    standing = connection.execute(
        select(DELIVERIES.c.source_id, DELIVERIES.c.table_name, func.min(DELIVERIES.c.as_of), func.max(DELIVERIES.c.newest_known_on))
        .where(DELIVERIES.c.as_of < as_of, DELIVERIES.c.failure.is_(None))
        .group_by(DELIVERIES.c.source_id, DELIVERIES.c.table_name)
    ).all()
    firsts = {(source, table): first for source, table, first, _ in standing}
    return DeliveryHistory(tuple(like), came, firsts, {(source, table): newest for source, table, _, newest in standing})
