"""Open the operational database, migrated to what the code expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from signals.errors import SettingsError

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 60
_TURN = 0xDE06_DAE  # any number will do, as long as every process of ours takes the same


def open_database(url: str) -> Engine:
    """Open the database at `url`, create or migrate its tables, and give an engine whose transactions are whole.

    Raises `SettingsError` when it can't be. On SQLite every transaction takes the write lock at its start, so that two writers wait for each other
    instead of failing; on PostgreSQL every transaction takes its turn by an advisory lock of the database, to the same end.
    """
    try:
        return _open(url)
    except (OSError, SQLAlchemyError) as error:
        where = "DEUNGDAE_DATABASE_URL" if isinstance(error, ArgumentError) else make_url(url).render_as_string(hide_password=True)
        raise SettingsError(
            f"the operational database can't be opened ({type(error).__name__})",
            where,
            "runs, cases and places are kept there",
            "check HOME or DEUNGDAE_DATABASE_URL: that it can be written, and that it is a database",
        ) from error


def _open(url: str) -> Engine:
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}} if url.startswith("sqlite") else {}
    engine = create_engine(url, hide_parameters=True, **options)  # an error must not show whom a statement was about
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_with_lock)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_in_turn)
    _migrate(engine)
    return engine


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_with_lock(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_in_turn(connection: Any) -> None:
    """What a transaction reads before it writes (whether a lease is free, how many places are left) must still be so when it writes."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_BUSY_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
