"""R's grf beside us, where R has it: arrays go to a folder, ``grf.R`` grows the forest, numbers come back."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).with_name("grf.R")
TOLD = ("fit", "cpu", "leaves", "depth", "memory", "peak")


def is_there():
    """Whether R is here and has grf."""
    if shutil.which("Rscript") is None:
        return False
    return subprocess.run(["Rscript", "-e", "library(grf)"], capture_output=True, check=False).returncode == 0


def grow(X, y, z, cluster, h, new, *, trees, threads):
    """Grow grf's honest causal_forest with known prognosis h and propensity one half, and ask it about new rows.

    Returns seconds, processor's seconds, leaves and depth of a tree, megabytes
    added and their peak under the names in ``TOLD``, and the effects predicted.
    """
    arrays = {"X": X, "y": y, "z": z, "h": h, "new": new}
    if cluster is not None:
        arrays["cluster"] = cluster
    with tempfile.TemporaryDirectory() as folder:
        for name, values in arrays.items():
            np.asarray(values, dtype=float).ravel(order="F").tofile(Path(folder) / name)
        sizes = [*X.shape, len(new), trees, threads, int(cluster is not None)]
        subprocess.run(["Rscript", str(SCRIPT), folder, *map(str, sizes)], check=True)
        found = np.fromfile(Path(folder) / "found")
    return dict(zip(TOLD, found[: len(TOLD)].tolist(), strict=True)), found[len(TOLD) :]
