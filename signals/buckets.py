"""Buckets of borrowers: how the lake is divided, so that a night's memory is bounded by one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from signals.errors import NightError
from signals.home import Home

BORROWERS_PER_BUCKET, FEWEST_BUCKETS = 125_000, 4
_ROWS_AT_ONCE = 100_000


def choose_buckets(home: Home, borrowers: int) -> int:
    """Say into how many buckets this HOME divides its borrowers; chosen when the first are taken in and never changed."""
    if borrowers and not home.layout.exists():
        home.layout.write(json.dumps({"buckets": suggest_buckets(borrowers)}))
    return count_buckets(home)


def suggest_buckets(borrowers: int) -> int:
    """Say into how many buckets so many borrowers would be divided.

    >>> suggest_buckets(3_000_000), suggest_buckets(10)
    (24, 4)
    """
    return max(FEWEST_BUCKETS, borrowers // BORROWERS_PER_BUCKET)


def has_layout(home: Home) -> bool:
    """Say whether this HOME's buckets are chosen: whether any borrower was ever taken in."""
    return home.layout.exists()


def count_buckets(home: Home) -> int:
    """Say into how many buckets this HOME's lake is divided; the fewest while no borrower has been taken in."""
    return int(json.loads(home.layout.read())["buckets"]) if home.layout.exists() else FEWEST_BUCKETS


def add_bucket(frame: pl.DataFrame, buckets: int) -> pl.DataFrame:
    """Add each row's bucket: CRC-32 of the borrower's id, modulo the number of buckets; the same on any machine and engine.

    >>> add_bucket(pl.DataFrame({"borrower_id": ["B1", "B2"]}), 4)["bucket"].to_list()
    [2, 0]
    """
    return frame.with_columns(number_buckets(frame["borrower_id"], buckets))


def number_buckets(ids: pl.Series, buckets: int) -> pl.Series:
    """Number the bucket of each id, as a series `bucket` in the order of the ids; an unknown id counts as an empty one."""
    parts = [_crc32(ids.slice(start, _ROWS_AT_ONCE)) % np.uint32(buckets) for start in range(0, len(ids), _ROWS_AT_ONCE)]
    return pl.Series("bucket", np.concatenate(parts).astype(np.int32) if parts else [], dtype=pl.Int32)


def find_bucket(home: Home, borrower_id: str) -> int:
    """Find the bucket of one borrower."""
    return int(number_buckets(pl.Series([borrower_id]), count_buckets(home)).item())


def gather_buckets(parts: Iterator[pl.DataFrame], asked: pl.DataFrame, buckets: int) -> Iterator[pl.DataFrame]:
    """Gather the rows of some borrowers bucket by bucket, in whatever order they are read: one frame per bucket, in turn, maybe empty.

    `parts` (at least one) have one row per borrower_id; `asked` has borrower_id, each once, and what is joined to their rows. Where
    rows lie bucket by bucket, hardly more than one bucket is in memory at a time. Raises `NightError` when somebody asked for has no row.

    >>> parts = iter([pl.DataFrame({"borrower_id": ["B1", "B2"], "n": [1, 2]})])
    >>> [frame.rows() for frame in gather_buckets(parts, pl.DataFrame({"borrower_id": ["B1"], "level": ["watch"]}), 4)]
    [[], [], [('B1', 1, 'watch')], []]
    """
    numbered = add_bucket(asked, buckets)
    missing = dict.fromkeys(range(buckets), 0) | dict(numbered.group_by("bucket").len().iter_rows())
    waiting: dict[int, list[pl.DataFrame]] = {bucket: [] for bucket in range(buckets)}
    read: Iterator[pl.DataFrame] = (part.join(numbered, on="borrower_id") for part in parts)
    first = next(read)
    read, empty = chain([first], read), first.drop("bucket").clear()
    for bucket in range(buckets):
        while missing[bucket]:
            part = next(read, None)
            if part is None:
                raise _name_missing()
            for (number, *_), rows in part.partition_by("bucket", as_dict=True, include_key=False).items():
                waiting[number].append(rows)
                missing[number] -= rows.height
        yield pl.concat([empty, *waiting.pop(bucket)])


def _name_missing() -> NightError:
    said, why = "a stage before made no row of somebody who is asked for", "one stage speaks of other people than the next"
    return NightError(said, "this night's products", why, "run the night's stages in order, from the one that was made anew")


def _crc32(texts: pl.Series) -> np.ndarray:
    """CRC-32 of each text's bytes, all texts of one length at once: a loop over rows takes many times as long."""
    _, offsets, letters = texts.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[: len(texts) + 1]
    data = np.frombuffer(letters, dtype=np.uint8) if letters else np.zeros(0, dtype=np.uint8)
    starts, lengths = ends[:-1], np.diff(ends)
    found = np.zeros(len(texts), dtype=np.uint32)
    for length in np.unique(lengths):
        these = np.flatnonzero(lengths == length)
        if len(these) == len(texts):
            return _crc32_of_length(data[ends[0] : ends[-1]].reshape(len(texts), length))
        found[these] = _crc32_of_length(data[starts[these, np.newaxis] + np.arange(length)])
    return found


def _crc32_of_length(letters: np.ndarray) -> np.ndarray:
    """CRC-32 of texts of one length, a row each: what each byte adds depends on its place alone, so all are looked up and joined by XOR."""
    rows, length = letters.shape
    after = _CODES  # what a byte adds that so many bytes follow
    nothing = np.uint32(0xFFFFFFFF)  # what the register begins with
    found = np.zeros(rows, dtype=np.uint32)
    for place in reversed(range(length)):
        found ^= after.take(letters[:, place])
        after = _shift(after)
        nothing = _shift(nothing)
    return ~(found ^ nothing)


def _shift(codes: Any) -> Any:
    """What is left of codes when a byte of zero follows."""
    return _CODES[codes & np.uint32(0xFF)] ^ (codes >> np.uint32(8))


def _make_codes() -> np.ndarray:
    """The table of CRC-32 (polynomial 0xEDB88320), as zlib and Spark use it."""
    codes = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        codes = np.where(codes & 1, (codes >> np.uint32(1)) ^ np.uint32(0xEDB88320), codes >> np.uint32(1))
    return codes


_CODES = _make_codes()
