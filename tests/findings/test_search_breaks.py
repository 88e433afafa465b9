"""Five deliberate breaks of the search for who gains, and for each the test that turns red."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.redrawn import classrooms, predict, redraw
from tests.findings.test_candidates import (
    test_an_estimate_in_the_clusters_that_proposed_is_refused as own_half_is_refused,
)
from tests.findings.test_families import test_planned_tests_are_one_family_by_holm as planned_are_by_holm
from tests.findings.test_sorted_groups import (
    test_pooled_folds_lend_nothing_to_the_difference as pooled_folds_lend_nothing,
)
from whoworks.errors import ForestError
from whoworks.findings.multiplicity import families
from whoworks.findings.searches import candidates, exploration
from whoworks.findings.searches.exploration import find_heterogeneity
from whoworks.forests import causal
from whoworks.forests.causal import CausalForest


def pooled_p(monkeypatch):
    """Take range and p from the pooled folds themselves, as if they were one sequence."""
    honest = exploration._difference_over_sequences

    def pooled(setting, predictions, n_groups):
        once = replace(predictions, forward=predictions.tau[None, :], forward_fold=predictions.fold[None, :])
        return honest(setting, once, n_groups)

    monkeypatch.setattr(exploration, "_difference_over_sequences", pooled)


def standardised_within_fold(monkeypatch):
    centre = exploration._centre_within

    def standardise(fold, values, keep):
        centred = centre(fold, values, keep)
        square = np.bincount(fold[keep], centred[keep] ** 2) / np.maximum(np.bincount(fold[keep]), 1)
        return centred / np.sqrt(np.where(square > 0, square, 1.0))[fold]

    monkeypatch.setattr(exploration, "_centre_within", standardise)


def own_half(monkeypatch):
    monkeypatch.setattr(candidates, "held_out", lambda candidate, setting, *, units: units)


def ids_as_features(monkeypatch):
    monkeypatch.setattr(causal, "refuse_identifiers", lambda *_: None)


def holm_left_out(monkeypatch):
    monkeypatch.setattr(families, "holm", np.asarray)


def timid_folds_stay_timid():
    """Predictions a hundredth as large in one fold say little there: the t follows their size, fold by fold."""
    drawn = redraw(classrooms(24), seed=5, by_lunch=0.5)
    predictions = predict(classrooms(24), drawn.setting, repeats=1)
    timid = np.where(predictions.forward_fold == predictions.forward_fold.max(), 0.01, 1.0)
    shrunk = replace(predictions, forward=predictions.forward * timid)
    assert find_heterogeneity(drawn.setting, shrunk).statistic != pytest.approx(
        find_heterogeneity(drawn.setting, predictions).statistic, rel=1e-6
    )


def ids_are_refused():
    rng = np.random.default_rng(1)
    room = np.repeat(np.arange(30), 10)
    x = pd.DataFrame({"pretest": rng.normal(size=300), "room": room})
    with pytest.raises(ForestError, match="names the cluster"):
        CausalForest(n_estimators=4, random_state=1).fit(
            x, rng.normal(size=300), (room % 2).astype(float), cluster=room, propensity=0.5, prognosis=np.zeros(300)
        )


BREAKS = {
    "pooled K-fold p: what pooled folds predict reaches no test": (pooled_p, pooled_folds_lend_nothing),
    "standardised within fold: a timid fold stays timid": (standardised_within_fold, timid_folds_stay_timid),
    "a candidate tested on its own half: refused": (own_half, own_half_is_refused),
    "ids as features: refused": (ids_as_features, ids_are_refused),
    "Holm left out: planned tests of a domain are one family": (holm_left_out, planned_are_by_holm),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_turns_its_test_red(monkeypatch, name):
    break_it, check = BREAKS[name]
    check()
    break_it(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check()
