"""Nothing is lost: every row of every file is in the lake, set aside with its reason, or was already known; and waits come in in the end."""

from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from signals.admit import admit_arrivals
from signals.errors import NightError
from signals.home import Home
from signals.lake import read_known, scan_lake
from signals.records.database import open_database
from signals.silence import find_silences, read_source_news
from signals.sources import Source
from signals.sources.mapping import TableMapping
from signals.tables import TABLES
from tests.signals.worlds import FIRST, OpenGate, Town, check, day, describe_rows, open_gate, pull, read_quarantine, take_in

WAITS = "loan_id|not known yet"


@pytest.fixture(autouse=True)
def _gate_is_open() -> object:
    with open_gate():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def put(folder: Path, file: str = "part", **tables: list[dict[str, object]]) -> Source:
    """Write rows as one file per table of a source; the required tables always come, empty if need be."""
    for name in {*tables, "borrowers", "loans", "repayments"}:
        place = folder / name / f"{file}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(tables.get(name, []), schema=TABLES[name].polars_schema).write_parquet(place)
    return Source(folder.name, str(folder))


def loan(name: str, known_on: date = FIRST, borrower: str = "b0", **more: object) -> dict[str, object]:
    kind = {"lender_id": "k", "product": "p", "principal_krw": 1}
    return {"loan_id": name, "borrower_id": borrower, "known_on": known_on, **kind, **more}


def repayment(name: str, known_on: date = FIRST, late: int = 0, borrower: str = "b0", **more: object) -> dict[str, object]:
    month = known_on.replace(day=1)
    return {"loan_id": name, "borrower_id": borrower, "due_month": month, "days_past_due": late, "known_on": known_on, **more}


def repaid(home: Home, as_of: date) -> list[str]:
    return sorted(read_known(home, as_of)["repayments"].collect()["loan_id"])


def waiting(home: Home, as_of: date) -> list[str]:
    found = [frame.filter(rules=WAITS) for name, frame in read_quarantine(home, as_of).items() if name.endswith("/repayments")]
    return sorted(name for frame in found for name in frame["loan_id"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_every_row_of_every_file_is_in_the_lake_or_set_aside_or_known(seed: int, home: Home, tmp_path: Path) -> None:
    town = Town(tmp_path / "town", seed)
    sent = []
    for number in range(4):
        town.send_night(number, broken=0.2)
        sent.append(town.read_files().filter((pl.col("known_on") <= day(number)) | pl.col("known_on").is_null()))
        reports = take_in(home, town.sources, day(number))
        for report in reports.values():
            assert report.failure is None
            for table, read in report.read.items():
                assert read == report.accepted[table] + report.quarantined[table] + report.already_known[table]
        aside = read_quarantine(home, day(number))
        counted = {f"{source}/{table}": rows for source, one in reports.items() for table, rows in one.quarantined.items() if rows}
        assert {name: frame.height for name, frame in aside.items()} == counted
    _assert_nothing_lost(home, pl.concat(sent).unique(), 4)


def _assert_nothing_lost(home: Home, sent: pl.DataFrame, nights: int) -> None:
    """Compare by content: what was sent and known by its night is in the lake, or set aside on some night with all that tells it."""
    lakes = {table: scan_lake(home, table) for table in TABLES}
    there = [describe_rows(frame.collect(), table) for table, frame in lakes.items() if frame is not None]
    aside = []
    for number in range(nights):
        for name, frame in read_quarantine(home, day(number)).items():
            told = frame.select(source_id="pulled_from", file="file", line="line", rules="rules", as_of="as_of")
            assert told.null_count().sum_horizontal().item() == 0
            assert set(told["as_of"]) == {day(number)}
            aside.append(describe_rows(frame, name.split("/")[1]))
    lost = sent.join(pl.concat([*there, *aside]), on=["table", "said"], how="anti", nulls_equal=True)
    assert lost.is_empty(), lost
    invented = pl.concat(there).join(sent, on=["table", "said"], how="anti")
    assert invented.is_empty(), invented


def test_an_orphan_waits_night_after_night_and_comes_in_when_another_source_brings_its_loan(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l0"), repayment("l1")])
    b = put(tmp_path / "b")
    for number in range(3):
        take_in(home, [a, b], day(number))
        assert (repaid(home, day(number)), waiting(home, day(number))) == (["l0"], ["l1"])
    put(tmp_path / "b", file="new", loans=[loan("l1", day(3))])
    report = take_in(home, [a, b], day(3))["a"]
    assert (repaid(home, day(3)), waiting(home, day(3))) == (["l0", "l1"], [])
    assert (report.accepted["repayments"], report.returned["repayments"]) == (1, 1)
    assert repaid(home, day(2)) == ["l0"]


def test_an_orphan_survives_that_its_own_source_fails_and_is_taken_in_meanwhile(home: Home, tmp_path: Path) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    (tmp_path / "a" / "loans" / "bad.parquet").write_bytes(b"")
    assert take_in(home, [a, b], day(1))["a"].failure
    assert waiting(home, day(1)) == ["l1"]
    put(tmp_path / "b", file="new", loans=[loan("l1", day(2))])
    assert take_in(home, [a, b], day(2))["a"].failure
    assert repaid(home, day(2)) == ["l1"]


def test_an_orphan_of_a_source_nobody_names_any_more_is_still_tried(home: Home, tmp_path: Path) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    put(tmp_path / "b", file="new", loans=[loan("l1", day(1))])
    take_in(home, [b], day(1))
    assert repaid(home, day(1)) == ["l1"]


class _Refusing(OpenGate):
    """A gate that refuses one source's repayments on one night."""

    def judge_deliveries(self, table: str = "", *_: object) -> list[object]:  # type: ignore[override]
        from signals.gate import GateReport

        return [GateReport("a", table, (), ("too odd",))] if table == "repayments" else []


def test_an_orphan_survives_that_the_gate_refuses_its_source_on_the_very_night_its_loan_comes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    put(tmp_path / "b", file="new", loans=[loan("l1", day(1))])
    put(tmp_path / "a", file="new", repayments=[repayment("l0", day(1))])
    with monkeypatch.context() as patched:
        patched.setattr("signals.admit.Gate", _Refusing)
        assert take_in(home, [a, b], day(1))["a"].failure
    assert (repaid(home, day(1)), waiting(home, day(1))) == ([], ["l1"])
    take_in(home, [a, b], day(2))
    assert (repaid(home, day(2)), waiting(home, day(2))) == (["l0", "l1"], [])


def test_a_repayment_does_not_come_in_on_the_word_of_a_loan_that_was_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")]), put(tmp_path / "b", repayments=[repayment("l1")])
    take_in(home, [a, b], day(0))
    put(tmp_path / "a", file="new", loans=[loan("l1", day(1))])

    def refuse_loans(self: object, table: str, *_: object) -> list[object]:
        from signals.gate import GateReport

        return [GateReport("a", table, (), ("too odd",))] if table == "loans" else []

    with monkeypatch.context() as patched:
        patched.setattr(OpenGate, "judge_deliveries", refuse_loans)
        take_in(home, [a, b], day(1))
    assert (repaid(home, day(1)), waiting(home, day(1))) == ([], ["l1"])
    take_in(home, [a, b], day(2))
    assert repaid(home, day(2)) == ["l1"]


def test_an_earlier_night_that_runs_again_leaves_later_waits_alone_and_loses_none_of_its_own(home: Home, tmp_path: Path) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    for number in range(2):
        take_in(home, [a, b], day(number))
    put(tmp_path / "a", file="second", repayments=[repayment("l2", day(1))])
    take_in(home, [a, b], day(2))
    put(tmp_path / "a", file="part", loans=[loan("l0")], repayments=[repayment("l1"), repayment("l3")])  # mended, for the first night
    take_in(home, [a, b], day(0))
    assert waiting(home, day(0)) == ["l1", "l3"]
    assert waiting(home, day(2)) == ["l1", "l2"]
    put(tmp_path / "b", file="new", loans=[loan(name, day(3)) for name in ("l1", "l2", "l3")])
    take_in(home, [a, b], day(3))
    assert (repaid(home, day(3)), waiting(home, day(3))) == (["l1", "l2", "l3"], [])


def test_a_check_killed_while_it_puts_its_quarantine_in_place_of_an_earlier_one_loses_neither(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    moves: list[Path] = []
    rename = Path.rename

    def break_off(self: Path, target: Path) -> Path:
        if "quarantine" in self.parts[-2:]:
            moves.append(self)
            if len(moves) == 2:
                raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "rename", break_off)
        take_in(home, [a, b], day(0))
    put(tmp_path / "b", file="new", loans=[loan("l1", day(1))])
    take_in(home, [a, b], day(1))
    assert repaid(home, day(1)) == ["l1"]


@pytest.mark.parametrize("breaks_at", ["discard", "commit", "quarantine", "record"])
def test_a_check_broken_off_anywhere_and_never_run_again_loses_nothing(
    breaks_at: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    put(tmp_path / "b", file="new", loans=[loan("l1", day(1))], repayments=[repayment("l2", day(1)), repayment("l0", day(1), -1)])
    place = {
        "discard": "signals.admit._name_missing",
        "commit": "signals.admit.commit_rows",
        "quarantine": "signals.quarantine.Quarantine.put_in_place",
        "record": "signals.admit._record",
    }[breaks_at]
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(place, _break_off)
        take_in(home, [a, b], day(1))
    reports = take_in(home, [a, b], day(2))
    assert repaid(home, day(2)) == ["l1"]
    assert waiting(home, day(2)) == ["l2"]
    assert reports["b"].rules["repayments"] == {WAITS: 1, "days_past_due|min": 1}


def _break_off(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_rows_set_aside_come_back_when_a_corrected_file_arrives(home: Home, tmp_path: Path) -> None:
    bad = [repayment("l0", late=-1), repayment("l1", late=3), repayment("l1", late=4)]
    a = put(tmp_path / "a", loans=[loan("l0"), loan("l1")], repayments=bad)
    report = take_in(home, [a], day(0))["a"]
    assert report.rules["repayments"] == {"days_past_due|min": 1, "primary_key": 2}
    put(tmp_path / "a", loans=[loan("l0"), loan("l1")], repayments=[repayment("l0", late=1), repayment("l1", late=4)])
    report = take_in(home, [a], day(1))["a"]
    assert (report.accepted["repayments"], report.returned["repayments"], report.quarantined["repayments"]) == (2, 2, 0)
    assert repaid(home, day(0)) == []
    assert repaid(home, day(1)) == ["l0", "l1"]


def test_a_retraction_hides_from_its_night_on_and_what_is_said_anew_returns(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")])
    take_in(home, [a], day(0))
    put(tmp_path / "a", file="second", loans=[loan("l0", day(1), is_retracted=True)])
    take_in(home, [a], day(1))
    put(tmp_path / "a", file="third", loans=[loan("l0", day(2))])
    take_in(home, [a], day(2))
    assert [read_known(home, day(number))["loans"].collect().height for number in range(3)] == [1, 0, 1]


@pytest.mark.parametrize(("first", "wins"), [(0, "b"), (9, "a")])
def test_of_two_sources_on_one_day_the_one_of_higher_priority_is_believed(first: int, wins: str, home: Home, tmp_path: Path) -> None:
    put(tmp_path / "a", loans=[loan("l0", product="a")])
    put(tmp_path / "b", loans=[loan("l0", product="b")])
    sources = [Source("a", str(tmp_path / "a"), priority=first), Source("b", str(tmp_path / "b"), priority=5)]
    take_in(home, sources[::-1], day(0))
    assert read_known(home, day(0))["loans"].collect()["product"].to_list() == [wins]


def make_drop(folder: Path, text: str) -> Source:
    folder.mkdir(exist_ok=True)
    (folder / "repayments.csv").write_text(text, encoding="utf-8")
    columns = {
        "loan": "loan_id",
        "owner": "borrower_id",
        "month": "due_month",
        "balance": "balance_krw",
        "late": "days_past_due",
        "known": "known_on",
    }
    mapping = TableMapping.model_validate(
        {"table": "repayments", "files": "*.csv", "format": "csv", "columns": {theirs: {"to": ours} for theirs, ours in columns.items()}}
    )
    return Source(folder.name, str(folder), kind="drop", tables={"repayments": mapping})


def test_lines_that_cannot_be_read_are_each_set_aside_and_take_no_sound_row_along(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")])
    head, good = "loan,owner,month,balance,late,known\n", f"l0,b0,{day(0).replace(day=1)},,0,{day(0)}\n"
    odd = good.replace(",,", ",many,")
    drop = make_drop(tmp_path / "drop", head + good + "broken\nbroken too\n" + good)
    report = take_in(home, [a, drop], day(0))["drop"]
    assert (report.accepted["repayments"], report.already_known["repayments"]) == (1, 1)
    aside = read_quarantine(home, day(0))["drop/repayments"].sort("line")
    assert aside["line"].to_list() == [3, 4]
    assert not aside["rules"].str.contains("primary_key").any()
    make_drop(tmp_path / "drop", head + odd + odd)
    report = take_in(home, [a, drop], day(1))["drop"]
    assert (report.quarantined["repayments"], report.already_known["repayments"]) == (2, 0)


def test_of_an_unreadable_and_a_sound_row_of_one_fact_neither_is_taken_for_the_other(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")])
    good = f"l0,b0,{day(0).replace(day=1)},,0,{day(0)}\n"
    drop = make_drop(tmp_path / "drop", "loan,owner,month,balance,late,known\n" + good.replace(",,", ",many,") + good)
    report = take_in(home, [a, drop], day(0))["drop"]
    assert report.rules["repayments"] == {"primary_key": 1, "primary_key,balance_krw|not a number": 1}


@pytest.mark.parametrize("known_on", [date(1, 1, 1), date(1, 1, 2), None])
def test_a_row_that_was_known_before_all_days_or_never_says_when_is_not_lost(known_on: date | None, home: Home, tmp_path: Path) -> None:
    odd = {"lender_id": "k1", "kind": "bank", "known_on": known_on}
    a = put(tmp_path / "a", lenders=[odd, {"lender_id": "k2", "kind": "bank", "known_on": day(0)}])
    report = take_in(home, [a], day(0))["a"]
    assert (report.read["lenders"], report.quarantined["lenders"]) == (2, 1 if known_on is None else 0)


def test_what_is_known_only_later_waits_in_its_file_for_its_night(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0"), loan("l1", day(2)), loan("l2", date(2206, 1, 1))])
    reports = [take_in(home, [a], day(number))["a"] for number in range(4)]
    assert [report.accepted.get("loans", 0) for report in reports] == [1, 0, 1, 0]


def test_a_table_that_stays_away_is_missed_even_when_rows_of_it_wait(home: Home, tmp_path: Path) -> None:
    a, b = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")], sales=[]), put(tmp_path / "b")
    take_in(home, [a, b], day(0))
    for table in ("sales", "repayments"):
        (tmp_path / "a" / table / "part.parquet").unlink()
    take_in(home, [a, b], day(1))
    with open_database(home.database_url).begin() as connection:
        news = read_source_news(connection, day(1))
    assert set(news["table_name"]) == {"borrowers", "loans", "repayments", "sales"}
    (silence,) = find_silences(news, [], {"a": None, "b": None}, day(1), 45)
    assert (silence.source_id, silence.state, set(silence.tables)) == ("a", "missing", {"repayments", "sales"})


def test_a_check_without_its_pull_is_refused_and_leaves_what_was_set_aside(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l1")])
    take_in(home, [a], day(0))
    take_in(home, [a], day(1))
    with pytest.raises(NightError, match="nothing was pulled"):
        admit_arrivals(home, open_database(home.database_url), day(0), ["a"])
    assert waiting(home, day(0)) == ["l1"]


def test_the_buckets_stay_the_same_when_borrowers_come_a_night_after_their_loans(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signals.buckets import count_buckets

    people = [f"b{number}" for number in range(40)]
    a = put(tmp_path / "a", loans=[loan(f"l{name}", borrower=name) for name in people])
    take_in(home, [a], day(0))
    monkeypatch.setattr("signals.buckets.BORROWERS_PER_BUCKET", 5)
    put(tmp_path / "a", file="new", borrowers=[{"borrower_id": name, "known_on": day(1)} for name in people])
    take_in(home, [a], day(1))
    buckets = Counter[str]()
    for bucket in range(count_buckets(home)):
        known = read_known(home, day(1), bucket)
        buckets.update(name for table in ("borrowers", "loans") for name in known[table].collect()["borrower_id"])
        alone = known["loans"].join(known["borrowers"], on="borrower_id", how="anti").collect()
        assert alone.is_empty()
    assert set(buckets.values()) == {2}


def test_pulling_for_a_night_twice_and_checking_twice_is_doing_it_once(home: Home, tmp_path: Path) -> None:
    a = put(tmp_path / "a", loans=[loan("l0")], repayments=[repayment("l0"), repayment("l1")])
    first = take_in(home, [a], day(0))
    pull(home, [a], day(0))
    check(home, [a], day(0))
    assert take_in(home, [a], day(0)) == first
    assert repaid(home, day(0)) == ["l0"]
