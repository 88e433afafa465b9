"""A trait of schools counts schools: the same estimate, with the schools' error and degrees of freedom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import Opened, open_pilot, open_study, student_moderator, trim, where
from whoworks.findings.find import _features
from whoworks.findings.holder import count_by, find_holder
from whoworks.findings.moderation import open_moderation
from whoworks.findings.planned.crossed import SAME, find_crossed
from whoworks.findings.planned.projection import find_projection
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches.candidates import open_search
from whoworks.findings.searches.omnibus import find_omnibus
from whoworks.findings.sensitivity.second_looks import look_again, on_ranks
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.simulate.pilot import make_pilot
from whoworks.simulate.world import World

NAMES = ("frl", "devices", "setting", "rit_fall")


def settle(opened: Opened, codes: list[int]) -> Opened:
    """Give each of ten schools one of the first settings."""
    column, n = opened.panel.values["setting"], max(codes) + 1
    own = np.array(codes)[np.unique(opened.panel.units["school"], return_inverse=True)[1]]
    setting = pd.Categorical.from_codes(own, column.cat.categories[:n], ordered=True)
    variables = tuple(
        replace(v, levels=v.levels[:n], level_labels=v.level_labels[:n]) if v.name == "setting" else v
        for v in opened.panel.variables
    )
    return replace(
        opened, panel=replace(opened.panel, values=opened.panel.values.assign(setting=setting), variables=variables)
    )


def rural(opened: Opened) -> Opened:
    """Let the setting be town or not: five schools and five."""
    return settle(opened, [0, 1] * 5)


def found_along(opened: Opened, column: str, **changes: object):
    moderator = opened.moderator(column).model_copy(update=changes)
    return find_moderation(opened.panel, opened.main, moderator, rng=np.random.default_rng(0))


def test_a_trait_of_schools_has_the_classes_estimate_and_the_schools_error():
    opened = rural(student_moderator())
    scores = opened.scores
    school = np.unique(opened.panel.units["school"].iloc[scores.rows], return_inverse=True)[1]
    trait = opened.panel.values["setting"].cat.codes.to_numpy()[scores.rows].astype(float)
    basis = np.column_stack([np.ones(len(trait)), trait])
    by_class, by_school = (fit_effects(scores, basis=basis, cluster=c).effects([0.0, 1.0]) for c in (None, school))
    found = where(found_along(opened, "setting"), question="difference")
    assert found.estimate == pytest.approx(float(by_class.estimate[0]), rel=1e-10)
    assert found.std_error == pytest.approx(float(by_school.std_error[0]), rel=1e-10)
    assert found.df == pytest.approx(float(by_school.df[0]), rel=1e-8)
    assert found.df < by_class.df[0] / 2
    assert (found.cluster, found.n_clusters, found.smallest_cell_clusters) == ("school", 10, 5)


def test_a_groups_own_effect_speaks_of_these_schools_as_the_average_does():
    opened = rural(student_moderator())
    trait = opened.panel.values["setting"].cat.codes.to_numpy()[opened.scores.rows]
    alone = fit_effects(opened.scores, basis=np.eye(2)[trait] @ [[1.0, 0.0], [1.0, 1.0]]).effects([1.0, 1.0])
    found = where(found_along(opened, "setting"), question="subgroup", level=opened.panel.variable("setting").levels[1])
    assert (found.estimate, found.std_error, found.df) == pytest.approx(
        (alone.estimate[0], alone.std_error[0], alone.df[0]), rel=1e-8
    )
    assert found.cluster == "class"


def test_a_group_of_two_schools_is_told_and_not_compared_and_the_others_keep_their_own_second_looks():
    opened = settle(student_moderator(), [0, 1, 2, 0, 2, 0, 1, 2, 0, 2])
    town, suburb = opened.panel.variable("setting").levels[1:]
    moderator = opened.moderator("setting")
    found = look_again(opened.panel, opened.main, moderator, found_along(opened, "setting"))
    assert np.isfinite(where(found, question="subgroup", level=town).std_error)
    assert np.isnan(where(found, question="difference", level=town).estimate)
    told = where(found, question="difference", level=suburb)
    ranked = on_ranks(open_moderation(opened.panel, opened.main, moderator))
    assert (told.cluster, told.robustness.rank_estimate) == ("school", pytest.approx(float(ranked.estimate[0])))


def test_without_prognosis_it_is_the_plain_regression_clustered_by_school():
    opened = rural(student_moderator()).without_prognosis()
    scores = opened.scores
    trait = opened.panel.values["setting"].cat.codes.to_numpy()[scores.rows].astype(float)
    plain = cluster_robust(
        X=np.column_stack([scores.z, scores.z * trait]), y=scores.y, weights=1 / scores.own, absorb=scores.block,
        cluster=opened.panel.units["school"].iloc[scores.rows],
    ).linear([0.0, 1.0])  # fmt: skip
    found = where(found_along(opened, "setting"), question="difference")
    assert (found.estimate, found.std_error, found.df, found.p_value) == pytest.approx(
        tuple(float(v[0]) for v in (plain.estimate, plain.std_error, plain.df, plain.p_value)), rel=1e-8
    )


def test_traits_of_classes_and_of_students_count_what_carries_the_arm():
    opened = student_moderator()
    for column in ("devices", "frl", "teacher_years", "rit_fall"):
        assert count_by(opened.panel, opened.main, opened.moderator(column)) is opened.main
        assert {f.cluster for f in found_along(opened, column)} == {"class"}


def test_where_schools_carry_the_arm_a_trait_of_schools_counts_them_anyway():
    opened = open_pilot("no-effect", names=("frl", "setting"), students=480, classes=24, schools=12, assigned="school")
    assert find_holder(opened.panel, opened.design, opened.moderator("setting")) is None


def test_where_students_are_drawn_in_few_schools_a_trait_of_classes_counts_classes():
    opened = open_pilot("no-effect", names=NAMES, students=320, classes=16, schools=8, assigned="student")
    assert opened.design.cluster_level == "student"
    holders = {name: find_holder(opened.panel, opened.design, opened.moderator(name)) for name in NAMES}
    assert (holders["devices"].word, holders["devices"].number) == ("class", 16)
    assert (holders["setting"].word, holders["setting"].number) == ("school", 8)
    assert holders["frl"] is holders["rit_fall"] is None


def test_a_trait_without_a_declared_level_belongs_to_the_largest_units_within_which_it_is_the_same():
    opened = open_pilot("no-effect", names=NAMES, students=320, classes=16, schools=8, assigned="student")
    for name, word in (("devices", "class"), ("setting", "school")):
        bare = opened.moderator(name).model_copy(update={"level": ""})
        assert find_holder(opened.panel, opened.design, bare).word == word
    assert find_holder(opened.panel, opened.design, opened.moderator("frl").model_copy(update={"level": ""})) is None


def test_schools_named_by_their_own_column_are_compared_as_they_are_and_count_clusters():
    opened = student_moderator()
    column = opened.panel.plan.levels["school"]
    code, names = pd.factorize(opened.panel.units["school"], sort=True)
    values = opened.panel.values.assign(**{column: pd.Categorical.from_codes(code, names, ordered=True)})
    itself = opened.moderator("setting").model_copy(update={"column": column})
    assert find_holder(replace(opened.panel, values=values), opened.design, itself) is None


def test_a_trait_that_each_group_has_one_school_of_tells_nothing():
    """Two schools of many classes, one in town and one in the country: they differ along anything."""
    opened = open_pilot("class-varying", names=("frl", "setting"), students=800, classes=40, schools=2, blocks="school")
    opened = settle(opened, [0, 1])
    assert find_holder(opened.panel, opened.design, opened.moderator("setting")).number == 2
    difference = where(found_along(opened, "setting"), question="difference")
    assert np.isnan([difference.estimate, difference.p_value]).all()


def test_units_that_share_a_cluster_do_not_hold_it():
    opened = rural(student_moderator())
    design = replace(opened.design, cluster=np.arange(len(opened.design.cluster)) % 40)  # across all schools
    assert find_holder(opened.panel, design, opened.moderator("setting")) is None


def test_every_companion_of_the_test_counts_the_same():
    opened = rural(student_moderator())
    planned = tuple(opened.moderator(name).model_copy(update={"planned": True}) for name in ("frl", "setting"))
    panel = replace(opened.panel, plan=opened.panel.plan.model_copy(update={"moderators": planned}))
    assert open_moderation(panel, opened.main, planned[1]).setting.design.cluster_level == "school"
    *cells, same = find_crossed(panel, opened.main)
    assert {(cell.question, cell.cluster) for cell in cells} == {("for-whom-where", "class")}
    assert (same.quantity, same.cluster, same.n_clusters) == (SAME, "school", 10)
    projected = {f.moderator: f for f in find_projection(panel, opened.main)}
    assert (projected["setting"].cluster, projected["frl"].cluster) == ("school", "class")
    assert projected["setting"].df < projected["frl"].df


def test_candidates_do_not_cut_what_too_few_units_hold_and_divide_the_largest_that_are_enough():
    few = rural(student_moderator())
    search, moderators = open_search(few.panel, few.main)
    assert search is few.main
    assert "setting" not in {m.column for m in moderators}
    many = open_pilot("no-effect", names=("frl", "setting"), students=960, classes=96, schools=24, blocks="school")
    search, moderators = open_search(many.panel, many.main)
    assert search.design.cluster_level == "school"
    assert {m.column for m in moderators} == {"frl", "setting"}


VARYING = World(
    name="by-school", summary="Effects vary over schools and classes along nothing.", equations="", varying=0.5,
    planned=("frl", "setting"),
)  # fmt: skip


def test_students_drawn_in_eight_schools_whose_effects_vary_seldom_give_a_trait_of_classes_a_difference():
    """60 pilots: errors by student reject in about .2 of them; more than 9 of 60 has probability .002 at .05."""
    hits = {"classes": 0, "students": 0}
    for seed in range(60):
        pilot = trim(
            make_pilot(VARYING, seed=seed, students=320, classes=16, schools=8, assigned="student"),
            ("frl", "devices", "rit_fall"),
        )
        opened = open_study(pilot.plan, pilot.records, seed=seed)
        hits["classes"] += where(found_along(opened, "devices"), question="difference").p_value <= 0.05
        by_student = where(found_along(opened, "devices", level="student"), question="difference")
        hits["students"] += by_student.p_value <= 0.05
    assert hits["classes"] <= 9 < hits["students"]


def test_the_largest_t_counts_schools_too():
    """30 pilots, 39 draws: more than 6 rejections at .05 have probability .004 if it is held."""
    hits = 0
    for seed in range(30):
        pilot = trim(
            make_pilot(VARYING, seed=seed, students=320, classes=16, schools=8, assigned="student"),
            ("devices", "setting"),
        )
        opened = open_study(pilot.plan, pilot.records, seed=seed)
        features, held = _features(opened.panel, opened.main)
        assert features.shape[1] == 0
        found = find_omnibus(opened.main, features, held=held, seed=np.random.SeedSequence(seed), n_draws=39)
        hits += found.p_value <= 0.05
    assert hits <= 6
