"""Slopes of the effect along moderators, each shrunk by how noisy its clusters say it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LEAST_SPREAD = 1e-3  # of the slopes' own noise: below, the shape of the slopes no longer changes
LEAST_PENALTY = 1e-9  # of a column's own size: one without any noise may still be spanned by others


def shrunken_slopes(*, gram: Vector, pull: Vector, noise: Vector) -> Vector:
    """Return posterior-mean slopes of independent normal effects with a common prior spread.

    A slope's score ``pull_j`` has variance ``noise_j`` (over clusters, so that a
    class-level moderator is as uncertain as its few classes make it). With
    prior variance v of every slope the posterior mean solves
    ``(gram + diag(noise_j / (gram_jj v))) slope = pull``; v is estimated by
    moments, mean of ``(pull_j^2 - noise_j) / gram_jj^2``, never below a thousandth
    of the noise. Efron & Morris (1973), JASA 68, with each slope's own noise.

    Parameters
    ----------
    gram : (..., p, p) weighted cross-products of the columns, constant taken out
    pull, noise : (..., p); they may have leading dimensions that `gram` lacks

    Columns that are constant there (gram_jj = 0) get a slope of 0.
    """
    size = np.einsum("...ii->...i", gram)
    used = size > 1e-12 * np.maximum(size.max(axis=-1, keepdims=True), 1e-300)
    safe = np.where(used, size, 1.0)
    share = used / np.maximum(used.sum(axis=-1, keepdims=True), 1)
    spread = (share * (pull**2 - noise) / safe**2).sum(axis=-1, keepdims=True)
    floor = LEAST_SPREAD * (share * noise / safe**2).sum(axis=-1, keepdims=True) + 1e-300
    penalty = np.where(used, np.maximum(noise / (safe * np.maximum(spread, floor)), LEAST_PENALTY * safe), 1.0)
    system = gram * (used[..., :, None] & used[..., None, :]) + penalty[..., None] * np.eye(size.shape[-1])
    return np.asarray(np.linalg.solve(system, (pull * used)[..., None])[..., 0], dtype=np.float64)
