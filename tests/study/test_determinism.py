"""The same inputs give the same bytes, with one thread or two, another hash seed, another folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import whoworks as ww

NEVER_THE_SAME = {"manifest.json"}  # it holds wall times, which are of the run and not of the study


def report_in(folder: Path, *, threads: int, hash_seed: int) -> dict[str, str]:
    """Write a pilot and its report in a process of its own; return the hashes of what was written."""
    folder.mkdir()
    ww.make_pilot("lakeside", students=640, classes=32, schools=8, seed=11).write(folder)
    count = str(threads)
    environment = os.environ | {
        "PYTHONHASHSEED": str(hash_seed), "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
        "NUMBA_NUM_THREADS": count,
    }  # fmt: skip
    command = [sys.executable, "-c", "from whoworks.cli import main; main()", "report", "plan.toml", "--out", "out"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=280)
    files = (path for path in sorted((folder / "out").rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in NEVER_THE_SAME
    }


def test_threads_hash_seeds_and_folders_change_no_byte(tmp_path):
    one = report_in(tmp_path / "one", threads=1, hash_seed=1)
    two = report_in(tmp_path / "another folder", threads=2, hash_seed=2)
    assert "out/report.pdf" in one
    assert "out/findings.csv" in one
    assert one == two
