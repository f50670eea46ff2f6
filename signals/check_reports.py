"""What became of each source's delivery, as it is kept beside the quarantine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date

from signals.home import Home


@dataclass(frozen=True)
class CheckReport:
    """What became of one source's delivery: rows read = accepted + quarantined + already known, table by table.

    `read` counts the rows that were sent and those that waited for tonight; `waiting`, of the quarantined, those that are tried
    again the next night; `returned`, of the accepted, those whose fact had been set aside on an earlier night. `failure` says why
    nothing of the delivery was taken; null: it was. `rules` counts the quarantined rows by broken rules.
    """

    source_id: str
    failure: str | None
    read: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    already_known: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)
    rules: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def write_reports(reports: Sequence[CheckReport]) -> str:
    """Write the reports of a night as text, to be read again by `read_check_reports`."""
    return json.dumps([asdict(report) for report in reports], indent=1, ensure_ascii=False)


def read_check_reports(home: Home, as_of: date) -> list[CheckReport]:
    """Read again what became of each source's delivery for this night."""
    file = home.quarantine / f"as_of={as_of}" / "report.json"
    return [CheckReport(**values) for values in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []
