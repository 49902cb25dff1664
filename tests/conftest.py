"""Where the larger data sets are, for the tests that need them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DEFAULT = Path(__file__).parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of larger data sets, or a skip that says how to name it."""
    folder = Path(os.environ.get("RNNSCOPE_SHARED", DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"no larger data sets at {folder}; set RNNSCOPE_SHARED")
    return folder
