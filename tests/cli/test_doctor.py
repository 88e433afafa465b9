"""`whoworks doctor` describes the installation, and neither the machine's name nor its user."""

from __future__ import annotations

import platform
from pathlib import Path

import whoworks as package


def test_versions_threads_cache_and_fonts_are_told(whoworks, monkeypatch):
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "1")
    answer = whoworks("doctor")
    assert (answer.code, answer.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in answer.out.splitlines())
    assert lines["whoworks"] == package.__version__
    assert lines["python"] == platform.python_version()
    assert "OMP_NUM_THREADS=1" in answer.out
    assert "Source Sans Pro\n" in answer.out
    assert "missing" not in answer.out
    assert all(len(line) <= 80 for line in answer.out.splitlines())


def test_neither_host_nor_home_folder_is_told(whoworks):
    answer = whoworks("doctor")
    assert platform.node() not in answer.out
    assert str(Path.home()) not in answer.out


def test_the_version_can_be_asked_for(whoworks):
    assert whoworks("--version").out == f"whoworks {package.__version__}\n"
