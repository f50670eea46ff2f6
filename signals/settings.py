"""What an operator may set, read once at the entrance."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from signals.errors import SettingsError
from signals.home import Home


class Settings(BaseSettings):
    """Settings from the environment (`DEUNGDAE_…`); a command's options win over them.

    The key of the lot decides ties in need; keep it secret and the same for a whole window.
    """

    model_config = SettingsConfigDict(env_prefix="DEUNGDAE_", frozen=True)

    home: Path = Field(default=Path("home"), description="HOME: where a night keeps its things.")
    store: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9._-]+)*/?$",
        description="An object store's URL, s3://bucket/folder in plain letters, for the lake and the nights; not set: under HOME.",
    )
    sources: tuple[str, ...] = Field(
        default=(), description="Where the sources lie: folders, databases, object stores, source files; not set: HOME/sources.toml."
    )
    require_legal_basis: bool = Field(
        default=False, description="Whether a source that names no legal basis is refused; true wherever real people are scored."
    )
    database_url: str | None = Field(
        default=None, description="The operational database (`postgresql+psycopg://…`); not set: a SQLite file under HOME."
    )
    lot_key: str = Field(default="deungdae", description="The key of the lot that breaks ties in need.")
    pseudonym_key: str = Field(default="deungdae", description="The key of the marks of those who were forgotten; never change it.")
    places_per_borrower: int = Field(default=2, ge=1, description="How many live places one borrower may hold.")
    stale_after_days: int = Field(default=45, ge=1, description="From how many days without news a borrower counts as stale.")
    left_out_after_days: int = Field(
        default=180, ge=1, description="After how many days in which nobody spoke of a borrower they are left out of the night."
    )
    buckets_at_once: int = Field(
        default=1,
        ge=1,
        description="How many buckets of borrowers are worked on beside each other: 2 is sooner, and takes up to 5 GB at 3,000,000.",
    )
    lease_minutes: int = Field(default=60, ge=1, description="How long a lease lasts without being renewed.")
    patience_minutes: int = Field(default=240, ge=0, description="How long a night waits for another to end.")
    keep_nights_months: int = Field(
        default=36, ge=13, description="How long a published night and its packs are kept: objections may come."
    )
    keep_checks_days: int = Field(default=400, ge=31, description="How long quarantine and Data Docs are kept.")
    keep_arrivals_days: int = Field(default=31, ge=1, description="How long what a broken-off night left waiting is kept.")
    compact_from_files: int = Field(default=28, ge=2, description="From how many files on a bucket is written anew as one.")
    engine: Literal["polars", "spark"] = Field(
        default="polars", description="What builds features and scores: polars on this machine, or spark (docs/spark.md)."
    )
    spark_master: str = Field(
        default="local[*]", min_length=1, description="The master Spark runs on: this machine's cores (`local[*]`), or a cluster's URL."
    )
    spark_remote: str | None = Field(
        default=None, pattern=r"^sc://", description="A Spark Connect server (`sc://host:15002`), used instead of a master; not set: none."
    )
    spark_conf: dict[str, str] = Field(
        default={}, description='What else Spark is told, as JSON: `{"spark.executor.memory": "8g"}`; it wins over what the night sets.'
    )

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """Read the settings, `given` over the environment; raises `SettingsError` that names the bad one, never its value."""
        try:
            return cls(**given)
        except (ValidationError, PydanticSettingsError) as error:
            names = [str(part["loc"][0]) for part in error.errors()] if isinstance(error, ValidationError) else [str(error).split('"')[1]]
            where = ", ".join(f"DEUNGDAE_{name.upper()}" for name in names)
            raise SettingsError(
                "a setting can't be read", where, "the night would run by another rule than meant", "mend it; lists are written as JSON"
            ) from None

    @property
    def places(self) -> Home:
        """The folders under HOME."""
        return Home(self.home, self.store)

    def locate_sources(self) -> tuple[str, ...]:
        """Where the sources lie: as said, or else what HOME's own sources.toml lists; empty where neither says it."""
        return self.sources or self.list_locations()

    def list_locations(self) -> tuple[str, ...]:
        """Every place where sources are said to lie, also those of HOME's sources.toml that others stand before."""
        listed = self.places.sources
        return (*self.sources, *((str(listed),) if listed.is_file() else ()))

    @property
    def records_url(self) -> str:
        """The operational database's URL."""
        return self.database_url or self.places.database_url

    @cached_property
    def rules_hash(self) -> str:
        """What of the settings changes a night's outcome, in one hash."""
        rules = (self.lot_key, self.places_per_borrower, self.stale_after_days, self.left_out_after_days)
        return sha256("|".join(map(str, rules)).encode()).hexdigest()[:32]
