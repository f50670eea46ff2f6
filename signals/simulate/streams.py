"""Chance, in named streams: what one part of the town draws never shifts another."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

TOWN = 0  # the block number of what all borrowers share; blocks of borrowers count from 1


def open_stream(seed: int, block: int, name: str) -> np.random.Generator:
    """Open the stream of random numbers that belongs to one seed, block of borrowers and part of the model.

    >>> open_stream(7, 1, "sales").random() == open_stream(7, 1, "sales").random()
    True
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, block, crc32(name.encode())])))


def draw_chances(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    """Draw numbers between 0 and 1."""
    return rng.random(shape, dtype=np.float32)


def draw_normals(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    """Draw standard normal numbers."""
    return rng.standard_normal(shape, dtype=np.float32)


def draw_days(rng: np.random.Generator, low: int, high: int, size: int) -> npt.NDArray[np.int32]:
    """Draw whole days from `low` to `high`, both possible."""
    return rng.integers(low, high, size=size, dtype=np.int32, endpoint=True)
