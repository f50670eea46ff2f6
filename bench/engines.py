"""The same features by other engines, from the same files: what was known on the night, sorted by borrower.

Each engine's values are held against polars' before its time counts. What is usual among peers is found by polars, and counts
in its time alone. The work ends with one row of sums and counts per feature, so that every value is computed and none has to be written.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
from prepare import AS_OF
from stages import Clock

THREADS, MEMORY_GB = 2, 8
PEERS = "peers.parquet"
SAMPLE = 0  # the bucket whose values are compared one by one, and the only one that pandas computes
NEEDS = {"polars": "polars", "duckdb": "duckdb", "spark": "pyspark", "pandas": "pandas"}


Tables = Mapping[str, list[str]]  # the files of each table
Build = Callable[[Tables, pl.DataFrame], nw.LazyFrame[Any]]  # with the peers that polars found


def engine(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compute all features of all borrowers (pandas: of one bucket), and say what they sum up to."""
    known, name = arguments.data / "known", arguments.engine
    clock, parts = Clock(), []
    buckets = {"polars": range(len(_list_files(known, "loans", None))), "pandas": (SAMPLE,)}
    with ENGINES[name](known) as build:
        peers = _time_peers(known, clock) if name == "polars" else pl.read_parquet(known.parent / PEERS)
        for bucket in buckets.get(name, (None,)):
            with clock:
                parts.append(_sum(build(_list_tables(known, bucket), peers)))
        children = _measure_children()
    sums = {column: sum(part[column] for part in parts) for column in parts[0]}
    return {**clock.read(), "borrowers": int(sums["rows"]), "sums": sums, **children}


def agree(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the values of one bucket with polars', one by one: the largest difference; or say why the engine is skipped."""
    known, why = arguments.data / "known", find_missing(arguments.engine)
    if why:
        return {"skipped": why}
    tables, found, peers = _list_tables(known, SAMPLE), [], _find_peers(known)
    peers.write_parquet(known.parent / PEERS)
    for name in (arguments.engine, "polars"):
        with ENGINES[name](known) as build:
            found.append(pl.DataFrame(build(tables, peers).collect("pyarrow").to_native()))
    return {"largest_difference": compare_values(*found), "compared": found[1].height}


def find_missing(name: str) -> str:
    """Say why an engine can't be measured here; empty where it can."""
    if importlib.util.find_spec(NEEDS[name]) is None:
        return f"{NEEDS[name]} is not installed"
    return "there is no Java" if name == "spark" and shutil.which("java") is None else ""


def compare_values(found: pl.DataFrame, wanted: pl.DataFrame) -> float:
    """Give the largest difference of two frames of features, relative above 1; infinite where rows, columns or nulls differ.

    >>> one = pl.DataFrame({"borrower_id": ["a"], "x": [2.0]})
    >>> compare_values(one.with_columns(x=pl.lit(3.0)), one), compare_values(one.with_columns(x=None), one)
    (0.5, inf)
    """
    names = [name for name in wanted.columns if name != "borrower_id"]
    if set(found.columns) != set(wanted.columns) or found.height != wanted.height:
        return math.inf
    both = found.with_columns(pl.col(names).cast(pl.Float64)).join(wanted, on="borrower_id", suffix=" wanted")
    if both.height != wanted.height:
        return math.inf
    worst = 0.0
    for name in names:
        one, other = both[name], both[f"{name} wanted"]
        if not (one.is_null() == other.is_null()).all():
            return math.inf
        apart = ((one - other).abs() / pl.select(pl.max_horizontal(other.abs(), 1.0)).to_series()).max()
        worst = max(worst, float(apart or 0.0))  # type: ignore[arg-type]
    return worst


@contextmanager
def _open_polars(_known: Path) -> Iterator[Build]:
    """As the night does it: one bucket after the other."""

    def build(tables: Tables, peers: pl.DataFrame) -> nw.LazyFrame[Any]:
        read = {name: pl.scan_parquet(files) for name, files in tables.items()}
        return nw.from_native(_declared(read, peers.lazy()).collect(engine="in-memory").lazy())

    yield build


@contextmanager
def _open_duckdb(known: Path) -> Iterator[Build]:
    """The same plan, written as SQL by narwhals, on all files at once."""
    import duckdb

    settings = {"threads": THREADS, "memory_limit": f"{MEMORY_GB}GB", "temp_directory": str(known.parent / "spill")}
    with duckdb.connect(config=settings) as connection:

        def build(tables: Tables, peers: pl.DataFrame) -> nw.LazyFrame[Any]:
            read = {name: connection.read_parquet(files) for name, files in tables.items()}
            return nw.from_native(_declared(read, connection.from_arrow(peers.to_arrow())))

        yield build


@contextmanager
def _open_spark(known: Path) -> Iterator[Build]:
    """The same plan on Apache Spark in this machine, on all files at once."""
    from signals.settings import Settings
    from signals.spark_session import open_spark

    told = {"spark.driver.memory": f"{MEMORY_GB}g", "spark.sql.shuffle.partitions": "24", "spark.local.dir": str(known.parent / "spill")}
    session = open_spark(Settings(engine="spark", spark_master=f"local[{THREADS}]", spark_remote=None, spark_conf=told))

    def build(tables: Tables, peers: pl.DataFrame) -> nw.LazyFrame[Any]:
        return nw.from_native(_declared({name: session.read.parquet(*files) for name, files in tables.items()}, peers.lazy()))

    yield build


@contextmanager
def _open_pandas(_known: Path) -> Iterator[Build]:
    """By hand, for its way of grouping."""
    from by_pandas import build_features

    yield lambda tables, peers: nw.from_native(build_features(tables, AS_OF, peers).lazy())


def _declared(tables: Mapping[str, Any], peers: Any) -> Any:
    """The declared features as the house builds them: the one place where this benchmark calls for them."""
    from features import build_features

    return build_features(tables, AS_OF, peers=peers)


def _time_peers(known: Path, clock: Clock) -> pl.DataFrame:
    with clock:
        return _find_peers(known)


def _find_peers(known: Path) -> pl.DataFrame:
    """What is usual among peers, over all buckets, as the night finds it."""
    from features import find_peers

    def by_bucket(make: Callable[[dict[str, pl.LazyFrame]], pl.LazyFrame], *, tables: list[str]) -> Iterator[pl.DataFrame]:
        for bucket in range(len(_list_files(known, "loans", None))):
            files = _list_tables(known, bucket)
            yield make({name: pl.scan_parquet(files[name]) for name in tables if name in files}).collect(engine="in-memory")

    found = find_peers(by_bucket, AS_OF)
    return pl.DataFrame() if found is None else found.collect().drop_nulls()


def _sum(built: Any) -> dict[str, float]:
    """One row: how many borrowers, and of each feature the sum and how many know it."""
    names = [name for name in built.collect_schema().names() if name != "borrower_id"]
    sums = [nw.col(name).sum().alias(f"{name} sum") for name in names]
    counts = [nw.col(name).count().alias(f"{name} known") for name in names]
    row = built.select(nw.col("borrower_id").count().alias("rows"), *sums, *counts).collect("pyarrow").rows(named=True)[0]
    return {name: float(value or 0) for name, value in row.items()}


def _list_tables(known: Path, bucket: int | None) -> Tables:
    from features.reading import READS

    found = {table: _list_files(known, table, bucket) for table in READS}
    return {table: files for table, files in found.items() if files}


def _list_files(known: Path, table: str, bucket: int | None) -> list[str]:
    files = sorted(str(file) for file in (known / table).glob("*.parquet"))
    return files if bucket is None or len(files) == 1 else files[bucket : bucket + 1]


def _measure_children() -> dict[str, float]:
    """The largest memory and the processor's time of the processes this one started."""
    import psutil

    children = psutil.Process().children(recursive=True)
    peaks = [_read_peak(child.pid) for child in children]
    times = [child.cpu_times() for child in children]
    return {"children_peak_mib": sum(peaks), "children_cpu_seconds": sum(one.user + one.system for one in times)}


def _read_peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Build]]] = {
    "polars": _open_polars,
    "duckdb": _open_duckdb,
    "spark": _open_spark,
    "pandas": _open_pandas,
}
STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"engine": engine, "agree": agree}
