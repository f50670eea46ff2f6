"""Great Expectations at the door: is the arrival as a whole fit to be used?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from signals.tables import TABLES

WORST_ACCEPTED_SHARE = 0.5  # below it the whole delivery of that source is refused: its meaning must have changed
USUAL_ACCEPTED_SHARE = 0.99


@dataclass(frozen=True)
class GateReport:
    """What the gate said of one table of one source's arrival."""

    source_id: str
    table: str
    is_passed: bool
    warnings: tuple[str, ...]
    failures: tuple[str, ...]


def judge_arrival(source_id: str, arrival: Iterable[tuple[str, pl.DataFrame, int]], docs: Path) -> list[GateReport]:
    """Judge each table of one source's arrival as a whole, one after the other, and write Data Docs into the folder `docs`.

    `arrival` gives tables' names with the key columns and `known_on` of all rows that came, and `is_accepted`: whether the
    row passed its row rules; and how many rows the source sent in all: those known from other nights have passed already, so
    a few old broken rows that come every night do not lock a source out. Too little passing fails the source, a little
    too little warns. An empty table needs no gate.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    context, reports = None, []
    for table, rows, sent in arrival:
        if not rows.is_empty():
            context = context or _open_context(docs)
            reports.append(_judge_batch(context, source_id, table, rows, sent))
    if context:
        context.build_data_docs()
    return reports


def _open_context(docs: Path) -> Any:
    import great_expectations as gx

    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir(parents=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())}
    context.add_data_docs_site(
        "arrivals", {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"}}
    )
    for name in list(context.get_site_names()):
        if name != "arrivals":
            context.delete_data_docs_site(name)
    return context


def _judge_batch(context: Any, source_id: str, table: str, rows: pl.DataFrame, sent: int) -> GateReport:
    import great_expectations as gx

    name = f"{source_id}-{table}"
    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("tonight")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=_expect(table, sent / rows.height)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    checkpoint = context.checkpoints.add(gx.Checkpoint(name=name, validation_definitions=[definition], actions=[]))
    frame = rows.to_pandas(use_pyarrow_extension_array=True)
    run = gx.RunIdentifier(run_name="tonight")
    (outcome,) = checkpoint.run(batch_parameters={"dataframe": frame}, run_id=run).run_results.values()
    broken = [(_say(result), str(result.expectation_config.severity)) for result in outcome.results if not result.success]
    failures = tuple(text for text, severity in broken if "critical" in severity.lower())
    warnings = tuple(text for text, severity in broken if "critical" not in severity.lower())
    return GateReport(source_id, table, not failures, warnings, failures)


def _expect(table: str, sent_per_row: float) -> list[Any]:
    import great_expectations.expectations as gxe

    worst, usual = (max(0.0, 1 - (1 - share) * sent_per_row) for share in (WORST_ACCEPTED_SHARE, USUAL_ACCEPTED_SHARE))
    accepted = {"column": "is_accepted", "value_set": [True]}
    return [
        gxe.ExpectColumnValuesToBeInSet(**accepted, mostly=worst, severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(**accepted, mostly=usual, severity="warning"),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=usual, severity="warning") for name in (*TABLES[table].key, "known_on")),
    ]


def _say(result: Any) -> str:
    settings = result.expectation_config
    share = 100 - float(result.result.get("unexpected_percent") or 0)
    return f"{settings.type} on {settings.kwargs['column']}: {share:.1f} % pass, {100 * settings.kwargs['mostly']:.0f} % needed"
