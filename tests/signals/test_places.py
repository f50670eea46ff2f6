"""Where a source database lies, in each form that people write."""

import json
from datetime import date
from urllib.parse import quote, unquote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.errors import InputError, SettingsError
from signals.sources import read_sources
from signals.sources.places import find_url, hide_password
from signals.sources.reach import check_places
from tests.signals.holders import write_table

JSON = '{"conn_type": "postgres", "login": "re@der", "password": "p/s:s?#%", "host": "db.bank", "port": 5433, "schema": "lo ans"'
URL = "postgresql://re%40der:p%2Fs%3As%3F%23%25@db.bank:5433/lo%20ans"


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("postgresql://reader:x@db:5432/loans?sslmode=require", "postgresql://reader:x@db:5432/loans?sslmode=require"),
        ("postgres://reader@db/loans", "postgresql://reader@db/loans"),
        ("postgresql+psycopg://reader@db/loans", "postgresql://reader@db/loans"),
        ("sqlite:////data/bank.db", "sqlite:////data/bank.db"),
        ("sqlite:///bank.db?mode=ro", "sqlite:///bank.db"),
    ],
)
def test_a_plain_url_is_taken_as_it_is_but_for_the_names_of_drivers(place: str, url: str) -> None:
    assert find_url(place, {}) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (JSON + "}", URL),
        (
            JSON + ', "extra": {"sslmode": "require", "connect_timeout": 5, "cursor": "dictcursor"}}',
            URL + "?sslmode=require&connect_timeout=5",
        ),
        (JSON + ', "extra": "{\\"options\\": \\"-c search_path=out\\"}"}', URL + "?options=-c%20search_path%3Dout"),
        ("postgres://re%40der:p%2Fs%3As%3F%23%25@db.bank:5433/lo%20ans", URL),
        (
            "postgresql://re%40der:p%2Fs%3As%3F%23%25@db.bank:5433/lo%20ans?options=-c+search_path%3Dout",
            URL + "?options=-c%20search_path%3Dout",
        ),
        ("postgres://r@h/d?__extra__=%7B%22sslmode%22%3A+%22require%22%7D", "postgresql://r@h/d?sslmode=require"),
        ("postgres://r@%2Fvar%2Frun/d", "postgresql://r@%2Fvar%2Frun/d"),
        ("postgres://r@[::1]:5432/d", "postgresql://r@[::1]:5432/d"),
        ("sqlite:///data/my%20bank.db", "sqlite:////data/my bank.db"),
        ("sqlite://relative/bank.db?mode=ro", "sqlite:///relative/bank.db"),
        ('{"conn_type": "sqlite", "host": "/data/bank.db"}', "sqlite:////data/bank.db"),
    ],
)
def test_a_connection_of_airflow_is_found_in_its_variable_as_uri_or_json(text: str, url: str) -> None:
    assert find_url("airflow:lender_db", {"AIRFLOW_CONN_LENDER_DB": text}) == url


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_login_and_password_come_through_both_forms_alike(login: str, password: str) -> None:
    as_json = json.dumps({"conn_type": "postgres", "login": login, "password": password, "host": "h"})
    as_uri = f"postgres://{quote(login, safe='')}:{quote(password, safe='')}@h"
    url = find_url("airflow:x", {"AIRFLOW_CONN_X": as_json})
    assert url == find_url("airflow:x", {"AIRFLOW_CONN_X": as_uri})
    said = url.removeprefix("postgresql://").removesuffix("@h").split(":")
    assert [unquote(part) for part in said] == [login, password]
    assert hide_password(url) == f"postgresql://{quote(login, safe='')}:***@h"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no connection in the variable AIRFLOW_CONN_LENDER"),
        ({"AIRFLOW_CONN_LENDER": "{broken s3cret"}, "the connection in AIRFLOW_CONN_LENDER can't be read"),
        ({"AIRFLOW_CONN_LENDER": "postgres://u:s3cret@host:port/x"}, "the connection in AIRFLOW_CONN_LENDER can't be read"),
        ({"AIRFLOW_CONN_LENDER": '{"login": "s3cret"}'}, "the connection in AIRFLOW_CONN_LENDER can't be read"),
        ({"AIRFLOW_CONN_LENDER": "mysql://u:s3cret@host/x"}, "no database of a kind that can be read"),
    ],
)
def test_a_connection_that_is_missing_or_broken_is_named_by_its_variable_without_what_it_holds(environment, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        find_url("airflow:lender", environment)
    assert str(refused.value).startswith(words)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("place", ["mysql://u:s3cret@h/d", "s3cret", "file:///s3cret"])
def test_another_kind_of_place_is_refused(place: str) -> None:
    with pytest.raises(SettingsError) as refused:
        find_url(place, {})
    assert place == "file:///s3cret" or "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://reader:s3cret@db/loans", "postgresql://reader:***@db/loans"),
        ("postgresql://reader:s3c@s3cret/s3cret?s3cret#s3cret@db:5432/loans", "postgresql://reader:***@db:5432/loans"),
        ("postgresql://reader@db/loans?password=s3cret", "postgresql://reader@db/loans"),
        ("postgresql://reader:s3cret@a:1,b:2/loans", "postgresql://reader:***@a:1,b:2/loans"),
        ("postgresql://reader:s3cret@[::1]:5432/loans", "postgresql://reader:***@[::1]:5432/loans"),
        ("postgresql://reader:s3cret", "postgresql://…"),
        ("postgresql:///loans?host=/run", "postgresql:///loans"),
    ],
)
def test_a_password_is_hidden_however_badly_the_url_is_written(url: str, shown: str) -> None:
    assert hide_password(url) == shown


def test_a_password_among_a_urls_options_is_never_said_of_a_place() -> None:
    (checked,) = check_places(["postgresql://localhost:1/loans?user=reader&password=hunter2"])
    assert checked.problems_count == 1
    assert "hunter2" not in repr(checked)


def test_a_source_that_lacks_a_required_table_is_named_without_its_password(postgres_url: str) -> None:
    write_table(postgres_url, "lenders", pl.DataFrame({"lender_id": ["L"], "kind": ["bank"], "known_on": [date(2026, 3, 1)]}))
    with pytest.raises(InputError, match="missing required table") as raised:
        read_sources([f"{postgres_url}&password=hunter2"])
    assert "hunter2" not in str(raised.value)
