"""The page docs/features.md, written from the declarations."""

from __future__ import annotations

from features.catalogue import FEATURES
from features.feature import THEMES, Feature
from features.reading import STALE_AFTER_MONTHS
from features.views import ADJUSTMENT_MONTHS, CLOSURE_MONTHS, LATELY_MONTHS, MATURING_DAYS

_HEAD = ("feature", "meaning", "unit", "source", "window", "null means", "risk may only rise", "한국어", "English")
_DIRECTIONS = {1: "as it rises", -1: "as it falls", 0: "-"}


def describe_features() -> str:
    """Describe every feature as markdown: one table per theme, one row per feature, both sentences with an open `{value}`.

    >>> print(describe_features().splitlines()[0])
    # Features
    """
    sections = [_describe_theme(theme) for theme in THEMES]
    return "\n\n".join(["# Features", _explain_time(), *sections]) + "\n"


def _explain_time() -> str:
    return (
        f"{len(FEATURES)} features, one row per borrower and night. Written from the declarations by `make docs`; change those, not this page.\n\n"
        "Months are counted back from the newest month known: of each loan for repayments, of the borrower's sales, of the bureau. "
        "So a report that comes late shifts no lag. "
        f"A loan, shop or bureau without news for {STALE_AFTER_MONTHS} months is no part of the present: "
        "its months are counted from the month of as_of. "
        "A month of sales counts once it is over; a payment counts as missing once its day has come.\n\n"
        f"Maturing means within {MATURING_DAYS} days, lately within {LATELY_MONTHS} calendar months, "
        f"a debt adjustment stands for {ADJUSTMENT_MONTHS} months and a closed business is told of for {CLOSURE_MONTHS}. "
        "No row means none only where the coverage table says so; otherwise the value is null."
    )


def _describe_theme(theme: str) -> str:
    rows = [_describe_feature(feature) for feature in FEATURES if feature.theme == theme]
    rule = "|".join("---" for _ in _HEAD)
    return "\n".join([f"## {theme} · {THEMES[theme]}", "", _row(_HEAD), f"|{rule}|", *rows])


def _describe_feature(feature: Feature) -> str:
    return _row((
        f"`{feature.name}`", feature.meaning, feature.unit, ", ".join(feature.tables), "; ".join(feature.windows),
        feature.null_means, _DIRECTIONS[feature.direction], feature.says_ko, feature.says_en,
    ))  # fmt: skip


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
