"""What owners object to and what came of it, and the marks of those who were forgotten"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "objections",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("borrower_id", sa.String(length=64), nullable=False, comment="Who objects: the row must be theirs."),
        sa.Column("table_name", sa.String(length=32), nullable=False),
        sa.Column("key", sa.JSON(), nullable=False, comment="The row: each column of the table's key, as text."),
        sa.Column("column_name", sa.String(length=64), nullable=False, comment="is_retracted: the fact as a whole."),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column(
            "on_day", sa.Date(), nullable=False, comment="From the night of this day on it counts; later than every published night."
        ),
        sa.Column("value", sa.Text(), nullable=True, comment="Upheld: the corrected value as text; null: unknown."),
        sa.Column(
            "source_value", sa.Text(), nullable=True, comment="What the source said when it was upheld or accepted, as text; null: nothing."
        ),
        sa.Column("by", sa.String(length=64), nullable=False, comment="Who acted."),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("event in ('opened', 'upheld', 'rejected', 'withdrawn', 'accepted_source')", name=op.f("ck_objections_event")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_objections")),
    )
    op.create_index("ix_objections_borrower_id", "objections", ["borrower_id"], unique=False)
    op.create_table(
        "forgotten",
        sa.Column("mark", sa.String(length=64), nullable=False, comment="A keyed hash of the borrower's id; the id itself is nowhere."),
        sa.Column("key_check", sa.String(length=16), nullable=False, comment="Tells whether the key is still the one it was made with."),
        sa.Column("is_complete", sa.Boolean(), nullable=False, comment="False: the erasure was broken off and must be run again."),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_forgotten")),
    )


def downgrade() -> None:
    op.drop_table("forgotten")
    op.drop_index("ix_objections_borrower_id", table_name="objections")
    op.drop_table("objections")
