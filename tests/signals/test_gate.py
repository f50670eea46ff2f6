"""The gate: Great Expectations counts what polars counts; too few fails the source, too much warns, and each source is named."""

import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from signals.checks import conflict_key, judge_rows
from signals.expectations import FACT, import_gx
from signals.gate import Gate, GateReport
from signals.like_nights import find_like_nights
from signals.measures import MEASURES, measure_deliveries
from signals.profile import list_null_limits, profile_rows, split_profile
from signals.records.deliveries import DeliveryHistory, TableDelivery
from signals.tables import TABLES

NIGHT = date(2026, 10, 27)
NOT_NULL, IN_SET, UNIQUE = (f"expect_column_values_to_{words}" for words in ("not_be_null", "be_in_set", "be_unique"))


@pytest.fixture(scope="module")
def gate(tmp_path_factory) -> Iterator[Gate]:
    return Gate(tmp_path_factory.mktemp("docs") / "data_docs", NIGHT)


def deliver(rows: pl.DataFrame, table: str = "arrears", sent: int | None = None) -> list[TableDelivery]:
    """Count a night's rows of several sources as the check does."""
    profiles, key, found = split_profile(profile_rows(rows, table)), conflict_key(table), []
    is_whole = pl.all_horizontal(pl.col(key).is_not_null())
    again = dict(rows.filter(is_whole & pl.struct(key).is_duplicated()).group_by("pulled_from").len().iter_rows())
    for source, accepted, n in rows.group_by("pulled_from").agg(pl.col("is_accepted").sum(), n=pl.len()).sort("pulled_from").iter_rows():
        counts = {"read": sent or n, "accepted": accepted, "quarantined": n - accepted, "repeated": again.get(source, 0)}
        found.append(TableDelivery(source, table, counts, rows["known_on"].max(), profiles[source]))
    return found


def some_arrears(rows: int, generator: random.Random, amount: int = 100_000) -> pl.DataFrame:
    """Rows of two sources, of which some break something."""
    drawn = [
        {
            "pulled_from": generator.choice(["전력", "tax"]),
            "arrears_id": generator.choice([str(number), str(number), "same", None]) if amount < 0 else str(number),
            "borrower_id": generator.choice(["a", "b", None]) if amount < 0 else "a",
            "kind": generator.choice(["gas", "wedding", None]) if amount < 0 else "gas",
            "since_on": generator.choice([date(2026, 9, 1), None]) if amount < 0 else date(2026, 9, 1),
            "amount_krw": round(generator.lognormvariate(0, 1) * abs(amount)),
            "known_on": generator.choice([NIGHT, NIGHT - timedelta(days=1)]),
            "is_accepted": generator.random() < 0.7 if amount < 0 else True,
        }
        for number in range(rows)
    ]
    return pl.DataFrame(drawn, schema_overrides={"kind": pl.String, "since_on": pl.Date}, infer_schema_length=None)


def test_great_expectations_finds_no_spark_which_would_end_this_process_as_if_all_were_well() -> None:
    import_gx()
    from great_expectations.compatibility import pyspark

    assert not pyspark.pyspark
    assert not pyspark.ConnectDataFrame
    assert sys.modules.get("pyspark", sys) is not None  # whoever wants it finds it again


@pytest.mark.parametrize("seed", range(5))
def test_great_expectations_counts_what_polars_counts(gate: Gate, seed: int) -> None:
    rows = some_arrears(60 * (seed + 1), random.Random(seed), amount=-1)
    counts = {(check, column): (n, unexpected) for check, column, n, unexpected, _ in gate.count_rows("arrears", rows).iter_rows()}
    for column in list_null_limits("arrears"):
        assert counts.pop((NOT_NULL, column)) == (rows.height, rows[column].null_count())
    codes = TABLES["arrears"].limits.codes["kind"]
    assert counts.pop((IN_SET, "kind")) == (rows.height, rows["kind"].drop_nulls().is_in(codes).not_().sum())
    assert counts.pop((IN_SET, "is_accepted")) == (rows.height, rows["is_accepted"].not_().sum())
    whole = rows.select("pulled_from", "arrears_id", "known_on").drop_nulls()
    assert counts.pop((UNIQUE, FACT)) == (rows.height, whole.is_duplicated().sum())
    assert counts == {}


@pytest.mark.parametrize("seed", range(3))
def test_what_polars_counts_by_source_adds_up_to_what_great_expectations_counts(gate: Gate, seed: int) -> None:
    rows = some_arrears(200, random.Random(seed), amount=-1)
    counts = {(check, column): unexpected for check, column, _, unexpected, _ in gate.count_rows("arrears", rows).iter_rows()}
    came = deliver(rows)
    assert sum(row.counts["quarantined"] for row in came) == counts[IN_SET, "is_accepted"]
    assert sum(row.counts["repeated"] for row in came) == counts[UNIQUE, FACT]
    for column in list_null_limits("arrears"):
        assert sum(row.profile[column].get("(null)", 0) for row in came) == counts[NOT_NULL, column]


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_table_can_be_counted_and_judged(gate: Gate, table) -> None:
    rows = pl.DataFrame({name: [None, None] for name in table.columns}, schema=table.polars_schema)
    counts = gate.count_rows(table.name, rows.with_columns(pulled_from=pl.lit("bank"), is_accepted=False))
    assert counts.filter(pl.col("check") == NOT_NULL)["unexpected"].to_list() == [2] * len(list_null_limits(table.name))
    assert counts.filter(pl.col("column") == "is_accepted")["warning"].item().startswith("is_accepted: of all rows 0.0 % pass")
    measures = measure_deliveries(table.name, [TableDelivery("bank", table.name)], DeliveryHistory(), ["bank"], NIGHT)
    assert gate.judge_deliveries(table.name, measures) == [GateReport("bank", table.name)]


def test_an_empty_arrival_needs_no_gate(gate: Gate) -> None:
    assert gate.count_rows("arrears", some_arrears(1, random.Random(1)).clear()).is_empty()
    assert gate.judge_deliveries("arrears", pl.DataFrame(schema=MEASURES)) == []


def test_a_page_never_shows_a_value_of_a_person(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "docs", NIGHT)
    rows = some_arrears(50, random.Random(1)).with_columns(
        borrower_id=pl.lit("PERSON-4711"), arrears_id=pl.lit("BILL-4711"), kind=pl.lit("NAME-4711"), amount_krw=4_711_471_147
    )
    gate.count_rows("arrears", rows)
    gate.judge_deliveries("arrears", measure_deliveries("arrears", deliver(rows), DeliveryHistory(), ["tax", "전력"], NIGHT))
    gate.write_docs()
    assert [page for page in (tmp_path / "docs").rglob("*.html") if "4711" in page.read_text()] == []


def test_the_gate_keeps_no_part_once_it_is_counted(tmp_path: Path) -> None:
    import gc

    import pandas as pd

    gate = Gate(tmp_path / "docs", NIGHT)
    gate.count_rows("arrears", some_arrears(77, random.Random(1)))
    gc.collect()
    assert [kept.shape for kept in gc.get_objects() if isinstance(kept, pd.DataFrame) and len(kept) == 77] == []


# From here on: what is said of a source whose every weekday was the same


def judge(gate: Gate, rows: pl.DataFrame, usual: int = 0, as_of: date = NIGHT, sent: int | None = None) -> GateReport:
    """Judge a night's rows after many nights of so many rows; 0: the source was never seen before."""
    days = [as_of - timedelta(days=back) for back in range(1, 60)]
    nights = find_like_nights(as_of, days) if usual else []
    came = {(night, "bank", "repayments"): deliver(repayments(usual, night.toordinal()), "repayments")[0] for night in nights}
    history = DeliveryHistory(tuple(nights), came, {("bank", "repayments"): days[-1]} if usual else {})
    measures = measure_deliveries("repayments", deliver(rows, "repayments", sent), history, ["bank"], as_of)
    (report,) = gate.judge_deliveries("repayments", measures)
    return report


def repayments(rows: int, seed: int = 1, **changes: pl.Expr) -> pl.DataFrame:
    generator = random.Random(seed)
    frame = pl.DataFrame(
        {
            "loan_id": [f"L{number}" for number in range(rows)],
            "due_month": date(2026, 10, 1),
            "borrower_id": "bakery",
            "due_krw": [round(generator.lognormvariate(13, 1)) for _ in range(rows)],
            "balance_krw": [round(generator.lognormvariate(16, 1.5)) for _ in range(rows)],
            "days_past_due": [generator.choice([0, 0, 0, 0, 3, 20]) for _ in range(rows)],
            "known_on": NIGHT,
        },
        schema_overrides={"loan_id": pl.String},
    )
    return frame.with_columns(pulled_from=pl.lit("bank"), is_accepted=True, paid_krw=pl.col("due_krw")).with_columns(**changes)


def test_a_night_like_the_others_passes_without_a_word(gate: Gate) -> None:
    assert judge(gate, repayments(900), 1000) == GateReport("bank", "repayments")


def test_too_few_rows_fail_the_source(gate: Gate) -> None:
    report = judge(gate, repayments(400), 1000)
    assert report.failures == ("400 rows came where 1,000 are usual on such a night: 40.0 %, 50 % at least",)
    assert report.failures


def test_a_source_that_stops_sending_one_table_fails(gate: Gate) -> None:
    (night, *_) = nights = find_like_nights(NIGHT, [NIGHT - timedelta(days=back) for back in range(1, 20)])
    came = {(night, "bank", "repayments"): TableDelivery("bank", "repayments", {"accepted": 80}) for night in nights}
    history = DeliveryHistory(tuple(nights), came, {("bank", "repayments"): date(2026, 1, 1)}, {("bank", "repayments"): night})
    (report,) = gate.judge_deliveries("repayments", measure_deliveries("repayments", [], history, ["bank"], NIGHT))
    assert report.failures == ("0 rows came where 80 are usual on such a night: 0.0 %, 50 % at least",)


def test_too_many_rows_warn(gate: Gate) -> None:
    report = judge(gate, repayments(2500), 1000)
    assert report.warnings == ("2,500 rows came where 1,000 are usual on such a night: 250.0 %, 200 % at most",)
    assert not report.failures


def test_without_a_history_nothing_is_said_of_the_volume_or_the_values(gate: Gate) -> None:
    assert judge(gate, repayments(3)) == GateReport("bank", "repayments")


def test_a_changed_unit_fails_the_source(gate: Gate) -> None:
    thousands = repayments(1000, balance_krw=pl.col("balance_krw") // 1000)
    (said,) = judge(gate, thousands, 900).failures
    assert said.startswith("the values of balance_krw lie ")
    assert judge(gate, repayments(60, balance_krw=pl.col("balance_krw") // 1000), 60).failures


def test_a_small_source_does_not_cry_wolf(gate: Gate) -> None:
    assert [judge(gate, repayments(rows), 55) for rows in (52, 70)] == [GateReport("bank", "repayments")] * 2
    assert judge(gate, repayments(2), 40) == GateReport("bank", "repayments")


def test_old_news_warns(gate: Gate) -> None:
    late = repayments(100, known_on=pl.lit(NIGHT - timedelta(days=46)))
    assert judge(gate, late).warnings == ("the newest news is 46 days old, 45 at most",)


def test_a_column_that_is_suddenly_null_warns(gate: Gate) -> None:
    third = repayments(900, due_krw=pl.when(pl.int_range(pl.len()) % 3 > 0).then("due_krw"))
    said = " ".join(judge(gate, third, 900).warnings)
    assert "due_krw is null in 13.3 % of the rows more than may be" in said


def test_rows_that_say_a_key_twice_warn(gate: Gate) -> None:
    twice = repayments(100, loan_id=pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("L9")).otherwise("loan_id"))
    assert judge(gate, twice).warnings == ("5.0 % of the rows say twice what one key was on one day, 1 % at most",)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (100, 0, GateReport("bank", "repayments")),
        (90, 10, GateReport("bank", "repayments", warnings=("of all rows sent 90.0 % pass the row rules, 99 % needed",))),
        (40, 60, GateReport("bank", "repayments", failures=("of all rows sent 40.0 % pass the row rules, 50 % needed",))),
    ],
)
def test_a_mostly_broken_delivery_is_refused_and_a_partly_broken_one_warned_of(gate: Gate, good: int, bad: int, said: GateReport) -> None:
    assert judge(gate, repayments(good + bad, is_accepted=pl.int_range(pl.len()) < good)) == said


def test_a_few_old_broken_rows_that_come_every_night_do_not_lock_a_source_out(gate: Gate) -> None:
    assert judge(gate, repayments(10, is_accepted=pl.lit(value=False)), sent=1000) == GateReport("bank", "repayments")


def test_rows_broken_by_the_row_rules_are_what_the_gate_sees(gate: Gate) -> None:
    rows = repayments(60, due_month=pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.lit(date(2026, 10, 2))).otherwise("due_month"))
    accepted, aside = judge_rows(rows.drop("is_accepted"), "repayments")
    marked = pl.concat([accepted.with_columns(is_accepted=True), aside.drop("rules").with_columns(is_accepted=False)])
    assert judge(gate, marked).failures == ("of all rows sent 33.3 % pass the row rules, 50 % needed",)


def test_of_many_sources_only_the_one_that_broke_is_named(gate: Gate) -> None:
    sources = [f"source-{number:02}" for number in range(30)]
    came = [TableDelivery(source, "repayments", {"read": 100, "accepted": 100 - 60 * (source == "source-25")}) for source in sources]
    broken = [TableDelivery(row.source_id, row.table, dict(row.counts) | {"quarantined": 100 - row.counts["accepted"]}) for row in came]
    reports = gate.judge_deliveries("repayments", measure_deliveries("repayments", broken, DeliveryHistory(), sources, NIGHT))
    assert [report.source_id for report in reports] == sources
    assert [report.source_id for report in reports if report.failures] == ["source-25"]


def test_each_source_may_be_broken_at_once(gate: Gate) -> None:
    sources = [f"source-{number:02}" for number in range(30)]
    broken = [TableDelivery(source, "repayments", {"read": 100, "quarantined": 100}) for source in sources]
    reports = gate.judge_deliveries("repayments", measure_deliveries("repayments", broken, DeliveryHistory(), sources, NIGHT))
    assert all(report.failures for report in reports)
