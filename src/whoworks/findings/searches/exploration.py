"""What predicted effects show, as exploration: whether they are calibrated, and groups sorted by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.groups import Groups
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches.sequential import (
    MeanT,
    join_sequences,
    seed_error_of,
    sequential_fields,
    spread_of_mean,
    steady_over,
    tell_steadiness,
)
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.forests.protocol import Predictions

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

FINEST = 3  # sorted groups; halves where thirds are too thin
PREDICTED = "predicted effect"
ROUNDING = 1e-12  # of the largest prediction: a distance from the fold's mean below it is no distance
TOO_FEW = "not assessable: too few clusters to predict"
ALL_THE_SAME = "not assessable: the predictions are all the same"


def find_heterogeneity(setting: Setting, predictions: Predictions) -> Finding:
    """Test whether predicted differences show up in clusters that the model had not seen.

    The outcome on (1, z) x (1, predicted effect), predictions centred within
    fold; a slope of 1 means that predicted differences are real in full, 0 that
    they are noise. Fold k is predicted from the folds before it, since one
    K-fold split rejects too often when clusters are shared. Over repeats the
    mean t over its spread is referred to the t distribution. One-sided: only a
    positive slope is evidence of differences. A sequence with fewer than three
    clusters to predict in an arm says nothing: its t counts as 0.
    """
    slopes, statistics, dfs = [], [], []
    why = TOO_FEW
    for tau, fold in zip(predictions.forward, predictions.forward_fold, strict=True):
        keep = ~np.isnan(tau)
        if not setting.is_assessable(keep):
            statistics.append(0.0)
            continue
        centred = _centre_within(fold, np.nan_to_num(tau), keep)
        basis = np.column_stack([np.ones(len(tau)), centred])
        estimates = fit_effects(setting.scores, basis=basis, keep=keep).effects([0.0, 1.0])
        if np.isfinite(estimates.statistic[0]):
            slopes.append(float(estimates.estimate[0]))
            statistics.append(float(estimates.statistic[0]))
            dfs.append(float(estimates.df[0]))
        else:  # predictions without any spread: no evidence of differences
            statistics.append(0.0)
            why = ALL_THE_SAME
    df = float(np.mean(dfs)) if dfs else NAN
    t = np.array(statistics)
    spread = spread_of_mean(t, df=df)
    mean_t = float(t.mean()) / spread
    steady = steady_over(mean_t, seed_error=seed_error_of(t) / spread, df=df, n=len(t))
    has_p = df >= TOO_FEW_DF
    return setting.finding(
        question="heterogeneity", quantity="calibration slope of predicted effects", unit="", moderator=PREDICTED,
        estimate=float(np.mean(slopes)) if slopes else NAN, statistic=mean_t if slopes else NAN, df=df, df_num=1.0,
        p_value=float(stats.t.sf(mean_t, df)) if has_p else NAN, status="exploratory",
        notes=("one-sided" + tell_steadiness(steady) if slopes else why,),
        steadiness=steady,
        **setting.counts(setting.everyone),
    )  # fmt: skip


def find_sorted_groups(setting: Setting, predictions: Predictions) -> tuple[Finding, ...]:
    """Tell the effect in groups sorted by predicted effect, and whether top and bottom group differ.

    Units are ranked within fold, each by that fold's rule, so that the top group
    is "the top third by each fold's rule, averaged" (Chernozhukov, Demirer, Duflo
    & Fernandez-Val 2018, section 3). The groups' estimates come from K folds, which
    describe and never test; the difference, its range and its one-sided p all come
    from sequences of folds, so that it is not the groups' own difference. Thirds,
    or halves where a third is too thin: each arm of the top and of the bottom
    group needs three clusters, and the difference 4 degrees of freedom.
    """
    for n_groups in (FINEST, 2):
        groups = rank_groups(predictions.tau, predictions.fold, n_groups)
        if all(setting.is_assessable(groups.member(level)) for level in (0, n_groups - 1)):
            difference = _difference_over_sequences(setting, predictions, n_groups)
            if difference.df >= TOO_FEW_DF and 2 * difference.n_silent <= difference.n_sequences:
                return _describe_groups(setting, groups, difference)
    note = "not assessable: too few clusters in the top or the bottom half, or under 4 degrees of freedom"
    lost = setting.finding(
        question="sorted-group", quantity="top group minus bottom group", moderator=PREDICTED, level="2 - 1",
        reference="1", status="descriptive", notes=(note,), **setting.counts(setting.everyone),
    )  # fmt: skip
    return (lost,)


def _difference_over_sequences(setting: Setting, predictions: Predictions, n_groups: int) -> MeanT:
    """Estimate top minus bottom group where each fold's ranks come from the folds before it."""
    count = len(predictions.forward)
    estimate, error, df = np.full((3, count), np.nan)
    contrast = np.eye(n_groups)[-1]
    for place, (tau, fold) in enumerate(zip(predictions.forward, predictions.forward_fold, strict=True)):
        keep = ~np.isnan(tau)
        groups = rank_groups(tau, fold, n_groups)
        if all(setting.is_assessable(groups.member(level)) for level in (0, n_groups - 1)):
            fit = fit_effects(setting.scores, basis=groups.indicators(tuple(range(n_groups))), keep=keep)
            told = fit.effects(contrast)
            estimate[place], error[place], df[place] = told.estimate[0], told.std_error[0], told.df[0]
    return join_sequences(estimate=estimate, std_error=error, df=df)


def _describe_groups(setting: Setting, groups: Groups, difference: MeanT) -> tuple[Finding, ...]:
    every = tuple(range(len(groups.levels)))
    fit = fit_effects(setting.scores, basis=groups.indicators(every))
    rows = np.eye(len(every))
    rows[1:, 0] = 1.0
    times = setting.scale.times
    effects = fit.effects(rows).estimate
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
    found.append(
        setting.finding(
            question="sorted-group", quantity="top group minus bottom group", moderator=PREDICTED,
            level=f"{top} - {bottom}", reference=bottom, status="exploratory",
            notes=("one-sided" + tell_steadiness(difference.steadiness),), **sequential_fields(setting, difference),
            **setting.counts(groups.member(len(every) - 1), groups.member(0)),
        )
    )  # fmt: skip
    return tuple(found)


def rank_groups(tau: Vector, fold: Codes, n_groups: int) -> Groups:
    """Cut each fold's units into groups of equal size by predicted effect; ties keep the panel's order.

    A unit without a prediction (NaN) is in no group.
    """
    code = np.full(len(tau), -1, dtype=np.int64)
    for k in np.unique(fold):
        place = np.flatnonzero((fold == k) & ~np.isnan(tau))
        rank = np.argsort(np.argsort(tau[place], kind="stable"), kind="stable")
        code[place] = rank * n_groups // max(len(place), 1)
    return Groups(code=code, levels=tuple(str(i + 1) for i in range(n_groups)))


def _centre_within(fold: Codes, values: Vector, keep: NDArray[np.bool_]) -> Vector:
    count = np.bincount(fold[keep], minlength=int(fold.max()) + 1)
    mean = np.bincount(fold[keep], values[keep], minlength=len(count)) / np.maximum(count, 1)
    centred = np.where(keep, values - mean[fold], 0.0)
    return np.asarray(np.where(np.abs(centred) > ROUNDING * np.abs(values).max(), centred, 0.0), dtype=np.float64)
