"""`whoworks doctor` describes the installation, and neither the machine's name nor its user."""

from __future__ import annotations

import platform
from pathlib import Path

import matplotlib

import whoworks as package
from whoworks.cli import doctor
from whoworks.kernels import cache

FOLDERS = ("charts' font cache", "compiled code")


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
    assert all(len(line) <= 80 for line in answer.out.splitlines() if not line.startswith(FOLDERS))


def test_neither_host_nor_home_folder_is_told(whoworks):
    answer = whoworks("doctor")
    assert platform.node() not in answer.out
    assert str(Path.home()) not in answer.out


def test_both_folders_are_told_by_what_they_hold(whoworks):
    lines = whoworks("doctor").out.splitlines()
    font_cache, compiled = (next(line for line in lines if line.startswith(name)) for name in FOLDERS)
    assert font_cache.endswith(Path(matplotlib.get_cachedir()).name)
    assert compiled.endswith(f"kernels-{cache.source_key()}")


def test_the_home_folder_is_written_as_a_tilde():
    assert doctor.shorten(Path.home() / "a" / "b") == "~/a/b"
    assert doctor.shorten(Path("/elsewhere/b")) == "/elsewhere/b"


def test_a_machine_without_a_writable_folder_is_told_so(monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: None)
    assert "compiled in every run" in doctor.compiled_code()


def test_the_version_can_be_asked_for(whoworks):
    assert whoworks("--version").out == f"whoworks {package.__version__}\n"
