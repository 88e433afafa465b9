"""One pilot whose arms and outcomes are drawn again and again: quick replicates in worlds that are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from tests.findings.pilots import Opened, open_pilot
from whoworks.design.folds import assign_folds
from whoworks.design.redraw import redraw_arms
from whoworks.findings.setting import Setting, open_setting
from whoworks.forests.left_out import predict_left_out
from whoworks.forests.protocol import Inputs, Predictions
from whoworks.forests.ridge_engine import RidgeEngine
from whoworks.forests.table import read_features
from whoworks.scores.aipw import aipw_scores
from whoworks.simulate.worlds import find_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """A setting with drawn arms and outcomes, and the true effect of each unit."""

    panel: object
    setting: Setting
    tau: np.ndarray


@cache
def classrooms(classes: int, per_class: int = 10) -> Opened:
    """Open a pilot without missing values; its places and moderators stay, all else is drawn."""
    world = replace(find_world("class-varying"), attrition=(0.0, 0.0), missing=0.0)
    return open_pilot(world, seed=11, students=classes * per_class, classes=classes, schools=max(4, classes // 4))


def lunch(opened: Opened) -> np.ndarray:
    """Return 1 for students with free or reduced-price lunch."""
    return (opened.panel.values["frl"].iloc[opened.scores.rows].astype(object) == "Y").to_numpy(dtype=float)


def level_of_blocks(rest: np.ndarray, block: np.ndarray, z: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return each block's mean of the two arms' weighted means, per unit."""
    arms = [np.bincount(block, rest * (z == k) / own) / np.bincount(block, (z == k) / own) for k in (0, 1)]
    return (sum(arms) / 2)[block]


def redraw(opened: Opened, *, seed: int, varying: float = 0.0, by_lunch: float = 0.0) -> Replicate:
    """Draw arms over classes, class effects and outcomes; effects vary by class, by lunch, or not at all.

    y = .55 x + class (variance .2) + student (.75^2) + tau z, and
    tau = .2 + varying v_class + by_lunch (F - .48).
    """
    rng = np.random.default_rng([seed, 77])
    design, old = opened.design, opened.scores
    place = np.searchsorted(design.rows, old.rows)
    arms = redraw_arms(arm=design.arm, assigned=design.assigned, block=design.block, rng=rng)
    arm, n, g = arms[place], len(old.y), int(old.cluster.max()) + 1
    z = (arm == 1).astype(float)
    x = opened.panel.values["rit_fall"].to_numpy(dtype=float)[old.rows]
    h = 0.55 * (x - x.mean()) / x.std()
    tau = 0.2 + varying * rng.standard_normal(g)[old.cluster] + by_lunch * (lunch(opened) - 0.48)
    y = h + np.sqrt(0.2) * rng.standard_normal(g)[old.cluster] + 0.75 * rng.standard_normal(n) + tau * z
    own, e = design.probability[place, arm], design.probability[place, 1]
    mu = h + level_of_blocks(y - h, old.block, z, own)
    fold = assign_folds(cluster=old.cluster, block=old.block, arm=arm, assigned=design.assigned[place], rng=rng)
    scores = replace(
        old, y=y, z=z, own=own, e=e, h=h, mu0=mu, mu1=mu, fold=fold,
        score=aipw_scores(y=y, z=z, mu0=mu, mu1=mu, e=e),
    )  # fmt: skip
    setting = open_setting(
        scores, replace(design, arm=arms), outcome=opened.main.outcome, confidence=0.95, is_main_contrast=True
    )
    return Replicate(panel=opened.panel, setting=setting, tau=tau)


def predict(opened: Opened, setting: Setting, *, repeats: int, seed: int = 1) -> Predictions:
    """Predict effects by ridge from the plan's moderators, in folds and in sequences of folds."""
    scores, design = setting.scores, setting.design
    place = np.searchsorted(design.rows, scores.rows)
    names = list(dict.fromkeys(moderator.name for moderator in opened.panel.plan.moderators))
    inputs = Inputs(
        features=read_features(opened.panel.values[names].iloc[scores.rows]),
        y_residual=scores.y - scores.mu0, z_residual=scores.z - 0.5, weights=1 / scores.own, cluster=scores.cluster,
        block=scores.block, arm=design.arm[place], learn=setting.treated | setting.control,
    )  # fmt: skip
    folds = [
        assign_folds(
            cluster=scores.cluster, block=scores.block, arm=design.arm[place], assigned=design.assigned[place],
            rng=np.random.default_rng([seed, place_]),
        )
        for place_ in range(repeats)
    ]  # fmt: skip
    return predict_left_out(
        RidgeEngine(), inputs, fold=scores.fold, forward_fold=np.array(folds), seed=np.random.SeedSequence(seed)
    )
