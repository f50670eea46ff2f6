"""The night on one page: what happens, in order, between the sources and breakfast.

Each stage reads, makes one pure call (bucket by bucket where the frames are large), and writes. It knows nothing of
Airflow or the command line; both go through `run_stage`. Only receipts travel between stages. Heavy libraries are
imported inside the functions, so that whoever only wants the names of the stages does not wait for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from signals.errors import NightError

if TYPE_CHECKING:
    import polars as pl

    from models.model import Model
    from signals.night import Night
    from signals.receipts import Receipt

SEOUL = ZoneInfo("Asia/Seoul")


def find_as_of(given: str | None, logical_date: datetime | None) -> date:
    """Say which night a scheduled run is for: the one given, else the day before its logical date in Seoul; never the clock.

    >>> from datetime import UTC
    >>> find_as_of(None, datetime(2026, 3, 1, 17, tzinfo=UTC))
    datetime.date(2026, 3, 1)
    """
    if given:
        return date.fromisoformat(given)
    if logical_date is None:
        raise NightError("no night named", "the DAG run", "nobody can say what was known", "give the parameter as_of")
    return logical_date.astimezone(SEOUL).date() - timedelta(days=1)


def pull(night: Night, source_id: str | None = None) -> list[Receipt]:
    """Bring what the sources (or one of them) know and the lake does not."""
    from signals.arrivals import forget_arrivals, pull_source
    from signals.retention import refuse_before_retention
    from signals.store import refuse_older_layout

    refuse_older_layout(night.home)
    refuse_before_retention(night.home, night.as_of)
    wanted, needs_basis = night.list_wanted(source_id), night.settings.require_legal_basis
    forget_arrivals(night.home, but=night.as_of)
    given = (night.as_of, night.read_forgotten())
    pulled = (pull_source(night.home, night.open_records(), source, *given, needs_basis=needs_basis) for source in wanted)
    return [receipt for receipts in pulled for receipt in receipts]


def check(night: Night) -> list[Receipt]:
    """Judge what arrived, row by row and as a whole; take what passes into the lake and set the rest aside."""
    from signals.admit import admit_arrivals
    from signals.lake import receipt_of_arrivals, refuse_before_first_night
    from signals.tables import TABLES

    refuse_before_first_night(night.home, night.as_of)
    admit_arrivals(night.home, night.open_records(), night.as_of, [source.source_id for source in night.serving])
    receipts = (receipt_of_arrivals(night.home, name, night.as_of) for name in TABLES)
    return [receipt for receipt in receipts if receipt]


def build_features(night: Night) -> list[Receipt]:
    """Compute every declared feature for every known borrower; first, over all buckets, what is usual among peers."""
    import features
    from signals.engines import make_by_engine

    make, day = partial(make_by_engine, night), night.as_of
    peers = features.find_peers(make, day)
    rows = make(lambda tables: features.build_features(tables, day, peers=peers), tables=features.READS)
    return night.write_chunks("features", rows)


def score(night: Night) -> list[Receipt]:
    """Say how likely a default is, which level that is, who needs help most, and who is on which office's list."""
    from guidance.ledger import list_attended
    from guidance.tonight import load_programmes
    from models.registry import load_challenger, load_champion
    from models.score import grade_challenger, grade_rows
    from models.tonight import watch_night
    from signals.freshness import find_left_out
    from signals.products import make_empty

    champion, _ = load_champion(night.home.models, night.as_of)
    challenger, _ = load_challenger(night.home.models, night.as_of, night.list_columns("features"))
    standing = _find_standing(night)
    in_crisis = standing.filter("is_in_crisis").select("borrower_id")
    with night.open_records().begin() as connection:
        kept = list_attended(connection, load_programmes(night), night.as_of)
    left_out = find_left_out(standing, in_crisis["borrower_id"], kept, night.settings.left_out_after_days)
    rows = _score_features(night, champion, challenger).join(left_out, on="borrower_id", how="anti", maintain_order="left")
    watched, shock = watch_night(night, rows, in_crisis, champion)
    hold_and_list = _prepare_lists(night, standing, rows.select("borrower_id", "days_past_due"))
    tonight = grade_rows(rows, in_crisis, None if shock else champion)
    receipts = [*watched, *night.write("levels", tonight), *night.write("scores", hold_and_list(tonight))]
    beside = hold_and_list(grade_challenger(rows, in_crisis, challenger)) if challenger else make_empty("challenger_scores")
    return [*receipts, *night.write("challenger_scores", beside)]


def explain(night: Night) -> list[Receipt]:
    """Say why, exactly and in words, for everyone with a level, and what changed for whose rose: by the model that scored, whoever is champion by now."""
    import polars as pl

    import features
    from models.changes import explain_changes
    from models.explain import explain_by_theme, list_explaining_features
    from models.registry import load_scorer
    from signals.night import name_models
    from signals.rising import read_rising

    model = load_scorer(night.home.models, name_models(night.read("scores").select("model_version").unique().collect()))
    levels = night.read("scores").filter(pl.col("level") != "none").select("borrower_id", "level").collect()
    wanted, themes = list_explaining_features(model), features.themes()

    def explain_bucket(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        told = explain_by_theme(rows.drop("level"), rows.select("borrower_id", "level"), model, themes)
        return told | {"reasons": features.word_reasons(told["reasons"])}

    buckets = night.abreast(explain_bucket, night.read_buckets("features", wanted, levels))
    receipts, rising = night.write_together(("reasons", "theme_totals"), buckets), read_rising(night, wanted)
    changes = explain_changes(rising.now, rising.before, rising.levels, model, themes)
    return [*receipts, *night.write("changes", features.word_changes(changes))]


def judge(night: Night) -> list[Receipt]:
    """Say which programmes each borrower can get, with every unmet condition or open question in words."""
    from guidance.facts import build_facts
    from guidance.judge import judge_eligibility
    from guidance.tonight import load_programmes
    from signals.newest import keep_newest_months

    catalogue = load_programmes(night)
    states = night.read("scores").select("borrower_id", "owner_state", "level").collect()

    def judge_bucket(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
        tables |= {"repayments": keep_newest_months(tables["repayments"])}
        facts = build_facts(tables, night.as_of).join(states, on="borrower_id")
        return judge_eligibility(facts, catalogue, night.as_of)

    return night.write_chunks("verdicts", night.by_bucket(judge_bucket))


def assign(night: Night) -> list[Receipt]:
    """Give the places there are to those who need them most, within budgets, floors and what the ledger holds."""
    from guidance.assign import assign_support
    from guidance.ledger import read_opening
    from guidance.tonight import load_programmes, read_need
    from signals.records.runs import is_backfill

    catalogue, most = load_programmes(night), night.settings.places_per_borrower
    with night.open_records().begin() as connection:
        opening, backfill = read_opening(connection, catalogue, night.as_of), is_backfill(connection, night.as_of)
    given = (night.read_eligible(), read_need(night), catalogue, opening, night.as_of)
    assignments = assign_support(*given, is_backfill=backfill, k=most)
    receipts = [*night.write("opening", opening), *night.write("assignments", assignments)]
    del given, assignments  # the audit reads them anew
    breaches = audit(night, is_backfill=backfill)
    if breaches:
        raise NightError(f"the audit found {breaches[0]}", "assign", "a place would go to the wrong shop", "do not publish; report it")
    return receipts


def audit(night: Night, *, is_backfill: bool) -> list[str]:
    """Audit the assignment from the outputs alone: one sentence per breach, none when all is right."""
    from guidance.audit import audit_assignment
    from guidance.tonight import load_programmes, read_need

    assignments, opening = night.read("assignments").collect(), night.read("opening").collect()
    verdicts, need, catalogue, most = night.read_eligible(), read_need(night), load_programmes(night), night.settings.places_per_borrower
    return audit_assignment(assignments, verdicts, need, opening, catalogue, night.as_of, is_backfill=is_backfill, k=most)


def publish(night: Night) -> list[Receipt]:
    """Write the office packs, then commit the night, its reservations and its cases in one transaction."""
    from guidance.ledger import refuse_outdated
    from guidance.tonight import load_programmes, read_need, reserve_and_open_cases, write_office_packs
    from signals.night import describe_run
    from signals.packs import put_packs_in_place, wait_with_packs
    from signals.records.runs import is_backfill, write_run

    catalogue, waiting = load_programmes(night), wait_with_packs(night.home, night.as_of)
    packs_hash = write_office_packs(night, catalogue, waiting)
    run = describe_run(night, catalogue.catalogue_hash, packs_hash)
    products = night.read("assignments").collect(), night.read("opening").collect()
    records, need = night.open_records(), read_need(night)  # read before the transaction: what it reads opens one of its own
    with records.begin() as connection:
        refuse_outdated(connection, catalogue, night.as_of, *products, run)
        run["is_backfill"] = is_backfill(connection, night.as_of)
        run["ledger_sequence"] = reserve_and_open_cases(night, catalogue, connection, need, is_backfill=run["is_backfill"])
        write_run(connection, run)
    with records.begin() as connection:
        put_packs_in_place(night.home, connection)
    return []


def report(night: Night) -> list[Receipt]:
    """Write what a person reads at breakfast: counts, checks, budget burn, regions."""
    from guidance.report import render_report
    from signals.check_reports import read_check_reports
    from signals.records.runs import find_run

    place = night.home.docs / "nights" / f"{night.as_of}.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    checks = [check.__dict__ for check in read_check_reports(night.home, night.as_of)]
    with night.open_records().begin() as connection:
        run = find_run(connection, night.as_of)
    breaches = audit(night, is_backfill=bool(run and run["is_backfill"]))
    place.write_text(render_report(read_summary(night), checks, breaches), encoding="utf-8")
    return []


NIGHT: dict[str, Callable[..., list[Receipt]]] = {
    stage.__name__: stage for stage in (pull, check, build_features, score, explain, judge, assign, publish, report)
}


def _score_features(night: Night, champion: Model | None, challenger: Model | None) -> pl.DataFrame:
    """Score every row of tonight's features, read once and part by part: of a hundred columns a handful is needed afterwards."""
    import polars as pl

    from models.score import list_read_features, score_rows_twice
    from signals.engines import map_by_engine

    read = list_read_features(champion, challenger)
    return pl.concat(map_by_engine(night, "features", read, partial(score_rows_twice, champion=champion, challenger=challenger)))


def _find_standing(night: Night) -> pl.DataFrame:
    """Find where each known borrower stands, from one reading of each bucket's months."""
    import polars as pl

    from guidance.standing import find_standing
    from models.labels import find_in_crisis
    from signals.newest import keep_newest_months

    def find(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
        tables |= {"repayments": keep_newest_months(tables["repayments"])}
        return find_standing(tables, find_in_crisis(tables, night.as_of), night.as_of, night.settings.stale_after_days)

    return night.add_silence(pl.concat(night.by_bucket(find)))


def _prepare_lists(night: Night, standing: pl.DataFrame, overdue: pl.DataFrame) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Read what holds levels and fills lists; what is given back adds to graded rows: level, state, place in need, office, whether listed."""
    from guidance.standing import rank_and_list
    from models.levels import NIGHTS_BELOW, hold_levels
    from signals.nights import read_earlier_levels, read_waits
    from signals.offices import load_offices
    from signals.records.cases import read_open_cases

    with night.open_records().begin() as connection:
        earlier = read_earlier_levels(night.home, connection, night.as_of, NIGHTS_BELOW)
        waits, cases = read_waits(night.home, connection, night.as_of), read_open_cases(connection, night.as_of)

    def hold_and_list(tonight: pl.DataFrame) -> pl.DataFrame:
        scores = tonight.join(hold_levels(tonight, earlier), on="borrower_id").join(overdue, on="borrower_id")
        return rank_and_list(scores, standing, waits, cases, load_offices(night.home.root), night.as_of, night.settings.lot_key)

    return hold_and_list


def run_stage(night: Night, stage: str, holder: str, on_wait: Callable[[], None] | None = None, **given: str) -> list[Receipt]:
    """Run one stage in its turn, under the lease of this HOME; the last stage gives the lease back."""
    from signals.night import give_lease_back, in_turn

    with in_turn(night, stage, holder, on_wait):
        receipts = NIGHT[stage](night, **given)
    if stage == list(NIGHT)[-1]:
        give_lease_back(night, holder)
    return receipts


def run_night(night: Night, on_stage: Callable[[str], None] = print, on_wait: Callable[[], None] | None = None) -> bool:
    """Run all stages of a night in this process, safe to run again, at once, or after a kill; False when nothing changed."""
    from signals.night import give_lease_back, read_receipts
    from signals.records.leases import name_process

    holder, before = name_process(), None
    try:
        for stage in NIGHT:
            on_stage(f"{night.as_of} {stage}")
            run_stage(night, stage, holder, on_wait)
            before = read_receipts(night) if before is None else before  # only now is the lease had
        return before != read_receipts(night)
    finally:
        give_lease_back(night, holder)


def run_task(stage: str, as_of: str, run_id: str, source_id: str | None = None) -> list[dict[str, Any]]:
    """Run one stage for a scheduler: settings from the environment, receipts as plain values."""
    from signals.night import Night
    from signals.settings import Settings

    night = Night(date.fromisoformat(as_of), Settings.read())
    sys.stdout.write(f"{as_of} {stage} {source_id or ''}\n")
    given = {} if source_id is None else {"source_id": source_id}
    return [receipt.to_json() for receipt in run_stage(night, stage, f"run|{run_id}", None, **given)]


def name_sources() -> list[str]:
    """Name the sources to pull from, as the settings or HOME's own sources.toml say."""
    from signals.settings import Settings
    from signals.sources import list_sources

    return [source.source_id for source in list_sources(Settings.read().locate_sources())]


def read_summary(night: Night) -> dict[str, Any]:
    """Count a published night for the report and the terminal."""
    from features import name_features
    from guidance.summary import read_summary as count_night
    from guidance.tonight import count_codes, load_programmes, read_regions
    from models.decisions import read_outcomes
    from models.registry import load_challenger, load_champion
    from signals.sources.rights import describe_right

    silences = night.find_silences()
    heard, regions = night.read_told(silences), read_regions(night)
    with night.open_records().begin() as connection:
        counted = count_night(night.home, connection, night.as_of, load_programmes(night), silences, heard, regions)
    told: dict[str, Any] = {
        "outcomes": read_outcomes(night.home.models, night.as_of),
        "names": name_features(),
        "unknown_codes": count_codes(night),
    }
    why, after = load_champion(night.home.models, night.as_of)[1], night.settings.left_out_after_days
    why_alone = load_challenger(night.home.models, night.as_of, night.list_columns("features"))[1]
    rights = [describe_right(source) for source in night.sources]
    return counted | told | {"why_scorecard": why, "why_no_challenger": why_alone, "left_out_after_days": after, "rights": rights}
