"""The average effect: R's numbers on bare plans, two weightings and what tells them apart, p by re-drawing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

import whoworks as ww
from tests.findings.pilots import open_pilot, student_moderator, three_arms, where
from tests.reference.cases import read_case
from whoworks.findings.planned.average import find_average, measure_precision
from whoworks.findings.redrawing.randomization import N_DRAWS, randomization_test
from whoworks.findings.redrawing.studentised import StudentisedEffect
from whoworks.findings.regression import fit_effects, weighting_difference
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.simulate.worlds import WORLDS


def average_statistic(scores):
    return StudentisedEffect.of_average(scores)(scores)


BARE = {
    "eef_crt_bare": (2.91993801652893, 1.54339408673112, 11.6649346305757),
    "schoolrct_bare": (4.329958, 0.580082, 719.818),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", BARE)
def test_bare_plans_give_rs_numbers(shared, name):
    findings = ww.Study.from_plan(shared / "plans" / f"{name}.toml").run().findings
    found = where(findings, question="average", estimand="itt", weighting="student")
    estimate, error, df = BARE[name]
    digits = 1e-8 if name == "eef_crt_bare" else 1e-6  # R's numbers as they were handed down: so many digits
    assert found.estimate == pytest.approx(estimate, rel=digits)
    assert found.std_error == pytest.approx(error, rel=1e-6)
    assert found.df == pytest.approx(df, rel=1e-6)


@pytest.fixture(scope="module")
def few():
    """Twelve classes in three schools."""
    return open_pilot("constant-effect", students=300, classes=12, schools=3, seed=5)


@pytest.fixture(scope="module")
def averages():
    return find_average(student_moderator().main, rng=np.random.default_rng(0))


def test_the_average_is_the_regression_that_the_page_names(averages):
    scores = student_moderator().scores
    code = np.unique(scores.cluster, return_inverse=True)[1]
    mean = (np.bincount(code, scores.h) / np.bincount(code))[code]
    fit = cluster_robust(
        X=np.column_stack([scores.z, mean, scores.h - mean]), y=scores.y, cluster=scores.cluster,
        weights=scores.z / scores.e + (1 - scores.z) / (1 - scores.e), absorb=scores.block,
    )  # fmt: skip
    found = where(averages, question="average", weighting="student")
    assert found.estimate == pytest.approx(fit.estimates.estimate[0], rel=1e-10)
    assert found.std_error == pytest.approx(fit.estimates.std_error[0], rel=1e-10)
    assert found.df == pytest.approx(fit.estimates.df[0], rel=1e-10)
    low, high = fit.estimates.interval()
    assert (found.conf_low, found.conf_high) == pytest.approx((low[0], high[0]), rel=1e-10)


def test_with_hs_coefficient_at_one_it_is_the_hajek_weighted_mean_of_what_h_leaves():
    scores = replace(student_moderator().scores, block=np.zeros(len(student_moderator().scores.y), dtype=np.int64))
    rest = replace(scores, y=scores.y - scores.h, h=None)
    weights, treated = 1 / scores.own, scores.z == 1
    hajek = [np.average(rest.y[arm], weights=weights[arm]) for arm in (treated, ~treated)]
    assert fit_effects(rest).effects([1.0]).estimate[0] == pytest.approx(hajek[0] - hajek[1], rel=1e-10)


def test_under_twenty_clusters_an_arm_the_prognosis_enters_with_one_slope(few):
    assert fit_effects(few.scores).fit.coefficients.shape == (2,)
    assert fit_effects(student_moderator().scores).fit.coefficients.shape == (3,)
    assert "one slope" in measure_precision(few.main).rule
    assert "cluster mean" in measure_precision(student_moderator().main).rule


def test_shifting_the_outcome_moves_no_effect():
    scores = student_moderator().scores
    moved = fit_effects(replace(scores, y=scores.y + 1000)).effects([1.0])
    still = fit_effects(scores).effects([1.0])
    np.testing.assert_allclose(moved.estimate, still.estimate, rtol=1e-9)
    np.testing.assert_allclose(moved.std_error, still.std_error, rtol=1e-9)


def test_swapping_the_arms_flips_the_estimate_and_keeps_its_error():
    scores = student_moderator().scores
    still, flipped = (fit_effects(s).effects([1.0]) for s in (scores, replace(scores, z=1 - scores.z)))
    np.testing.assert_allclose(flipped.estimate, -still.estimate, rtol=1e-9)
    np.testing.assert_allclose(flipped.std_error, still.std_error, rtol=1e-9)


def test_each_cluster_equally_is_the_difference_of_cluster_means():
    bare = open_pilot("informative-size", students=400, classes=20, schools=20, blocks="none").without_prognosis()
    found = fit_effects(bare.scores, weighting="cluster").effects([1.0])
    codes = np.unique(bare.scores.cluster)
    means = np.array([bare.scores.y[bare.scores.cluster == c].mean() for c in codes])
    arm = np.array([bare.scores.z[bare.scores.cluster == c][0] for c in codes])
    expected = means[arm == 1].mean() - means[arm == 0].mean()
    assert found.estimate[0] == pytest.approx(expected, rel=1e-10)
    neyman = sum(means[arm == a].var(ddof=1) / (arm == a).sum() for a in (0, 1))
    # CR2 supposes equal variances of students, hence near, not at, the error of means that vary alike
    assert found.std_error[0] == pytest.approx(np.sqrt(neyman), rel=0.02)


def test_r_gives_the_same_numbers_for_the_cluster_weighting_of_the_shipped_pilot():
    """The case `weights 1/class_size`, which clubSandwich has fitted."""
    case = read_case("lakeside: rit_spring ~ z, weights 1/class_size | cluster class_id")
    fit = cluster_robust(X=case.X, y=case.y, cluster=case.cluster, weights=case.weights)
    codes, z, y = case.cluster.to_numpy(), case.X["z"].to_numpy(), case.y.to_numpy()
    means = {c: (y[codes == c].mean(), z[codes == c][0]) for c in np.unique(codes)}
    arms = [np.mean([m for m, arm in means.values() if arm == a]) for a in (1, 0)]
    assert fit.coefficients[1] == pytest.approx(arms[0] - arms[1], rel=1e-10)


def test_the_two_weightings_differ_by_their_difference(averages):
    student, cluster, difference = averages
    assert (student.weighting, cluster.weighting, difference.weighting) == ("student", "cluster", "both")
    assert difference.estimate == pytest.approx(student.estimate - cluster.estimate, rel=1e-9)
    assert difference.moderator == "weighting"
    assert difference.status == "descriptive"


def test_the_error_of_the_weightings_difference_is_near_a_bootstrap_of_classes():
    """1,000 draws of whole classes within arms; the ratio's own error is about 3 %, CR2 is a little the larger."""
    opened = open_pilot("informative-size", students=1000, classes=40, schools=40, blocks="none").without_prognosis()
    scores, rng = opened.scores, np.random.default_rng(0)
    codes = np.unique(scores.cluster)
    n = np.array([(scores.cluster == c).sum() for c in codes])
    mean = np.array([scores.y[scores.cluster == c].mean() for c in codes])
    arm = np.array([scores.z[scores.cluster == c][0] for c in codes])
    draws = []
    for _ in range(1000):
        parts = [rng.choice(np.flatnonzero(arm == a), size=(arm == a).sum()) for a in (1, 0)]
        student, cluster = ([np.average(mean[p], weights=w[p]) for p in parts] for w in (n, np.ones(len(n))))
        draws.append(student[0] - student[1] - (cluster[0] - cluster[1]))
    found = weighting_difference(scores)
    assert 0.9 < found.std_error[0] / np.std(draws) < 1.2


def test_equal_clusters_leave_the_weightings_nothing_to_differ_in():
    """Both averages are the same number up to rounding: no p may be made of rounding."""
    scores = open_pilot("no-effect", students=480, classes=24, schools=6).scores
    kept = np.concatenate([np.flatnonzero(scores.cluster == c)[:8] for c in np.unique(scores.cluster)])
    arrays = (
        "rows",
        "y",
        "z",
        "other",
        "e",
        "own",
        "mu0",
        "mu1",
        "h",
        "score",
        "cluster",
        "block",
        "fold",
        "id",
        "site",
    )
    equal = replace(scores, d=None, **{name: getattr(scores, name)[kept] for name in arrays})
    found = weighting_difference(equal)
    assert abs(found.estimate[0]) < 1e-9
    assert np.isnan(found.p_value[0])


def test_with_students_as_clusters_there_is_one_weighting():
    opened = open_pilot("constant-effect", names=("frl",), students=160, classes=8, schools=4, assigned="student")
    assert opened.design.cluster_level == "student"
    assert [f.weighting for f in find_average(opened.main, rng=np.random.default_rng(0))] == ["student"]


def test_only_the_student_weighting_of_the_primary_contrast_is_confirmatory(averages):
    assert [f.status for f in averages[:2]] == ["confirmatory", "exploratory"]
    second = find_average(three_arms().settings[1], rng=np.random.default_rng(0))
    assert second[0].status == "exploratory"


def test_several_arms_are_fitted_together():
    setting = three_arms().main
    scores = setting.scores
    X = np.column_stack([scores.z, scores.other, scores.h])
    fit = cluster_robust(X=X, y=scores.y, cluster=scores.cluster, weights=1 / scores.own, absorb=scores.block)
    found = fit_effects(scores).effects([1.0])
    np.testing.assert_allclose(found.estimate, fit.coefficients[0], rtol=1e-10)
    np.testing.assert_allclose(found.std_error, fit.estimates.std_error[0], rtol=1e-10)


def test_precision_tells_the_error_with_and_without_the_prognosis_and_by_block():
    opened = student_moderator()
    found = measure_precision(opened.main)
    bare = fit_effects(opened.without_prognosis().scores).effects([1.0])
    assert found.std_error < found.std_error_unadjusted
    assert found.std_error_unadjusted == pytest.approx(float(bare.std_error[0]), rel=1e-10)
    by_block = fit_effects(opened.scores, cluster=opened.scores.block).effects([1.0])
    assert found.std_error_by_block == pytest.approx(float(by_block.std_error[0]), rel=1e-10)
    assert (found.cluster_level, found.block_level) == ("class", "school")


# ---- re-drawing the assignment -----------------------------------------------------------------------------------


def tiny(classes, schools, *, blocks="none", seed=3, **more):
    students = 10 * classes
    return open_pilot("no-effect", names=("frl",), students=students, classes=classes, schools=schools,
                      blocks=blocks, seed=seed, **more)  # fmt: skip


@pytest.mark.parametrize(("classes", "smallest"), [(6, 0.1), (8, 2 / 70)])
def test_the_smallest_p_of_three_or_four_classes_an_arm_is_told(classes, smallest):
    opened = tiny(classes, classes)
    test = randomization_test(
        opened.scores, opened.design, statistic=average_statistic, effect=0.0, rng=np.random.default_rng(0)
    )
    assert test.is_exact
    assert test.smallest == pytest.approx(smallest)
    huge = replace(opened.scores, y=opened.scores.y + 1000 * opened.scores.z)
    p = randomization_test(huge, opened.design, statistic=average_statistic, effect=0.0, rng=np.random.default_rng(0))
    assert p.p_value == pytest.approx(smallest)


def test_the_exact_p_is_that_of_every_assignment_written_out():
    opened = tiny(8, 8)
    scores = opened.without_prognosis().scores
    test = randomization_test(
        scores, opened.design, statistic=average_statistic, effect=0.0, rng=np.random.default_rng(0)
    )
    statistics = []
    for treated in itertools.combinations(range(8), len(np.unique(scores.cluster[scores.z == 1]))):
        z = np.isin(scores.cluster, treated).astype(float)
        fit = cluster_robust(X=np.column_stack([np.ones(len(z)), z]), y=scores.y, cluster=scores.cluster)
        statistics.append(abs(fit.estimates.statistic[1]))
    observed = abs(average_statistic(scores))
    assert test.n_draws == len(statistics) == 70
    assert test.p_value == pytest.approx(np.mean(np.array(statistics) >= observed * (1 - 1e-9)))


def test_draws_stay_within_blocks():
    opened = tiny(8, 2, blocks="school")
    test = randomization_test(
        opened.scores, opened.design, statistic=average_statistic, effect=0.0, rng=np.random.default_rng(0)
    )
    assert test.n_draws == 6 * 6


def test_a_constant_effect_is_exactly_allowed_for():
    opened = tiny(8, 8)
    scores = opened.without_prognosis().scores
    raised = replace(scores, y=scores.y + 3.0 * scores.z)
    run = {"design": opened.design, "statistic": lambda s: float(fit_effects(s).effects([1.0]).estimate[0])}
    plain = randomization_test(scores, effect=0.0, rng=np.random.default_rng(0), **run)
    centred = lambda s: float(fit_effects(s).effects([1.0]).estimate[0]) - 3.0  # noqa: E731
    shifted = randomization_test(
        raised, effect=3.0, rng=np.random.default_rng(0), design=opened.design, statistic=centred
    )
    assert shifted.p_value == pytest.approx(plain.p_value)


def test_with_many_draws_a_sample_is_taken_and_the_actual_one_counts():
    opened = tiny(20, 20)
    huge = replace(opened.scores, y=opened.scores.y + 1000 * opened.scores.z)
    statistic = lambda s: float(s.y[s.z == 1].mean() - s.y[s.z == 0].mean())  # noqa: E731
    test = randomization_test(huge, opened.design, statistic=statistic, effect=0.0, rng=np.random.default_rng(0))
    assert not test.is_exact
    assert test.n_draws == N_DRAWS
    assert test.p_value >= 1 / (N_DRAWS + 1)


def test_arms_outside_the_contrast_stay_where_they_are():
    """Their effects are unknown: re-drawing them too would count the third arm's effect as noise, or as the null."""
    opened = open_pilot("three-arms", names=("frl",), students=120, classes=12, schools=2, blocks="school", seed=2)
    setting = opened.settings[0]
    seen = []

    def statistic(scores):
        seen.append(scores.other[:, 0].copy())
        return average_statistic(scores)

    randomization_test(setting.scores, opened.design, statistic=statistic, effect=0.0, rng=np.random.default_rng(0))
    assert len(seen) > 10
    assert all(np.array_equal(each, setting.scores.other[:, 0]) for each in seen)


def test_few_clusters_bring_a_randomisation_p_and_many_do_not(few, averages):
    found = find_average(few.main, rng=np.random.default_rng(0))
    assert 0 < found[0].p_randomization <= 1
    assert any("smallest this design can give" in note for note in found[0].notes)
    assert np.isnan(found[1].p_randomization)
    assert np.isnan(averages[0].p_randomization)


def test_under_four_degrees_of_freedom_the_range_is_printed_and_the_p_is_not():
    opened = tiny(4, 4)
    found = find_average(opened.main, rng=np.random.default_rng(0))[0]
    assert found.df < 4
    assert np.isfinite([found.conf_low, found.conf_high]).all()
    assert np.isnan(found.p_value)
    assert found.notes[0] == "p not assessable: fewer than 4 degrees of freedom"


def test_a_binary_outcome_speaks_in_percentage_points():
    opened = open_pilot(WORLDS["binary-outcome"], names=("frl",), students=400, classes=24, schools=6)
    found = find_average(opened.main, rng=np.random.default_rng(0))[0]
    raw = fit_effects(opened.scores).effects([1.0])
    assert found.unit == "percentage points"
    assert found.estimate == pytest.approx(100 * raw.estimate[0])
    assert found.std_error == pytest.approx(100 * raw.std_error[0])
    assert found.sd_used == "Cox index"


def test_students_as_clusters_share_no_mean_and_the_rule_says_one_slope():
    opened = open_pilot("no-effect", assigned="student", students=400, classes=16, schools=8)
    assert opened.main.design.cluster_level == "student"
    assert fit_effects(opened.scores).fit.coefficients.shape == (2,)
    assert "with one slope" in measure_precision(opened.main).rule


def test_why_no_model_was_learned_is_said_as_it_is(few):
    """Too few clusters of an arm, or enough of them that blocks tie together."""
    bare = [
        replace(s, scores=replace(s.scores, h=None, fold=np.zeros_like(s.scores.fold)))
        for s in (open_pilot("no-effect", students=120, classes=6, schools=1).main, student_moderator().main)
    ]
    rules = [measure_precision(setting).rule for setting in bare]
    assert ["fewer than four clusters" in rule for rule in rules] == [True, False]
    assert ["tie the clusters together" in rule for rule in rules] == [False, True]
