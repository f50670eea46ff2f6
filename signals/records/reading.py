"""What earlier nights read of a source, so that tonight reads what is new and loses nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from signals.records.schema import FILES_READ
from signals.records.watermarks import read_watermarks, since
from signals.sources.source import Piece, Since, Source


@dataclass(frozen=True)
class Reading:
    """Which nights read which files of a source, and from which day its database is to be read.

    `nights`: by name and digest of a file, the nights that took in its rows known by then, and whether those were all its
    rows. `digests`: by name and stamp, the digest of a file that was read before.
    """

    as_of: date
    nights: Mapping[tuple[str, str], Mapping[date, bool]] = field(default_factory=dict)
    digests: Mapping[tuple[str, str], str] = field(default_factory=dict)
    since: Since = field(default_factory=dict)

    def find_digest(self, piece: Piece) -> str:
        """Say what a file's bytes are, by its stamp where it was read before; empty for what is no file."""
        if piece.stamp is None:
            return ""
        return self.digests.get((piece.file, piece.stamp)) or piece.digest()

    def read_from(self, file: str, digest: str) -> date | None:
        """Say after which `known_on` a file is to be read tonight; None: nothing of it is left for tonight.

        The very same file was read, up to that night, by whichever earlier night read it last: so `date.min` for a new file.
        What a later night was the first to read is that night's. A file that this very night has read before is read again, as
        if it had not.
        """
        nights = self.nights.get((file, digest), {}) if digest else {}
        earlier = {night: is_whole for night, is_whole in nights.items() if night < self.as_of}
        is_later = self.as_of not in nights and any(night > self.as_of for night in nights)
        if is_later or any(earlier.values()):
            return None
        return max(earlier, default=date.min)


def read_what_was_read(connection: Connection, source: Source, as_of: date) -> Reading:
    """Read which files of a source the nights have read, and how far its database."""
    nights: dict[tuple[str, str], dict[date, bool]] = defaultdict(dict)
    digests: dict[tuple[str, str], str] = {}
    for row in connection.execute(select(FILES_READ).where(FILES_READ.c.source_id == source.source_id)):
        nights[row.file, row.digest][row.as_of] = row.is_whole
        digests[row.file, row.stamp] = row.digest
    return Reading(as_of, nights, digests, since(read_watermarks(connection, source.source_id, as_of), source.window_days))


def note_files_read(connection: Connection, as_of: date, source_id: str, files: Iterable[Mapping[str, Any]]) -> None:
    """Note, within the caller's transaction, which files of a source this night has taken in: file, digest, stamp, is_whole."""
    connection.execute(delete(FILES_READ).where(FILES_READ.c.as_of == as_of, FILES_READ.c.source_id == source_id))
    rows = [{**file, "source_id": source_id, "as_of": as_of} for file in files]
    if rows:
        connection.execute(insert(FILES_READ), rows)
