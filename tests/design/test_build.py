from __future__ import annotations

import numpy as np
import pytest

from tests.design.panels import classrooms, make_panel
from whoworks.design.build import build_design
from whoworks.design.feasible import require_feasible
from whoworks.errors import DesignError, InfeasibleError
from whoworks.language import plural

STUDENTS = 'assigned = "student"\n'
CLASSES = 'assigned = "class"\n'


def test_whole_classes_are_clusters_with_the_reason_in_words():
    design = build_design(classrooms(8, 5))
    assert design.cluster_level == "class"
    assert design.cluster_reason == "Each class was assigned to an arm as a whole, so the class is the cluster."
    np.testing.assert_array_equal(design.cluster, np.repeat(np.arange(8), 5))
    assert design.arms == ("usual", "adaptive")
    assert design.arm_labels == ("usual practice", "adaptive programme")


def test_an_arm_that_varies_within_a_class_is_refused_naming_the_classes():
    panel = make_panel(
        CLASSES, arm=["usual", "adaptive"] * 12, levels={"class": ["A", "A", "B", "B", "C", "D", "E", "E"] * 3}
    )
    with pytest.raises(DesignError) as error:
        build_design(panel)
    said = str(error.value)
    assert said.startswith(
        "3 of 5 values of 'class_id' hold more than one arm: A, B, E. The plan says 'arm' was assigned"
    )
    assert "whole classes" in said
    assert "set design.assigned" in said
    assert "[takeup]" in said


def test_codes_nearly_as_many_as_rows_are_counted_and_not_named():
    panel = make_panel(
        'assigned = "pupil"', arm=["usual", "adaptive"] * 4, levels={"pupil": [f"LEAK-{row // 2}" for row in range(8)]}
    )
    with pytest.raises(DesignError, match=r"4 of 4 values of 'pupil_id' hold more than one arm\. The plan") as told:
        build_design(panel)
    assert "LEAK" not in str(told.value)


def test_only_the_first_three_culprits_are_named():
    panel = make_panel(
        CLASSES, arm=["usual", "adaptive"] * 10, levels={"class": [c for c in "ABCDE" for _ in range(4)]}
    )
    with pytest.raises(DesignError, match=r"A, B, C and 2 more\."):
        build_design(panel)


def test_a_class_that_straddles_blocks_is_refused():
    panel = make_panel(
        CLASSES + 'blocks = ["school"]',
        arm=["usual", "usual", "adaptive", "adaptive"] * 3,
        levels={"class": ["A", "A", "B", "B"] * 3, "school": ["X", "Y", "X", "Y"] * 3},
    )
    with pytest.raises(DesignError, match=r"2 of 2 values of 'class_id' lie in more than one block .*: A, B"):
        build_design(panel)


def test_what_was_drawn_lies_within_one_of_what_carries_the_arm():
    panel = make_panel(
        'assigned = "school"\ndrawn = "class"',
        arm=["usual", "usual", "adaptive", "adaptive"] * 3,
        levels={"class": ["A", "B", "A", "C"] * 3, "school": ["X", "X", "Y", "Y"] * 3},
    )
    with pytest.raises(DesignError, match=r"1 of 3 values of 'class_id' hold more than one school: A\."):
        build_design(panel)


def test_a_block_without_every_arm_leaves_and_is_counted_by_arm():
    panel = make_panel(
        CLASSES + 'blocks = ["school"]\nprobability = "blocks"',
        arm=["usual", "adaptive", "adaptive", "adaptive", "usual"],
        levels={"class": list("ABCDE"), "school": ["X", "X", "Y", "Y", "X"]},
    )
    design = build_design(panel)
    np.testing.assert_array_equal(design.rows, [0, 1, 4])
    gone = design.ledger.entries[-1]
    assert (gone.step, gone.reason, gone.arm) == ("excluded", "school with only one arm", "adaptive")
    assert (gone.n_rows, gone.n_units, gone.n_clusters) == (2, 2, 2)
    assert len(design.ledger.entries) == len(panel.ledger.entries) + 1


def test_blocks_are_the_combinations_of_their_levels():
    panel = make_panel(
        'assigned = "student"\nblocks = ["school", "grade"]\nprobability = "blocks"',
        arm=["usual", "adaptive"] * 4,
        levels={"school": ["X"] * 4 + ["Y"] * 4, "grade": ["5", "5", "6", "6"] * 2},
    )
    design = build_design(panel)
    np.testing.assert_array_equal(design.block, np.repeat(np.arange(4), 2))
    assert design.block_level == "school and grade"


def test_without_a_student_level_each_row_is_its_own_unit():
    design = build_design(make_panel(STUDENTS, arm=["usual", "adaptive"] * 3))
    np.testing.assert_array_equal(design.assigned, np.arange(6))
    assert design.cluster_level == "student"
    assert design.cluster_reason == "Students were assigned one by one, so each student is a cluster."


@pytest.mark.parametrize(("n_sites", "level"), [(9, "student"), (10, "school")])
def test_students_assigned_within_ten_sites_are_clustered_by_site(n_sites, level):
    school = [f"S{code}" for code in range(n_sites) for _ in range(4)]
    panel = make_panel(
        STUDENTS + 'blocks = ["school"]\nsite = "school"',
        arm=["usual", "adaptive"] * (2 * n_sites),
        levels={"school": school},
    )
    design = build_design(panel)
    assert design.cluster_level == level
    assert str(n_sites) in design.cluster_reason
    if level == "school":
        assert design.sensitivity is None
    else:
        assert design.sensitivity_level == "school"


def test_a_class_into_which_students_were_drawn_is_the_cluster():
    design = build_design(classrooms(8, 5, design='assigned = "class"\ndrawn = "student"'))
    assert design.cluster_level == "class"
    assert design.cluster_reason.startswith("Students were drawn into classes, and each class carries one arm")


def test_a_named_cluster_is_obeyed_when_it_holds_whole_classes():
    design = build_design(classrooms(8, 5, schools=4, design=CLASSES + 'cluster = "school"\nprobability = 0.5'))
    assert design.cluster_level == "school"
    assert len(np.unique(design.cluster)) == 4
    assert design.cluster_reason == "The plan names the school as the cluster, and no class is split by it."


def test_a_named_cluster_that_splits_what_carries_the_arm_is_refused():
    panel = make_panel(
        CLASSES + 'cluster = "school"',
        arm=["usual", "usual", "adaptive", "adaptive"] * 3,
        levels={"class": ["A", "A", "B", "B"] * 3, "school": ["X", "Y", "X", "Y"] * 3},
    )
    with pytest.raises(DesignError, match=r"design.cluster = 'school' splits 2 classes: A, B\."):
        build_design(panel)


def test_the_block_stands_beside_as_the_sensitivity():
    design = build_design(classrooms(8, 5, schools=4, design=CLASSES + 'blocks = ["school"]'))
    assert design.sensitivity_level == "school"
    np.testing.assert_array_equal(design.sensitivity, np.repeat(np.arange(4), 10))


def test_a_number_is_the_probability_of_the_treatment():
    design = build_design(classrooms(8, 5, design=CLASSES + "probability = 0.3"))
    np.testing.assert_allclose(design.probability, np.tile([0.7, 0.3], (40, 1)))
    assert design.probability_from == "plan"


def test_arms_may_have_a_probability_each():
    panel = make_panel(
        STUDENTS + "probability = { usual = 0.5, adaptive = 0.3, tutor = 0.2 }",
        arm=["usual", "adaptive", "tutor"] * 3,
        treatments=["adaptive", "tutor"],
    )
    np.testing.assert_allclose(build_design(panel).probability[0], [0.5, 0.3, 0.2])


def test_a_column_may_hold_the_probability():
    panel = make_panel(STUDENTS + 'probability = "chance"', arm=["usual", "adaptive"], probability=[0.25, 0.5])
    np.testing.assert_allclose(build_design(panel).probability, [[0.75, 0.25], [0.5, 0.5]])


def test_a_column_of_probabilities_that_varies_within_what_was_drawn_is_refused_by_place():
    chance = 'probability = "chance"'
    alternating = np.tile([0.4, 0.5], 20)
    said = (
        r"'chance' holds more than one probability within 8 of 8 values of 'class_id', with 40 units: C000, C001, C002 "
        r"and 5 more\. Each class was drawn as a whole"
    )
    with pytest.raises(DesignError, match=said):
        build_design(classrooms(8, 5, design=CLASSES + chance, probability=alternating))
    one = np.full(40, 0.5)
    one[7] = 0.4
    with pytest.raises(DesignError, match=r"within 1 of 8 values of 'class_id', with 5 units: C001\. "):
        build_design(classrooms(8, 5, design=CLASSES + chance, probability=one))
    by_student = build_design(
        classrooms(8, 5, design=CLASSES + 'drawn = "student"\n' + chance, probability=alternating)
    )
    np.testing.assert_allclose(by_student.probability[:, 1], alternating)
    by_class = np.repeat(np.linspace(0.3, 0.6, 8), 5).round(12)
    by_class[0] += 1e-9
    build_design(classrooms(8, 5, design=CLASSES + chance, probability=by_class))


def test_a_probability_of_one_is_refused_naming_the_block():
    panel = make_panel(
        STUDENTS + 'blocks = ["school"]\nprobability = "chance"',
        arm=["usual", "adaptive"] * 2,
        levels={"school": ["X", "X", "Y", "Y"]},
        probability=[0.5, 0.5, 1.0, np.nan],
    )
    with pytest.raises(DesignError, match=r"for 2 of 4 units \('school_id': Y\)"):
        build_design(panel)


def test_shares_count_classes_where_classes_were_drawn_and_students_where_students_were():
    shape = {
        "arm": ["usual"] * 4 + ["adaptive"] * 2 + ["usual"],
        "levels": {"class": ["A", "A", "A", "A", "B", "B", "C"], "school": ["X"] * 7},
    }
    intact = build_design(make_panel(CLASSES + 'blocks = ["school"]\nprobability = "blocks"', **shape))
    pupils = build_design(
        make_panel(CLASSES + 'drawn = "student"\nblocks = ["school"]\nprobability = "blocks"', **shape)
    )
    np.testing.assert_allclose(intact.probability[:, 1], 1 / 3)
    np.testing.assert_allclose(pupils.probability[:, 1], 2 / 7)
    assert intact.probability_from == "shares"


def test_shares_without_blocks_are_those_of_the_whole_study():
    panel = make_panel(STUDENTS, arm=["usual", "adaptive", "usual", "usual", "adaptive"])
    np.testing.assert_allclose(build_design(panel).probability[:, 1], 2 / 5)


def test_probabilities_sum_to_one():
    panel = classrooms(12, 3, schools=3, design=CLASSES + 'blocks = ["school"]\nprobability = "blocks"')
    np.testing.assert_allclose(build_design(panel).probability.sum(axis=1), 1)


def test_one_arm_builds_for_the_checks_and_is_then_infeasible():
    design = build_design(
        make_panel(STUDENTS + 'blocks = ["school"]', arm=["usual"] * 3, levels={"school": list("XXY")})
    )
    assert len(design.rows) == 3
    with pytest.raises(InfeasibleError, match="Nobody is in the arm 'adaptive programme': only 'usual practice'"):
        require_feasible(design)


def test_a_single_cluster_in_an_arm_is_infeasible():
    panel = make_panel(CLASSES, arm=["usual", "adaptive", "usual"], levels={"class": list("ABC")})
    with pytest.raises(InfeasibleError, match="The arm 'adaptive programme' has a single class"):
        require_feasible(build_design(panel))


def test_blocks_of_one_arm_each_are_infeasible():
    panel = make_panel(STUDENTS + 'blocks = ["school"]', arm=["usual", "adaptive"], levels={"school": list("XY")})
    with pytest.raises(InfeasibleError, match=r"every school holds one arm only, .* Leave design.blocks out if they"):
        require_feasible(build_design(panel))


def test_blocks_that_each_lack_one_of_three_arms_are_infeasible():
    panel = make_panel(
        STUDENTS + 'blocks = ["school"]',
        arm=["usual", "adaptive", "coached", "usual"],
        levels={"school": list("XXYY")},
        treatments=("adaptive", "coached"),
    )
    with pytest.raises(InfeasibleError, match="no school holds every arm, "):
        require_feasible(build_design(panel))


def test_two_clusters_an_arm_are_feasible():
    require_feasible(build_design(classrooms(4, 3)))


def test_the_order_of_rows_changes_no_unit_s_design():
    panel = classrooms(12, 3, schools=3, design=CLASSES + 'blocks = ["school"]\nprobability = "blocks"')
    order = np.random.default_rng(3).permutation(36)
    shuffled = type(panel)(
        **{name: getattr(panel, name) for name in panel.__slots__}
        | {
            "units": panel.units.iloc[order].reset_index(drop=True),
            "values": panel.values.iloc[order].reset_index(drop=True),
        }
    )
    straight, turned = build_design(panel), build_design(shuffled)
    for name in ("arm", "cluster", "block", "assigned", "probability"):
        np.testing.assert_array_equal(getattr(turned, name), getattr(straight, name)[order])


@pytest.mark.parametrize(
    ("one", "many"), [("class", "classes"), ("school", "schools"), ("study", "studies"), ("bay", "bays")]
)
def test_levels_have_plurals(one, many):
    assert plural(one) == many


def test_what_has_one_probability_may_be_drawn_again_together_and_nothing_else():
    arm, klass = ["usual", "adaptive"] * 4, list("ABCDEFGH")
    chances = [0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75]
    levels = {"class": klass, "school": list("XXYYXXYY")}
    within = 'probability = "chance"'
    alone = build_design(make_panel(CLASSES + within, arm=arm, levels=levels, probability=chances))
    blocked = build_design(
        make_panel(CLASSES + 'blocks = ["school"]\n' + within, arm=arm, levels=levels, probability=chances)
    )
    assert alone.exchangeable.tolist() == [0, 0, 0, 0, 1, 1, 1, 1] or alone.exchangeable.tolist() == [1] * 4 + [0] * 4
    groups = [np.flatnonzero(blocked.exchangeable == code).tolist() for code in np.unique(blocked.exchangeable)]
    assert sorted(groups) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    even = build_design(classrooms(8, 5, schools=2, design=CLASSES + 'blocks = ["school"]\nprobability = 0.5'))
    np.testing.assert_array_equal(even.exchangeable, even.block)
