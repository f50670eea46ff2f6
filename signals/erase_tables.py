"""Erasing a borrower from Delta tables: the rows, the files they stood in, and what the log says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake

from signals.buckets import add_bucket, count_buckets
from signals.delta import ZSTD, list_stored, scan_stored
from signals.home import Home
from signals.objects import StoredText, list_files, remove_file
from signals.products import PRODUCTS
from signals.redaction import FORGOT
from signals.store import read_product
from signals.tables import TABLES


def find_owned(home: Home, borrower_id: str) -> dict[str, list[str]]:
    """Find the ids of the borrower's loans, unpaid items and shops: by column, those the lake names."""
    owned: dict[str, set[str]] = {}
    for name, place in list_stored(home).items():
        key = TABLES[name].key[0] if name in TABLES else "borrower_id"
        if name in TABLES and TABLES[name].has_borrower and key != "borrower_id":
            theirs = scan_stored(place).filter(_is_theirs(home, borrower_id))
            owned.setdefault(key, set()).update(theirs.select(pl.col(key).unique()).collect().to_series())
    return {name: sorted(ids) for name, ids in owned.items()}


def erase_from_lake(home: Home, borrower_id: str, owned: Mapping[str, Sequence[str]]) -> int:
    """Erase a borrower from every source table, in at most three commits each; how many rows went.

    Rows that end, in another borrower's bucket, a fact that was once this borrower's must stay, or the fact would come
    back to the other: they keep their key and lose all else. As somebody's guarantor the borrower becomes null.
    """
    gone = 0
    for name, place in list_stored(home).items():
        if name in TABLES and TABLES[name].has_borrower:
            _blank_ends(place, name, owned.get(TABLES[name].key[0], ()))
            if "guarantor_id" in TABLES[name].columns:
                _update(place, f"guarantor_id = {_quote(borrower_id)}", ["guarantor_id"])
            theirs = scan_stored(place).filter(_is_theirs(home, borrower_id))
            counted = theirs.group_by("pulled_for").agg(told=(~pl.col("is_moved")).sum(), rows=pl.len()).collect()
            where = f"bucket = {find_bucket(home, borrower_id)} AND borrower_id = {_quote(borrower_id)}"
            _delete(place, borrower_id, where, dict(counted.select("pulled_for", "told").iter_rows()))
            gone += int(counted["rows"].sum())
    return gone


def erase_from_products(home: Home, borrower_id: str, runs: Iterable[Mapping[str, Any]]) -> int:
    """Erase a borrower from every product of every night, in one commit each; how many rows went.

    `runs`: the published nights; where another try of a night stands that was never published, the published rows are
    put back first: older versions, which alone still hold them, go.
    """
    gone, published = 0, list(runs)
    for name, place in list_stored(home).items():
        if name in PRODUCTS and "borrower_id" in PRODUCTS[name].columns:  # the others count, and name nobody
            _put_back(home, name, place, published)
            theirs = scan_stored(place).filter(pl.col("borrower_id") == borrower_id)
            nights = dict(theirs.group_by("as_of").len().collect().iter_rows())
            _delete(place, borrower_id, f"borrower_id = {_quote(borrower_id)}", nights)
            gone += sum(nights.values())
    return gone


def purge_files(home: Home, runs: Iterable[Mapping[str, Any]]) -> None:
    """Remove, for good, every file and every word of the logs that only old versions need; what `runs` pin stays.

    Commits keep who, when and how many; the least and greatest texts of a file and the predicates of erasures are taken
    out of them, for these are ids. Old checkpoints say such things too and are replaced by one of the newest version.
    """
    published = list(runs)
    for name, place in list_stored(home).items():
        table = DeltaTable(place)
        texts = {field.name for field in table.schema().fields if str(getattr(field.type, "type", "")) == "string"}
        for file in list_files(f"{place}/_delta_log"):
            if file.name.endswith(".json"):
                _scrub_commit(StoredText(f"{place}/_delta_log/{file.name}"), texts)
        pinned = {run["receipts"][name]["version"] for run in published if name in run["receipts"]} - {None}
        table.vacuum(
            retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True, keep_versions=sorted({*pinned, table.version()})
        )
        _replace_checkpoints(place)


def find_bucket(home: Home, borrower_id: str) -> int:
    """Say in which bucket of the lake a borrower lies."""
    return int(add_bucket(pl.DataFrame({"borrower_id": [borrower_id]}), count_buckets(home))["bucket"].item())


def _is_theirs(home: Home, borrower_id: str) -> pl.Expr:
    return (pl.col("bucket") == pl.lit(find_bucket(home, borrower_id))) & (pl.col("borrower_id") == pl.lit(borrower_id))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _note(nights: Mapping[date, int]) -> CommitProperties:
    return CommitProperties(custom_metadata={FORGOT: json.dumps({night.isoformat(): rows for night, rows in nights.items()})})


def _delete(place: str, borrower_id: str, predicate: str, nights: Mapping[date, int]) -> None:
    """Delete rows in one commit that says of which nights; where only old files still name the borrower, move on from these."""
    if nights:
        DeltaTable(place).delete(predicate, writer_properties=ZSTD, commit_properties=_note(nights))
    elif any(_holds(f"{place}/{file.name}", borrower_id) for file in list_files(place) if _is_data(file.name)):
        nothing = scan_stored(place).head(0).collect().to_arrow()
        write_deltalake(place, nothing, mode="append", commit_properties=_note({}))


def _is_data(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith("_delta_log/")


def _holds(file: str, borrower_id: str) -> bool:
    try:
        return (
            not pl.scan_parquet(file, hive_partitioning=False)
            .filter(borrower_id=borrower_id)
            .select("borrower_id")
            .head(1)
            .collect()
            .is_empty()
        )
    except pl.exceptions.PolarsError:
        return False  # broken off while it was written: no version needs it, and the purge removes it


def _update(place: str, predicate: str, columns: Sequence[str]) -> None:
    nothing = dict.fromkeys(columns, "NULL")
    DeltaTable(place).update(updates=nothing, predicate=predicate, writer_properties=ZSTD, commit_properties=_note({}))


def _blank_ends(place: str, name: str, ids: Sequence[str]) -> None:
    key, columns = TABLES[name].key, TABLES[name].columns
    ends = scan_stored(place).filter(pl.col("is_moved"), pl.col(key[0]).is_in(list(ids)))
    if ids and not ends.select(key[0]).head(1).collect().is_empty():
        told = [column for column in columns if column not in {*key, "borrower_id", "known_on", "is_retracted"}]
        present = [column for column in told if column in ends.collect_schema().names()]
        _update(place, f"is_moved AND {key[0]} IN ({', '.join(map(_quote, ids))})", present)


def _put_back(home: Home, name: str, place: str, published: Sequence[Mapping[str, Any]]) -> None:
    newest: dict[str, dict[str, Any]] = {}
    for commit in DeltaTable(place).history():
        newest.setdefault(commit.get("as_of", ""), commit)
    for run in published:
        pinned, stands = run["receipts"].get(name), newest.get(str(run["as_of"]))
        if pinned and stands and int(stands["version"]) > pinned["version"] and stands["content_hash"] != pinned["content_hash"]:
            rows = read_product(home, name, run["as_of"], pinned["version"]).with_columns(as_of=pl.lit(run["as_of"])).collect()
            said = {"as_of": str(run["as_of"]), "rows": str(pinned["rows"]), "content_hash": pinned["content_hash"]}
            write_deltalake(
                place,
                rows.to_arrow(),
                mode="overwrite",
                schema_mode="merge",
                predicate=f"as_of = '{run['as_of']}'",
                writer_properties=ZSTD,
                commit_properties=CommitProperties(custom_metadata={**said, FORGOT: "{}"}),
            )


def _scrub_commit(file: StoredText, texts: set[str]) -> None:
    said = file.read()
    lines = [_scrub_action(json.loads(line), texts) for line in said.splitlines() if line]
    scrubbed = "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    if scrubbed != said.rstrip("\n"):
        file.write(scrubbed)


def _scrub_action(action: dict[str, Any], texts: set[str]) -> dict[str, Any]:
    commit, added = action.get("commitInfo", {}), action.get("add", {})
    if FORGOT in commit and "predicate" in commit.get("operationParameters", {}):
        commit["operationParameters"]["predicate"] = FORGOT
    if added.get("stats"):
        stats = json.loads(added["stats"])
        for bound in ("minValues", "maxValues"):
            stats[bound] = {name: value for name, value in stats.get(bound, {}).items() if name not in texts}
        added["stats"] = json.dumps(stats, separators=(",", ":"))
    return action


def _replace_checkpoints(place: str) -> None:
    log = f"{place}/_delta_log"
    old = [file.name for file in list_files(log) if ".checkpoint" in file.name and file.name.endswith(".parquet")]
    if old:
        table = DeltaTable(place)
        table.create_checkpoint()
        for name in old:
            if not name.startswith(f"{table.version():020}"):
                remove_file(f"{log}/{name}")
