"""Where the office packs of a night wait, and how they come to their place once the night exists."""

from __future__ import annotations

import shutil
from datetime import date
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from signals.home import Home
from signals.records.runs import find_run

_WAITING = ".as_of="


def wait_with_packs(home: Home, as_of: date) -> Path:
    """Name the folder in which a night's packs wait until the night is committed."""
    return home.packs(as_of).with_name(f"{_WAITING}{as_of}")


def hash_packs(folder: Path) -> str:
    """What the packs of a folder say: the hash of each office's manifest, which holds the hashes of its files."""
    digest = sha256()
    for office in sorted(folder.iterdir()):
        digest.update(f"{office.name}:{sha256((office / 'manifest.json').read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def put_packs_in_place(home: Home, connection: Connection) -> list[date]:
    """Put waiting packs of committed nights in their place, whoever left them waiting; say which nights' packs stand newly.

    Packs that wait for a night which was never committed, or was committed with others, are left for its next run.
    """
    placed = []
    for waiting in sorted((home.root / "packs").glob(f"{_WAITING}*")):
        as_of = date.fromisoformat(waiting.name.removeprefix(_WAITING)[:10])
        run = find_run(connection, as_of) if waiting.name == f"{_WAITING}{as_of}" else None
        if run and run["packs_hash"] == hash_packs(waiting):
            shutil.rmtree(home.packs(as_of), ignore_errors=True)
            waiting.rename(home.packs(as_of))
            placed.append(as_of)
    return placed


def find_missing_packs(home: Home, connection: Connection, as_of: date) -> bool:
    """Say whether a published night's packs are not in their place, or not those it was published with."""
    run, place = find_run(connection, as_of), home.packs(as_of)
    return run is not None and (not place.is_dir() or hash_packs(place) != run["packs_hash"])
