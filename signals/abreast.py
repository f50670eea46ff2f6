"""Several pieces of work beside each other: what no library runs on all cores is done twice at once instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def make_abreast(make: Callable[[Given], Made], given: Iterable[Given], at_once: int) -> Iterator[Made]:
    """Make one thing of each that is given, `at_once` of them beside each other; the things come in the order of what was given.

    Lazy: while the caller holds what was made, nothing is being made, so that memory is bounded by `at_once` things. Raises
    whatever making one of them raised.

    >>> list(make_abreast(lambda bucket: bucket * 10, range(5), 2))
    [0, 10, 20, 30, 40]
    """
    waiting = iter(given)
    with ThreadPoolExecutor(at_once) as pool:
        while group := list(islice(waiting, at_once)):
            made = [pool.submit(make, one) for one in group]
            yield from [thing.result() for thing in made]
