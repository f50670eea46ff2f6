"""What an analyst is shown of a value is what the value was made of."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features import FEATURES, Feature, build_features, find_peers
from features.catalogue import BY_NAME
from features.trace import trace_feature, trace_peers
from features.traced import describe_trace, list_trace_rows
from signals.known import as_known
from tests.cast import CAST_AS_OF, cast_tables
from tests.features.worlds import make_world


def know(world: dict[str, pl.DataFrame], as_of: date) -> dict[str, pl.LazyFrame]:
    return {name: as_known(frame.lazy(), name, as_of).collect().lazy() for name, frame in world.items()}


KNOWN = know(cast_tables(), CAST_AS_OF)
BUILT = build_features(KNOWN, CAST_AS_OF).collect().sort("borrower_id")
CROWD, CROWD_DAY = make_world(6, borrowers=250), date(2026, 6, 30)
BY_HAND = {"sum": sum, "max": max, "min": min, "count": len}


@pytest.fixture(scope="module")
def crowd() -> tuple[dict[str, pl.LazyFrame], pl.DataFrame]:
    known = know(CROWD, CROWD_DAY)
    return known, build_features(known, CROWD_DAY).collect().sort("borrower_id")


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_the_rows_shown_give_the_value_of_each_part_and_the_value_is_the_nights(
    feature: Feature, crowd: tuple[dict[str, pl.LazyFrame], pl.DataFrame]
) -> None:
    is_in_cast = bool(BUILT[feature.name].count())  # a dozen shops have no peers
    known, built, day = (KNOWN, BUILT, CAST_AS_OF) if is_in_cast else (*crowd, CROWD_DAY)
    known_for = built.filter(built[feature.name].is_not_null())["borrower_id"].to_list()
    value, is_known, parts = trace_feature(known, day, feature, known_for[0])
    assert is_known
    assert value == built.filter(built["borrower_id"] == known_for[0])[feature.name].item()
    assert any(part.rows.height for part in parts)
    for part in parts:
        shown = part.rows[part.aggregate.of].to_list() if part.rows.width else []
        assert part.value == (BY_HAND[part.aggregate.how](shown) if shown or (part.aggregate.how == "count" and part.left_out) else None)
        if part.aggregate.window and shown:
            assert part.rows["months_back"].is_between(part.aggregate.window.first, part.aggregate.window.last).all()


def test_rows_that_do_not_count_are_counted_and_missing_tables_are_named() -> None:
    feature = next(one for one in FEATURES if one.name == "days_past_due")
    borrower = BUILT.filter(BUILT["days_past_due"].is_not_null())["borrower_id"][0]
    (part,) = trace_feature(KNOWN, CAST_AS_OF, feature, borrower)[2]
    statuses = KNOWN["repayments"].collect()
    assert part.left_out > 0
    assert part.rows.height + part.left_out <= statuses.filter(statuses["borrower_id"] == borrower).height
    rest = {name: frame for name, frame in KNOWN.items() if name != "repayments"}
    assert trace_feature(rest, CAST_AS_OF, feature, borrower)[2][0].missing == ("repayments",)


def test_a_borrower_nobody_named_is_not_known() -> None:
    assert trace_feature(KNOWN, CAST_AS_OF, FEATURES[0], "nobody")[:2] == (None, False)


@pytest.mark.parametrize("name", ["sales_change_vs_peers_3m", "sales_yoy_vs_peers", "sales_vs_opening_cohort"])
def test_what_a_shop_is_compared_with_is_named(name: str, crowd: tuple[dict[str, pl.LazyFrame], pl.DataFrame]) -> None:
    known, built = crowd
    shop, kept = built.filter(built[name].is_not_null()).select("borrower_id", name).row(0)
    asked = known, CROWD_DAY, BY_NAME[name], shop
    peers = find_peers(lambda make, **_: [make(known)], CROWD_DAY)
    value, _, parts = trace_feature(*asked, peers)
    (usual,) = trace_peers(*asked, peers)
    assert value == kept == (usual["own"] - usual["median"]) / (1 + usual["median"])
    assert usual["shops"] >= 5
    told = list_trace_rows(describe_trace(BY_NAME[name], value, parts, {}, (True, kept), [usual]))
    assert f"median of {usual['shops']} shops {usual['median']:,.10g}" in dict(told)["견준 점포 · peers"]


def test_a_value_without_peers_names_none(crowd: tuple[dict[str, pl.LazyFrame], pl.DataFrame]) -> None:
    feature = BY_NAME["sales_change_3m"]
    assert trace_peers(crowd[0], CROWD_DAY, feature, "b0", find_peers(lambda make, **_: [make(crowd[0])], CROWD_DAY, [feature])) == []
