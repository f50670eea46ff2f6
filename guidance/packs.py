"""Office packs: what a caseworker opens in the morning."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl

from guidance.call_list import count_pack, list_calls, list_places
from guidance.catalogue import Catalogue
from guidance.workbook import METHOD, describe_pack, say_method, write_workbook
from signals.errors import SettingsError
from signals.offices import Office
from signals.packs import hash_packs

FORMULA = "=+-@\t\r\n＝＋－＠"


@dataclass(frozen=True)
class PackNight:
    """What the packs of one night are made from: the products, and what made them.

    `scores` must hold every listed borrower with office, rank, level and owner_state; where it also holds others, their
    reserved and held places stand on the programme sheets, for a place that nobody speaks of only expires.
    """

    as_of: date
    model_version: str
    catalogue: Catalogue
    scores: pl.DataFrame
    reasons: pl.DataFrame
    verdicts: pl.DataFrame
    assignments: pl.DataFrame
    shock: str = ""  # why the scorecard scores though there is a model


def write_packs(folder: Path, night: PackNight, offices: Sequence[Office]) -> str:
    """Write one folder per office (pack.xlsx, call_list.csv, manifest.json) and return the hash of them all.

    All or nothing: the packs are written beside `folder` and then take its place. The same night gives the same bytes.
    Raises `SettingsError` when a borrower belongs to an office that `offices` does not name, or an office's id can't be a
    folder's name.
    """
    _refuse_strange_offices(night.scores, offices)
    partial, old = folder.with_name(f".{folder.name}.partial"), folder.with_name(f".{folder.name}.old")
    for left_over in (partial, old):
        shutil.rmtree(left_over, ignore_errors=True)
    partial.mkdir(parents=True)
    for office in offices:
        _write_pack(partial / office.id, night, office)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return hash_packs(folder)


def _refuse_strange_offices(scores: pl.DataFrame, offices: Sequence[Office]) -> None:
    named = {office.id for office in offices}
    strange = sorted(str(name) for name in set(scores["office"].unique()) - named)
    if strange:
        raise SettingsError(f"no office is called {', '.join(strange)}", "offices.toml", "its borrowers would be on nobody's list",
                            "declare the office, or run the night again")  # fmt: skip
    unsafe = sorted(name for name in named if not re.fullmatch(r"\w[\w.-]*", name))
    if unsafe:
        raise SettingsError(
            f"an office can't be called {unsafe[0]!r}", "offices.toml", "its id names a folder", "use letters, digits, - and _"
        )


def _write_pack(folder: Path, night: PackNight, office: Office) -> None:
    folder.mkdir()
    own = night.scores.filter(pl.col("office") == office.id)
    calls = list_calls(own, night.reasons, night.verdicts, night.assignments, night.catalogue)
    places = list_places(own, night.assignments)
    counts, method = count_pack(calls, places), say_method(night.model_version, night.shock)
    if night.model_version == "scorecard":  # whoever holds the list alone must read it there
        calls = calls.with_columns(pl.lit(method).alias(METHOD))
    summary = describe_pack(office.name_ko, night.as_of, method, counts)
    write_workbook(folder / "pack.xlsx", summary, calls, places, night.catalogue, night.as_of)
    write_call_csv(folder / "call_list.csv", calls)
    manifest = {
        "as_of": night.as_of.isoformat(), "office": office.id, "model_version": night.model_version,
        "catalogue_hash": night.catalogue.catalogue_hash, "counts": counts, **({"shock": night.shock} if night.shock else {}),
        "files": {file.name: {"sha256": sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size} for file in sorted(folder.iterdir())},
    }  # fmt: skip
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def write_call_csv(file: Path, calls: pl.DataFrame) -> None:
    """Write the call list as Korean Excel opens it: UTF-8 with its mark, no cell that could run as a formula."""
    calls.with_columns(escape_formulas(pl.col(pl.String))).write_csv(file, include_bom=True, line_terminator="\r\n")


def escape_formulas(text: pl.Expr) -> pl.Expr:
    """Put an apostrophe before text that a spreadsheet would run.

    >>> pl.DataFrame({"a": ["=1+1", "a=1", " @x", None]}).select(escape_formulas(pl.col("a")))["a"].to_list()
    ["'=1+1", 'a=1', "' @x", None]
    """
    is_risky = text.str.contains(f"^ *[{re.escape(FORMULA)}]")
    return pl.when(is_risky).then(pl.format("'{}", text)).otherwise(text).name.keep()
