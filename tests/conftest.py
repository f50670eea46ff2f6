"""What every test may lean on."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def taiwan() -> Path:
    """The real repayment data that lies beside the repository here and in CI."""
    folder = SHARED / "data" / "taiwan"
    if not folder.is_dir():
        pytest.skip(f"the real data set is not beside the repository: {folder}")
    return folder
