"""Alembic's entrance: migrations run on the connection that open_database hands over."""

from __future__ import annotations

from alembic import context

from signals.records.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
