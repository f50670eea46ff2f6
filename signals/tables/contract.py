"""What every canonical table declares: its key, its columns, its row rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dataframely as dy
import polars as pl

WON = 10**15  # no shopkeeper's sum comes near; what is above it is a wrong unit


@dataclass(frozen=True)
class KnownCode:
    """The check that a text column holds one of the given codes."""

    codes: tuple[str, ...]

    def __call__(self, column: pl.Expr) -> pl.Expr:
        """True where it does."""
        return column.is_in(self.codes)


def among(*codes: str) -> dict[str, KnownCode]:
    """A named check that a text column holds one of the given codes."""
    return {"known_code": KnownCode(codes)}


class Known(dy.Schema):
    """Every row says the day its fact reached the holder's report to us."""

    known_on = dy.Date(primary_key=True, description="The day the fact reached the holder's report to us.")
    is_retracted = dy.Bool(
        nullable=True,
        description="Whether the holder takes the fact of this key back; null: it stands.",
    )


@dataclass(frozen=True)
class Limits:
    """What one source's delivery of a table may be as a whole; the gate makes its expectations from it.

    Volume: `fewest` and `most` are shares of the usual rows of a like night (fewer fail, more warn), judged where at least
    `least_nights` like nights are known and `least_rows` rows are usual. `fresh_days`: the newest known_on is no older; None:
    news of this table may be as old as it likes. `nulls`: by optional column, the largest share of nulls of a source that
    usually fills it; a column that must be filled may be null in `broken` of the rows. `codes`: by text column, what it may
    hold. `watched`: numbers and flags whose values are compared with the usual, as those of `codes` are, by the population
    stability index: above `shift_warns` it warns, above `shift_fails` the meaning must have changed. `worst_accepted` and
    `usual_accepted` are shares of all rows sent that break no row rule: below the first the delivery fails, below the second
    it warns; fewer rows than `least_sent` are judged on a source's first delivery only. `broken` is also the share of rows that may say twice what one key was on one day.
    """

    fewest: float = 0.5
    most: float = 2.0
    least_rows: int = 50
    least_nights: int = 3
    fresh_days: int | None = None
    nulls: Mapping[str, float] = field(default_factory=dict, hash=False)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    watched: tuple[str, ...] = ()
    shift_warns: float = 0.25
    shift_fails: float = 2.0
    worst_accepted: float = 0.5
    usual_accepted: float = 0.99
    least_sent: int = 20
    broken: float = 0.01


@dataclass(frozen=True)
class Table:
    """One canonical source table, as the house plan fixes it.

    `key` names the fact; versions of one key differ in `known_on`. `waits_for`: the table that must know the first column of
    its own key before a row of this one means anything; until then the row waits. `limits`: what a delivery of it may be as
    a whole. `keep_months` says how long the lake keeps its rows, counted by
    the column `keep_by`: a column of the key, and whole facts go once it lies further back; or `known_on`, and only versions go
    that a newer one had replaced by then, while the newest version of a key stays for good. None: nothing ever goes.
    `keep_because` is the reason, in words. `known_defect`: what is known to be wrong with it and not yet mended; empty: nothing.
    """

    name: str
    schema: type[dy.Schema]
    key: tuple[str, ...]
    is_required: bool = False
    waits_for: str | None = None
    limits: Limits = Limits()
    keep_months: int | None = None
    keep_by: str = "known_on"
    keep_because: str = ""
    known_defect: str = ""

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
