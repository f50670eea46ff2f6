"""One night's frame: which day it speaks of, where it keeps things, and how its stages read and write."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import polars as pl
from sqlalchemy import Engine

from signals.abreast import Given, Made, make_abreast
from signals.buckets import count_buckets, find_bucket, gather_buckets
from signals.check_reports import read_check_reports
from signals.corrections import apply_corrections
from signals.delta import read_histories
from signals.errors import NightError
from signals.forgotten import Forgotten
from signals.freshness import mark_silence
from signals.home import Home
from signals.lake import know_opened, open_tables, receipt_of_arrivals, take_bucket
from signals.nights import note_seconds
from signals.objects import refuse_unreachable
from signals.offices import hash_offices, load_offices
from signals.products import PRODUCTS
from signals.receipts import Receipt
from signals.records.database import open_database
from signals.records.forgotten import read_forgotten
from signals.records.leases import release_lease
from signals.records.objections import read_objections
from signals.records.runs import find_run
from signals.redaction import move_version, redact_receipt
from signals.settings import Settings
from signals.settled import settle_known
from signals.silence import Silence, date_silences, end_silent_coverage, find_silences, list_ended, read_source_news, read_told
from signals.sources import name_sources
from signals.sources.rights import may_serve
from signals.sources.source import Source
from signals.store import find_receipt, read_product, read_product_parts, write_products
from signals.tables import TABLES
from signals.turns import keep_lease


@dataclass(frozen=True)
class Night:
    """One night: all that was known by the end of `as_of`, Korean time."""

    as_of: date
    settings: Settings

    @property
    def home(self) -> Home:
        """Where it keeps its things."""
        return self.settings.places

    @cached_property
    def sources(self) -> list[Source]:
        """All sources that are named, those that may not serve a night among them; empty where none is."""
        return name_sources(self.settings.locate_sources())

    @property
    def serving(self) -> list[Source]:
        """The sources that may serve a night."""
        return [source for source in self.sources if may_serve(source, "score")]

    def list_wanted(self, source_id: str | None = None) -> list[Source]:
        """List the sources to pull from, or the one that is named; raises `NightError` where there is none."""
        wanted = [source for source in self.serving if source_id in (None, source.source_id)]
        if not wanted:
            what = "no named source may serve the night" if self.sources and source_id is None else "no source named"
            where = f"--source, DEUNGDAE_SOURCES or {self.home.sources}"
            raise NightError(what, where, "there is nothing to pull", "name at least one whose purposes name score")
        return wanted

    def open_records(self) -> Engine:
        """Open the operational database."""
        return open_database(self.settings.records_url)

    def read(self, product: str) -> pl.LazyFrame:
        """Read a product of this night as the stage before left it."""
        return read_product(self.home, product, self.as_of)

    def list_columns(self, product: str) -> list[str]:
        """List the columns of a product of this night as they were written."""
        return self.read(product).collect_schema().names()

    def read_parts(self, product: str, wanted: Collection[str]) -> Iterator[pl.DataFrame]:
        """Read of a product of this night its key and, where they are there, the wanted columns, part by part: never empty."""
        return read_product_parts(self.home, product, self.as_of, wanted)

    def read_buckets(self, product: str, wanted: Collection[str], asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Read of a product the rows of some borrowers bucket by bucket, as of `signals.buckets.gather_buckets`."""
        return gather_buckets(self.read_parts(product, wanted), asked, count_buckets(self.home))

    def read_eligible(self) -> pl.DataFrame:
        """Read the verdicts of this night that can become a place, without their words."""
        return self.read("verdicts").filter("is_eligible").drop("unmet", "questions").collect()

    def read_forgotten(self) -> Forgotten:
        """Read who was forgotten, so that nothing of them is let in."""
        with self.open_records().begin() as connection:
            return read_forgotten(connection, self.settings.pseudonym_key)

    @cached_property
    def objections(self) -> pl.DataFrame:
        """What happened to objections by the end of `as_of`; read once, so that every bucket sees the same."""
        with self.open_records().begin() as connection:
            return read_objections(connection, self.as_of)

    def write(self, product: str, *chunks: pl.DataFrame) -> list[Receipt]:
        """Write a product of this night; the stage's receipts."""
        return self.write_chunks(product, iter(chunks))

    def write_chunks(self, product: str, chunks: Iterator[pl.DataFrame]) -> list[Receipt]:
        """Write a product of this night from chunks of disjoint keys, so that memory is bounded by a few."""
        return self.write_together((product,), ({product: chunk} for chunk in chunks))

    def write_together(self, products: Sequence[str], chunks: Iterator[Mapping[str, pl.DataFrame]]) -> list[Receipt]:
        """Write products of this night that are made together, chunk by chunk."""
        return write_products(self.home, products, chunks, self.as_of)

    def by_bucket(
        self,
        make: Callable[[dict[str, pl.LazyFrame]], pl.DataFrame],
        *,
        tables: Collection[str] = tuple(TABLES),
    ) -> Iterator[pl.DataFrame]:
        """Make one frame per bucket from what was known of its borrowers; coverage ends where its source has fallen silent.

        `tables` says which of them `make` reads.
        """
        ended, opened = list_ended(self.find_silences(), self.as_of), open_tables(self.home, tables)
        known = (self._know_as_heard(opened, bucket, ended) for bucket in range(count_buckets(self.home)))
        return self.abreast(make, known)

    def abreast(self, make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
        """Make one thing of each that is given, as many beside each other as the settings allow; in the order of what was given."""
        return make_abreast(make, given, self.settings.buckets_at_once)

    def know_of(self, borrower_id: str) -> dict[str, pl.LazyFrame]:
        """Read what was known of the bucket one borrower lies in, as `by_bucket` hands it on."""
        ended = list_ended(self.find_silences(), self.as_of)
        return self._know_as_heard(open_tables(self.home), find_bucket(self.home, borrower_id), ended)

    def _know_as_heard(self, opened: Mapping[str, pl.LazyFrame], bucket: int, ended: pl.DataFrame) -> dict[str, pl.LazyFrame]:
        known = know_opened(opened, self.as_of, bucket, self.objections)
        if ended.is_empty() or "coverage" not in opened:
            return known
        told = take_bucket(opened["coverage"], "coverage", bucket)
        heard = settle_known(end_silent_coverage(told, ended), "coverage", self.as_of)
        return known | {"coverage": apply_corrections(heard, "coverage", self.objections, self.as_of)}

    def find_silences(self) -> list[Silence]:
        """Find which sources failed tonight, are missing or late; not inside a transaction, for it opens one."""
        due = {source.source_id: source.every_days for source in self.serving}
        failed = [check.source_id for check in read_check_reports(self.home, self.as_of) if check.failure]
        with self.open_records().begin() as connection:
            news = read_source_news(connection, self.as_of)
        return date_silences(find_silences(news, failed, due, self.as_of, self.settings.stale_after_days), self.home, self.as_of)

    def read_told(self, silences: Sequence[Silence]) -> pl.DataFrame:
        """Read of whom the silent sources spoke: borrower_id, source_id, `told_on`."""
        return read_told(self.home, silences, self.as_of)

    def add_silence(self, staleness: pl.DataFrame) -> pl.DataFrame:
        """Add to how old the news of each borrower is the silence of sources: as of `signals.freshness.mark_silence`."""
        told = self.read_told(self.find_silences()).join(staleness.drop_nulls("quiet_days"), on="borrower_id", how="semi")
        return mark_silence(staleness, told, self.as_of)


def describe_run(night: Night, catalogue_hash: str, packs_hash: str) -> dict[str, Any]:
    """Put together the row that makes a night exist: what every table and product holds, and by which rules."""
    settings = night.settings.rules_hash + hash_offices(load_offices(night.home.root))
    return {
        "as_of": night.as_of,
        "receipts": _pin_receipts(night),
        "model_version": name_models(night.read("scores").collect()),
        "catalogue_hash": catalogue_hash,
        "settings_hash": sha256(settings.encode()).hexdigest()[:32],
        "packs_hash": packs_hash,
        "code_version": version("deungdae"),
    }


def _pin_receipts(night: Night) -> dict[str, dict[str, Any]]:
    """Pin what every table and product holds, never to a version from before an erasure: its files are gone."""
    arrived = [receipt_of_arrivals(night.home, name, night.as_of) for name in TABLES]
    made = [find_receipt(night.home, name, night.as_of) for name in PRODUCTS]
    histories = read_histories(night.home)
    return {
        **{receipt.table: move_version(receipt.pinned(), histories[receipt.table]) for receipt in arrived if receipt},
        **{receipt.table: redact_receipt(receipt.pinned(), night.as_of, histories[receipt.table]) for receipt in made if receipt},
    }


def name_models(scores: pl.DataFrame) -> str:
    """Name what scored a night: the champion's version, or scorecard."""
    return ",".join(scores["model_version"].drop_nulls().unique().sort())


@contextmanager
def in_turn(night: Night, stage: str, holder: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Run a stage when this HOME's lease is had, and note how long it took; `on_wait` is told once when it must wait."""
    with keep_lease(night.open_records(), night.settings, holder, on_wait):
        started = time.perf_counter()
        refuse_unreachable(night.settings.store)
        yield
    note_seconds(night.home, night.as_of, stage, time.perf_counter() - started)


def give_lease_back(night: Night, holder: str) -> None:
    """Give the lease of this HOME back, where `holder` has it."""
    release_lease(night.open_records(), holder)


def read_receipts(night: Night) -> dict[str, dict[str, Any]]:
    """Read the receipts of a published night by table; empty where it is not published."""
    with night.open_records().begin() as connection:
        run = find_run(connection, night.as_of)
    return {} if run is None else {**run["receipts"], "packs": {"content_hash": run["packs_hash"]}}
