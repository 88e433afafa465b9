"""How much each moderator is used by predicted effects, beside how much it would be if effects did not differ."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.design.redraw import draw_many, list_assigned
from whoworks.forests.protocol import Codes, Engine, Inputs

Vector = NDArray[np.float64]

N_DRAWS = 19  # re-drawn assignments: the largest of 19 shares is passed by chance one time in twenty
LEVEL = 0.95


def compare_with_noise(
    engine: Engine,
    inputs: Inputs,
    *,
    assigned: Codes,
    exchangeable: Codes,
    chance: Vector,
    seed: np.random.SeedSequence,
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Rank moderators by their share in the predictions, each beside its share under no differences.

    The assignment is drawn anew as the design draws it, outcomes carry the
    average effect along, and the engine's brief model is learned each time, as
    it is once from the assignment that was made. A share within the noise's is
    no sign of a difference; one beyond it ranks, tests nothing, and causes nothing.

    Parameters
    ----------
    assigned, exchangeable : (n,) codes of the unit that carries the arm, and of those drawn again together
    chance : (n, 2) known probability of control and of the contrast's treatment
    seed : feeds the draws and the models

    Returns
    -------
    DataFrame
        moderator, share, noise_median, noise_high, largest share first; shares
        in [0, 1]. `noise_high` is the value that 95 % of shares under noise do
        not pass: the largest of 19.
    """
    rows = np.flatnonzero(inputs.learn)
    brief = engine.brief
    for_draws, for_fits = seed.spawn(2)
    seeds = [int(state) for state in for_fits.generate_state(n_draws + 1)]
    share = _in_full(brief.fit(inputs, rows=rows, seed=seeds[0]).importance)
    units = list_assigned(arm=inputs.arm[rows], assigned=assigned[rows], block=exchangeable[rows])
    drawn = draw_many(units, n_draws=n_draws, rng=np.random.default_rng(for_draws))
    noise = np.array(
        [
            _in_full(
                brief.fit(
                    _without_differences(inputs, rows, draw[units.unit], chance[rows]), rows=rows, seed=own
                ).importance
            )
            for draw, own in zip(drawn, seeds[1:], strict=True)
        ]
    )
    found = pd.DataFrame(
        {
            "moderator": list(inputs.features.names), "share": share,
            "noise_median": np.median(noise, axis=0), "noise_high": noise_limit(noise),
        }
    )  # fmt: skip
    return found.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)


def _in_full(importance: Vector) -> Vector:
    """Return shares that add up to 1, of the splits that there are: shallow trees hold none at some depths."""
    total = float(importance.sum())
    return importance / total if total > 0 else importance


def noise_limit(noise: Vector) -> Vector:
    """Return, per column of (draws, p), the value passed by one more draw at most one time in twenty; inf under 19."""
    place = math.ceil(LEVEL * (len(noise) + 1) - 1e-9)
    if place > len(noise):
        return np.full(noise.shape[1], np.inf)
    return np.asarray(np.sort(noise, axis=0)[place - 1], dtype=np.float64)


def _without_differences(inputs: Inputs, rows: Codes, arm: Codes, chance: Vector) -> Inputs:
    """Return the inputs under other arms, (rows,), with outcomes as one constant effect would have made them."""
    z, weights = inputs.z_residual[rows], inputs.weights[rows]
    average = float((weights * z) @ inputs.y_residual[rows] / ((weights * z) @ z))
    drawn = np.where(arm > 0, 0.5, -0.5)
    changed = {
        "arm": arm, "z_residual": drawn, "y_residual": inputs.y_residual[rows] + average * (drawn - z),
        "weights": 1 / chance[np.arange(len(rows)), (arm > 0).astype(np.int64)],
    }  # fmt: skip
    arrays = {name: getattr(inputs, name).copy() for name in changed}
    for name, values in changed.items():
        arrays[name][rows] = values
    return replace(inputs, **arrays)
