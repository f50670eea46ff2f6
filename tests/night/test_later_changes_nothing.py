"""What becomes known after a day changes no product of its night: on random worlds, also when that night runs again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nightly
from signals.lake import read_known
from signals.maintenance import run_maintenance
from signals.night import Night
from signals.products import PRODUCTS
from signals.records.objections import ObjectionEvent, append_event
from signals.settings import Settings
from signals.store import find_receipt
from tests.signals.worlds import Town, day, open_gate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_buckets")]

AS_OF = 1


def run(home: Path, town: Town, number: int) -> Night:
    night = Night(day(number), Settings(home=home, sources=tuple(source.place for source in town.sources)))
    nightly.run_night(night, on_stage=lambda _: None)
    return night


def read_content(night: Night) -> dict[str, Any]:
    """What each product says, by its content hash, and the packs' hash; each product's rows are there to be looked at."""
    made = {name: find_receipt(night.home, name, night.as_of) for name in PRODUCTS}
    assert all(made.values())
    return {name: (receipt.rows, receipt.content_hash) for name, receipt in made.items() if receipt}


def object_later(night: Night) -> None:
    """Dispute, on a later day, a value of somebody whom the night knows."""
    known = read_known(night.home, night.as_of)["borrowers"]
    somebody = known.select("borrower_id").collect()["borrower_id"].sort()[0]
    event = ObjectionEvent(
        somebody, "borrowers", {"borrower_id": somebody}, "employees", "opened", night.as_of + timedelta(days=1), "clerk"
    )
    with night.open_records().begin() as connection:
        append_event(connection, event, known)


@pytest.mark.parametrize("seed", [0, 1])
def test_whatever_becomes_known_later_no_product_of_an_earlier_night_changes(seed: int, tmp_path: Path) -> None:
    whole, cut = Town(tmp_path / "whole", seed, {"bank": 0, "bureau": 0}), Town(tmp_path / "cut", seed, {"bank": 0, "bureau": 0})
    with open_gate():
        for number in range(AS_OF + 1):
            whole.send_night(number, most=10)
            cut.send_night(number, most=10, known_by=day(AS_OF))
            night, twin = run(tmp_path / "home", whole, number), run(tmp_path / "twin", cut, number)
        before = read_content(night)
        assert before == read_content(twin)
        assert night.read("scores").filter(pl.col("level") != "none").collect().height > 0
        object_later(night)
        whole.send_night(AS_OF + 2, most=10)
        later = read_content(run(tmp_path / "home", whole, AS_OF + 2))
        assert later["features"] != before["features"]
        run_maintenance(night.settings, day(AS_OF + 2), ("compact", "vacuum"), on_step=lambda _: None)
        again = run(tmp_path / "home", whole, AS_OF)
    assert read_content(again) == before
