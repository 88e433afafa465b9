"""Values are typed as the plan declares; what does not fit is refused without naming a student's value."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.pilots import make_roster, make_tests, read
from whoworks.errors import PanelError
from whoworks.panel.panel import Kind
from whoworks.panel.typing import nameable, number_of, numbers_of, shape_of, sorted_levels
from whoworks.records.text import texts_of


def build(folder, *changes, edit=lambda roster: roster, edit_tests=lambda tests: tests):
    return read(folder, edit(make_roster()), edit_tests(make_tests(make_roster())), *changes)


def setting(column, values, rows=slice(0, 3)):
    """An edit that writes values into the first rows of a column."""

    def edit(frame):
        frame.loc[frame.index[rows], column] = values
        return frame

    return edit


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1_000", "1,5", "12%", "", "1e999", "٣", "0x1A", "1 2"])
def test_what_only_looks_like_a_number_is_none(text):
    assert number_of(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_reads_back(number):
    assert number_of(repr(number)) == number


def test_missing_is_nan_and_no_mistake():
    assert np.array_equal(numbers_of(texts_of(["1", None, "2.5"]), "x"), [1, np.nan, 2.5], equal_nan=True)


@given(st.text(min_size=1))
def test_a_shape_holds_neither_two_letters_nor_two_digits_in_a_row(text):
    shape = shape_of(text)
    assert not any(a.isalpha() and b.isalpha() for a, b in pairwise(shape))
    assert not any(a.isdecimal() and b.isdecimal() for a, b in pairwise(shape))
    assert set(shape) & set("0123456789") <= {"9"}


def test_text_among_numbers_is_counted_and_described_by_shape(tmp_path):
    edit = setting("rit", ["STUDENT-LEAK-123", "12%", "absent"])
    with pytest.raises(PanelError) as told:
        build(tmp_path, edit_tests=edit)
    said = str(told.value)
    assert "'tests.rit@fall' should hold numbers, and 3 of its 80 values are not numbers" in said
    assert "a-a-9, 9%, a " in said
    assert "missing.columns" in said
    assert not {"LEAK", "12%", "absent"} & set(said.replace(",", " ").split())
    assert "LEAK" not in said


def test_missing_codes_are_missing_everywhere_or_in_their_column(tmp_path):
    panel = build(
        tmp_path, edit=lambda roster: setting("age", ["-99", "-99.0", "NA"])(setting("frl", "unknown")(roster))
    )
    assert panel.values["age"].isna().sum() == 3
    assert panel.values["frl"].isna().sum() == 3
    moderator = '[[moderators]]\ncolumn = "sex"\nvalues = { M = "boys", F = "girls" }\n[covariates]'
    with pytest.raises(PanelError, match=r"'sex' holds 1 code\(s\) \(unknown\)"):
        build(tmp_path, ("[covariates]", moderator), edit=setting("sex", "unknown"))


def test_a_covariate_has_the_words_that_the_plan_gives_it_else_its_name(tmp_path):
    columns = 'columns = ["age", "sex"]'
    panel = build(tmp_path, (columns, f'{columns}\nlabels = {{ age = "age at assignment" }}'))
    assert [panel.variable(name).label for name in ("age", "sex")] == ["age at assignment", "sex"]


def test_a_pre_test_has_its_moderator_s_words_else_those_of_its_own(tmp_path):
    given = 'baseline = [{ column = "tests.rit", wave = "fall" }]'
    pre_test = (given, given.replace('"fall" }', '"fall", label = "mathematics, fall" }'))
    moderator = '[[moderators]]\ncolumn = "tests.rit"\nwave = "fall"\nkind = "number"\nlevel = "student"\n'
    labelled = (moderator, f'{moderator}label = "earlier mathematics"\n')
    for changes, words in (
        ((pre_test, (moderator, "")), "mathematics, fall"),
        ((pre_test, labelled), "earlier mathematics"),
        (((moderator, ""),), "tests.rit"),
    ):
        assert build(tmp_path, *changes).variable("tests.rit@fall").label == words


def test_a_code_the_plan_does_not_list_is_named_when_several_share_it(tmp_path):
    with pytest.raises(PanelError, match=r"'frl' holds 1 code\(s\) \(P\) in 3 row\(s\).*moderators.values has N, Y"):
        build(tmp_path, edit=setting("frl", "P"))


def test_a_listed_code_in_another_spelling_is_told_as_that(tmp_path):
    with pytest.raises(PanelError, match=r"3 row\(s\) hold in 'frl' the code 'Y' in another spelling than the plan's"):
        build(tmp_path, edit=setting("frl", "y"))


def test_a_code_that_could_point_at_a_student_is_counted_and_not_named(tmp_path):
    with pytest.raises(PanelError, match=r"'frl' holds 3 code\(s\) in 3 row\(s\)") as told:
        build(tmp_path, edit=setting("frl", ["STUDENT-LEAK-1", "STUDENT-LEAK-2", "STUDENT-LEAK-3"]))
    assert "LEAK" not in str(told.value)


def test_only_few_short_shared_codes_that_are_no_ids_may_be_named():
    assert nameable(texts_of(["b"] * 3 + ["a"] * 3 + ["rare"] + ["2026-0001"] * 5 + ["x@y"] * 5)) == ["a", "b"]
    assert nameable(texts_of([str(code) for code in range(100)] * 5)) == []


def test_categories_without_a_list_take_their_levels_from_the_data_numbers_first(tmp_path):
    assert sorted_levels(texts_of(["10", "b", "9", None, "a", "1.5"])) == ("1.5", "9", "10", "a", "b")
    panel = build(tmp_path, ("[covariates]", '[[moderators]]\ncolumn = "device"\n[covariates]'),
                  ("[implementation]\ncolumns = [\"minutes\", \"device\"]", ""))  # fmt: skip
    assert panel.variable("device").levels == ("laptop", "tablet")
    assert panel.values["device"].cat.ordered


def test_a_covariate_is_a_number_when_all_its_values_are(tmp_path):
    panel = build(tmp_path)
    assert panel.variable("age").kind is Kind.NUMBER
    assert panel.variable("sex").kind is Kind.CATEGORY
    assert build(tmp_path, edit=setting("age", "eleven")).variable("age").kind is Kind.CATEGORY


def test_a_covariate_knows_the_level_at_which_it_varies(tmp_path):
    def edit(roster):
        return roster.assign(age=roster["class_id"].str[1:], sex=roster["school_id"])

    panel = build(tmp_path, edit=edit)
    assert panel.variable("age").level == "class"
    assert panel.variable("sex").level == "school"
    assert build(tmp_path).variable("age").level == "student"


def test_whole_columns_of_nothing_still_make_a_panel(tmp_path):
    panel = build(tmp_path, edit=lambda roster: roster.assign(passed="", age="NA", minutes=""))
    assert panel.values[["passed", "age", "minutes"]].isna().all(axis=None)


def test_a_binary_outcome_with_a_third_code_is_refused(tmp_path):
    with pytest.raises(PanelError, match=r"'passed' holds 1 code.*outcomes.values has N, Y"):
        build(tmp_path, edit=setting("passed", "maybe"))


def test_take_up_is_yes_or_no_and_no_dosage(tmp_path):
    with pytest.raises(PanelError, match=r"'logged_in' should say yes or no.*3 of its values.*any receipt"):
        build(tmp_path, edit=setting("logged_in", ["37.5", "12", "90"]))


def test_a_variable_cannot_be_read_in_two_ways(tmp_path):
    category = ('wave = "fall"\nkind = "number"', 'wave = "fall"\nkind = "category"')
    with pytest.raises(PanelError, match=r"'tests.rit@fall' as a number for its baseline, and as a category"):
        build(tmp_path, category)


@pytest.mark.parametrize(("value", "words"), [("Y", "is the same for every unit"), ("NA", "has no value at all")])
def test_a_moderator_that_does_not_differ_is_refused(tmp_path, value, words):
    with pytest.raises(PanelError, match=f"'frl' {words} among the 80 units"):
        build(tmp_path, edit=lambda roster: roster.assign(frl=value))


@pytest.mark.parametrize("value", ["Y", "NA"])
def test_what_does_not_differ_is_left_to_the_design_where_an_arm_has_a_single_place(tmp_path, value):
    def edit(roster):
        alone = roster["class_id"].isin(["C0", "C2", "C1"])
        return roster[alone].assign(frl=value)

    panel = build(tmp_path, edit=edit)
    assert panel.units.groupby("arm")["class"].nunique().to_dict() == {"usual": 2, "adaptive": 1}
    assert panel.values["frl"].nunique() == (value == "Y")


def test_a_moderator_of_hundreds_of_levels_is_refused_with_the_way_out(tmp_path):
    plain = ('level = "student"\nvalues = { N = "not eligible", Y = "eligible" }', "")
    with pytest.raises(
        PanelError, match=r"'frl' \(moderator\) has 80 different values.*at most 50.*Group them"
    ) as told:
        build(tmp_path, plain, edit=lambda roster: roster.assign(frl=[f"LEAK{row}" for row in range(80)]))
    assert "LEAK" not in str(told.value)
    with pytest.raises(PanelError, match='Write kind = "number"'):
        build(tmp_path, plain, edit=lambda roster: roster.assign(frl=[str(row) for row in range(80)]))


def test_a_moderator_of_classes_may_not_vary_within_one(tmp_path):
    with pytest.raises(PanelError, match=r"'years' is declared to belong to the level 'class', and 2 .*: C0, C1\."):
        build(tmp_path, edit=lambda roster: setting("years", "99", slice(0, 2))(roster))


def test_a_moderator_of_classes_may_be_unknown_for_some_of_a_class(tmp_path):
    assert build(tmp_path, edit=setting("years", "")).values["years"].isna().sum() == 3


def test_a_score_beyond_its_bounds_is_counted_and_not_named(tmp_path):
    label = 'label = "mathematics"'
    assert build(tmp_path, (label, f"{label}\nbounds = [0, 400]")).plan.outcomes[0].bounds == (0.0, 400.0)
    with pytest.raises(PanelError, match=r"beyond the bounds that the plan gives, 0 to 100\. Correct the bounds"):
        build(tmp_path, (label, f"{label}\nbounds = [0, 100]"))


@pytest.mark.parametrize("far", ["8.98846567431158e+307", "-1e308"])
def test_a_number_too_large_to_compute_with_is_counted_and_not_printed(tmp_path, far):
    for column in ("age", "years", "minutes"):
        with pytest.raises(
            PanelError, match=rf"'{column}' has 1 number\(s\) too large to compute with.*missing\.col"
        ) as told:
            build(tmp_path, edit=setting(column, far, slice(0, 1)))
        assert far not in str(told.value)
    with pytest.raises(PanelError, match=r"'tests.rit@fall' has 3 number\(s\) too large"):
        build(tmp_path, edit_tests=setting("rit", far))
    listed = ('frl = ["unknown"]', f'frl = ["unknown"], age = ["{far}"]')
    assert build(tmp_path, listed, edit=setting("age", far, slice(0, 1))).values["age"].isna().sum() == 1


def test_a_pre_test_without_a_value_is_refused(tmp_path):
    moderator = ('[[moderators]]\ncolumn = "tests.rit"\nwave = "fall"\nkind = "number"\nlevel = "student"\n', "")
    with pytest.raises(PanelError, match=r"The pre-test 'tests.rit@fall' has no value at all among the 80 units"):
        build(tmp_path, moderator, edit_tests=setting("rit", "NA", slice(0, 80)))


def test_a_pre_test_that_is_the_outcome_is_refused_unless_it_tells_nothing(tmp_path):
    def edit(tests):
        tests.loc[tests.index[80:], "rit"] = tests["rit"].to_numpy()[:80]
        return tests

    with pytest.raises(PanelError, match=r"'tests.rit@fall' is the same as the outcome 'tests.rit@spring' for every"):
        build(tmp_path, edit_tests=edit)
    assert len(build(tmp_path, edit_tests=lambda tests: setting("rit", "1", [0])(edit(tests))).units) == 80


TARGET = '[target]\nname = "the district"\nmeans = {{ {column} = {{ "{code}" = 0.5 }} }}\n[covariates]'


def test_a_share_of_a_group_that_is_not_there_names_groups_and_never_an_id(tmp_path):
    bare = ('level = "student"\nvalues = { N = "not eligible", Y = "eligible" }', "")
    target = ("[covariates]", TARGET.format(column="frl", code="y"))
    with pytest.raises(PanelError, match=r"a share for 'y' of 'frl', and the groups there are N, Y\.") as told:
        build(tmp_path, bare, target, edit=setting("frl", "LEAK-0003", slice(0, 1)))
    assert "LEAK" not in str(told.value)


def test_a_variable_that_is_not_there_is_a_key_error(tmp_path):
    with pytest.raises(KeyError, match="not there"):
        build(tmp_path).variable("not there")
