"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photos, weights and golden numbers beside the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with real photos and golden numbers is not here")
    return SHARED
