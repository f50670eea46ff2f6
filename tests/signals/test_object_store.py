"""The same folders at s3://, and the lake and the nights there too: against a real S3 API that checks signatures and policies."""

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import deungdae
import nightly
from signals.arrivals import Delivery, pull_source, read_deliveries
from signals.doctor import Finding, examine
from signals.errors import DeungdaeError, InputError, SettingsError
from signals.forget import forget_borrower
from signals.forgotten import NOBODY
from signals.home import Home
from signals.lake import commit_rows, read_known, scan_lake, stage_rows
from signals.night import Night, read_receipts
from signals.objects import StoredText, list_files, open_filesystem, refuse_unreachable, remove_file, write_bytes, write_parquet
from signals.records.database import open_database
from signals.records.reading import note_files_read
from signals.settings import Settings
from signals.sources import list_sources, read_sources
from signals.sources.drop import open_drop
from signals.sources.source import Source
from signals.vacuum import vacuum_table
from tests.signals import test_drop as lender
from tests.signals import test_forget as shops
from tests.signals import test_maintenance as upkeep
from tests.signals.lakes import land, loan, read_all, repayment
from tests.signals.object_stores import PAGE, ObjectStore
from tests.signals.test_folder import write_town

ROOT = Path(__file__).resolve().parents[2]
NIGHT, NEXT = date(2026, 3, 31), date(2026, 4, 1)
SHOPS = [f"shop {number}" for number in range(30)]


def put_folder(s3: ObjectStore, folder: Path, url: str) -> str:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    for file in folder.rglob("*"):
        if file.is_file():
            s3.connect().put_object(Bucket=bucket, Key=f"{prefix}/{file.relative_to(folder).as_posix()}", Body=file.read_bytes())
    return url


def list_keys(s3: ObjectStore, url: str) -> dict[str, tuple[int, str]]:
    """Every object of a bucket, with its size and tag, as its owner sees them."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    pages = s3.connect().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {one["Key"]: (one["Size"], one["ETag"]) for page in pages for one in page.get("Contents", [])}


def pull(home: Home, place: str, as_of: date = NIGHT) -> Delivery:
    """Pull a folder as a night does, and note what was read as if all of it had been taken in."""
    records = open_database(home.database_url)
    pull_source(home, records, Source("town", place), as_of, NOBODY)
    (delivery,) = read_deliveries(home, as_of)
    with records.begin() as connection:
        note_files_read(connection, as_of, "town", delivery.list_files())
    return delivery


def test_a_source_folder_gives_the_same_rows_wherever_it_lies(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    folder = write_town(tmp_path / "town")
    place = put_folder(s3, folder, f"{bucket}/받은 자료/town")
    assert [source.source_id for source in list_sources([place])] == ["town"]
    far, near = read_sources([place]), read_sources([str(folder)])
    assert far.keys() == near.keys()
    for name, frame in near.items():
        assert_frame_equal(far[name].collect(), frame.collect())


def test_a_drop_gives_the_same_rows_wherever_it_lies_and_says_which_object_is_wrong(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    lender.put(tmp_path / "drop", gzip.compress(f"{lender.HEADER}\n{lender.ROW}\n".encode("cp949")), "3월/상환.csv.gz")
    near = lender.bank(tmp_path / "drop", encoding="cp949")
    far = Source("hanbit", put_folder(s3, tmp_path / "drop", f"{bucket}/hanbit"), "drop", tables=near.tables)
    (piece,) = open_drop(far, tmp_path / "fetched")
    (local,) = open_drop(near)
    assert_frame_equal(piece.read().collect(), local.read().collect())
    assert (piece.file, piece.digest()) == (local.file, local.digest())
    write_bytes(f"{bucket}/hanbit/3월/상환.csv.gz", b"")
    (empty,) = open_drop(far, tmp_path / "again")
    with pytest.raises(InputError, match=f"zero bytes | where: {bucket}/hanbit/3월/상환.csv.gz"):
        empty.read()


def test_an_object_is_fetched_once_and_again_when_it_has_changed(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    home, folder = Home(tmp_path / "home"), write_town(tmp_path / "town")
    place = put_folder(s3, folder, f"{bucket}/town")

    def fetched(as_of: date) -> set[str]:
        seen = len(s3.list_requests())
        assert pull(home, place, as_of).failure is None
        return {found.group(1) for line in s3.list_requests()[seen:] if (found := re.search(r"GET /\S+/town/(\w+)", line))}

    assert fetched(NIGHT) == {"borrowers", "loans", "repayments"}
    assert fetched(NEXT) == set()
    later = pl.read_parquet(folder / "repayments.parquet").with_columns(
        due_month=pl.lit(date(2026, 4, 1)), days_past_due=pl.lit(3, pl.Int64)
    )
    write_parquet(pl.concat([pl.read_parquet(folder / "repayments.parquet"), later]), f"{place}/repayments.parquet")
    assert fetched(date(2026, 4, 2)) == {"repayments"}
    assert not [file for file in home.arrivals.rglob("*") if ".fetched" in file.parts]


@pytest.mark.parametrize(
    ("variables", "folder", "said"),
    [
        ({}, "nowhere", "no such source folder"),
        ({"AWS_ACCESS_KEY_ID": "AKIAWRONG"}, "town", "refuses the key"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong/secret"}, "town", "refuses the key"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "town", "can't be reached"),
    ],
)
def test_a_place_that_is_missing_refused_or_out_of_reach_fails_its_source_on_one_line_without_a_key(
    bucket: str, s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str, said: str
) -> None:
    put_folder(s3, write_town(tmp_path / "town"), f"{bucket}/town")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    failure = pull(Home(tmp_path / "home"), f"{bucket}/{folder}").failure
    assert failure
    assert said in failure
    assert f"where: {bucket}/{folder}" in failure
    assert "\n" not in failure
    assert not any(secret in failure for secret in (*s3.operator.values(), "AKIAWRONG", "wrong/secret"))


def test_a_missing_bucket_fails_its_source_and_the_night_goes_on_with_the_others(bucket: str, tmp_path: Path) -> None:
    near = write_town(tmp_path / "town")
    night = Night(NIGHT, Settings(home=tmp_path / "home", sources=("s3://deungdae-none/bank", str(near))))
    receipts = nightly.pull(night)
    assert {receipt.table for receipt in receipts} == {"town/borrowers", "town/loans", "town/repayments"}
    assert bucket
    failures = [delivery.failure for delivery in read_deliveries(night.home, NIGHT)]
    assert failures[1] is None
    assert str(failures[0]).startswith("there is no such bucket | where: s3://deungdae-none/bank |")


@pytest.mark.parametrize(
    "url", ["s3://AKIA:hidden@town/x", "s3://AKIA:hid/den@town/x", "s3://:hidden@/x", "gs://hidden/x", "s3://", "s3:///hidden"]
)
def test_a_url_with_a_key_or_of_another_kind_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InputError) as refused:
        open_filesystem(url)
    assert "hid" not in str(refused.value)


@pytest.mark.parametrize("url", ["s3://AKIA:hidden@town/x", "/folder", "s3://town/우리", "s3://town/a b", "s3://town/a//b", "gs://town"])
def test_a_store_is_named_in_plain_letters(url: str) -> None:
    with pytest.raises(SettingsError, match="DEUNGDAE_STORE") as refused:
        Settings.read(store=url)
    assert "hidden" not in str(refused.value)
    assert Settings.read(store="s3://town/store-1/").places.table("loans") == "s3://town/store-1/lake/loans"


def test_an_object_whose_name_would_lead_elsewhere_is_refused(bucket: str, s3: ObjectStore) -> None:
    s3.connect().put_object(Bucket=bucket.removeprefix("s3://"), Key="town//etc/loans.parquet", Body=b"x")
    with pytest.raises(InputError, match="empty part"):
        list(list_files(f"{bucket}/town"))


def test_a_small_object_is_one_put_and_is_gone_without_a_trace(bucket: str, s3: ObjectStore) -> None:
    seen = len(s3.list_requests())
    StoredText(f"{bucket}/우리 집/layout.json").write("{}")
    assert [line.split()[0] for line in s3.list_requests()[seen:]] == ["PUT"]
    assert StoredText(f"{bucket}/우리 집/layout.json").read() == "{}"
    assert not StoredText(f"{bucket}/우리 집").exists()
    remove_file(f"{bucket}/우리 집/layout.json")
    assert list_keys(s3, bucket) == {}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "can't be reached"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses the key"),
        ({"AWS_ALLOW_HTTP": "false"}, "http://"),
    ],
)
def test_a_store_that_does_not_answer_stops_a_stage_before_it_does_anything(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    night = Night(NIGHT, Settings(home=tmp_path / "home", sources=(str(write_town(tmp_path / "town")),), store=f"{bucket}/store"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeungdaeError, match=said) as refused:
        nightly.run_stage(night, "pull", "test")
    assert "\n" not in str(refused.value)
    assert not night.home.arrivals.exists()
    with pytest.raises(DeungdaeError, match=said):
        forget_borrower("bakery", night.settings)
    with pytest.raises(DeungdaeError, match=said):
        upkeep.maintain(night.settings)


def test_a_store_without_a_bucket_is_named(bucket: str) -> None:
    assert bucket
    with pytest.raises(InputError, match="there is no such bucket"):
        refuse_unreachable("s3://deungdae-none/store")


def find_store(settings: Settings) -> Finding:
    (found,) = [finding for finding in examine(settings) if finding.what == "object store"]
    return found


def test_the_doctor_says_whether_the_store_can_be_written_and_leaves_nothing_there(
    bucket: str, s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, store=f"{bucket}/store")
    assert find_store(settings).is_well
    assert list_keys(s3, bucket) == {}
    policy = s3.read_policy()
    policy["Statement"] = [{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::deungdae-*"]}]
    for name, value in s3.add_user("reader", policy).items():
        monkeypatch.setenv(name, value)
    refused = find_store(settings)
    assert not refused.is_well
    assert "refuses the key, or what the key may do" in refused.state
    put_folder(s3, write_town(tmp_path / "town"), f"{bucket}/town")
    assert pull(Home(tmp_path / "home"), f"{bucket}/town").failure is None  # what a source's bucket must allow


def take_in(night: Night) -> list[Any]:
    nightly.pull(night)
    return nightly.check(night)


@pytest.mark.slow
def test_the_lake_at_s3_says_what_the_lake_in_a_folder_says_and_a_rerun_changes_nothing(
    bucket: str, s3: ObjectStore, tmp_path: Path
) -> None:
    place = put_folder(s3, write_town(tmp_path / "town"), f"{bucket}/town")
    far = Settings(home=tmp_path / "far", sources=(place,), store=f"{bucket}/store")
    near = Settings(home=tmp_path / "near", sources=(str(tmp_path / "town"),))
    assert take_in(Night(NIGHT, far)) == take_in(Night(NIGHT, near))
    late = {"loan_id": ["L1"], "borrower_id": ["bakery"], "due_month": [date(2026, 4, 1)], "days_past_due": [9], "known_on": [NEXT]}
    put_folder(s3, write_town(tmp_path / "town", repayments=pl.DataFrame(late)), place)
    receipts = take_in(Night(NEXT, far))
    assert receipts == take_in(Night(NEXT, near))
    for as_of in (NIGHT, NEXT):
        known = [read_known(settings.places, as_of) for settings in (far, near)]
        assert known[0].keys() == known[1].keys()
        for name, frame in known[1].items():
            assert_frame_equal(known[0][name].collect(), frame.collect(), check_row_order=False)
    before = list_keys(s3, f"{bucket}/store")
    assert take_in(Night(NEXT, far)) == receipts
    assert list_keys(s3, f"{bucket}/store") == before


def test_what_a_killed_check_left_is_read_by_nobody_and_vacuumed(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    home = Home(tmp_path, f"{bucket}/store")
    land(home, "loans", NIGHT, *(loan(f"L {shop}", shop, NIGHT) for shop in SHOPS))
    before = read_all(home, "loans")
    frame = scan_lake(home, "loans")
    assert frame is not None
    rows = frame.collect().drop("pulled_for", "arrival").with_columns(known_on=pl.lit(NEXT))
    staged = stage_rows(home, "loans", rows, NEXT)
    assert len(staged) > 1
    assert_frame_equal(read_all(home, "loans"), before)
    left = {f"{home.table('loans')}/{one.path}" for one in staged}
    assert set(vacuum_table(home.table("loans"), [], is_dry=True)) == left
    assert set(vacuum_table(home.table("loans"), [])) == left
    assert not {key for key in list_keys(s3, bucket) if f"{bucket}/{key}" in left}
    assert_frame_equal(read_all(home, "loans"), before)
    commit_rows(home, "loans", stage_rows(home, "loans", rows, NEXT), NEXT)
    assert read_all(home, "loans").height == 2 * len(SHOPS)


@pytest.mark.slow
def test_upkeep_works_in_a_store_and_kept_nights_read_as_before(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", store=f"{bucket}/store", compact_from_files=2)
    settings.home.mkdir()
    for night in (upkeep.OLD, upkeep.NEAR, upkeep.LAST):
        upkeep.fill(settings.places, night)
        upkeep.publish(settings.places, night)
    before = upkeep.read_kept(settings)
    done = upkeep.maintain(settings)
    assert (done["repayments"].files_after, done["scores"].rows_expired) == (4, 1)
    assert done["repayments"].files_removed == 0  # each is pinned by a kept night
    upkeep.assert_same(before, upkeep.read_kept(settings))
    stands = list_keys(s3, bucket)
    again = upkeep.maintain(settings)
    assert not any(one.rows_expired or one.files_removed for one in again.values())
    assert list_keys(s3, bucket) == stands
    gone = vacuum_table(settings.places.table("repayments"), [2])
    assert len(gone) == 4  # those of the third append: no version that is kept names them
    assert_frame_equal(read_all(settings.places, "repayments", 2), before[f"{upkeep.NEAR} pinned repayments"])


def test_the_log_of_a_table_that_has_not_moved_is_not_read_again(bucket: str, s3: ObjectStore, tmp_path: Path) -> None:
    home = Home(tmp_path, f"{bucket}/store")

    def count_asked() -> int:
        seen, frame = len(s3.list_requests()), scan_lake(home, "loans")
        assert frame is not None
        loans.append(frame.select(pl.len()).collect().item())
        return sum(".json" in line for line in s3.list_requests()[seen:])

    loans: list[int] = []
    land(home, "loans", NIGHT, loan("L1", "shop", NIGHT))
    assert count_asked() > 0
    assert count_asked() == 0
    land(home, "loans", NEXT, loan("L2", "shop", NEXT))
    assert count_asked() > 0
    assert loans == [1, 1, 2]


def test_a_store_that_fails_in_the_middle_is_one_line_without_its_own_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise OSError("Generic S3 error\n<AWSAccessKeyId>AKIAHIDDEN</AWSAccessKeyId>")

    monkeypatch.setattr(deungdae, "app", fail)
    with pytest.raises(SystemExit):
        deungdae.main()
    said = capsys.readouterr().err
    assert said.startswith("error: OSError | where: HOME or the object store |")
    assert "AKIA" not in said
    assert said.count("\n") == 1


_APPEND = """
import sys
from datetime import date
from pathlib import Path
from signals.home import Home
from tests.signals.lakes import land, repayment
home, name = Home(Path(sys.argv[1]), sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
for day in range(1, 9):
    land(home, "repayments", date(2026, 4, day), repayment(f"{name} {day}", date(2026, 3, 1), date(2026, 4, day)), source_id=name)
"""


@pytest.mark.slow
def test_two_who_append_at_once_lose_nothing(bucket: str, tmp_path: Path) -> None:
    """A commit is a put on condition that nobody else has made it; the loser tries again behind the winner."""
    home = Home(tmp_path, f"{bucket}/store")
    land(home, "repayments", NIGHT, repayment("first", date(2026, 3, 1), NIGHT))
    command = [sys.executable, "-c", _APPEND, str(tmp_path), f"{bucket}/store"]
    both = [
        subprocess.Popen([*command, name], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in ("one", "two")
    ]
    for process in both:
        assert process.stdout
        process.stdout.readline()
    for process in both:
        process.communicate("go\n")
        assert process.returncode == 0
    rows = read_all(home, "repayments")
    assert sorted(rows["borrower_id"]) == sorted(["first", *(f"{name} {day}" for name in ("one", "two") for day in range(1, 9))])


def run_page(block: str, town: str, home: Path, environment: dict[str, str]) -> None:
    """Run a block of commands of the page, in the place of its own bucket and HOME."""
    for line in block.replace("s3://deungdae-town", town).replace("--home home", f"--home {shlex.quote(str(home))}").splitlines():
        if line.startswith("export "):
            environment |= [line.removeprefix("export ").split("=", 1)]
            continue
        command = [sys.executable, str(ROOT / "deungdae.py"), *shlex.split(line)[1:]]
        ran = subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_the_pages_commands_run_a_whole_night_that_equals_the_local_one_and_forget_erases_in_the_store(
    bucket: str, s3: ObjectStore, tmp_path: Path
) -> None:
    put_folder(s3, shops.send_book(tmp_path), f"{bucket}/incoming")
    first, second = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "book").rename(tmp_path / "incoming")
    near = Settings(home=tmp_path / "near", sources=(str(tmp_path / "incoming"),))
    nightly.run_night(Night(shops.FIRST, near), on_stage=lambda _: None)
    assert first in second
    run_page(second, bucket, tmp_path / "far", dict(os.environ))
    far = Settings(home=tmp_path / "far", sources=(f"{bucket}/incoming",), store=f"{bucket}/store")
    wanted = read_receipts(Night(shops.FIRST, near))
    assert wanted
    assert read_receipts(Night(shops.FIRST, far)) == wanted
    assert not (far.home / "lake" / "loans").exists()
    assert {place.name for place in (far.home / "nights").glob("*")} <= {".waiting"}
    before = read_known(far.places, shops.FIRST)["loans"].collect()
    forget_borrower(shops.GONE, far)
    assert_frame_equal(read_known(far.places, shops.FIRST)["loans"].collect(), shops.without(before, shops.GONE), check_row_order=False)
    for key in list_keys(s3, f"{bucket}/store"):
        (tmp_path / "left" / key).parent.mkdir(parents=True, exist_ok=True)
        s3.connect().download_file(bucket.removeprefix("s3://"), key, str(tmp_path / "left" / key))
    assert json.loads((tmp_path / "left" / "store" / "lake" / "layout.json").read_text()) == {"buckets": 4}
    assert shops.find_named(tmp_path / "left", shops.GONE) == []
