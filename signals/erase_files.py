"""Erasing a borrower from the loose files of HOME: arrivals, quarantine, Data Docs, office packs."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

from signals.home import Home
from signals.packs import hash_packs


def erase_from_files(home: Home, borrower_id: str, owned: Mapping[str, Sequence[str]]) -> int:
    """Erase a borrower from what waits, was set aside or was written about it; how many rows and files went.

    Rows that name nobody go with the borrower when their loan, unpaid item or shop is one of `owned`. What a broken-off
    stage left half-written goes whole: it is made anew.
    """
    for left_over in [*home.arrivals.glob(".*"), *home.quarantine.glob(".*"), *home.staging.glob("*")]:
        _remove(left_over)
    files = [file for place in (home.arrivals, home.quarantine) for file in sorted(place.rglob("*.parquet"))]
    gone = sum(_erase_rows(file, borrower_id, owned) for file in files)
    for delivery in home.arrivals.glob("*/*/delivery.json"):
        _count_again(delivery)
    for place in (home.arrivals, home.quarantine, home.docs):
        for file in [file for file in place.rglob("*") if file.is_file() and file.suffix != ".parquet" and _names(file, borrower_id)]:
            file.unlink()
            gone += 1
    return gone


def erase_from_packs(home: Home, borrower_id: str) -> list[Path]:
    """Empty the office packs that name a borrower, of whichever night, and say in their manifest that they are redacted.

    A pack can't be made again without the data, and a workbook with a line cut out would pass for whole. Packs that still
    wait for their place go with all offices; their night, run again, makes them anew. Which folders were emptied.
    """
    emptied = []
    for folder in sorted((home.root / "packs").glob("*")):
        offices = [office for office in sorted(folder.iterdir()) if any(_names(file, borrower_id) for file in office.rglob("*"))]
        if offices and folder.name.startswith("."):
            shutil.rmtree(folder)
            offices = []
        for office in offices:
            _empty_pack(office)
        emptied += offices
    return emptied


def hash_redacted_packs(home: Home) -> dict[date, str]:
    """Say what the packs now say, of each night in which some office's were emptied."""
    redacted = {manifest.parents[1] for manifest in (home.root / "packs").glob("as_of=*/*/manifest.json") if _is_redacted(manifest)}
    return {date.fromisoformat(folder.name.removeprefix("as_of=")): hash_packs(folder) for folder in redacted}


def _empty_pack(office: Path) -> None:
    said = {"as_of": office.parent.name.removeprefix("as_of="), "office": office.name, "is_redacted": True, "files": {}}
    draft = office / ".manifest.draft"
    draft.write_text(json.dumps(said, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(office / "manifest.json")  # first: a pack without its files must never pass for whole
    for file in office.iterdir():
        if file.name != "manifest.json":
            _remove(file)


def _is_redacted(manifest: Path) -> bool:
    return bool(json.loads(manifest.read_text(encoding="utf-8")).get("is_redacted", False))


def _erase_rows(file: Path, borrower_id: str, owned: Mapping[str, Sequence[str]]) -> int:
    schema = pl.read_parquet_schema(file)
    texts = [name for name, kind in schema.items() if kind == pl.String and name != "guarantor_id"]
    is_theirs = pl.any_horizontal(pl.lit(value=False), *(pl.col(name) == borrower_id for name in texts)).fill_null(value=False)
    for name, ids in owned.items():
        is_nobodys = pl.col("borrower_id").is_null() if "borrower_id" in schema else pl.lit(value=True)
        if schema.get(name) == pl.String:
            is_theirs |= (is_nobodys & pl.col(name).is_in(list(ids))).fill_null(value=False)
    is_guarantor = (pl.col("guarantor_id") == borrower_id).fill_null(value=False) if "guarantor_id" in schema else pl.lit(value=False)
    gone, named = pl.scan_parquet(file).select(gone=is_theirs.sum(), named=is_guarantor.sum()).collect().row(0)
    if gone or named:
        rest = pl.read_parquet(file).filter(~is_theirs)
        freed = rest.with_columns(pl.when(~is_guarantor).then("guarantor_id").alias("guarantor_id")) if named else rest
        draft = file.with_name(f".{file.name}.draft")
        freed.write_parquet(draft, compression="zstd", compression_level=1)
        draft.replace(file)
    return int(gone)


def _count_again(delivery: Path) -> None:
    """Have a delivery that waits for its check say how many rows it still has: a row that is missing would stop the night."""
    said = json.loads(delivery.read_text(encoding="utf-8"))
    for piece in said["landed"]:
        piece["rows"] = pl.scan_parquet(delivery.parent / piece["path"]).select(pl.len()).collect().item()
    draft = delivery.with_name(f".{delivery.name}.draft")
    draft.write_text(json.dumps(said), encoding="utf-8")
    draft.replace(delivery)


def _names(file: Path, borrower_id: str) -> bool:
    """Say whether a file, or one inside it, names the borrower as a word of its own, however it writes it.

    A Korean ending may stand right behind the id.
    """
    forms = {borrower_id, escape(borrower_id), borrower_id.replace('"', '""'), json.dumps(borrower_id)[1:-1]}
    word = re.compile("|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms)), re.ASCII)
    return file.is_file() and any(word.search(content.decode(errors="ignore")) for content in _read_contents(file))


def _read_contents(file: Path) -> Iterator[bytes]:
    if not zipfile.is_zipfile(file):
        yield file.read_bytes()
        return
    with zipfile.ZipFile(file) as packed:
        yield from (packed.read(name) for name in packed.namelist())


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
