"""Small random worlds: every table, several sources, late facts, corrections, retractions, moved loans; and HOMEs that live through them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import polars as pl

from signals.admit import admit_arrivals
from signals.arrivals import forget_arrivals, pull_source
from signals.check_reports import CheckReport, read_check_reports
from signals.forgotten import NOBODY
from signals.home import Home
from signals.known import PROVENANCE
from signals.records.database import open_database
from signals.sources import Source
from signals.tables import TABLES

FIRST = date(2026, 1, 5)
_OWNERS, _LOANS = [f"b{number}" for number in range(6)], [f"l{number}" for number in range(8)]
_CODES: dict[tuple[str, str] | str, list[Any]] = {
    "borrower_id": _OWNERS, "loan_id": _LOANS, "lender_id": ["k1", "k2"], "arrears_id": ["a1", "a2", "a3", "a4"],
    "business_id": ["s1", "s2", "s3"], "programme_id": ["P01", "P02"], "region_code": ["11", "42", "51"], "district_code": ["11110"],
    "industry_code": ["I56111"], "legal_form": ["sole", "corporation"], "owner_sex": ["F", "M"], "trading_status": ["trading", "closed"],
    ("lenders", "kind"): ["bank", "card"], ("arrears", "kind"): ["rent", "pension", "national_tax"],
    ("events", "kind"): ["workout", "closure", "suspension", "early_adjustment"], "bureau": ["nice", "kcb"],
    ("loans", "purpose"): ["business", "household"], ("consents", "purpose"): ["link", "score"], "fact": ["owns_premises", "plans_to_close"],
    "value": ["true", "false"], "source": ["holder", "owner"], "source_id": ["tax"], "subject": ["arrears", "owns_premises"],
    "owner_birth_year": [1960, 1985], "credit_score": [350, 700, 950],
}  # fmt: skip
_SPAN_DAYS = 40


def day(number: int) -> date:
    """The so-manieth night of the story."""
    return FIRST + timedelta(days=number)


def draw_rows(rng: Random, table: str, count: int, first: date, last: date) -> pl.DataFrame:
    """Draw valid rows of a table that became known from `first` to `last`; now and then one twice, now and then a retraction."""
    rows = [_draw_row(rng, table, first + timedelta(days=rng.randint(0, (last - first).days))) for _ in range(count)]
    again = [row for row in rows if rng.random() < 0.1]
    frame = pl.DataFrame([*rows, *again], schema=TABLES[table].polars_schema)
    return frame.filter(~_contradicts(frame, table))


def break_rows(rng: Random, frame: pl.DataFrame, table: str, share: float) -> pl.DataFrame:
    """Break about so many of the rows, each in one way: no key, no day, something impossible, or another row that contradicts it."""
    rows: list[dict[str, Any]] = []
    for row in frame.iter_rows(named=True):
        rows.append(row)
        if rng.random() >= share:
            continue
        key, numbers = TABLES[table].key[0], [name for name, kind in frame.schema.items() if kind == pl.Int64]
        ways: list[dict[str, Any]] = [{key: None}, {"known_on": None}, {key: ""}]
        if numbers:
            ways += [{numbers[-1]: -(10**16)}, {numbers[-1]: 10**16}]
        rows[-1] = row | rng.choice(ways)
        if rng.random() < 0.3:
            rows += [row, row | {"is_retracted": not row["is_retracted"]}]
    return pl.DataFrame(rows, schema=frame.schema)


def _contradicts(frame: pl.DataFrame, table: str) -> pl.Expr:
    """Rows of one key and one day that say different things: nobody wants them here, they would all be set aside."""
    key = [*TABLES[table].key, "known_on"]
    odd = frame.unique().filter(pl.struct(key).is_duplicated()).select(key).unique()
    return pl.struct(key).is_in(odd.to_struct().implode()) if odd.height else pl.lit(value=False)


def _draw_row(rng: Random, table: str, known_on: date) -> dict[str, Any]:
    needed = {*TABLES[table].needed_columns, *TABLES[table].key}
    row = {
        name: _draw_value(rng, table, name, kind, known_on) if name in needed or rng.random() < 0.8 else None
        for name, kind in TABLES[table].polars_schema.items()
    }
    return row | {"known_on": known_on, "is_retracted": rng.choice([None, None, None, False, False, True])}


def _draw_value(rng: Random, table: str, name: str, kind: pl.DataType, known_on: date) -> Any:
    codes = _CODES.get((table, name)) or _CODES.get(name)
    if codes:
        return rng.choice(codes)
    if name.endswith("_month"):
        return (known_on - timedelta(days=rng.randint(0, 3 * _SPAN_DAYS))).replace(day=1)
    if kind == pl.Date:  # what ends something lies after whatever began it
        is_end = name in {"matures_on", "closed_on", "cleared_on", "valid_until_on", "until_on", "withdrawn_on"}
        return known_on - timedelta(days=rng.randint(0, _SPAN_DAYS) + (0 if is_end else 2 * _SPAN_DAYS))
    if kind == pl.Boolean:
        return rng.random() < 0.5
    if kind == pl.Float64:
        return rng.choice([0.0, 3.5, 12.25])
    return rng.randint(0, 90) if kind == pl.Int64 else rng.choice(["x", "y"])


class Town:
    """Several sources' folders as they fill, night by night: source_id to the files that it has sent, each with its rows."""

    def __init__(self, folder: Path, seed: int, priorities: dict[str, int] | None = None) -> None:
        self.folder, self.rng = folder, Random(seed)
        self.sources = [
            Source(name, str(folder / name), priority=priority) for name, priority in (priorities or {"bank": 0, "bureau": 5}).items()
        ]
        for source in self.sources:
            for table in ("borrowers", "loans", "repayments"):
                self.send(source, table, 0, pl.DataFrame(schema=TABLES[table].polars_schema))

    def send(self, source: Source, table: str, number: int, rows: pl.DataFrame) -> None:
        """Write one file of a source, in place of one of its name."""
        file = Path(source.place) / table / f"part-{number}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(file)

    def send_night(self, number: int, most: int = 6, known_by: date | None = None, ahead: int = 3, broken: float = 0.0) -> None:
        """Send what a night's files hold: of every table some rows, old ones too, and some that are known only some days ahead.

        `broken`: so many of the rows break a rule or contradict another. `known_by`: only what is known by that day; the rest is drawn and left out, so that two towns of one seed are equal but
        for what is known later.
        """
        for source in self.sources:
            for table in TABLES:
                rows = draw_rows(self.rng, table, self.rng.randint(0, most), day(number - 12), day(number + ahead))
                rows = break_rows(self.rng, rows, table, broken)
                replaces = number and self.rng.random() < 0.15  # a file of an earlier night, sent again with other rows
                kept = rows if known_by is None else rows.filter(pl.col("known_on") <= known_by)
                self.send(source, table, number - 1 if replaces else number, kept)

    def read_files(self) -> pl.DataFrame:
        """Every row of every file as it now lies there: table, source, file, line and the row's values as text."""
        parts = [
            _describe(pl.read_parquet(file), file.parent.name, source.source_id, f"{file.parent.name}/{file.name}")
            for source in self.sources
            for file in sorted(Path(source.place).glob("*/*.parquet"))
        ]
        return pl.concat(parts)


def _describe(frame: pl.DataFrame, table: str, source_id: str, file: str) -> pl.DataFrame:
    return describe_rows(frame, table).with_columns(source_id=pl.lit(source_id), file=pl.lit(file), line=pl.int_range(1, pl.len() + 1))


def describe_rows(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Write each row of a table as text, so that rows of all tables can be compared: table, said, known_on."""
    said = pl.concat_str([pl.col(name).cast(pl.String).fill_null("?") for name in TABLES[table].columns], separator="|")
    return frame.select(table=pl.lit(table), said=said, known_on=pl.col("known_on").cast(pl.Date))


class OpenGate:
    """A gate that lets everything pass and takes no time: the real one needs seconds a night and has tests of its own."""

    def __init__(self, *_: object) -> None:
        pass

    def count_rows(self, *_: object) -> None:
        """Count nothing."""

    def judge_deliveries(self, *_: object) -> list[Any]:
        """Refuse nobody."""
        return []

    def write_docs(self) -> None:
        """Write nothing."""


@contextmanager
def open_gate() -> Iterator[None]:
    """Hold the gate open."""
    with patch("signals.admit.Gate", OpenGate):
        yield


def pull(home: Home, sources: list[Source], as_of: date) -> None:
    """Pull as a night does."""
    forget_arrivals(home, but=as_of)
    records = open_database(home.database_url)
    for source in sources:
        pull_source(home, records, source, as_of, NOBODY)


def check(home: Home, sources: list[Source], as_of: date) -> list[CheckReport]:
    """Check as a night does."""
    return admit_arrivals(home, open_database(home.database_url), as_of, [source.source_id for source in sources])


def take_in(home: Home, sources: list[Source], as_of: date) -> dict[str, CheckReport]:
    """Pull and check as a night does; what became of each source's delivery."""
    pull(home, sources, as_of)
    check(home, sources, as_of)
    return {report.source_id: report for report in read_check_reports(home, as_of)}


def read_lake(home: Home) -> dict[str, pl.DataFrame]:
    """Every row of the lake with its provenance, but for the names of files that Delta gives, in one order."""
    from signals.lake import scan_lake

    frames = {table: scan_lake(home, table) for table in TABLES}
    return {
        table: frame.collect().select(*TABLES[table].columns, *PROVENANCE).sort(*TABLES[table].columns, *PROVENANCE)
        for table, frame in frames.items()
        if frame is not None
    }


def read_quarantine(home: Home, as_of: date) -> dict[str, pl.DataFrame]:
    """Every row set aside on a night, by source and table."""
    place = home.quarantine / f"as_of={as_of}"
    return {f"{file.parent.name}/{file.stem}": pl.read_parquet(file) for file in sorted(place.glob("*/*.parquet"))}
