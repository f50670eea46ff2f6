"""Peers among a crowd: known on the day, the same in any order and in any buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features import build_features, build_peer_values, find_peers
from features.catalogue import BY_NAME
from features.formula import find_peer_medians
from features.peers import measure_peers
from signals.buckets import number_buckets
from tests.features.worlds import know, make_world

AS_OF = date(2026, 6, 30)
CROWD = make_world(6, borrowers=250)
AMONG_PEERS = [feature for feature in BY_NAME.values() if find_peer_medians(feature.value)]


def part(buckets: int) -> Callable[..., Iterator[pl.DataFrame]]:
    """As the night hands its buckets on: only the tables that are asked for."""

    def by_bucket(make: Callable[[dict[str, pl.LazyFrame]], pl.LazyFrame], *, tables: list[str]) -> Iterator[pl.DataFrame]:
        for bucket in range(buckets):
            yield make({name: frame for name, frame in _take(CROWD, buckets, bucket).items() if name in tables}).collect()

    return by_bucket


def _take(world: dict[str, pl.DataFrame], buckets: int, bucket: int) -> dict[str, pl.LazyFrame]:
    own = {
        name: frame.filter(number_buckets(frame["borrower_id"], buckets) == bucket) if "borrower_id" in frame.columns else frame
        for name, frame in world.items()
    }
    return know(own, AS_OF)


def find(buckets: int = 1) -> pl.DataFrame:
    peers = find_peers(part(buckets), AS_OF)
    assert peers is not None
    return sort(peers)


def sort(peers: pl.LazyFrame) -> pl.DataFrame:
    return peers.sort("measure", "key").collect()


def measure(world: dict[str, pl.DataFrame], as_of: date = AS_OF) -> pl.DataFrame:
    return sort(measure_peers(build_peer_values(know(world, as_of), as_of).collect().lazy()))


def test_each_measure_speaks_in_this_crowd() -> None:
    assert set(find().drop_nulls()["measure"]) == {median.measure for feature in AMONG_PEERS for median in find_peer_medians(feature.value)}


@pytest.mark.parametrize("buckets", [3, 16])
def test_however_the_night_is_cut_the_peers_and_the_features_are_the_same_to_the_last_bit(buckets: int) -> None:
    peers = find(buckets)
    assert_frame_equal(peers, find(), check_exact=True)
    whole = build_features(know(CROWD, AS_OF), AS_OF, AMONG_PEERS).collect().sort("borrower_id")
    cut = [build_features(_take(CROWD, buckets, bucket), AS_OF, AMONG_PEERS, peers.lazy()) for bucket in range(buckets)]
    assert_frame_equal(pl.concat(cut).collect().sort("borrower_id"), whole, check_exact=True)
    assert all(whole[feature.name].count() for feature in AMONG_PEERS)


def test_later_knowledge_of_others_changes_no_median_and_the_order_of_rows_neither() -> None:
    known = measure(CROWD)
    worse = {name: pl.concat([frame, _worsen(frame)]) for name, frame in CROWD.items()}
    assert_frame_equal(measure(worse), known, check_exact=True)
    assert not measure(worse, AS_OF + timedelta(days=1)).equals(known)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) for name, frame in CROWD.items()}
    assert_frame_equal(measure(shuffled), known, check_exact=True)


def _worsen(frame: pl.DataFrame) -> pl.DataFrame:
    rng, numbers = np.random.default_rng(1), [name for name, kind in frame.schema.items() if kind == pl.Int64]
    times = pl.Series(rng.integers(1, 9, frame.height))
    return frame.with_columns((pl.col(name) * times).alias(name) for name in numbers).with_columns(known_on=AS_OF + timedelta(days=1))


@pytest.mark.parametrize(
    ("key", "shops", "speaks"),
    [
        (2_057_012, 20, "own"),  # a trade, a place
        (2_057_012, 19, "trade"),
        (2_058_012, 19, "all"),  # nobody else of that trade
        (2_057_000, 40, "trade"),  # of unknown place, however many
        (2_000_012, 40, "all"),  # of unknown trade
        (2_000_000, 40, "all"),
    ],
)
def test_shops_of_unknown_trade_or_place_are_not_alike_for_that(key: int, shops: int, speaks: str) -> None:
    values = {key: [-0.5] * shops, 2_057_052: [0.1] * 60, 2_099_052: [0.3] * 200}
    rows = [(value, one) for one, known in values.items() for value in known]
    found = measure_peers(pl.LazyFrame(rows, schema={"yoy": pl.Float64, "yoy key": pl.Int64}, orient="row")).filter(pl.col("key") == key)
    assert found.collect()["median"].to_list() == [{"own": -0.5, "trade": 0.1, "all": 0.3}[speaks]]


def test_four_shops_are_nobody_s_peers_and_five_are() -> None:
    alone = [measure_peers(pl.LazyFrame({"yoy": [0.1] * shops, "yoy key": [2_000_000] * shops})).collect() for shops in (4, 5)]
    assert [found["median"].to_list() for found in alone] == [[None], [0.1]]


@pytest.mark.parametrize("missing", ["sales", "borrowers", "businesses", "coverage", "events"])
def test_a_missing_table_takes_no_more_than_what_it_tells(missing: str) -> None:
    rest: dict[str, Any] = {name: frame for name, frame in know(CROWD, AS_OF).items() if name != missing}
    built = build_features(rest, AS_OF, AMONG_PEERS).collect()
    known = {feature.name for feature in AMONG_PEERS if built[feature.name].count()}
    assert known == {"sales": set(), "borrowers": {"sales_change_vs_peers_3m", "sales_yoy_vs_peers"}}.get(
        missing, {feature.name for feature in AMONG_PEERS}
    )
