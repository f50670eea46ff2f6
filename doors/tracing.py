"""Where a value comes from: the rows behind a feature of one borrower."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from signals.errors import NightError

if TYPE_CHECKING:
    from signals.night import Night


def explain_feature(night: Night, name: str, borrower_id: str) -> dict[str, Any]:
    """Show the rows that went into one feature of one borrower, who said them, and whether the night kept the same value."""
    from features import find_peers
    from features.trace import find_feature, trace_feature, trace_peers
    from features.traced import describe_trace
    from signals.engines import make_by_engine
    from signals.lake import refuse_before_first_night
    from signals.provenance import find_kept_value, find_rows

    feature = find_feature(name)
    refuse_before_first_night(night.home, night.as_of)
    asked, peers = (
        (night.know_of(borrower_id), night.as_of, feature, borrower_id),
        find_peers(partial(make_by_engine, night), night.as_of, [feature]),
    )
    value, is_known, parts = trace_feature(*asked, peers)
    if not is_known:
        raise NightError("nobody of this id", f"what was known on {night.as_of}", "there is no value to explain", "check the id and day")
    told = find_rows(night.home, night.as_of, borrower_id, {part.table for part in parts})
    kept = find_kept_value(night.home, night.open_records(), night.as_of, borrower_id, name)
    return describe_trace(feature, value, parts, told, kept, trace_peers(*asked, peers))
