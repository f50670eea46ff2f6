"""A source that fails stops no night: its borrowers are stale with the right days, then fresh again, in the end left out and counted."""

import shutil
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

import deungdae
import nightly
from signals.freshness import SIGNS
from signals.night import Night
from signals.products import FLAGGED, LEVELS
from signals.settings import Settings
from signals.simulate.town import simulate_town
from signals.tables import TABLES

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_buckets", "behind_the_gate")]

GOOD, FAILS, BACK, LONG_AFTER = date(2026, 2, 25), date(2026, 2, 26), date(2026, 2, 27), date(2026, 9, 30)
NIGHTS = (GOOD, FAILS, BACK, LONG_AFTER)


def split_town(folder: Path) -> dict[str, pl.DataFrame]:
    """Split a town into two folders by lender: `hanbit` sends its loans, and all that is told of those who owe nobody else."""
    town = simulate_town(borrowers=200, months=20, seed=3, until=LONG_AFTER).tables
    loans = town["loans"].select("loan_id", "borrower_id", "lender_id").unique("loan_id")
    first = loans["lender_id"].value_counts(sort=True)["lender_id"].head(loans["lender_id"].n_unique() // 8 + 1)
    own_loans = loans.filter(pl.col("lender_id").is_in(first.implode()))
    only = loans.join(loans.join(own_loans, on="loan_id", how="anti"), on="borrower_id", how="anti")["borrower_id"].unique()
    for name, frame in town.items():
        is_own = pl.lit(value=False)
        if "loan_id" in frame.columns:
            is_own = pl.col("loan_id").is_in(own_loans["loan_id"].implode())
        elif "borrower_id" in frame.columns and name != "borrowers":
            is_own = pl.col("borrower_id").is_in(only.implode())
        for place, rows in (("hanbit", frame.filter(is_own)), ("others", frame.filter(~is_own))):
            (folder / place).mkdir(exist_ok=True)
            rows.write_parquet(folder / place / f"{name}.parquet")
    return {name: pl.read_parquet(folder / "hanbit" / f"{name}.parquet") for name in town}


def run(home: Path, folder: Path, as_of: date, *, is_broken: bool) -> Night:
    """Run one night, with hanbit's repayments of zero bytes where it is broken."""
    hanbit, kept = folder / "hanbit" / "repayments.parquet", folder / "repayments.parquet"
    if is_broken:
        shutil.move(hanbit, kept)
        hanbit.write_bytes(b"")
    night = Night(as_of, Settings(home=home, sources=(str(folder / "hanbit"), str(folder / "others"))))
    nightly.run_night(night, on_stage=lambda _: None)
    if is_broken:
        shutil.move(kept, hanbit)
    return night


class Story:
    """Four nights of one HOME: what hanbit sent, the nights, their scores and their reports."""

    def __init__(self, folder: Path) -> None:
        self.hanbit = split_town(folder)
        self.nights = {day: run(folder / "home", folder, day, is_broken=day in (FAILS, LONG_AFTER)) for day in NIGHTS}
        self.scores = {day: night.read("scores").collect() for day, night in self.nights.items()}
        self.reports = {day: (folder / "home" / "docs" / "nights" / f"{day}.md").read_text() for day in NIGHTS}

    def newest(self, names: Mapping[str, object] | tuple[str, ...], taken_in: date) -> dict[str, date]:
        """By borrower, the newest day on which hanbit spoke of them in these tables, in what was taken in."""
        rows = pl.concat(self.hanbit[name].select("borrower_id", "known_on") for name in names)
        return dict(rows.filter(pl.col("known_on") <= taken_in).group_by("borrower_id").agg(pl.col("known_on").max()).iter_rows())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


def days_of(scores: pl.DataFrame) -> dict[str, int]:
    return dict(scores.filter("is_stale").select("borrower_id", "stale_days").iter_rows())


def current(newest: dict[str, date]) -> dict[str, date]:
    return {name: day for name, day in newest.items() if (max(newest.values()) - day).days <= 45}


def test_exactly_its_borrowers_are_stale_with_the_days_since_it_spoke_of_them(story: Story) -> None:
    told = current(story.newest(("repayments", "sales", "credit", "loans"), GOOD))
    before = {name: days or 0 for name, days in story.scores[GOOD].select("borrower_id", "stale_days").iter_rows()}
    now = days_of(story.scores[FAILS])
    assert 10 < len(told) < story.scores[FAILS].height / 2
    assert {name: now[name] for name in told} == {name: max((FAILS - day).days, before[name] + 1) for name, day in told.items()}
    by_age_alone = {name for name in set(now) - set(told) if now[name] is None or now[name] > 45}
    assert set(now) == set(told) | by_age_alone
    fresh = story.scores[FAILS].filter(~pl.col("is_stale"))
    assert fresh.height > story.scores[FAILS].height / 3
    assert fresh["stale_days"].max() <= 45


def test_the_night_goes_on_with_what_was_known(story: Story) -> None:
    assert story.scores[FAILS].height == story.scores[GOOD].height
    assert story.scores[FAILS].filter(pl.col("level").is_in(FLAGGED)).height > 0


def test_whoever_rose_since_the_night_before_is_told_why_and_nobody_else(story: Story) -> None:
    changes = {day: night.read("changes").collect() for day, night in story.nights.items()}
    assert changes[NIGHTS[0]].is_empty()
    risen: set[str] = set()
    for before, day in pairwise(NIGHTS):
        then = dict(story.scores[before].select("borrower_id", "level").iter_rows())
        rose = {
            name
            for name, level in story.scores[day].select("borrower_id", "level").iter_rows()
            if name in then and rank(level) > rank(then[name])
        }
        assert set(changes[day].filter(position=1)["borrower_id"]) == rose
        risen |= rose
    assert risen
    told = pl.concat(changes.values())
    assert told["text_ko"].null_count() == told["text_en"].null_count() == 0


def rank(level: str) -> int:
    return LEVELS.index(level)


def test_the_report_says_the_source_since_when_and_how_many(story: Story) -> None:
    count = len(current(story.newest(("repayments", "sales", "credit", "loans"), GOOD)))
    news = max(story.newest([name for name in TABLES if "borrower_id" in TABLES[name].columns and name in story.hanbit], GOOD).values())
    line = next(line for line in story.reports[FAILS].splitlines() if line.startswith("| hanbit | 수신 실패 · failed |"))
    assert line.split(" | ")[2:] == [str(GOOD), str(news), f"{count}", "0 |"]
    assert "zero bytes" in story.reports[FAILS]
    assert "수신 실패" not in story.reports[GOOD] + story.reports[BACK]


def test_the_terminal_says_so_too(story: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    deungdae.show_night(story.nights[LONG_AFTER], is_unchanged=False)
    shown = " ".join(capsys.readouterr().out.split())
    silent = nightly.read_summary(story.nights[LONG_AFTER])["silent"][0]
    assert "미갱신 자료원 · hanbit" in shown
    assert f"newest news {silent['last_news_on']}; {silent['stale']} borrowers stale by it, {silent['left_out']} left out" in shown
    assert "left out: no news for more than 180 days" in shown


def test_a_call_list_line_of_a_stale_borrower_says_how_old_the_news_is(story: Story) -> None:
    home, days = story.nights[FAILS].home, days_of(story.scores[FAILS])
    calls = pl.concat(pl.read_csv(file, infer_schema=False) for file in home.packs(FAILS).rglob("call_list.csv"))
    said = {name: f"{days[name]}일 전 자료" if name in days else "" for name in calls["차주"]}
    assert dict(calls.select("차주", "미갱신").iter_rows()) == said
    assert len(set(said.values())) > 1


def test_when_it_comes_back_its_borrowers_are_fresh(story: Story) -> None:
    back = days_of(story.scores[BACK])
    assert all(days is None or days > 45 for days in back.values())
    assert len(back) < len(days_of(story.scores[FAILS])) / 2


def test_after_half_a_year_of_silence_those_of_whom_nobody_else_speaks_are_left_out_and_counted(story: Story) -> None:
    features = set(story.nights[LONG_AFTER].read("features").collect()["borrower_id"])
    left_out = features - set(story.scores[LONG_AFTER]["borrower_id"])
    hanbits = set(current(story.newest(("repayments", "sales", "credit", "loans"), BACK)))
    summary = nightly.read_summary(story.nights[LONG_AFTER])
    silent = summary["silent"][0]
    assert summary["left_out"] == len(left_out) > 0
    assert silent["left_out"] == len(left_out & hanbits) > 0
    assert silent["stale"] == len(hanbits - left_out) > 0
    assert f"left out: no news for more than 180 days: {len(left_out)}" in story.reports[LONG_AFTER]
    for product in ("levels", "reasons", "verdicts"):
        assert not left_out & set(story.nights[LONG_AFTER].read(product).collect()["borrower_id"]), product


def test_who_was_listed_before_the_silence_is_still_worked_for(story: Story) -> None:
    listed = set(story.scores[BACK].filter("is_listed")["borrower_id"])
    quiet = set(story.newest(SIGNS, BACK)) - {
        name
        for table in SIGNS
        if table in story.hanbit
        for name in pl.read_parquet(story.nights[BACK].home.root.parent / "others" / f"{table}.parquet")["borrower_id"]
    }
    assert listed & quiet
    assert listed <= set(story.scores[LONG_AFTER]["borrower_id"])


def test_that_nothing_was_unpaid_is_no_longer_known_of_those_whose_holder_fell_silent(story: Story) -> None:
    owing, covered = (set(story.hanbit[name]["borrower_id"]) for name in ("arrears", "coverage"))
    rows = {day: story.nights[day].read("features").collect() for day in (FAILS, LONG_AFTER)}
    known = {day: set(frame.filter(pl.col("arrears_krw") == 0)["borrower_id"]) & (covered - owing) for day, frame in rows.items()}
    assert known[FAILS]
    assert not known[LONG_AFTER]
