"""R's grf beside us, where R has it: arrays go to a folder, an R script answers, numbers come back."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TOLD = ("fit", "cpu", "leaves", "depth", "memory", "peak")


@cache
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
    found = _ask("grf.R", arrays, *X.shape, len(new), trees, threads, int(cluster is not None))
    return dict(zip(TOLD, found[: len(TOLD)].tolist(), strict=True)), found[len(TOLD) :]


def assess(X, y, z, cluster, groups, *, seed):
    """Ask grf as its documentation shows it, clusters named: both nuisances learned, 2,000 trees.

    Parameters
    ----------
    groups : (n, m) of 0 and 1, NaN where not recorded

    Returns
    -------
    array
        (1 + m, 2) estimates and standard errors: of the average by
        ``average_treatment_effect``, and of each difference between groups'
        effects by ``best_linear_projection``.
    """
    arrays = {"X": X, "y": y, "z": z, "cluster": cluster, "groups": groups}
    return _ask("grf_effects.R", arrays, *X.shape, groups.shape[1], seed).reshape(-1, 2)


def _ask(script, arrays, *sizes):
    """Return the numbers that a script of ours leaves; arrays are doubles, column by column."""
    with tempfile.TemporaryDirectory() as folder:
        for name, values in arrays.items():
            np.asarray(values, dtype=float).ravel(order="F").tofile(Path(folder) / name)
        subprocess.run(["Rscript", str(HERE / script), folder, *map(str, sizes)], check=True)
        return np.fromfile(Path(folder) / "found")
