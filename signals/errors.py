"""The one shape of every error a person reads."""

from __future__ import annotations

import re
from typing import Self


class DeungdaeError(Exception):
    """Something a person must mend, said on one line: what, where, why it matters, what to do next.

    >>> print(DeungdaeError("unknown column 'colour'", "loans.parquet", "its meaning is not declared", "remove it"))
    unknown column 'colour' | where: loans.parquet | why it matters: its meaning is not declared | what to do: remove it
    """

    def __init__(self, what: str, where: str, why: str, next_step: str) -> None:
        self.what, self.where, self.why, self.next_step = what, where, why, next_step
        super().__init__(f"{what} | where: {where} | why it matters: {why} | what to do: {next_step}")

    @classmethod
    def read(cls, line: str) -> Self:
        """Read an error again from its line.

        >>> str(InputError.read("a | where: b | why it matters: c | what to do: d"))
        'a | where: b | why it matters: c | what to do: d'
        """
        what, where, why, next_step = re.split(r" \| (?:where|why it matters|what to do): ", line, maxsplit=3)
        return cls(what, where, why, next_step)


class InputError(DeungdaeError):
    """A file or table that came from outside can't be used as it is."""


class SettingsError(DeungdaeError):
    """A file or value that an operator or policy owner wrote can't be used as it is."""


class NightError(DeungdaeError):
    """The night can't go on from here."""


def list_store_errors() -> tuple[type[Exception], ...]:
    """List what the libraries under the lake and the operational database raise; their own words may show statements and paths.

    >>> [error.__name__ for error in list_store_errors()]
    ['SQLAlchemyError', 'DeltaError']
    """
    from deltalake.exceptions import DeltaError
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError, DeltaError
