"""Folders are named as people name them: with spaces, and in Korean."""

from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from signals.compaction import is_sorted
from signals.forget import forget_borrower
from signals.night import Night, read_receipts
from signals.settings import Settings
from tests.signals import test_forget as shops
from tests.signals import test_maintenance as upkeep

NAME = "우리 동네 100"


def test_upkeep_works_under_a_korean_name_with_spaces(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / NAME, compact_from_files=2)
    for night in (upkeep.OLD, upkeep.NEAR, upkeep.LAST):
        upkeep.fill(settings.places, night)
        upkeep.publish(settings.places, night)
    (tmp_path / NAME / "lake" / "repayments" / "bucket=1" / "left over.parquet").write_bytes(b"half")
    before = upkeep.read_kept(settings)
    done = upkeep.maintain(settings)
    assert (done["repayments"].files_after, done["repayments"].files_removed, done["scores"].rows_expired) == (4, 1, 1)
    assert all(is_sorted(settings.places, "repayments", bucket) for bucket in range(4))
    upkeep.assert_same(before, upkeep.read_kept(settings))
    assert [place.name for place in tmp_path.iterdir()] == [NAME]


@pytest.mark.slow
def test_a_whole_night_under_a_korean_name_with_spaces_equals_any_other_and_forgets(tmp_path: Path) -> None:
    for name in (NAME, "plain"):
        (tmp_path / name).mkdir()
        shops.send_book(tmp_path / name)
        shops.run_nights(tmp_path / name, shops.FIRST)
    named, plain = (shops.settings_of(tmp_path / name) for name in (NAME, "plain"))
    assert read_receipts(Night(shops.FIRST, named)) == read_receipts(Night(shops.FIRST, plain)) != {}
    before = shops.read_all(tmp_path / NAME, shops.FIRST)
    forget_borrower(shops.GONE, named)
    assert shops.find_named(named.home, shops.GONE) == []
    after = shops.read_all(tmp_path / NAME, shops.FIRST)
    for name, frame in before.items():
        assert_frame_equal(after[name], shops.without(frame, shops.GONE), check_row_order=False)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["plain", NAME]
