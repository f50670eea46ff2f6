"""Work beside each other: in order, really at once, and never more of it in memory than asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from signals.abreast import make_abreast


def test_two_things_are_made_at_once_and_come_in_order() -> None:
    both_there = threading.Barrier(2, timeout=30)

    def make(number: int) -> int:
        both_there.wait()  # one alone would wait until the barrier breaks
        return number

    assert list(make_abreast(make, range(6), 2)) == list(range(6))


def test_no_more_is_begun_while_the_caller_holds_what_was_made() -> None:
    begun: list[int] = []

    def give() -> Iterator[int]:
        for number in range(6):
            begun.append(number)
            yield number

    made = make_abreast(str, give(), 2)
    assert next(made) == "0"
    assert begun == [0, 1]


def test_what_goes_wrong_in_one_of_them_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(make_abreast(lambda number: 1 // number, [1, 0], 2))
