"""Two sets of replicates told apart, told together: what their numbers would be had they been run as one."""

from __future__ import annotations

import numpy as np
from benchmarks.truth.diagnosands import ORACLE_PRECISION, PRECISION, Diagnosand, around, share

SHARES = ("refused", "trees chosen")  # what is a share of replicates, by its whole name
MEASURES = ("coverage", "not assessable", "type S", "any moderate or better", "any false one")
SQUARED = ("RMSE", "SE / spread", *(name.split(": ", 1)[1] for name in (PRECISION, ORACLE_PRECISION)))


def is_share(name: str) -> bool:
    """Tell whether a diagnosand counts replicates: its interval is then the binomial's."""
    target, _, measure = name.rpartition(": ")
    if target == "candidate":
        return False  # a replicate has several, and counts once
    rates = measure.startswith(("size", "power")) and not measure.startswith("power less")
    return name in SHARES or measure in MEASURES or measure.endswith("false share") or rates


def pool(
    one: Diagnosand, other: Diagnosand, *, per: tuple[float, float] = (1.0, 1.0), of_both: float | None = None
) -> Diagnosand:
    """Return a diagnosand over the replicates of both.

    A share's and a mean's are exact, up to the digits given: of n_1 and n_2 replicates with means v_1 and v_2,
    N (N - 1) e^2 = sum of n (n - 1) e^2 + n (v_k - v)^2. A root mean square is pooled by its square, and so is a ratio
    of two, where `per` are the mean squares below the line of either, and `of_both` that of both together (about
    their common mean, which lies apart from either's); without them they are taken as alike.
    """
    if not (np.isfinite(one.value) and np.isfinite(other.value)):
        return one if np.isfinite(one.value) else other
    n = np.array([one.replicates, other.replicates])
    value = np.array([one.value, other.value])
    if is_share(one.name):
        hits = np.zeros(n.sum(), dtype=bool)
        hits[: int(np.round(value * n).sum())] = True
        return share(one.procedure, one.name, hits)
    error = np.array([one.mc_error, other.mc_error])
    squared = one.name.rpartition(": ")[2] in SQUARED
    if squared:
        value, error = value**2, 2 * value * error
    below = n.sum() * of_both if of_both else (n * np.array(per)).sum()
    pooled = float((value * n * np.array(per)).sum() / below)
    spread = (n * (n - 1) * error**2 + n * (value - pooled) ** 2).sum()
    told = float(np.sqrt(spread / (n.sum() * (n.sum() - 1))))
    if squared:
        pooled = float(np.sqrt(pooled))
        told = told / (2 * pooled) if pooled else 0.0
    return around(one.procedure, one.name, int(n.sum()), pooled, told)
