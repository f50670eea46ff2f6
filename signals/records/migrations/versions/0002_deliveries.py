"""What each source delivered each night, and which files were read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("as_of", sa.Date(), nullable=False, comment="The night."),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=32), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False, comment="Rows read, retried, accepted, quarantined, already known."),
        sa.Column("newest_known_on", sa.Date(), nullable=True, comment="The watermark: the newest known_on it has ever brought."),
        sa.Column("profile", sa.JSON(), nullable=False, comment="By column, how many values lie in which part."),
        sa.Column("failure", sa.Text(), nullable=True, comment="Why nothing of it was taken in; null: it was."),
        sa.PrimaryKeyConstraint("as_of", "source_id", "table_name", name=op.f("pk_deliveries")),
    )
    op.create_table(
        "files_read",
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=300), nullable=False, comment="Its name inside the source."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="What its bytes say."),
        sa.Column("as_of", sa.Date(), nullable=False, comment="The night that took in its rows known by then."),
        sa.Column("stamp", sa.String(length=64), nullable=False, comment="Its size and the moment it was written."),
        sa.Column("is_whole", sa.Boolean(), nullable=False, comment="Whether all its rows were known by that night."),
        sa.PrimaryKeyConstraint("source_id", "file", "digest", "as_of", name=op.f("pk_files_read")),
    )


def downgrade() -> None:
    op.drop_table("files_read")
    op.drop_table("deliveries")
