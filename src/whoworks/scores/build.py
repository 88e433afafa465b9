"""From a panel and its design to one outcome's scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.one_arm import came_with_an_arm
from whoworks.design.design import Design
from whoworks.design.folds import assign_folds
from whoworks.inference.block_level import block_level
from whoworks.panel.panel import Panel, Role
from whoworks.scores.aipw import aipw_scores
from whoworks.scores.analysed import find_analysed
from whoworks.scores.covariates import affordable
from whoworks.scores.prognosis import ROUNDING, Prognosis, cross_fit_prognosis
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


def build_scores(panel: Panel, design: Design, *, outcome: str, seed: np.random.SeedSequence) -> tuple[Scores, ...]:
    """Return the scores of an outcome, one set per treatment against control.

    Parameters
    ----------
    outcome : name of the outcome's variable; units that lack it are left out
    seed : feeds the folds; the same seed gives the same scores
    """
    return next(deal_scores(panel, design, outcome=outcome, seeds=[seed]))


def deal_scores(
    panel: Panel, design: Design, *, outcome: str, seeds: Iterable[np.random.SeedSequence]
) -> Iterator[tuple[Scores, ...]]:
    """Yield for each seed what `build_scores` returns: the same units and covariates, other folds."""
    kept = find_analysed(panel, design, outcome)
    rows = design.rows[kept]
    cluster = np.unique(design.cluster[kept], return_inverse=True)[1].astype(np.int64)
    block = np.unique(design.block[kept], return_inverse=True)[1].astype(np.int64)
    arm, assigned = design.arm[kept], design.assigned[kept]
    y = panel.values[outcome].to_numpy(dtype=np.float64)[rows]
    values = panel.values.iloc[rows].reset_index(drop=True)
    without = came_with_an_arm(panel.values, panel.variables, design)
    variables = affordable(panel, outcome=panel.variable(outcome), rows=rows, cluster=cluster, without=without)
    for seed in seeds:
        (for_folds,) = seed.spawn(1)
        rng = np.random.default_rng(for_folds)
        fold = assign_folds(cluster=cluster, block=block, arm=arm, assigned=assigned, rng=rng)
        prognosis = cross_fit_prognosis(
            y=y, values=values, variables=variables, cluster=cluster, block=block, fold=fold
        )
        yield tuple(
            _contrast(panel, design, kept=kept, y=y, fold=fold, prognosis=prognosis, treatment=k, outcome=outcome)
            for k in range(1, len(design.arms))
        )


def _contrast(
    panel: Panel, design: Design, *, kept: NDArray[np.bool_], y: Vector, fold: Codes,
    prognosis: Prognosis, treatment: int, outcome: str,
) -> Scores:  # fmt: skip
    arm, probability = design.arm[kept], design.probability[kept]
    rows = design.rows[kept]
    z, control = (arm == treatment).astype(np.float64), (arm == 0).astype(np.float64)
    others = [k for k in range(1, len(design.arms)) if k != treatment]
    own = probability[np.arange(len(arm)), arm]
    block = np.unique(design.block[kept], return_inverse=True)[1].astype(np.int64)
    e, e0 = probability[:, treatment], probability[:, 0]
    rest = y if prognosis.h is None else y - prognosis.h
    level = block_level(rest, block, z=z - 0.5, weights=(z + control) / own)
    mu = np.round((y - rest) + level, ROUNDING)
    takeup = panel.having(Role.TAKEUP)
    return Scores(
        outcome=outcome, contrast=f"{design.arms[treatment]} - {design.arms[0]}", rows=rows, y=y, z=z,
        other=(arm[:, None] == np.array(others, dtype=np.int64)[None, :]).astype(np.float64),
        d=panel.values[takeup[0].name].to_numpy(dtype=np.float64)[rows] if takeup else None,
        e=e, own=own, mu0=mu, mu1=mu, h=prognosis.h,
        score=aipw_scores(
            y=y, z=z, mu0=mu, mu1=mu, control=control,
            e=e * _drawn_share(block, z / e), e0=e0 * _drawn_share(block, control / e0),
        ),
        cluster=np.unique(design.cluster[kept], return_inverse=True)[1].astype(np.int64), block=block,
        site=None if design.site is None else np.unique(design.site[kept], return_inverse=True)[1].astype(np.int64),
        fold=fold, id=panel.units["unit_id"].to_numpy(dtype=object)[rows],
        prognosis_name=prognosis.learner, share_explained=prognosis.share_explained,
    )  # fmt: skip


def _drawn_share(block: Codes, weights: Vector) -> Vector:
    """Return the block mean of indicators over probabilities, (n,): 1 where as many were drawn as the design expects.

    Probabilities times this make the mean of the scores of a block the difference of its arms' weighted means (Hajek).
    """
    mean = (np.bincount(block, weights) / np.bincount(block))[block]
    return np.where(mean > 0, mean, 1.0)
