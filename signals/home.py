"""Where a night keeps its things."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from signals.objects import StoredText


@dataclass(frozen=True)
class Home:
    """The folders under HOME, as the house plan names them.

    `store`: an object store's URL under which the lake and the products lie; None: in HOME itself.
    """

    root: Path
    store: str | None = None

    def table(self, name: str) -> str:
        """Where a source table of the lake lies."""
        return f"{self._base}/lake/{name}"

    def product(self, name: str) -> str:
        """Where a product of the nights lies."""
        return f"{self._base}/nights/{name}"

    @property
    def layout(self) -> StoredText:
        """How the lake is divided."""
        return StoredText(f"{self._base}/lake/layout.json")

    @property
    def _base(self) -> str:
        return (self.store or str(self.root)).rstrip("/")

    @property
    def arrivals(self) -> Path:
        """What came in and is not yet judged."""
        return self.root / "lake" / "arrivals"

    @property
    def staging(self) -> Path:
        """Chunks of products that wait until all are there."""
        return self.root / "nights" / ".waiting"

    @property
    def quarantine(self) -> Path:
        """Rows set aside, with the rule's name."""
        return self.root / "quarantine"

    @property
    def sources(self) -> Path:
        """The list of sources, read where no other is named."""
        return self.root / "sources.toml"

    @property
    def models(self) -> Path:
        """The model registry."""
        return self.root / "models"

    @property
    def docs(self) -> Path:
        """Data Docs and nightly reports."""
        return self.root / "docs"

    def packs(self, as_of: date) -> Path:
        """The office packs of one night."""
        return self.root / "packs" / f"as_of={as_of.isoformat()}"

    @property
    def database_url(self) -> str:
        """The operational database, unless a setting names another."""
        return f"sqlite:///{self.root / 'deungdae.db'}"
