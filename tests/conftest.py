"""What every test may lean on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
