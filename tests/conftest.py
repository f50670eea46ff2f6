"""What every test may lean on."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # the machine is shared: how long one example takes says nothing of the code
settings.load_profile("suite")

for setting in [name for name in os.environ if name.startswith("DEUNGDAE_")]:
    del os.environ[setting]  # whoever runs the tests has settings of their own: make names a town that need not be there

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def taiwan() -> Path:
    """The real repayment data that lies beside the repository here and in CI."""
    folder = SHARED / "data" / "taiwan"
    if not folder.is_dir():
        pytest.skip(f"the real data set is not beside the repository: {folder}")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of the most slow tests, so that none of them is left alone at the end while the other worker is idle."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="module")
def behind_the_gate() -> Iterator[None]:
    """Hold the gate open: it needs seconds a night, and what comes after it is the same where it refuses nobody."""
    from tests.signals.worlds import open_gate

    with open_gate():
        yield


@pytest.fixture(scope="module")
def two_buckets() -> Iterator[None]:
    """Divide the HOMEs made meanwhile in two, not four: for a few dozen borrowers a bucket costs what it does for a hundred thousand."""
    from signals import buckets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "FEWEST_BUCKETS", 2)
        yield


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give real Airflow a folder and an SQLite database of its own."""
    import runpy

    once = runpy.run_path(str(Path(__file__).resolve().parents[1] / "dags" / "once.py"))
    folder = tmp_path_factory.mktemp("airflow")
    once["set_up_airflow"](folder)
    from airflow.utils import db

    db.initdb()
    return folder
