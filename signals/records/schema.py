"""Every table of the operational database."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SERIAL = BigInteger().with_variant(Integer, "sqlite")

RUNS = Table(
    "runs",
    METADATA,
    Column("as_of", Date, primary_key=True, comment="The night. The row's existence is the night's existence."),
    Column("receipts", JSON, nullable=False, comment="The receipt of each product and source table."),
    Column("model_version", String(64), nullable=False, comment="The champion, or scorecard."),
    Column("catalogue_hash", String(64), nullable=False, comment="What the programmes said."),
    Column("settings_hash", String(64), nullable=False, comment="What offices and settings said."),
    Column("ledger_sequence", BigInteger, nullable=False, comment="The last ledger entry this night saw or made."),
    Column("packs_hash", String(64), nullable=False, comment="What the office packs said."),
    Column("is_backfill", Boolean, nullable=False, comment="Older than the newest night when made: reserved nothing."),
    Column("code_version", String(64), nullable=False),
    Column("committed_at", DateTime(timezone=True), nullable=False),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(32), primary_key=True, comment="Always night: one per HOME."),
    Column("holder", String(200), nullable=False),
    Column("renewed_at", DateTime(timezone=True), nullable=False),
)

CASES = Table(
    "cases",
    METADATA,
    Column("case_id", SERIAL, primary_key=True, autoincrement=True),
    Column("borrower_id", String(64), nullable=False),
    Column("office", String(64), nullable=False),
    Column("opened_for", Date, nullable=False, comment="The night that listed the borrower."),
    Column("level", String(16), nullable=False, comment="The level that night."),
    Column("status", String(16), nullable=False, comment="open or closed."),
    UniqueConstraint("borrower_id", "opened_for"),
    CheckConstraint("status in ('open', 'closed')", name="status"),
    Index("ix_cases_office_status", "office", "status"),
)

LEDGER = Table(
    "ledger",
    METADATA,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("programme_id", String(64), nullable=False),
    Column("period", String(32), nullable=False, comment="The window a place belongs to."),
    Column("borrower_id", String(64), nullable=False),
    Column("turn", Integer, nullable=False, comment="1, and one more after each release, expiry or cancellation."),
    Column("state", String(16), nullable=False),
    Column("amount_krw", BigInteger, nullable=False, comment="The place's ceiling when reserved, the true sum later."),
    Column("is_inside", Boolean, nullable=False, comment="Inside the capital region, or region unknown."),
    Column("as_of", Date, nullable=False, comment="The night, or the day a person or operator acted."),
    Column("by", String(64), nullable=False, comment="night, or who acted."),
    UniqueConstraint("programme_id", "period", "borrower_id", "turn", "state", name="once"),
    CheckConstraint("state in ('reserved', 'released', 'expired', 'cancelled', 'committed', 'awarded', 'paid')", name="state"),
    CheckConstraint("amount_krw >= 0", name="amount"),
    Index("ix_ledger_borrower", "borrower_id"),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("as_of", Date, primary_key=True, comment="The night."),
    Column("source_id", String(64), primary_key=True),
    Column("table_name", String(32), primary_key=True),
    Column("counts", JSON, nullable=False, comment="Rows read, retried, accepted, quarantined, already known."),
    Column("newest_known_on", Date, comment="The watermark: the newest known_on it has ever brought."),
    Column("profile", JSON, nullable=False, comment="By column, how many values lie in which part."),
    Column("failure", Text, comment="Why nothing of it was taken in; null: it was."),
)

FILES_READ = Table(
    "files_read",
    METADATA,
    Column("source_id", String(64), primary_key=True),
    Column("file", String(300), primary_key=True, comment="Its name inside the source."),
    Column("digest", String(64), primary_key=True, comment="What its bytes say."),
    Column("as_of", Date, primary_key=True, comment="The night that took in its rows known by then."),
    Column("stamp", String(64), nullable=False, comment="Its size and the moment it was written."),
    Column("is_whole", Boolean, nullable=False, comment="Whether all its rows were known by that night."),
)

OBJECTIONS = Table(
    "objections",
    METADATA,
    Column("event_id", SERIAL, primary_key=True, autoincrement=True),
    Column("borrower_id", String(64), nullable=False, comment="Who objects: the row must be theirs."),
    Column("table_name", String(32), nullable=False),
    Column("key", JSON, nullable=False, comment="The row: each column of the table's key, as text."),
    Column("column_name", String(64), nullable=False, comment="is_retracted: the fact as a whole."),
    Column("event", String(16), nullable=False),
    Column("on_day", Date, nullable=False, comment="From the night of this day on it counts; later than every published night."),
    Column("value", Text, comment="Upheld: the corrected value as text; null: unknown."),
    Column("source_value", Text, comment="What the source said when it was upheld or accepted, as text; null: nothing."),
    Column("by", String(64), nullable=False, comment="Who acted."),
    Column("note", Text),
    CheckConstraint("event in ('opened', 'upheld', 'rejected', 'withdrawn', 'accepted_source')", name="event"),
    Index("ix_objections_borrower_id", "borrower_id"),
)

FORGOTTEN = Table(
    "forgotten",
    METADATA,
    Column("mark", String(64), primary_key=True, comment="A keyed hash of the borrower's id; the id itself is nowhere."),
    Column("key_check", String(16), nullable=False, comment="Tells whether the key is still the one it was made with."),
    Column("is_complete", Boolean, nullable=False, comment="False: the erasure was broken off and must be run again."),
    Column("forgotten_at", DateTime(timezone=True), nullable=False),
)
