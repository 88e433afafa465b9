"""Whether the ranking by predicted effect is worth anything: what is gained by offering to those ranked highest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import Finding
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.findings.searches.sequential import MeanT, join_sequences, sequential_fields, tell_steadiness
from whoworks.findings.searches.targeting import draw_halves, targeting_curve
from whoworks.findings.setting import TOO_FEW_DF, UNTESTED, Setting
from whoworks.forests.protocol import Predictions
from whoworks.inference.cluster_robust import ROUNDING
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

N_HALVES = 100  # half-samples of each sequence
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 10))
TOP = 1 / 3
FEWEST_ALONE = 4  # clusters of a block from which each is drawn by itself
AREA, TOP_THIRD = "AUTOC", "top third"


def find_ranking(setting: Setting, predictions: Predictions, *, seed: np.random.SeedSequence) -> tuple[Finding, ...]:
    """Estimate the area under the targeting curve, the value of the top third, and points of the curve.

    All from sequences of folds, so that every unit is ranked by a rule that is
    older than its fold. Errors come from half-samples of clusters, drawn by arm
    (of blocks that hold fewer than four), and the t distribution with as many
    degrees of freedom as there are of them less two; over sequences the mean t.
    The curve's points are for the picture, one interval each. First come those
    predicted to gain most: of an outcome that is better when lower, those with
    the lowest predicted effect, and p is small where theirs is lower than all's.
    """
    quantities = {
        AREA: "area under the targeting curve",
        TOP_THIRD: "average effect if offered to the top third minus average effect if offered to all",
    }
    joined = _join(setting, predictions, seed=seed)
    counts = setting.counts(setting.everyone)
    if joined is None:
        note = ("not assessable: under 4 degrees of freedom, or too few clusters in an arm of the folds judged",)
        return tuple(
            setting.finding(
                question="ranking", quantity=quantity, moderator=PREDICTED, level=level, status="descriptive",
                notes=note, **counts,
            )
            for level, quantity in quantities.items()
        )  # fmt: skip
    tests = [
        setting.finding(
            question="ranking", quantity=quantity, moderator=PREDICTED, level=level, status="exploratory",
            notes=("one-sided" + tell_steadiness(joined[level].steadiness),),
            **_fields(setting, joined[level]), **counts,
        )
        for level, quantity in quantities.items()
    ]  # fmt: skip
    points = [_point(setting, joined[f"{share:g}"], share, counts) for share in SHARES]
    return (*tests, *points)


def _point(setting: Setting, joined: MeanT, share: float, counts: dict[str, object]) -> Finding:
    untested = UNTESTED | {"steadiness": None}
    return setting.finding(
        question="ranking", quantity="average effect if offered to this share minus average effect if offered to all",
        moderator=PREDICTED, level=f"{share:g}", status="descriptive",
        **(_fields(setting, joined) | untested), **counts,
    )  # fmt: skip


def _fields(setting: Setting, joined: MeanT) -> dict[str, object]:
    """Return the fields of a finding from gains: estimates as effects on the outcome again, the test as it is."""
    fields = sequential_fields(setting, joined)
    if setting.outcome.gain > 0:
        return fields
    joined = replace(joined, estimate=-joined.estimate)
    return sequential_fields(setting, joined) | {name: fields[name] for name in ("statistic", "p_value", "steadiness")}


def _join(setting: Setting, predictions: Predictions, *, seed: np.random.SeedSequence) -> dict[str, MeanT] | None:
    """Return each quantity over the sequences, in gains; None where they have too few clusters."""
    scores, units, gain = setting.scores, units_halved(setting.scores), setting.outcome.gain
    stratum = _arms_held(setting, units)
    shares = np.array([*SHARES, TOP])
    shape = (len(predictions.forward), len(shares) + 1)
    estimate, error, df = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    rounds = zip(predictions.forward, predictions.forward_fold, seed.spawn(len(predictions.forward)), strict=True)
    for place, (tau, fold, own_seed) in enumerate(rounds):
        keep = ~np.isnan(tau)
        if not setting.is_assessable(keep):
            continue
        cluster = units[keep]
        halves, factor = draw_halves(
            cluster=cluster, stratum=stratum[keep], n_samples=N_HALVES, rng=np.random.default_rng(own_seed)
        )
        held = np.vstack([np.ones((1, len(cluster)), dtype=np.bool_), halves])
        curves = targeting_curve(
            score=gain * scores.score[keep], priority=gain * tau[keep], fold=fold[keep], shares=shares, held=held
        )
        estimate[place] = curves[0]
        spread = np.sqrt(factor * ((curves[1:] - curves[0]) ** 2).mean(axis=0))
        error[place] = np.where(spread > ROUNDING * np.sqrt((scores.y**2).mean()), spread, np.nan)
        df[place] = len(np.unique(cluster)) - 2
    names = [*(f"{share:g}" for share in SHARES), TOP_THIRD, AREA]
    joined = {
        name: join_sequences(estimate=estimate[:, i], std_error=error[:, i], df=df[:, i])
        for i, name in enumerate(names)
    }
    area = joined[AREA]
    return joined if area.df >= TOO_FEW_DF and 2 * area.n_silent <= area.n_sequences else None


def units_halved(scores: Scores) -> Codes:
    """Return codes of what half-samples draw: clusters, or whole blocks where a block holds fewer than four of them.

    A block's level is its own mean, so that the scores of its clusters mirror each other: two of a pair say one thing.
    """
    held = np.unique(np.column_stack([scores.cluster, scores.block]), axis=0)
    if len(held) > len(np.unique(scores.cluster)):  # clusters that meet several blocks
        return scores.cluster
    few = np.bincount(held[:, 1])[scores.block] < FEWEST_ALONE
    return np.where(few, scores.cluster.max() + 1 + scores.block, scores.cluster)


def _arms_held(setting: Setting, cluster: Codes) -> Codes:
    """Return, per unit, which arms its cluster, or other group, holds, as one code."""
    other = ~setting.either
    code = np.zeros(int(cluster.max()) + 1, dtype=np.int64)
    for bit, units in enumerate((setting.treated, setting.control, other)):
        code[np.unique(cluster[units])] += 2**bit
    return code[cluster]
