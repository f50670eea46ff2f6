"""What is measured of the night: the bare scan and the bare predict it is held against, and its stages as the night itself runs them."""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import polars as pl
from prepare import AS_OF, open_settings

VERSIONS = ("known_on", "is_retracted", "pulled_for")  # without them nobody can say what was known
# What the stages after the features read besides; of the rest, features read all that anybody reads.
READ_BESIDES = {
    "borrowers": ("region_code", "district_code", "industry_code"),
    "businesses": ("business_id", "closed_on", "industry_code", "region_code", "district_code"),
    "coverage": ("source_id",),
    "facts": ("borrower_id", "fact", "valid_from_on", "value", "source", "valid_until_on"),
    "awards_history": ("borrower_id", "programme_id", "awarded_on"),
}
_HEAVY = (
    "nightly", "features", "lightgbm", "woodelf", "models.registry", "models.score", "models.explain", "models.labels", "guidance.facts",
    "guidance.judge", "guidance.assign", "guidance.audit", "guidance.ledger", "guidance.packs", "guidance.report", "signals.night",
    "signals.records.database",
)  # fmt: skip


class Clock:
    """Seconds on the wall and of the processor, summed over the times it ran."""

    def __init__(self) -> None:
        self.seconds, self.cpu_seconds = 0.0, 0.0

    def __enter__(self) -> None:
        """Start."""
        self._started = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.seconds += time.perf_counter() - self._started[0]
        self.cpu_seconds += time.process_time() - self._started[1]

    def read(self, prefix: str = "") -> dict[str, float]:
        """What it says."""
        return {f"{prefix}seconds": self.seconds, f"{prefix}cpu_seconds": self.cpu_seconds}


def scan(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read, and throw away, what the features read (or, `--what inputs`, all that the stages read), table by table, by polars alone."""
    found, whole = [], Clock()
    for table, frame in _list_reads(arguments).items():
        clock, rows = Clock(), [0]

        def count(batch: pl.DataFrame, rows: list[int] = rows) -> None:
            rows[0] += batch.height

        with clock, whole:
            frame.sink_batches(count, maintain_order=False, engine="streaming")
        found.append({"table": table, "rows": rows[0], **clock.read()})
    return {**whole.read(), "rows": sum(one["rows"] for one in found), "tables": found}


def predict(arguments: argparse.Namespace) -> dict[str, Any]:
    """Let the champion's booster predict every borrower of the night from a matrix that is ready."""
    from models.registry import load_champion
    from signals.store import read_product_parts

    settings: Any = open_settings(arguments.data)
    champion, why = load_champion(settings.places.models, AS_OF)
    if champion is None:
        raise SystemExit(why)
    clock, rows = Clock(), 0
    for batch in read_product_parts(settings.places, "features", AS_OF, champion.features):
        matrix = champion.arrange(batch)
        with clock:
            champion.booster.predict(matrix, raw_score=True)
        rows += len(matrix)
    trees = champion.booster.num_trees()
    leaves = sum(tree["num_leaves"] for tree in champion.booster.dump_model()["tree_info"])
    model = {"version": champion.version, "trees": trees, "leaves_per_tree": round(leaves / trees, 1), "features": len(champion.features)}
    return {**clock.read(), "rows": rows, "model": model}


def stage(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run one stage as the night does; what it takes to write its products is told apart."""
    import signals.night as of_night
    from signals.store import write_products

    for name in _HEAVY:
        importlib.import_module(name)
    from nightly import NIGHT

    writing, making, whole = Clock(), Clock(), Clock()

    def write_apart(home: Any, names: Any, chunks: Iterable[Any], as_of: Any) -> Any:
        with writing:
            return write_products(home, names, _make_apart(chunks, making), as_of)

    of_night.write_products = write_apart
    night = of_night.Night(AS_OF, open_settings(arguments.data))
    with whole:
        receipts = NIGHT[arguments.stage](night)
    told = {kind: value - making.read()[kind] for kind, value in writing.read().items()}  # chunks are made while they are written
    own = {kind: value - told[kind] for kind, value in whole.read().items()}
    return {**own, **{f"write_{kind}": value for kind, value in told.items()}, "rows": {one.table: one.rows for one in receipts}}


def _make_apart(chunks: Iterable[Any], making: Clock) -> Iterator[Any]:
    waiting, nothing = iter(chunks), object()
    while True:
        with making:
            chunk: Any = next(waiting, nothing)
        if chunk is nothing:
            return
        yield chunk


def _list_reads(arguments: argparse.Namespace) -> dict[str, pl.LazyFrame]:
    """The lake's files with the columns and months that are read, table by table."""
    from reach import find_reach

    from features.reading import READS, Reading
    from signals.compaction import list_data_files
    from signals.delta import open_table

    settings: Any = open_settings(arguments.data)
    besides = READ_BESIDES if arguments.what == "inputs" else {}
    reach = find_reach(AS_OF) if arguments.what == "features" else {}
    found = {}
    for table in [*READS, *(name for name in besides if name not in READS)]:
        place = settings.places.table(table)
        lake = open_table(place)
        if lake is None:
            continue
        files = [f"{place}/{path}" for path in list_data_files(lake)["path"]]
        rows = pl.scan_parquet(files, hive_partitioning=False)
        if table in reach:
            month, months_ago = reach[table]
            rows = rows.filter(pl.col(month) >= Reading({}, AS_OF).month_start(months_ago))
        wanted = {*READS.get(table, {}), *besides.get(table, ()), *VERSIONS}
        found[table] = rows.select(name for name in rows.collect_schema().names() if name in wanted)
    return found


STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"scan": scan, "predict": predict, "stage": stage}
