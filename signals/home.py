"""Where a night keeps its things."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folders under HOME, as the house plan names them."""

    root: Path

    @property
    def lake(self) -> Path:
        """The source tables."""
        return self.root / "lake"

    @property
    def arrivals(self) -> Path:
        """What came in and is not yet judged."""
        return self.root / "lake" / "arrivals"

    @property
    def nights(self) -> Path:
        """The products of every night."""
        return self.root / "nights"

    @property
    def quarantine(self) -> Path:
        """Rows set aside, with the rule's name."""
        return self.root / "quarantine"

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
