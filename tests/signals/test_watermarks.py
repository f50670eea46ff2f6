"""How far a source database was read, as a later night asks for it."""

from datetime import date, timedelta

from sqlalchemy import Engine, insert

from signals.records.schema import DELIVERIES
from signals.records.watermarks import read_watermarks, since

NIGHT = date(2026, 3, 10)


def delivered(records: Engine, night: date, table: str, newest: date | None, failure: str | None = None, source: str = "bank") -> None:
    row = {"as_of": night, "source_id": source, "table_name": table, "newest_known_on": newest, "failure": failure}
    with records.begin() as connection:
        connection.execute(insert(DELIVERIES).values(**row, counts={}, profile={}))


def days_back(days: int) -> date:
    return NIGHT - timedelta(days=days)


def test_the_watermark_is_the_newest_day_that_earlier_nights_brought_and_kept(records: Engine) -> None:
    delivered(records, days_back(3), "loans", days_back(4))
    delivered(records, days_back(2), "loans", days_back(5))
    delivered(records, days_back(1), "loans", days_back(1), failure="the gate refused it")
    delivered(records, days_back(2), "sales", None)
    delivered(records, days_back(2), "loans", days_back(2), source="another bank")
    with records.begin() as connection:
        assert read_watermarks(connection, "bank", NIGHT) == {"loans": days_back(4)}
        assert read_watermarks(connection, "nobody", NIGHT) == {}


def test_a_night_that_runs_again_asks_from_the_same_day(records: Engine) -> None:
    delivered(records, days_back(1), "loans", days_back(2))
    with records.begin() as connection:
        first = read_watermarks(connection, "bank", NIGHT)
    delivered(records, NIGHT, "loans", NIGHT)
    delivered(records, NIGHT + timedelta(days=1), "loans", NIGHT + timedelta(days=1))
    with records.begin() as connection:
        assert read_watermarks(connection, "bank", NIGHT) == first


def test_a_window_before_the_watermark_is_read_again_and_never_before_the_first_day_there_is() -> None:
    assert since({"loans": NIGHT, "sales": date(1, 1, 5)}, 31) == {"loans": days_back(31), "sales": date(1, 1, 1)}
