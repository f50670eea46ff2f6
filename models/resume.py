"""The way back from shock mode: a person's decision, which counts from the next night on."""

from __future__ import annotations

from datetime import timedelta

from models.decisions import Resumption, name_no_shock, record_resumption
from models.shock import from_rows
from signals.nights import read_night
from signals.records.database import open_database
from signals.records.runs import find_newest_run
from signals.settings import Settings


def end_shock(settings: Settings, because: str, at: str) -> Resumption:
    """End the shock of the newest published night: the champion scores again from the night after it on, and no published night is changed.

    Raises `SettingsError`, and changes nothing, when that night is not in shock mode or no reason is given. The caller holds the lease.
    """
    home = settings.places
    with open_database(settings.records_url).begin() as connection:
        newest = find_newest_run(connection)
        shock = from_rows(read_night(home, connection, newest["as_of"])["shock"].collect()) if newest else None
    if newest is None or shock is None:
        raise name_no_shock(home.models, "no shock stands")
    return record_resumption(home.models, shock.since, newest["as_of"] + timedelta(days=1), because, at)
