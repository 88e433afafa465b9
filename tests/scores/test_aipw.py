"""The score's algebra."""

from __future__ import annotations

import numpy as np
import pytest

from whoworks.scores.aipw import aipw_scores


@pytest.fixture
def trial():
    rng = np.random.default_rng(0)
    z = rng.permutation(np.repeat([0.0, 1.0], 50))
    return {"y": rng.normal(50, 10, 100), "z": z, "mu0": rng.normal(50, 5, 100), "mu1": rng.normal(52, 5, 100),
            "e": np.full(100, 0.5)}  # fmt: skip


def test_constant_nuisances_give_the_difference_in_means(trial):
    constant = trial | {"mu0": np.full(100, 12.0), "mu1": np.full(100, 99.0)}
    y, z = trial["y"], trial["z"]
    np.testing.assert_allclose(aipw_scores(**constant).mean(), y[z == 1].mean() - y[z == 0].mean(), rtol=1e-12)


def test_adding_a_constant_to_the_outcome_and_its_prognoses_changes_nothing(trial):
    moved = trial | {name: trial[name] + 7 for name in ("y", "mu0", "mu1")}
    np.testing.assert_allclose(aipw_scores(**moved), aipw_scores(**trial), rtol=1e-10)


def test_swapping_the_arms_flips_the_sign(trial):
    swapped = trial | {"z": 1 - trial["z"], "mu0": trial["mu1"], "mu1": trial["mu0"], "e": 1 - trial["e"]}
    np.testing.assert_allclose(aipw_scores(**swapped), -aipw_scores(**trial), rtol=1e-10)


def test_the_score_is_the_inverse_propensity_contrast_of_what_h_leaves(trial):
    """score = (z - e) / (e (1 - e)) (y - h), h = (1 - e) mu1 + e mu0."""
    trial["e"] = np.random.default_rng(1).uniform(0.1, 0.9, 100)
    e, h = trial["e"], (1 - trial["e"]) * trial["mu1"] + trial["e"] * trial["mu0"]
    expected = (trial["z"] - e) / (e * (1 - e)) * (trial["y"] - h)
    np.testing.assert_allclose(aipw_scores(**trial), expected, rtol=1e-10)


def test_the_mean_over_all_assignments_is_the_average_effect_whatever_the_prognosis():
    """Exactly, over both arms of each unit: unbiased by design, prognosis right or wrong."""
    rng = np.random.default_rng(2)
    y0, y1, mu0, mu1 = rng.normal(size=(4, 30))
    e = rng.uniform(0.2, 0.8, 30)
    nuisance = {"mu0": mu0, "mu1": mu1, "e": e}
    treated = aipw_scores(y=y1, z=np.ones(30), **nuisance)
    control = aipw_scores(y=y0, z=np.zeros(30), **nuisance)
    np.testing.assert_allclose(e * treated + (1 - e) * control, y1 - y0, rtol=1e-10)


def test_with_three_arms_units_of_the_third_count_by_prognosis_alone():
    rng = np.random.default_rng(3)
    mu0, mu1, y = rng.normal(size=(3, 9))
    arm = np.repeat([0, 1, 2], 3)
    z, control = (arm == 1).astype(float), (arm == 0).astype(float)
    third = np.full(9, 1 / 3)
    found = aipw_scores(y=y, z=z, mu0=mu0, mu1=mu1, e=third, control=control, e0=third)
    np.testing.assert_allclose(found[arm == 2], (mu1 - mu0)[arm == 2], rtol=1e-12)
    np.testing.assert_allclose(found[arm == 1], (mu1 - mu0 + 3 * (y - mu1))[arm == 1], rtol=1e-12)
    np.testing.assert_allclose(found[arm == 0], (mu1 - mu0 - 3 * (y - mu0))[arm == 0], rtol=1e-12)
