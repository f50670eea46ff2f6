"""What every canonical table declares: its key, its columns, its row rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dataframely as dy
import polars as pl

WON = 10**15  # no shopkeeper's sum comes near; what is above it is a wrong unit


def among(*codes: str) -> dict[str, Callable[[pl.Expr], pl.Expr]]:
    """A named check that a text column holds one of the given codes."""
    return {"known_code": lambda column: column.is_in(codes)}


class Known(dy.Schema):
    """Every row says the day its fact reached the holder's report to us."""

    known_on = dy.Date(primary_key=True, description="The day the fact reached the holder's report to us.")
    is_retracted = dy.Bool(
        nullable=True,
        description="True: the holder takes the fact of this key back; null or false: it stands.",
    )


@dataclass(frozen=True)
class Table:
    """One canonical source table, as the house plan fixes it.

    `key` names the fact; versions of one key differ in `known_on`. `keep_months` says how long the lake keeps its rows, counted by
    the column `keep_by`: a column of the key, and whole facts go once it lies further back; or `known_on`, and only versions go
    that a newer one had replaced by then, while the newest version of a key stays for good. None: nothing ever goes.
    `keep_because` is the reason, in words.
    """

    name: str
    schema: type[dy.Schema]
    key: tuple[str, ...]
    is_required: bool = False
    keep_months: int | None = None
    keep_by: str = "known_on"
    keep_because: str = ""

    @property
    def meaning(self) -> str:
        """What one row is, from the schema's own docstring."""
        return " ".join((self.schema.__doc__ or "").split())

    @property
    def columns(self) -> Sequence[str]:
        """The declared columns, in order."""
        return list(self.schema.columns())

    @property
    def polars_schema(self) -> dict[str, pl.DataType]:
        """Column name to polars type."""
        return {name: column.dtype for name, column in self.schema.columns().items()}

    @property
    def needed_columns(self) -> Sequence[str]:
        """The columns a file must have; all others may be absent and are then null."""
        return [name for name, column in self.schema.columns().items() if not column.nullable]

    @property
    def keeping(self) -> str:
        """How long the lake keeps its rows and why, in one sentence."""
        if self.keep_months is None:
            return f"Kept for good: {self.keep_because}."
        what = "Rows" if self.keep_by in self.key else "Replaced versions"
        return f"{what} are kept for {self.keep_months} months by {self.keep_by}: {self.keep_because}."

    @property
    def has_borrower(self) -> bool:
        """Whether a row belongs to one borrower (and so lies in that borrower's bucket)."""
        return "borrower_id" in self.schema.columns()
