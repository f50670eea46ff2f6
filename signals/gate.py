"""Great Expectations at the door: is what the sources sent tonight, as a whole, fit to be used?"""

from __future__ import annotations

import gc
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from signals.data_docs import Judged, finish_docs
from signals.expectations import expect_deliveries, expect_rows, import_gx, say_count, say_measure, select_counted
from signals.tables import TABLES

COUNTS = {"check": pl.String, "column": pl.String, "rows": pl.Int64, "unexpected": pl.Int64, "warning": pl.String}
_MANY_ROWS = 100_000
_NO_VALUES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}  # counts alone: a page must not show a person's values
_EACH_SOURCE = {"result_format": "COMPLETE", "unexpected_index_column_names": ["source_id"], "return_unexpected_index_query": False}


@dataclass(frozen=True)
class GateReport:
    """What the gate said of one table of one source's delivery: any failure refuses the delivery."""

    source_id: str
    table: str
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class Gate:
    """One night's gate: one Great Expectations context, whose Data Docs are written once, at the end.

    Use: for each table `count_rows` on each part of tonight's rows, then `judge_deliveries`; after all tables `write_docs`.
    """

    def __init__(self, docs: Path, as_of: date) -> None:
        self._docs, self._as_of = docs, as_of
        self._context: Any = None
        self._judged: list[Judged] = []

    def count_rows(self, table: str, batch: pl.DataFrame) -> pl.DataFrame:
        """Count on all rows of one part of a table what breaks an expectation, whoever sent it; the part is not kept.

        `batch`: `pulled_from`, the table's columns (or those limited), `is_accepted`: whether the row passed its row rules.
        One row per expectation: `check`, `column`, `rows` counted, `unexpected` of them, `warning` in words; null: none is
        due. An empty part needs no count.
        """
        if batch.is_empty():
            return pl.DataFrame(schema=COUNTS)
        name = self._name(f"{table}-rows")
        results = self._validate(name, select_counted(batch, table), expect_rows(table), _NO_VALUES)
        counts = pl.DataFrame([_count(result) for result in results], schema=COUNTS, orient="row")
        self._judged.append(Judged(table, name, tuple(counts["warning"].drop_nulls()), (), counts))
        return counts

    def judge_deliveries(self, table: str, measures: pl.DataFrame) -> list[GateReport]:
        """Judge each source's delivery of a table by what `measure_deliveries` says of it: one report per source."""
        if measures.is_empty():
            return []
        name, limits = self._name(f"{table}-sources"), TABLES[table].limits
        results = self._validate(name, measures, expect_deliveries(limits), _EACH_SOURCE)
        broken: dict[tuple[str, str], bool] = {}
        for result in results:
            is_critical = "critical" in str(result.expectation_config.severity).lower()
            for source in _name_sources(result):
                measure = result.expectation_config.kwargs["column"]
                broken[source, measure] = broken.get((source, measure), False) or is_critical
        reports = [_report(table, row, broken) for row in measures.iter_rows(named=True)]
        warnings = tuple(f"{report.source_id}: {text}" for report in reports for text in report.warnings)
        failures = tuple(f"{report.source_id}: {text}" for report in reports for text in report.failures)
        self._judged.append(Judged(table, name, warnings, failures, measures))
        return reports

    def write_docs(self) -> None:
        """Write the Data Docs of all that was judged, readable without a network, in place of what stands there."""
        shutil.rmtree(self._docs, ignore_errors=True)
        self._docs.mkdir(parents=True)
        if self._context:
            self._context.build_data_docs()
        finish_docs(self._docs, self._as_of, self._judged)

    def _name(self, what: str) -> str:
        times = sum(one.name.startswith(what) for one in self._judged)
        return f"{what}-{times + 1}" if times else what

    def _validate(self, name: str, rows: pl.DataFrame, expectations: list[Any], result_format: dict[str, Any]) -> list[Any]:
        gx = import_gx()

        context = self._context = self._context or _open_context(self._docs)
        asset = context.data_sources.add_pandas(name).add_dataframe_asset("tonight")
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
        batch = asset.add_batch_definition_whole_dataframe("all")
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
        checkpoint = gx.Checkpoint(name=name, validation_definitions=[definition], actions=[], result_format=result_format)
        frame = rows.to_pandas(use_pyarrow_extension_array=True)
        run = gx.RunIdentifier(run_name=str(self._as_of))
        (outcome,) = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame}, run_id=run).run_results.values()
        context.data_sources.delete(name)  # else it keeps the frame
        results = list(outcome.results)
        if rows.height > _MANY_ROWS:
            del frame, outcome
            gc.collect()  # what it leaves behind refers to itself in circles, the frame among it
        return results


def _open_context(docs: Path) -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    gx = import_gx()

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())}
    site = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"}}
    context.add_data_docs_site("arrivals", site)
    for name in list(context.get_site_names()):
        if name != "arrivals":
            context.delete_data_docs_site(name)
    return context


def _count(result: Any) -> dict[str, Any]:
    settings, found = result.expectation_config, result.result
    rows, unexpected = found["element_count"], found["unexpected_count"]
    column, needed = settings.kwargs["column"], settings.kwargs["mostly"]
    is_due = not result.success and "warning" in str(settings.severity).lower()
    said = say_count(settings.type, column, 1 - unexpected / (rows - found.get("missing_count", 0)), needed) if is_due else None
    return {"check": settings.type, "column": column, "rows": rows, "unexpected": unexpected, "warning": said}


def _name_sources(result: Any) -> list[str]:
    return [] if result.success else [found["source_id"] for found in result.result["unexpected_index_list"]]


def _report(table: str, row: dict[str, Any], broken: dict[tuple[str, str], bool]) -> GateReport:
    own = {measure: is_critical for (source, measure), is_critical in broken.items() if source == row["source_id"]}
    said = {measure: say_measure(measure, row, TABLES[table].limits, is_critical=critical) for measure, critical in own.items()}
    failures = tuple(said[measure] for measure, is_critical in own.items() if is_critical)
    return GateReport(row["source_id"], table, tuple(said[measure] for measure, critical in own.items() if not critical), failures)
