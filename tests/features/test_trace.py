"""What an analyst is shown of a value is what the value was made of."""

from __future__ import annotations

import pytest

from features import FEATURES, Feature, build_features
from features.trace import trace_feature
from signals.known import as_known
from tests.cast import CAST_AS_OF, cast_tables

KNOWN = {name: as_known(frame.lazy(), name, CAST_AS_OF).collect().lazy() for name, frame in cast_tables().items()}
BUILT = build_features(KNOWN, CAST_AS_OF).collect().sort("borrower_id")
BY_HAND = {"sum": sum, "max": max, "min": min, "count": len}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_the_rows_shown_give_the_value_of_each_part_and_the_value_is_the_nights(feature: Feature) -> None:
    known_for = BUILT.filter(BUILT[feature.name].is_not_null())["borrower_id"].to_list()
    value, is_known, parts = trace_feature(KNOWN, CAST_AS_OF, feature, known_for[0])
    assert is_known
    assert value == BUILT.filter(BUILT["borrower_id"] == known_for[0])[feature.name].item()
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
