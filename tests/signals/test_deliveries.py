"""What is recorded of a delivery is read again on both kinds of database, and only earlier nights count."""

from datetime import date

from sqlalchemy import Engine

from signals.records.deliveries import DeliveryHistory, TableDelivery, read_deliveries_before, write_deliveries
from signals.silence import find_silences, read_source_news

WEEK = [date(2026, 10, day) for day in (12, 13, 14, 15, 16)]  # Monday to Friday, no holiday among them
LOANS = TableDelivery(
    "은행",
    "loans",
    {"read": 9, "accepted": 5, "quarantined": 2, "waiting": 3, "retried": 1},
    WEEK[0],
    {"purpose": {"business": 7, "(null)": 2}},
)


def write(records: Engine, night: date, *rows: TableDelivery, sources: tuple[str, ...] = ("은행",)) -> None:
    with records.begin() as connection:
        write_deliveries(connection, night, sources, rows)


def read(records: Engine, night: date, nights: int = 12) -> DeliveryHistory:
    with records.begin() as connection:
        return read_deliveries_before(connection, night, nights)


def test_a_delivery_is_read_again_as_it_was_written(records: Engine) -> None:
    write(records, WEEK[0], LOANS)
    history = read(records, WEEK[1])
    assert history.deliveries == {(WEEK[0], "은행", "loans"): LOANS}
    assert history.nights == (WEEK[0],)
    assert history.first_nights == {("은행", "loans"): WEEK[0]}
    assert history.newest_known_on == {("은행", "loans"): WEEK[0]}
    assert LOANS.new_rows == 9


def test_a_night_written_again_keeps_the_newest_day_it_brought(records: Engine) -> None:
    write(records, WEEK[0], LOANS)
    write(records, WEEK[0], TableDelivery("은행", "loans"))  # its file was replaced since, and a later night was the first to read that one
    assert read(records, WEEK[1]).newest_known_on == {("은행", "loans"): WEEK[0]}
    with records.begin() as connection:
        news = read_source_news(connection, WEEK[0])
    assert find_silences(news, [], {"은행": None}, WEEK[0], 45) == []


def test_a_night_written_again_replaces_its_named_sources_alone(records: Engine) -> None:
    other = TableDelivery("other", "loans", {"read": 1})
    write(records, WEEK[0], LOANS, other, sources=("은행", "other"))
    write(records, WEEK[0], TableDelivery("은행", "arrears"))
    assert set(read(records, WEEK[1]).deliveries) == {(WEEK[0], "은행", "arrears"), (WEEK[0], "other", "loans")}
    write(records, WEEK[0])
    assert set(read(records, WEEK[1]).deliveries) == {(WEEK[0], "other", "loans")}


def test_only_earlier_nights_of_the_same_kind_are_read_the_newest_first(records: Engine) -> None:
    saturday, month_end = date(2026, 10, 17), date(2026, 10, 31)
    for night in (*WEEK, saturday, month_end):
        write(records, night, LOANS)
    assert read(records, WEEK[4], nights=2).nights == (WEEK[3], WEEK[2])
    assert read(records, WEEK[0]) == DeliveryHistory()
    assert read(records, date(2026, 10, 18)).nights == (saturday,)
    assert read(records, date(2026, 11, 30)).nights == (month_end,)


def test_a_refused_delivery_sets_no_watermark_and_is_no_first(records: Engine) -> None:
    write(records, WEEK[0], TableDelivery("은행", "loans", {"read": 9}, WEEK[3], failure="refused"))
    history = read(records, WEEK[1])
    assert (history.first_nights, history.newest_known_on) == ({}, {})
    assert history.deliveries[WEEK[0], "은행", "loans"].failure == "refused"
