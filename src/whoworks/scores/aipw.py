"""The orthogonal score of each unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def aipw_scores(
    *,
    y: Vector,
    z: Vector,
    mu0: Vector,
    mu1: Vector,
    e: Vector,
    control: Vector | None = None,
    e0: Vector | None = None,
) -> Vector:
    """Augmented inverse-propensity-weighted score of each unit.

    ``score = mu1 - mu0 + z (y - mu1) / e - control (y - mu0) / e0``

    The mean of the scores over any group chosen without looking at `y` or `z`
    estimates that group's average effect of assignment (ITT), in the units of
    `y`. Robins & Rotnitzky (1995), eq. 8.

    Parameters
    ----------
    y, z, mu0, mu1, e : (n,) arrays
        Outcome, assigned arm (0/1), the two prognoses and P(z = 1), known by design.
    control, e0 : (n,) arrays, optional
        With more than two arms: 1 for the control arm, and its probability.
        ``1 - z`` and ``1 - e`` where absent.
    """
    control = 1 - z if control is None else control
    e0 = 1 - e if e0 is None else e0
    return np.asarray(mu1 - mu0 + z * (y - mu1) / e - control * (y - mu0) / e0, dtype=np.float64)
