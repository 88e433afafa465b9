"""Fixtures that several suites share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real trials, beside the project or named by WHOWORKS_SHARED."""
    folder = Path(os.environ.get("WHOWORKS_SHARED", ROOT.parent / "shared"))
    if folder.is_dir():
        return folder
    if os.environ.get("WHOWORKS_REQUIRE_SHARED") == "1":
        pytest.fail(f"WHOWORKS_REQUIRE_SHARED=1, and there is no folder {folder}")
    pytest.skip("needs the real trials: set WHOWORKS_SHARED to their folder")
