"""How often sorted groups and rankings claim something where effects differ along nothing that is recorded."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.findings.redrawn import classrooms, predict, redraw
from whoworks.findings.searches.exploration import find_sorted_groups
from whoworks.findings.searches.ranking import find_ranking

REPLICATES = 60
AT_MOST = int(stats.binom.ppf(0.9995, REPLICATES, 0.07))


@pytest.fixture(scope="module")
def p_values() -> dict[str, np.ndarray]:
    """Return the p-values of 60 replicates with 20 classes: two sequences of folds each, effects varying by class."""
    told: dict[str, list[float]] = {"3 - 1": [], "AUTOC": [], "top third": []}
    for seed in range(REPLICATES):
        drawn = redraw(classrooms(20), seed=500 + seed, varying=0.3)
        predictions = predict(classrooms(20), drawn.setting, repeats=2, seed=seed)
        groups = find_sorted_groups(drawn.setting, predictions)
        told["3 - 1"].append(groups[-1].p_value)
        for finding in find_ranking(drawn.setting, predictions, seed=np.random.SeedSequence(seed))[:2]:
            told[finding.level].append(finding.p_value)
    return {name: np.array(values) for name, values in told.items()}


@pytest.mark.parametrize("name", ["3 - 1", "AUTOC", "top third"])
def test_a_true_null_is_seldom_rejected(p_values, name):
    """More rejections than this would come by chance once in 2,000 runs if the size were 7 %."""
    assert (p_values[name] <= 0.05).sum() <= AT_MOST


@pytest.mark.parametrize("name", ["3 - 1", "AUTOC"])
def test_most_replicates_can_be_assessed(p_values, name):
    assert np.isfinite(p_values[name]).mean() > 0.8
