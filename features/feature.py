"""What a feature declares, once: the column, its documentation, its constraint and its words come from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from features.formula import Aggregate, Value, Window
from features.units import UNITS, spell_value, with_topic_particle
from features.views import VIEWS
from signals.products import THEMES

__all__ = ["THEMES", "Feature"]

Worse = Literal["up", "down"] | None


@dataclass(frozen=True)
class Feature:
    """One number about a borrower, and everything anyone needs to know of it.

    `value` holds source, row filter, window and aggregate. `worse` is the direction in which risk may only rise, or
    None where the meaning names none. `says_ko` and `says_en` are what a caseworker reads, with `{value}` in it.
    `zero_says_…` say a plain "there is none" where 0 is that; `null_says_…` replace the common "is not known" where null
    means something better. No sentence accuses anybody.
    Raises `ValueError` when a declaration is not complete.
    """

    name: str
    theme: str
    label_ko: str
    label_en: str
    value: Value
    unit: str
    meaning: str
    null_means: str
    says_ko: str
    says_en: str
    worse: Worse = None
    zero_says_ko: str = ""
    zero_says_en: str = ""
    null_says_ko: str = ""
    null_says_en: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be computed, documented or said."""
        if self.theme not in THEMES or self.unit not in UNITS:
            raise ValueError(f"{self.name}: theme {self.theme!r} or unit {self.unit!r} is not declared")
        if any(text.count("{value}") != 1 for text in (self.says_ko, self.says_en)):
            raise ValueError(f"{self.name}: both sentences must carry {{value}} once")

    @property
    def direction(self) -> int:
        """LightGBM's monotone constraint: 1 where more is worse, -1 where less is worse, else 0."""
        return {"up": 1, "down": -1, None: 0}[self.worse]

    @property
    def tables(self) -> tuple[str, ...]:
        """The source tables it cannot do without, or reads coverage from."""
        return tuple(sorted({table for leaf in self.value.leaves for table in VIEWS[leaf.view].tables}))

    @property
    def helpers(self) -> tuple[str, ...]:
        """The source tables that make it truer where they are there, besides those it can not do without."""
        return tuple(sorted({table for leaf in self.value.leaves for table in VIEWS[leaf.view].helpers} - set(self.tables)))

    @property
    def windows(self) -> tuple[str, ...]:
        """The windows of its aggregates in words; `as of now` where they look at no months."""
        spans = sorted({(leaf.window.first, leaf.window.last) for leaf in self.value.leaves if leaf.window})
        return tuple(str(Window(*span)) for span in spans) or ("as of now",)

    def say(self, value: float | None) -> tuple[str, str]:
        """Say the value in Korean and English; None is the sentence for the unknown."""
        if value is None:
            return (
                self.null_says_ko or f"{with_topic_particle(self.label_ko)} 확인되지 않습니다.",
                self.null_says_en or f"{self.label_en} is not known.",
            )
        if value == 0 and self.zero_says_ko:
            return self.zero_says_ko, self.zero_says_en
        in_ko, in_en = spell_value(value, self.unit)
        return self.says_ko.format(value=in_ko), self.says_en.format(value=in_en)


def list_leaves(features: Iterable[Feature]) -> list[Aggregate]:
    """The aggregates that some features stand on, each once, by name."""
    return sorted(frozenset().union(*(feature.value.leaves for feature in features)), key=lambda leaf: leaf.name)
