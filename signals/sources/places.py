"""Where a source database lies: a plain URL, or the name of a connection that Airflow knows; and how a place is said without its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from signals.errors import SettingsError

_AIRFLOW = "airflow:"
_POSTGRES = ("postgres", "postgresql")
# what Airflow's own PostgreSQL hook keeps for itself; the rest of `extra` is the driver's
_OF_AIRFLOW = {"cursor", "iam", "redshift", "cluster-identifier", "workgroup-name", "aws_conn_id", "sqlalchemy_scheme", "sqlalchemy_query"}
_OF_AIRFLOW |= {"region_name", "azure_conn_id", "enable_log_db_messages"}
_PLACE = re.compile(
    r"(?P<scheme>\w+)://(?:(?P<user>[^:@/?#]*)(?P<password>:.*)?@)?(?P<rest>(?:\[[\da-fA-F:.]+\]|[^@?#:\[]|:\d+(?=[,/?#]|$))*)(?:[?#].*)?",
    re.DOTALL,
)


def find_url(place: str, environment: Mapping[str, str]) -> str:
    """Find the URL of a source database: `postgresql://…` or `sqlite:///file` (four slashes for an absolute path).

    `place` is such a URL, or `airflow:CONN_ID`, which stands in the variable AIRFLOW_CONN_<CONN_ID> as Airflow writes it: a URI or
    JSON. What Airflow keeps in other places (its own database, a secrets backend) is not looked for. Raises `SettingsError`,
    which names the variable and never what it holds, for a missing or unreadable connection and for another kind of database.

    >>> find_url("airflow:lender", {"AIRFLOW_CONN_LENDER": '{"conn_type": "postgres", "login": "r", "password": "@", "host": "db"}'})
    'postgresql://r:%40@db'
    >>> find_url("postgres://reader@db/loans", {})
    'postgresql://reader@db/loans'
    """
    if not place.startswith(_AIRFLOW):
        return _normalise(place)
    variable = f"AIRFLOW_CONN_{place.removeprefix(_AIRFLOW).strip('/').upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        raise SettingsError(
            f"no connection in the variable {variable}",
            place,
            "the source can't be found without it",
            f"set {variable} to the connection's URI or JSON, as Airflow writes it",
        )
    try:
        return _write_url(json.loads(text) if text.startswith("{") else _split_uri(text))
    except (ValueError, TypeError, AttributeError, KeyError):
        raise SettingsError(
            f"the connection in {variable} can't be read",
            place,
            "the source can't be found without it",
            "write it as postgres://login:password@host:port/database with every part percent-encoded, or as JSON",
        ) from None


def hide_password(url: str) -> str:
    """Write a database's URL for people: without password and options.

    >>> hide_password("postgresql://reader:p@ss/word?@db:5432/loans?sslmode=require")
    'postgresql://reader:***@db:5432/loans'
    """
    parts = _PLACE.fullmatch(url)
    if url.startswith("sqlite:"):
        return url
    if parts is None:
        return f"{url.partition('://')[0]}://…" if "://" in url else "a database"
    hidden = ":***" if parts["password"] else ""
    return f"{parts['scheme']}://{parts['user'] or ''}{hidden}{'@' if parts['user'] is not None else ''}{parts['rest']}"


def say_place(place: str) -> str:
    """Say where a source lies, for people: of a URL neither password nor options, all else as it is.

    >>> say_place("postgresql://db/loans?user=reader&password=secret"), say_place("/data/town"), say_place("airflow:bank")
    ('postgresql://db/loans', '/data/town', 'airflow:bank')
    """
    is_secret = "://" in place or place.startswith(_POSTGRES)
    return hide_password(place) if is_secret else place


def _normalise(url: str) -> str:
    scheme, found, rest = url.partition("://")
    kind = scheme.partition("+")[0]  # SQLAlchemy's names of drivers say nothing to ours
    if found and kind in _POSTGRES:
        return f"postgresql://{rest}"
    if found and kind == "sqlite":
        return f"sqlite://{rest.partition('?')[0]}"
    raise SettingsError(
        "no database of a kind that can be read",
        hide_password(url),
        "only PostgreSQL and SQLite are",
        "write postgresql://…, sqlite:////path/to/file.db or airflow:CONN_ID",
    )


def _split_uri(text: str) -> dict[str, Any]:
    """Split a URI as Airflow does: every part percent-encoded, the options either one by one or as JSON in `__extra__`."""
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {
        "conn_type": parts.scheme,
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": unquote(re.sub(r":\d+$", "", parts.netloc.rpartition("@")[2])),
        "port": parts.port,
        "schema": unquote(parts.path[1:]),
        "extra": options.get("__extra__", options),
    }


def _write_url(connection: Mapping[str, Any]) -> str:
    kind = connection["conn_type"].lower().partition("+")[0]
    host, schema = str(connection.get("host") or ""), str(connection.get("schema") or "")
    if kind == "sqlite":
        # Airflow's form: sqlite://relative/path, sqlite:///absolute/path; as JSON the whole path is the host
        path = f"{host}/{schema}" if schema else host
        return f"sqlite:///{path}"
    if kind not in _POSTGRES:
        return _normalise(f"{kind}://…")
    login, password, port = connection.get("login"), connection.get("password"), connection.get("port")
    user = quote(login or "", safe="") + (f":{quote(password, safe='')}" if password else "")
    where = quote(host, safe=":,[]") + (f":{int(port)}" if port else "")
    extra = connection.get("extra") or {}
    options = {name: value for name, value in (json.loads(extra) if isinstance(extra, str) else extra).items() if name not in _OF_AIRFLOW}
    said = "&".join(f"{quote(name, safe='')}={quote(_say(value), safe='')}" for name, value in options.items())
    database = f"/{quote(schema, safe='')}" if schema else ""
    return f"postgresql://{user}{'@' if user else ''}{where}{database}{'?' if said else ''}{said}"


def _say(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
