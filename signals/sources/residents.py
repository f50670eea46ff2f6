"""No resident registration number enters, by accident or otherwise (personal-data act art. 24-2)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from signals.errors import InputError

HYPHENATED = r"(?:^|\D)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}(?:\D|$)"
BARE = r"^\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[1-8]\d{6}$"
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_SUSPICIOUS_SHARE = 0.01


def refuse_resident_numbers(file: Path | str, frame: pl.LazyFrame) -> None:
    """Refuse a file whose text columns hold resident registration numbers.

    The hyphenated form is refused by its pattern; bare 13-digit values when they begin with a date and more than 1 % of
    the column's values carry the right check digit as well. Raises `InputError`, which names the column, never a value.
    """
    texts = [name for name, kind in frame.collect_schema().items() if kind == pl.String]
    if not texts:
        return
    checks = frame.select(
        *(pl.col(name).str.contains(HYPHENATED).any().alias(f"{name}:hyphenated") for name in texts),
        *(_share_with_check_digit(name).alias(f"{name}:bare") for name in texts),
    ).collect()
    for name in texts:
        if checks[f"{name}:hyphenated"].item() or (checks[f"{name}:bare"].item() or 0) > _SUSPICIOUS_SHARE:
            raise InputError(
                f"column '{name}' holds what looks like resident registration numbers",
                str(file),
                "the law forbids processing them (personal-data act art. 24-2)",
                "replace them by pseudonyms; nothing of this file was kept",
            )


def _share_with_check_digit(name: str) -> pl.Expr:
    """Say which share of a text column's values are 13 digits that begin with a date and end in the right check digit."""
    text = pl.col(name)
    weighted = sum(
        (text.str.slice(place, 1).cast(pl.Int32, strict=False) * weight for place, weight in enumerate(_WEIGHTS)), start=pl.lit(0)
    )
    right = ((11 - weighted % 11) % 10) == text.str.slice(12, 1).cast(pl.Int32, strict=False)
    return (text.str.contains(BARE) & right).mean()
