"""What predicted effects show, as exploration: whether they are calibrated, and groups sorted by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.groups import Groups
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.forests.protocol import Predictions

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

FINEST = 5  # sorted groups; halves where fifths are too thin
PREDICTED = "predicted effect"


def find_heterogeneity(setting: Setting, predictions: Predictions) -> Finding:
    """Test whether predicted differences show up in clusters that the model had not seen.

    The outcome on (1, z) x (1, predicted effect), predictions centred within
    fold; a slope of 1 means that predicted differences are real in full, 0 that
    they are noise. Fold k is predicted from the folds before it, since one
    K-fold split rejects too often when clusters are shared. Over repeats the
    mean t is referred to the t distribution, which is conservative. One-sided:
    only a positive slope is evidence of differences.
    """
    slopes, statistics, dfs = [], [], []
    for tau, fold in zip(predictions.forward, predictions.forward_fold, strict=True):
        keep = ~np.isnan(tau)
        centred = _centre_within(fold, np.nan_to_num(tau), keep)
        basis = np.column_stack([np.ones(len(tau)), centred])
        estimates = fit_effects(setting.scores, basis=basis, keep=keep).effects([0.0, 1.0])
        if np.isfinite(estimates.statistic[0]):
            slopes.append(float(estimates.estimate[0]))
            statistics.append(float(estimates.statistic[0]))
            dfs.append(float(estimates.df[0]))
        else:  # predictions without any spread: no evidence of differences
            statistics.append(0.0)
    everyone = np.ones(len(setting.scores.y), dtype=np.bool_)
    df = float(np.mean(dfs)) if dfs else NAN
    mean_t = float(np.mean(statistics))
    has_p = df >= TOO_FEW_DF
    return setting.finding(
        question="heterogeneity", quantity="calibration slope of predicted effects", unit="", moderator=PREDICTED,
        estimate=float(np.mean(slopes)) if slopes else NAN, statistic=mean_t, df=df, df_num=1.0,
        p_value=float(stats.t.sf(mean_t, df)) if has_p else NAN, status="exploratory",
        notes=(f"one-sided; mean t over {len(statistics)} sequences of folds of whole clusters",),
        **setting.counts(everyone),
    )  # fmt: skip


def find_sorted_groups(setting: Setting, predictions: Predictions) -> tuple[Finding, ...]:
    """Describe the effect in groups sorted by predicted effect.

    Units are ranked within fold, each by that fold's rule, so that the top group
    is "the top fifth by each fold's rule, averaged". Point estimates only: pooled
    folds describe and never test.
    """
    for n_groups in (FINEST, 2):
        code = _rank_groups(predictions.tau, predictions.fold, n_groups)
        groups = Groups(code=code, levels=tuple(str(i + 1) for i in range(n_groups)))
        if all(setting.is_assessable(groups.member(level)) for level in (0, n_groups - 1)):
            return _describe_groups(setting, groups)
    return ()


def _describe_groups(setting: Setting, groups: Groups) -> tuple[Finding, ...]:
    every = tuple(range(len(groups.levels)))
    fit = fit_effects(setting.scores, basis=groups.indicators(every))
    rows = np.eye(len(every))
    rows[1:, 0] = 1.0
    times = 100.0 if setting.scale.binary else 1.0
    effects = fit.effects(np.vstack([rows, rows[-1] - rows[0]])).estimate
    note = ("a description: each fold's own rule decides who is where; it carries no test",)
    found = [
        setting.finding(
            question="sorted-group", quantity="average effect in the group", moderator=PREDICTED, level=name,
            estimate=times * float(effects[level]), effect_size=setting.scale.effect_size(float(effects[level])),
            sd_used=setting.scale.name, status="descriptive", notes=note, **setting.counts(groups.member(level)),
        )
        for level, name in enumerate(groups.levels)
    ]  # fmt: skip
    top, bottom = groups.levels[-1], groups.levels[0]
    difference = float(effects[-1])
    found.append(
        setting.finding(
            question="sorted-group", quantity="top group minus bottom group", moderator=PREDICTED,
            level=f"{top} - {bottom}", reference=bottom, estimate=times * difference,
            effect_size=setting.scale.difference(difference), sd_used=setting.scale.name, status="descriptive",
            notes=note, **setting.counts(groups.member(len(every) - 1), groups.member(0)),
        )
    )  # fmt: skip
    return tuple(found)


def _rank_groups(tau: Vector, fold: Codes, n_groups: int) -> Codes:
    """Cut each fold's units into groups of equal size by predicted effect; ties keep the panel's order."""
    code = np.empty(len(tau), dtype=np.int64)
    for k in np.unique(fold):
        place = np.flatnonzero(fold == k)
        rank = np.argsort(np.argsort(tau[place], kind="stable"), kind="stable")
        code[place] = rank * n_groups // len(place)
    return code


def _centre_within(fold: Codes, values: Vector, keep: NDArray[np.bool_]) -> Vector:
    count = np.bincount(fold[keep], minlength=int(fold.max()) + 1)
    mean = np.bincount(fold[keep], values[keep], minlength=len(count)) / np.maximum(count, 1)
    return np.asarray(np.where(keep, values - mean[fold], 0.0), dtype=np.float64)
