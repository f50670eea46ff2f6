"""One pull and check in a process of its own, for tests that kill it or start two: it says `ready` once all is imported, and waits for a line."""

import sys
from datetime import date
from pathlib import Path

import nightly
from signals.admit import admit_arrivals
from signals.home import Home
from signals.night import Night
from signals.records.database import open_database
from signals.records.leases import name_process
from signals.settings import Settings
from tests.signals.worlds import OpenGate


def main(how: str, home: str, as_of: str, *sources: str) -> None:
    """Pull and check as a night does, under the lease; `bare`: check alone, without the lease; an open gate saves the seconds of the real one."""
    import signals.admit

    setattr(signals.admit, "Gate", OpenGate)  # noqa: B010
    night = Night(date.fromisoformat(as_of), Settings(home=Path(home), sources=sources))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if how == "bare":
        admit_arrivals(Home(Path(home)), open_database(night.settings.records_url), night.as_of, [Path(source).name for source in sources])
        return
    for stage in ("pull", "check"):
        nightly.run_stage(night, stage, name_process())


if __name__ == "__main__":
    main(*sys.argv[1:])
