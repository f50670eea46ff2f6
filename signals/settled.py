"""What was known, settled at once: the same as `as_known`, for rows that fit into memory, such as those of one bucket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from signals.hashes import hash_columns
from signals.known import keep_newest, keep_seen, keep_standing
from signals.tables import TABLES

_LOW, _KEPT = 32, 20  # bits of a hash that are sorted, and of those the bits by which rows are looked up


def settle_known(frame: pl.LazyFrame, table: str, as_of: date) -> pl.LazyFrame:
    """Keep what was known at the end of `as_of`, as `as_known` says it: the same rows and columns, in any order, several times as fast.

    One row per key of `table`. Lazy, and read once for each use: of `frame` the columns that are asked for, the key, `known_on` and
    the mark of retraction, all in memory at a time. What is filtered by columns of the key alone, such as months, is left unread:
    all versions of a key are kept by it, or none. Only where several versions of one key are the newest by `known_on`, and only of
    these, all is read that breaks the tie. An `UInt64` hash finds the few keys that must be compared, and they are (decision 0026).

    >>> rows = pl.LazyFrame({"lender_id": ["A", "A"], "kind": ["bank", "card"],
    ...                      "known_on": [date(2026, 1, 1), date(2026, 2, 1)]})
    >>> settle_known(rows, "lenders", date(2026, 2, 1)).collect()["kind"].to_list()
    ['card']
    """
    seen = keep_seen(frame, as_of)
    schema = keep_standing(seen, table).collect_schema()

    def read(wanted: list[str] | None, where: pl.Expr | None, most: int | None, _at_once: int | None) -> Iterator[pl.DataFrame]:
        columns, rows = list(schema) if wanted is None else wanted, seen
        if where is not None and {*where.meta.root_names()} <= {*TABLES[table].key}:
            rows, where = seen.filter(where), None
        for part in _read_settled(rows, table, columns):
            found = part if where is None else part.filter(where)
            found = found if most is None else found.head(most)
            most = None if most is None else most - found.height
            yield found

    return register_io_source(read, schema=dict(schema), is_pure=True, explain_name=f"known {table}")


def _read_settled(seen: pl.LazyFrame, table: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    key = list(TABLES[table].key)
    marks = [name for name in ("is_retracted",) if name in seen.collect_schema().names()]
    rows = seen.select(list(dict.fromkeys([*columns, *key, "known_on", *marks]))).collect(engine="streaming")
    stands, unsettled = find_newest(rows, key)
    for mark in marks:
        stands &= ~rows[mark].fill_null(value=False)
    pieces = deque(_cut(_take(rows, columns), stands))
    del rows  # as a piece is handed on, what it was cut from can go
    while pieces:
        piece, stand = pieces.popleft()
        yield piece if stand.all() else piece.filter(stand)
    if len(unsettled):
        tied = seen.filter(hash_columns(key).is_in(unsettled.implode())).collect(engine="streaming")
        yield keep_standing(keep_newest(tied.lazy(), table), table).select(columns).collect()


def _cut(rows: pl.DataFrame, stands: pl.Series) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """Cut rows where their first column is in pieces: to filter across pieces takes twice as long."""
    start = 0
    for length in rows.to_series(0).chunk_lengths():
        yield rows.slice(start, length), stands.slice(start, length)
        start += length


def _take(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Take columns as they are: a plan would first cut all columns of the frame into like pieces, which takes longer than to hash them."""
    return pl.DataFrame([rows[name] for name in dict.fromkeys(columns)])


def find_newest(rows: pl.DataFrame, key: list[str]) -> tuple[pl.Series, pl.Series]:
    """Say of each row whether it alone is the newest of its key by `known_on`, and name the hashes of keys of which that can't be said.

    Of an unsettled hash no row is the newest: several versions are, or several keys hash alike.

    >>> rows = pl.DataFrame({"a": ["x", "y", "x"], "known_on": [date(2026, 1, 1), date(2026, 1, 1), date(2026, 2, 1)]})
    >>> [part.to_list() for part in find_newest(rows, ["a"])]
    [[False, True, True], []]
    """
    keys = _take(rows, key)
    hashes = keys.select(hash_columns(key)).to_series().to_numpy()
    places = _find_suspects(hashes)
    stands = np.ones(rows.height, dtype=np.bool_)
    if not len(places):
        return pl.Series(stands), pl.Series(dtype=pl.UInt64)
    places = places[np.argsort(hashes[places])]
    suspects, days = hashes[places], rows["known_on"].to_physical().to_numpy()[places]
    begins = np.append([True], suspects[1:] != suspects[:-1])
    first, run = np.flatnonzero(begins), np.cumsum(begins) - 1
    is_newest = days == np.maximum.reduceat(days, first)[run]
    is_unsettled = np.add.reduceat(is_newest.astype(np.int64), first) > 1
    is_unsettled[run[1:][_differ(keys, places) & ~begins[1:]]] = True
    stands[places] = is_newest & ~is_unsettled[run]
    return pl.Series(stands), pl.Series(suspects[first][is_unsettled], dtype=pl.UInt64)


def _differ(keys: pl.DataFrame, places: np.ndarray) -> np.ndarray:
    """Say of each place but the last whether the key there is another than at the next."""
    found = keys[places]
    return found.select(pl.any_horizontal(pl.all().ne_missing(pl.all().shift(-1)))).to_series()[:-1].to_numpy()


def _find_suspects(hashes: np.ndarray) -> np.ndarray:
    """Find the places of all hashes that stand more than once, and of a few others: half of each is sorted, in a fraction of a grouping's time."""
    low = hashes.astype(np.uint32)
    ordered = np.sort(low)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(0, dtype=np.intp)
    shift = np.uint32(_LOW - _KEPT)
    is_twice = np.zeros(1 << _KEPT, dtype=np.bool_)
    is_twice[twice >> shift] = True
    return np.flatnonzero(is_twice[low >> shift])
