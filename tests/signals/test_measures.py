"""A delivery is measured against the like nights before it, and against nothing else."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from signals.like_nights import find_like_nights
from signals.measures import measure_deliveries
from signals.records.deliveries import DeliveryHistory, TableDelivery

TUESDAY = date(2026, 10, 27)
DAYS = [TUESDAY - timedelta(days=back) for back in range(150, 0, -1)]
EVEN = {"18": 0.5, "19": 0.5}


def delivery(rows: int, shares: Mapping[str, float] = EVEN, table: str = "repayments", **changes) -> TableDelivery:
    counts = {"read": rows, "accepted": rows} | changes.pop("counts", {})
    parts = {part: round(share * rows) for part, share in shares.items()}
    return TableDelivery(**{"source_id": "bank", "table": table, "counts": counts, "profile": {"balance_krw": parts}} | changes)


def history(came: Mapping[date, TableDelivery], as_of: date = TUESDAY) -> DeliveryHistory:
    """What the records would say: `came` on the like nights, the first night of each source and table, the newest watermark."""
    nights = tuple(find_like_nights(as_of, DAYS))
    taken = [(night, row) for night, row in sorted(came.items(), reverse=True) if row.failure is None]
    firsts = {(row.source_id, row.table): night for night, row in taken}
    newest = {(row.source_id, row.table): row.newest_known_on for _, row in reversed(taken)}
    return DeliveryHistory(nights, {(night, row.source_id, row.table): row for night, row in came.items()}, firsts, newest)


def measure(tonight: TableDelivery | None, before: DeliveryHistory, as_of: date = TUESDAY, table: str = "repayments") -> dict[str, object]:
    (row,) = measure_deliveries(table, [tonight] if tonight else [], before, ["bank"], as_of).iter_rows(named=True)
    return row


def every_day(rows: int) -> dict[date, TableDelivery]:
    return {night: delivery(rows) for night in DAYS}


def test_the_usual_volume_is_the_median_of_the_like_nights() -> None:
    came = {night: delivery(100 + night.day if night.weekday() < 5 else 7) for night in DAYS}
    measured = measure(delivery(60), history(came))
    assert measured["usual_rows"] == 117.5  # between the 16th and the 19th of twelve weekdays
    assert measured["volume_share"] == pytest.approx(60 / measured["usual_rows"])


def test_the_first_night_brings_the_history_and_is_not_usual() -> None:
    nights = find_like_nights(TUESDAY, DAYS)[:4]
    came = {nights[3]: delivery(1_000_000, {"30": 1.0}), **{night: delivery(100) for night in nights[:3]}}
    measured = measure(delivery(100), history(came))
    assert (measured["usual_rows"], measured["shift"]) == (100, 0)


def test_fewer_than_three_like_nights_give_no_verdict_on_volume_or_values() -> None:
    nights = find_like_nights(TUESDAY, DAYS)[:3]
    measured = measure(delivery(1, {"3": 1.0}), history({night: delivery(1000) for night in nights}))
    assert (measured["usual_rows"], measured["volume_share"], measured["shift"]) == (None, None, None)
    assert measure(delivery(1), DeliveryHistory())["volume_share"] is None


def test_a_month_end_is_compared_with_month_ends() -> None:
    came = {night: delivery(6000 if (night + timedelta(days=1)).day == 1 else 400) for night in DAYS}
    month_end = date(2026, 10, 31)
    assert measure(delivery(6000), history(came, month_end), month_end)["volume_share"] == 1
    assert measure(delivery(400), history(came))["volume_share"] == 1
    assert measure(delivery(400), history(came, month_end), month_end)["volume_share"] == pytest.approx(1 / 15)


def test_a_small_volume_is_never_judged() -> None:
    assert measure(delivery(1), history(every_day(49)))["volume_share"] is None
    assert measure(delivery(1), history(every_day(50)))["volume_share"] == 0.02


def test_a_monthly_table_is_not_missed_on_the_nights_between() -> None:
    fifths = {night: delivery(9000) for night in DAYS if night.day == 5}
    measured = measure(None, history(fifths))
    assert (measured["rows"], measured["usual_rows"], measured["volume_share"]) == (0, 0, None)


def test_a_source_that_stops_sending_one_table_is_measured_at_nothing() -> None:
    newest = {night: delivery(1000, newest_known_on=night) for night in DAYS}
    measured = measure(None, history(newest))
    assert (measured["rows"], measured["volume_share"], measured["days_old"], measured["accepted_share"]) == (0, 0, 1, None)


def test_a_source_that_could_not_be_read_or_never_sent_the_table_is_not_measured() -> None:
    before = history(every_day(1000))
    assert measure_deliveries("repayments", [], before, [], TUESDAY).is_empty()
    assert measure_deliveries("sales", [], before, ["bank"], TUESDAY).is_empty()


def test_a_refused_night_is_not_usual() -> None:
    nights = find_like_nights(TUESDAY, DAYS)
    came = every_day(100) | {night: delivery(5, failure="refused") for night in nights[:7]}
    assert measure(delivery(100), history(came))["usual_rows"] == 100


def test_rows_retried_from_earlier_nights_are_not_tonights_volume() -> None:
    assert measure(delivery(100, counts={"waiting": 30, "retried": 30}), DeliveryHistory())["rows"] == 100


def test_rows_known_from_earlier_nights_have_passed_already() -> None:
    few = delivery(10, counts={"read": 1000, "accepted": 0, "quarantined": 10})
    assert measure(few, DeliveryHistory())["accepted_share"] == pytest.approx(0.99)
    assert measure(delivery(0), DeliveryHistory())["accepted_share"] is None


def test_the_newest_news_is_of_tonight_or_of_any_night_before() -> None:
    before = history({DAYS[0]: delivery(10, newest_known_on=date(2026, 5, 30))})
    assert measure(delivery(10), before)["days_old"] == 150
    assert measure(delivery(10, newest_known_on=date(2026, 10, 20)), before)["days_old"] == 7
    assert measure(delivery(10), DeliveryHistory())["days_old"] is None


def nulls(rows: int, share: float, column: str = "balance_krw") -> TableDelivery:
    return delivery(rows, profile={column: {"(null)": round(share * rows), "18": rows - round(share * rows)}})


def test_nulls_beyond_the_limit_are_named_with_their_column() -> None:
    measured = measure(nulls(100, 0.03, "loan_id"), DeliveryHistory())
    assert (measured["null_column"], measured["null_excess"]) == ("loan_id", pytest.approx(0.02))


def test_a_column_that_may_be_null_is_judged_only_where_the_source_usually_fills_it() -> None:
    filled, empty = ({night: nulls(100, share) for night in DAYS} for share in (0.0, 1.0))
    assert measure(nulls(100, 0.3), history(filled))["null_excess"] == pytest.approx(0.2)
    assert measure(nulls(100, 1.0), history(empty))["null_excess"] is None
    assert measure(nulls(100, 1.0), DeliveryHistory())["null_excess"] is None


def test_the_most_shifted_column_is_named() -> None:
    moved = delivery(1000, {"8": 0.5, "9": 0.5})
    steady = {night: delivery(1000, profile={"balance_krw": {"18": 500, "19": 500}, "due_krw": {"15": 1000}}) for night in DAYS}
    tonight = delivery(1000, profile={**moved.profile, "due_krw": {"15": 1000}})
    measured = measure(tonight, history(steady))
    assert measured["shift_column"] == "balance_krw"
    assert measured["shift"] > 2


def test_each_source_has_a_row_of_its_own() -> None:
    rows = [delivery(10), delivery(20, source_id="other"), delivery(30, table="sales")]
    measured = measure_deliveries("repayments", rows, DeliveryHistory(), ["other", "bank"], TUESDAY)
    assert measured.select("source_id", "rows").rows() == [("bank", 10), ("other", 20)]


def test_a_few_broken_rows_do_not_refuse_a_source_that_was_taken_in_before() -> None:
    three = delivery(3, counts={"read": 3, "accepted": 1, "quarantined": 2})
    assert measure(three, history(every_day(100)))["accepted_share"] is None
    assert measure(three, DeliveryHistory())["accepted_share"] == pytest.approx(1 / 3)


def test_a_quiet_public_holiday_is_judged_by_days_of_rest_and_refuses_nobody() -> None:
    hangul_day = date(2026, 10, 9)  # a Friday
    before = [hangul_day - timedelta(days=back) for back in range(1, 40)]
    like = find_like_nights(hangul_day, before)
    assert {night.weekday() for night in like} <= {5, 6} | {
        night.weekday() for night in (date(2026, 9, 24), date(2026, 9, 25), date(2026, 10, 5))
    }
    nights = {night: delivery(0 if night in like else 200) for night in before}
    firsts = {("bank", "repayments"): before[-1]}
    came = {(night, "bank", "repayments"): row for night, row in nights.items()}
    (measured,) = measure_deliveries(
        "repayments", [delivery(0)], DeliveryHistory(tuple(like), came, firsts, {}), ["bank"], hangul_day
    ).to_dicts()
    assert measured["volume_share"] is None
