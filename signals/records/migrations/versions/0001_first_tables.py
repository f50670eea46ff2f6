"""The first tables: runs, leases, cases and the awards ledger"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("borrower_id", sa.String(length=64), nullable=False),
        sa.Column("office", sa.String(length=64), nullable=False),
        sa.Column("opened_for", sa.Date(), nullable=False, comment="The night that listed the borrower."),
        sa.Column("level", sa.String(length=16), nullable=False, comment="The level that night."),
        sa.Column("status", sa.String(length=16), nullable=False, comment="open or closed."),
        sa.CheckConstraint("status in ('open', 'closed')", name=op.f("ck_cases_status")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
        sa.UniqueConstraint("borrower_id", "opened_for", name=op.f("uq_cases_borrower_id")),
    )
    op.create_index("ix_cases_office_status", "cases", ["office", "status"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False, comment="Always night: one per HOME."),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("programme_id", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False, comment="The window a place belongs to."),
        sa.Column("borrower_id", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False, comment="1, and one more after each release, expiry or cancellation."),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("amount_krw", sa.BigInteger(), nullable=False, comment="The place's ceiling when reserved, the true sum later."),
        sa.Column("is_inside", sa.Boolean(), nullable=False, comment="Inside the capital region, or region unknown."),
        sa.Column("as_of", sa.Date(), nullable=False, comment="The night, or the day a person or operator acted."),
        sa.Column("by", sa.String(length=64), nullable=False, comment="night, or who acted."),
        sa.CheckConstraint(
            "state in ('reserved', 'released', 'expired', 'cancelled', 'committed', 'awarded', 'paid')", name=op.f("ck_ledger_state")
        ),
        sa.CheckConstraint("amount_krw >= 0", name=op.f("ck_ledger_amount")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger")),
        sa.UniqueConstraint("programme_id", "period", "borrower_id", "turn", "state", name="once"),
    )
    op.create_index("ix_ledger_borrower", "ledger", ["borrower_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("as_of", sa.Date(), nullable=False, comment="The night. The row's existence is the night's existence."),
        sa.Column("receipts", sa.JSON(), nullable=False, comment="The receipt of each product and source table."),
        sa.Column("model_version", sa.String(length=64), nullable=False, comment="The champion, or scorecard."),
        sa.Column("catalogue_hash", sa.String(length=64), nullable=False, comment="What the programmes said."),
        sa.Column("settings_hash", sa.String(length=64), nullable=False, comment="What offices and settings said."),
        sa.Column("ledger_sequence", sa.BigInteger(), nullable=False, comment="The last ledger entry this night saw or made."),
        sa.Column("packs_hash", sa.String(length=64), nullable=False, comment="What the office packs said."),
        sa.Column("is_backfill", sa.Boolean(), nullable=False, comment="Older than the newest night when made: reserved nothing."),
        sa.Column("code_version", sa.String(length=64), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("as_of", name=op.f("pk_runs")),
    )


def downgrade() -> None:
    op.drop_table("runs")
    op.drop_index("ix_ledger_borrower", table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("leases")
    op.drop_index("ix_cases_office_status", table_name="cases")
    op.drop_table("cases")
