"""Students, places and draws have the shares, spreads and correlations that a world states.

Each comparison is of one large cohort with a fixed seed; limits are five standard errors or more.
"""

from __future__ import annotations

import numpy as np
import pytest

from whoworks.simulate.assignment import draw_arms, pair_neighbours
from whoworks.simulate.cohort import Cohort, draw_cohort
from whoworks.simulate.layout import Layout, divide
from whoworks.simulate.pilot import make_pilot
from whoworks.simulate.traits import open_streams
from whoworks.simulate.worlds import WORLDS, find_world

LARGE = Layout(students=40_000, classes=1600, schools=800)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return draw_cohort(find_world("no-effect"), LARGE, open_streams(11))


def parts(values: np.ndarray, cohort: Cohort) -> tuple[float, float, float]:
    """Variances between schools, between classes of a school and within classes, by analysis of variance."""

    def means(code: np.ndarray) -> np.ndarray:
        return np.bincount(code, weights=values) / np.bincount(code)

    sizes = np.bincount(cohort.klass)
    within = np.sum((values - means(cohort.klass)[cohort.klass]) ** 2) / (len(values) - LARGE.classes)
    rooms = means(cohort.klass).reshape(LARGE.schools, 2)
    klass = rooms.var(axis=1, ddof=1).mean() - within * (1 / sizes).mean()
    school = rooms.mean(axis=1).var(ddof=1) - klass / 2 - within * (1 / sizes).mean() / 2
    return school, klass, within


def test_a_tenth_of_the_variance_lies_between_schools_and_a_tenth_between_their_classes(cohort: Cohort) -> None:
    for values in (cohort.fall, cohort.spring):
        assert parts(values, cohort) == pytest.approx((0.1, 0.1, 0.8), abs=0.035)


def test_fall_and_spring_correlate_by_seven_tenths_within_and_between_classes(cohort: Cohort) -> None:
    total, fall, spring = (parts(v, cohort) for v in (cohort.fall + cohort.spring, cohort.fall, cohort.spring))
    for level, tolerance in ((0, 0.12), (1, 0.12), (2, 0.02)):
        covariance = (total[level] - fall[level] - spring[level]) / 2
        assert covariance / np.sqrt(fall[level] * spring[level]) == pytest.approx(0.7, abs=tolerance)


def test_within_classes_slopes_are_opposite_where_the_world_says_so() -> None:
    cohort = draw_cohort(find_world("opposite-slopes"), LARGE, open_streams(11))
    total, fall, spring = (parts(v, cohort) for v in (cohort.fall + cohort.spring, cohort.fall, cohort.spring))
    signs = [np.sign(total[level] - fall[level] - spring[level]) for level in range(3)]
    assert signs == [-1, -1, 1]


def test_shares_of_groups_are_as_stated(cohort: Cohort) -> None:
    assert cohort.frl.mean() == pytest.approx(0.48, abs=0.03)
    assert cohort.el.mean() == pytest.approx(0.08, abs=0.015)
    assert cohort.girl.mean() == pytest.approx(0.50, abs=0.015)
    assert np.bincount(cohort.klass, weights=cohort.devices)[np.bincount(cohort.klass) > 0].astype(bool).mean() == 0.5
    assert cohort.years.mean() == pytest.approx(9.0, abs=1.0)


def test_lower_fall_scores_go_with_lunch_and_english_learning(cohort: Cohort) -> None:
    assert cohort.fall[cohort.frl == 1].mean() < cohort.fall[cohort.frl == 0].mean() - 0.4
    assert cohort.fall[cohort.el == 1].mean() < cohort.fall[cohort.el == 0].mean() - 0.3


def test_tails_are_heavy_where_the_world_says_so() -> None:
    light, heavy = (draw_cohort(find_world(n), LARGE, open_streams(11)).spring for n in ("no-effect", "heavy-tails"))
    assert heavy.std() == pytest.approx(1, abs=0.05)
    assert np.mean(np.abs(heavy) > 4) > 5 * np.mean(np.abs(light) > 4)


def test_classes_have_unequal_sizes_that_add_up() -> None:
    sizes = make_pilot().records["class_id"].value_counts()
    assert sizes.sum() == 1200
    assert (sizes.min(), sizes.max()) == (17, 33)


def test_offered_classes_are_smaller_where_the_world_says_so() -> None:
    records = make_pilot("size-by-arm", students=4000, classes=160, schools=40).records
    sizes = records.groupby(["arm", "class_id"]).size().groupby("arm").mean()
    assert sizes["adaptive"] / sizes["usual"] == pytest.approx(0.7, abs=0.06)


@pytest.mark.parametrize(("world", "share"), [("attrition", 0.15), ("no-effect", 0.04)])
def test_scores_are_lost_as_stated(world: str, share: float) -> None:
    records = make_pilot(world, students=20_000, classes=800, schools=200).records
    lost = records["rit_spring"].isna().groupby(records["arm"]).mean()
    assert lost["usual"] == pytest.approx(0.04, abs=0.01)
    assert lost["adaptive"] == pytest.approx(share, abs=0.02)


def test_use_is_as_stated() -> None:
    records = make_pilot("partial-takeup", students=20_000, classes=800, schools=200).records
    used = records.groupby("arm")["logged_in"].mean()
    assert used["usual"] == pytest.approx(0.05, abs=0.012)
    assert used["adaptive"] == pytest.approx(0.60, abs=0.025)
    assert ((records["minutes_used"] > 0) <= (records["logged_in"] == 1)).all()


def test_half_of_each_school_s_classes_are_offered() -> None:
    classes = make_pilot().records.drop_duplicates("class_id")
    assert (classes.groupby("school_id")["arm"].value_counts() == 2).all()


def test_pairs_are_neighbours_and_hold_both_arms() -> None:
    classes = make_pilot(blocks="pair").records.drop_duplicates("class_id")
    assert (classes.groupby("pair_id")["arm"].nunique() == 2).all()
    assert (classes.groupby("pair_id")["school_id"].nunique() == 1).all()
    assert pair_neighbours(score=np.array([3.0, 1.0, 2.0, 9.0, 8.0]), stratum=np.zeros(5, dtype=int)).tolist() == [
        1, 0, 0, 1, 1,
    ]  # fmt: skip


def test_shares_differ_by_school_where_the_world_says_so() -> None:
    classes = make_pilot("unequal-shares").records.drop_duplicates("class_id")
    shares = (classes["arm"] == "adaptive").groupby(classes["school_id"]).mean()
    assert sorted(set(shares)) == [0.25, 0.5, 0.75]


def test_every_unit_of_a_block_is_as_likely_to_be_offered() -> None:
    """4,000 draws of 2 of 5; each of five counts alarms by chance once in a million."""
    rng = np.random.default_rng(5)
    block = np.zeros(5, dtype=np.int64)
    draws = np.array([draw_arms(block=block, share=np.array([0.4]), n_arms=2, rng=rng) for _ in range(4000)])
    assert (draws.sum(axis=1) == 2).all()
    assert np.abs(draws.mean(axis=0) - 0.4).max() < 4.9 * np.sqrt(0.24 / 4000)


def test_three_arms_share_what_is_offered() -> None:
    counts = make_pilot("three-arms", share=0.5).records.drop_duplicates("class_id")["arm"].value_counts()
    assert counts.to_dict() == {"usual": 24, "adaptive": 12, "coached": 12}


@pytest.mark.parametrize("total", [100, 101, 137])
def test_dividing_keeps_the_total_and_the_order(total: int) -> None:
    divided = divide(total=total, weights=np.linspace(0.6, 1.4, 9))
    assert divided.sum() == total
    assert (np.diff(divided) >= 0).all()
    assert divided.min() >= 4


def test_every_world_says_what_is_true_in_it() -> None:
    assert all(world.summary and world.equations for world in WORLDS.values())
