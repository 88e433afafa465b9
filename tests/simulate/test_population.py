"""The true effects in closed form are those of the students that are drawn."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from scipy.stats import t as t_distribution

from whoworks.simulate.layout import Layout
from whoworks.simulate.pilot import Pilot, draw_pilot, make_pilot
from whoworks.simulate.population import Population, both_above
from whoworks.simulate.traits import EL_CUT, FRL_CUT
from whoworks.simulate.world import World
from whoworks.simulate.worlds import WORLDS, find_world

DRAWS = 20
# t limit of a two-sided alarm of 1e-6 per comparison: with about 700 of them, one run in a thousand fails by chance.
LIMIT = t_distribution.isf(0.5e-6, DRAWS - 1)
WIDE = Layout(students=3000, classes=120, schools=30)
LAYOUTS = [
    ("informative-size", Layout(students=3000, classes=120, schools=30, assigned="student")),
    ("informative-size", Layout(students=3000, classes=120, schools=30, assigned="school", blocks="pair")),
    ("unequal-shares", Layout(students=3000, classes=120, schools=30, assigned="student")),
    ("middle-heavy", Layout(students=3000, classes=120, schools=30, icc=0.0)),
    ("student-moderator", Layout(students=3000, classes=120, schools=30, blocks="none", icc=0.4)),
    ("three-arms", Layout(students=3000, classes=120, schools=30, share=2 / 3)),
]


@cache
def draw_many(name: str, layout: Layout) -> tuple[tuple[Pilot, ...], tuple[float, ...]]:
    """Draw pilots and from the records of each the weighted difference in means of the first contrast."""
    world = WORLDS[name]
    pilots = [draw_pilot(world, layout, seed=seed)[0] for seed in range(DRAWS)]
    return tuple(pilots), tuple(weighted_difference(world, pilot) for pilot in pilots)


def weighted_difference(world: World, pilot: Pilot) -> float:
    records = pilot.records[pilot.records["arm"].isin(world.arms[:2])].dropna(subset=[world.outcome])
    offered = (records["arm"] == world.arms[1]).astype(float)
    drawn = records["student_id"] if world.size_by_arm != 1.0 else records["class_id"]
    share = offered.groupby([records["school_id"], drawn]).first().groupby(level=0).mean()
    e = records["school_id"].map(share)
    y = records[world.outcome] * (100 if world.binary else 1)
    return float(np.average(y, weights=offered / e) - np.average(y, weights=(1 - offered) / (1 - e)))


def assert_truth_is_the_mean_of_samples(name: str, layout: Layout) -> None:
    draws = [pilot.truth["estimands"] for pilot in draw_many(name, layout)[0]]
    sample = np.array([[entry["sample"] for entry in draw] for draw in draws], dtype=float)
    truth = np.array([entry["population"] for entry in draws[0]], dtype=float)
    spread = np.maximum(sample.std(axis=0, ddof=1) / np.sqrt(DRAWS), 1e-9)
    off = np.abs(sample.mean(axis=0) - truth) / spread
    assert {draws[0][i]["finding_id"]: off[i] for i in np.flatnonzero(off > LIMIT)} == {}


@pytest.mark.truth
@pytest.mark.parametrize("name", WORLDS)
def test_the_mean_of_many_samples_is_the_population_value(name: str) -> None:
    assert_truth_is_the_mean_of_samples(name, WIDE)


@pytest.mark.truth
@pytest.mark.parametrize(("name", "layout"), LAYOUTS)
def test_the_population_value_holds_in_other_layouts(name: str, layout: Layout) -> None:
    assert_truth_is_the_mean_of_samples(name, layout)


@pytest.mark.truth
@pytest.mark.parametrize("name", [name for name in WORLDS if name != "attrition"])
def test_weighted_means_of_the_records_estimate_the_average_effect(name: str) -> None:
    pilots, estimates = draw_many(name, WIDE)
    truth = pilots[0].truth["estimands"][0]["population"]
    assert abs(np.mean(estimates) - truth) < LIMIT * np.std(estimates, ddof=1) / np.sqrt(DRAWS)


@pytest.mark.truth
def test_complete_cases_mislead_where_weak_students_leave() -> None:
    pilots, estimates = draw_many("attrition", WIDE)
    assert np.mean(estimates) - pilots[0].truth["estimands"][0]["population"] > 0.5


def test_no_effect_means_no_difference_anywhere() -> None:
    for entry in make_pilot("no-effect").truth["estimands"]:
        assert entry["population"] == 0
        assert entry["sample"] == 0


@pytest.mark.parametrize(
    "name", ["constant-effect", "class-varying", "opposite-slopes", "useless-prognosis", "attrition"]
)
def test_worlds_without_a_moderator_have_differences_of_exactly_zero(name: str) -> None:
    entries = make_pilot(name).truth["estimands"]
    assert {entry["population"] for entry in entries if entry["question"] == "difference"} == {0.0}


@pytest.mark.parametrize(
    ("name", "finding", "points"),
    [
        ("constant-effect", "average:::student", 3.75),
        ("student-moderator", "average:::student", 3.0),
        ("student-moderator", "subgroup:frl:Y:student", 15 * (0.2 + 0.25 * 0.52)),
        ("student-moderator", "subgroup:frl:N:student", 15 * (0.2 - 0.25 * 0.48)),
        ("student-moderator", "difference:frl:Y:student", 3.75),
        ("student-moderator", "difference:devices:own:student", 0.0),
        ("classroom-moderator", "difference:devices:own:student", 4.5),
        ("classroom-moderator", "difference:frl:Y:student", 0.0),
        ("both", "difference:frl:Y:student", 3.75),
        ("both", "difference:devices:own:student", 4.5),
        ("rare-subgroup", "difference:el:Y:student", 9.0),
        ("rare-subgroup", "subgroup:el:N:student", 0.0),
        ("middle-heavy", "difference:rit_fall::student", 0.0),
        ("informative-size", "average:::cluster", 3.0),
        ("lakeside", "difference:frl:Y:student", 4.5),
    ],
)
def test_a_world_is_as_its_equations_say(name: str, finding: str, points: float) -> None:
    truth = {
        entry["finding_id"].split(":itt:")[-1]: entry["population"] for entry in make_pilot(name).truth["estimands"]
    }
    assert truth[finding] == pytest.approx(points, abs=1e-9)


def test_compliers_gain_the_effect_of_the_offer_over_their_share() -> None:
    entries = make_pilot("partial-takeup").truth["estimands"]
    cace = next(entry for entry in entries if entry["estimand"] == "cace")
    assert cace["population"] == pytest.approx(15 * 0.30)


@pytest.mark.parametrize(("a", "b", "r"), [(0.05, 1.4, 0.2), (0.05, 1.4, -0.3), (0.1, -0.4, 0.7), (0.0, 0.0, 0.0)])
def test_both_above_is_the_bivariate_normal_probability(a: float, b: float, r: float) -> None:
    exact = multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([-a, -b])
    assert both_above(a=a, b=b, r=r) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("moderator", ["frl", "el", "sex"])
def test_groups_average_to_the_average(name: str, moderator: str) -> None:
    population = Population(world=find_world(name), layout=WIDE)
    share = {"frl": 0.48, "el": 0.08, "sex": 0.5}[moderator]
    mean = share * population.effect(moderator, 1) + (1 - share) * population.effect(moderator, 0)
    assert mean == pytest.approx(population.average("student"), abs=1e-9)


def test_every_way_of_telling_is_a_number_for_every_world() -> None:
    for name in WORLDS:
        for entry in make_pilot(name, students=240, classes=12, schools=4).truth["estimands"]:
            assert isinstance(entry["population"], float), (name, entry["finding_id"])


@pytest.mark.parametrize(("moderator", "cut", "share"), [("frl", FRL_CUT, 0.48), ("el", EL_CUT, 0.08)])
def test_the_middle_heavy_effect_of_a_group_is_its_integral(moderator: str, cut: float, share: float) -> None:
    population = Population(world=find_world("middle-heavy"), layout=WIDE)
    r = population.correlation(0, {"frl": 2, "el": 3}[moderator])

    def gain(x: float) -> float:
        above = norm.cdf((r * x - cut) / np.sqrt(1 - r * r))
        return (0.20 + 0.60 * (np.exp(-2 * x * x) - 1 / np.sqrt(5))) * above * norm.pdf(x)

    assert population.effect(moderator, 1) == pytest.approx(15 * quad(gain, -10, 10)[0] / share, abs=1e-9)


def test_the_binary_slope_along_the_fall_score_is_its_integral() -> None:
    population = Population(world=find_world("binary-outcome"), layout=WIDE)
    r = population.correlation(0, 1)
    cut = norm.isf(0.45)

    def gain(x: float) -> float:
        more, less = (norm.cdf((r * x - edge) / np.sqrt(1 - r * r)) for edge in (cut - 0.25, cut))
        return x * (more - less) * norm.pdf(x)

    assert population.slope("rit_fall") == pytest.approx(100 * quad(gain, -10, 10)[0], abs=1e-9)


def test_the_slope_along_the_fall_score_is_that_of_the_group_it_goes_with() -> None:
    population = Population(world=find_world("student-moderator"), layout=WIDE)
    r = population.correlation(0, 2)
    along = quad(lambda x: x * norm.cdf((r * x - FRL_CUT) / np.sqrt(1 - r * r)) * norm.pdf(x), -10, 10)[0]
    assert population.slope("rit_fall") == pytest.approx(15 * 0.25 * along, abs=1e-9)


def given(**layout):
    """Return pairs (population, given blocks) of the student-weighted average, over 300 pilots with varying effects."""
    drawn = [make_pilot("class-varying", seed=seed, **layout).truth["estimands"][0] for seed in range(300)]
    return np.array([(entry["population"], entry["given_blocks"]) for entry in drawn])


def test_what_an_interval_should_cover_depends_on_what_was_absorbed():
    """Classes in 3 schools: their own part of v, variance (15 x .3)^2 / 2 / 3, is fixed; without blocks none.

    False alarm: the band is 4 standard errors of a variance of 300 normals.
    """
    blocked = given(students=120, classes=12, schools=3)
    spread = np.var(blocked[:, 1] - blocked[:, 0]) / (4.5**2 / 2 / 3)
    assert abs(spread - 1) < 4 * np.sqrt(2 / 300) + 0.05  # schools differ a little in students
    alone = given(students=120, classes=12, schools=12, blocks="none")
    assert (alone[:, 1] == alone[:, 0]).all()


@pytest.mark.parametrize("name", ["binary-outcome", "class-varying", "partial-takeup", "both", "three-arms"])
def test_what_can_be_foreseen_of_an_effect_is_its_mean_in_every_recorded_group(name: str):
    """Of 20 pilots: effects less what is foreseen of them, by lunch status and by thirds of the fall score."""
    world, off = WORLDS[name], []
    for seed in range(DRAWS):
        pilot, potential = draw_pilot(world, WIDE, seed=seed)
        left = (potential.effects - potential.foreseen)[:, 0]
        third = np.searchsorted([-0.43, 0.43], (pilot.records["rit_fall"] - pilot.records["rit_fall"].mean()) / 15)
        groups = [pilot.records["frl"] == "Y", pilot.records["frl"] == "N", third == 0, third == 1, third == 2]
        off.append([left[group].mean() for group in groups])
    means, spread = np.mean(off, axis=0), np.maximum(np.std(off, axis=0, ddof=1) / np.sqrt(DRAWS), 1e-9)
    assert (np.abs(means) < LIMIT * spread).all()
    assert potential.foreseen.shape == potential.effects.shape


def test_luck_is_no_part_of_what_can_be_foreseen():
    passed = draw_pilot(WORLDS["binary-outcome"], WIDE, seed=1)[1]
    assert set(np.unique(passed.effects)) == {0.0, 1.0}
    assert 0.0 < passed.foreseen.min() < passed.foreseen.max() < 0.15
    used = draw_pilot(WORLDS["partial-takeup"], WIDE, seed=1)[1]
    assert np.ptp(used.effects) > np.ptp(used.foreseen)
