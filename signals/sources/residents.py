"""No resident registration number enters, by accident or otherwise (personal-data act art. 24-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from signals.errors import InputError

HYPHENATED = r"(?:^|\D)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}(?:\D|$)"
BARE = r"^\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[1-8]\d{6}$"
_RESEMBLES = r"\d{6}-[1-8]\d{6}"  # what every hyphenated one contains; several times faster to look for
_HYPHENATED_BYTES = 14
_BARE_BYTES = 13
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_SUSPICIOUS_SHARE = 0.01


@dataclass(frozen=True)
class Resemblance:
    """How many values of one text column look like resident registration numbers: in either form, of how many not null."""

    hyphenated: int
    bare: int
    values: int

    def __add__(self, other: Resemblance) -> Resemblance:
        """Both parts of one column together."""
        return Resemblance(self.hyphenated + other.hyphenated, self.bare + other.bare, self.values + other.values)

    @property
    def is_refused(self) -> bool:
        """Whether the column must be refused: one hyphenated value, or more than 1 % bare ones with the right check digit."""
        return self.hyphenated > 0 or self.bare > _SUSPICIOUS_SHARE * self.values


def refuse_resident_numbers(file: Path | str, frame: pl.LazyFrame) -> None:
    """Refuse a file whose text columns hold resident registration numbers.

    The hyphenated form is refused by its pattern; bare 13-digit values when they begin with a date and more than 1 % of
    the column's values carry the right check digit as well. Raises `InputError`, which names the column, never a value.
    """
    refuse_resemblance(str(file), count_resemblance(frame))


def count_resemblance(frame: pl.LazyFrame) -> dict[str, Resemblance]:
    """Count, for each text column, the values that look like resident registration numbers.

    >>> count_resemblance(pl.LazyFrame({"note": ["900101-1234567", "none", None]}))
    {'note': Resemblance(hyphenated=1, bare=0, values=2)}
    """
    texts = [name for name, kind in frame.collect_schema().items() if kind == pl.String]
    looks = {"hyphenated": _count_hyphenated, "dated": _count_dated, "values": pl.Expr.count}
    counted = _count(frame, {f"{look}:{name}": count(pl.col(name)) for name in texts for look, count in looks.items()})
    right = _count(frame, {name: _count_with_check_digit(pl.col(name)) for name in texts if counted[f"dated:{name}"]})
    return {name: Resemblance(counted[f"hyphenated:{name}"], right.get(name, 0), counted[f"values:{name}"]) for name in texts}


def _count(frame: pl.LazyFrame, counts: dict[str, pl.Expr]) -> dict[str, int]:
    return frame.select(**counts).collect().row(0, named=True) if counts else {}


def refuse_resemblance(file: str, counts: Mapping[str, Resemblance]) -> None:
    """Refuse a file by what was counted in all of it; raises `InputError`, which names the column, never a value."""
    for name, found in counts.items():
        if found.is_refused:
            raise InputError(
                f"column '{name}' holds what looks like resident registration numbers",
                file,
                "the law forbids processing them (personal-data act art. 24-2)",
                "replace them by pseudonyms; nothing of this file was kept",
            )


def _count_hyphenated(text: pl.Expr) -> pl.Expr:
    """Count by a cheap look first: few ids are long enough and hold six digits, a hyphen and seven more."""
    long = text.filter(text.str.len_bytes() >= _HYPHENATED_BYTES)
    alike = long.filter(long.str.contains(_RESEMBLES))
    return alike.str.contains(HYPHENATED).sum()


def _select_dated(text: pl.Expr) -> pl.Expr:
    """Select the values that are 13 digits and begin with a date; the length is looked at first, as it costs next to nothing."""
    long = text.filter(text.str.len_bytes() == _BARE_BYTES)
    return long.filter(long.str.contains(BARE))


def _count_dated(text: pl.Expr) -> pl.Expr:
    return _select_dated(text).len()


def _count_with_check_digit(text: pl.Expr) -> pl.Expr:
    bare = _select_dated(text)
    digits = [bare.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(_BARE_BYTES)]
    weighted = sum((digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=False)), start=pl.lit(0))
    return ((11 - weighted % 11) % 10 == digits[-1]).sum()
