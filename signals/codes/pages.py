"""The generated page of the dated lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from signals.codes.dated import read_list

_LEAD = (
    "Made from `signals/codes/*.toml`; do not edit. Marks: A statute, regulator or ministry page; B newspaper reporting an official "
    "release; C private page or code base; D derived; M from memory, unverified. Sources stand in [facts.md](facts.md). "
    "A dash for a first or last day: open."
)
_TRUST = ("mark", "source")
_DAYS = ("from_on", "until_on")
_WORDS = ("words_ko", "words_en")


def describe_codes() -> str:
    """Write docs/codes.md: every dated list, one row per code with its days, words, mark and source.

    >>> print(describe_codes().splitlines()[0])
    # Codes
    """
    places, trades, sizes = read_list("regions"), read_list("industries"), read_list("sizes")
    parts = [
        ["# Codes", "", _LEAD, ""],
        _describe("Regions", ("code", *_WORDS, *_DAYS, "successor", "keeps_districts", "is_capital", *_TRUST), places["region"]),
        _describe("Districts that changed their region on their own", ("code", *_WORDS, *_DAYS, "successor", *_TRUST), places["district"]),
        _describe("The statistics office's own region codes: unknown here", ("code", *_WORDS, *_TRUST), places["kostat_only"]),
        _describe("Revisions of the industrial classification", ("number", *_WORDS, *_DAYS, *_TRUST), trades["revision"]),
        _describe("Sections", ("letter", "divisions", *_WORDS, "revisions", *_TRUST), map(_say_divisions, trades["section"])),
        *(_describe_exclusion(row) for row in read_list("excluded")["list"]),
        _describe("Small business: fewer regular workers than", ("below", "sections", *_WORDS, *_DAYS, *_TRUST), sizes["workers"]),
        _describe("Small business: yearly sales up to (won)", ("sections", "least_krw", "most_krw", "status", *_WORDS, *_DAYS, *_TRUST), sizes["cap"]),
    ]  # fmt: skip
    return "\n".join(line for part in parts for line in part)


def _describe_exclusion(row: Mapping[str, Any]) -> list[str]:
    trust = f"{row['meaning']} Status: {row['status']}; mark: {row['mark']}; source: {row['source']}."
    head, _, *table = _describe(f"Industries left out: {row['name']}", ("code", *_WORDS, *_DAYS), row["entries"])
    return [head, "", trust, "", *table]


def _say_divisions(row: Mapping[str, Any]) -> dict[str, Any]:
    first, last = row["divisions"]
    return {**row, "divisions": f"{first:02}" if first == last else f"{first:02} to {last:02}"}


def _describe(title: str, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    cells = [[_say(row.get(column)) for column in columns] for row in rows]
    return [f"## {title}", "", *(f"| {' | '.join(row)} |" for row in ([*columns], ["---"] * len(columns), *cells)), ""]


def _say(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
