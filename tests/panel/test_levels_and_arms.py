"""Units stand once, places nest, arms compare as codes, and whoever leaves is counted."""

from __future__ import annotations

import pytest

from tests.panel.pilots import counts, make_roster, make_tests, read
from tests.panel.test_values import build, setting
from whoworks.errors import PanelError

FRL = (
    '[[moderators]]\ncolumn = "frl"\nlabel = "free lunch"\nlevel = "student"\n'
    'values = { N = "not eligible", Y = "eligible" }'
)
NO_KEY = ('key = ["student_id"]\n', "")


def test_a_class_in_two_schools_is_refused_by_name(tmp_path):
    with pytest.raises(PanelError, match=r"2 code\(s\) of the level 'class' lie in more than one school: C0, C1"):
        build(tmp_path, edit=lambda roster: setting("school_id", "S9", slice(0, 2))(roster))


def test_a_student_in_two_rows_is_refused_by_count(tmp_path):
    with pytest.raises(PanelError, match=r"1 student\(s\) stand in more than one row of 'roster' \(2 rows\)") as told:
        build(tmp_path, NO_KEY, edit=setting("student_id", "LEAK-1", slice(0, 2)))
    assert "LEAK" not in str(told.value)


def test_a_student_twice_among_rows_that_are_left_out_is_no_matter(tmp_path):
    def edit(roster):
        roster.loc[[0, 1], ["student_id", "status"]] = ["1", "left"]
        return roster

    assert len(build(tmp_path, NO_KEY, edit=edit).units) == 78


def test_rows_that_leave_are_counted_by_arm_with_the_first_reason(tmp_path):
    def edit(roster):
        roster.loc[[0, 2], "grade"] = "7"
        roster.loc[[0, 1], "status"] = "left"
        roster.loc[4, "arm"] = "NA"
        roster.loc[[6, 8, 10], "arm"] = "both"
        roster.loc[3, "class_id"] = ""
        roster.loc[5, "school_id"] = "NA"
        roster.loc[7, "student_id"] = ""
        return roster

    panel = build(tmp_path, edit=edit)
    assert counts(panel, "excluded") == {
        ("not kept by grade == '6'", "usual"): 2,
        ("not kept by status == 'active'", "adaptive"): 1,
        ("no arm", ""): 1,
        ("arm not in the plan: both", "both"): 3,
        ("no student id", "adaptive"): 1,
        ("no class id", "adaptive"): 1,
        ("no school id", "adaptive"): 1,
    }
    assert counts(panel, "received") == {
        ("rows of 'roster'", "usual"): 36,
        ("rows of 'roster'", "adaptive"): 40,
        ("rows of 'roster'", "both"): 3,
        ("rows of 'roster'", ""): 1,
    }
    assert len(panel.units) == 70


def test_a_level_that_the_design_does_not_need_may_be_unknown(tmp_path):
    school = (
        'assigned = "class"\nblocks = ["school"]\nprobability = "blocks"',
        'assigned = "school"\nprobability = 0.5',
    )

    def edit(roster):
        roster["arm"] = roster["school_id"].map({"S0": "usual", "S1": "adaptive"})
        return setting("class_id", "")(roster)

    panel = build(tmp_path, school, edit=edit)
    assert len(panel.units) == 80
    assert panel.units["class"].isna().sum() == 3


def test_arms_that_could_be_ids_are_no_names_of_arms(tmp_path):
    panel = build(tmp_path, edit=setting("arm", ["LEAK-0001", "LEAK-0002", "LEAK-0003"]))
    assert counts(panel, "excluded") == {("arm not in the plan", ""): 3}
    assert counts(panel, "received")["rows of 'roster'", ""] == 3
    assert "LEAK" not in str(panel.ledger)


def test_no_row_with_an_arm_of_the_plan_is_refused_naming_what_is_there(tmp_path):
    with pytest.raises(PanelError, match=r"\(usual, adaptive\) in 'arm'; it holds A, B\. "):
        build(tmp_path, edit=lambda roster: roster.assign(arm=roster["arm"].map({"usual": "A", "adaptive": "B"})))
    with pytest.raises(PanelError, match=r"\(usual, adaptive\) in 'arm'\. ") as told:
        build(tmp_path, edit=lambda roster: roster.assign(arm=[f"LEAK-{row}" for row in range(80)]))
    assert "LEAK" not in str(told.value)


def test_a_study_of_one_arm_is_still_a_panel(tmp_path):
    panel = build(tmp_path, edit=lambda roster: roster.assign(arm="usual"))
    assert set(panel.units["arm"]) == {"usual"}


def test_keep_that_keeps_nothing_says_so(tmp_path):
    with pytest.raises(PanelError, match=r"None of the 80 rows of 'roster' is left: not kept by grade == '12' \(80\)"):
        build(tmp_path, ("grade == '6'", "grade == '12'"))
    with pytest.raises(PanelError, match=r"None of the 80 rows of 'roster' is left: no class id \(80\)"):
        build(tmp_path, edit=lambda roster: roster.assign(class_id=""))


@pytest.mark.parametrize("written", ["0", "0.0", 0, 0.0])
@pytest.mark.parametrize("planned", ['"0"', "0", "0.0"])
def test_arms_compare_after_normalising(tmp_path, written, planned):
    roster = make_roster()
    roster["arm"] = [written if arm == "usual" else 1 for arm in roster["arm"]]
    panel = read(
        tmp_path, roster, make_tests(roster), ('control = "usual"', f"control = {planned}"), ('["adaptive"]', '["1"]')
    )
    assert dict(panel.units["arm"].value_counts()) == {"0": 40, "1": 40}


@pytest.mark.parametrize(
    ("keep", "n_left"),
    [
        ("minutes >= 100", 38),
        ("minutes < 13", 6),
        ("sex != 'M'", 40),
        ("sex in ['M', 'F'] and device == 'tablet'", 20),
        ("age == 11.0", 8),
        ("age == '11'", 8),
        ("age in [11, 11.5]", 16),
    ],
)
def test_keep_compares_numbers_as_numbers_and_codes_as_codes(tmp_path, keep, n_left):
    changes = (
        ("grade == '6' and status == 'active'", keep),
        ('[implementation]\ncolumns = ["minutes", "device"]', ""),
        ('columns = ["age", "sex"]', 'columns = ["sex"]'),
        ('[[moderators]]\ncolumn = "years"\nlevel = "class"\nkind = "number"', ""),
        (FRL, ""),
    )
    assert len(build(tmp_path, *changes).units) == n_left


def test_a_missing_value_meets_no_condition_but_an_unequal(tmp_path):
    lose = setting("status", "")
    assert len(build(tmp_path, edit=lose).units) == 77
    assert len(build(tmp_path, ("status == 'active'", "status != 'left'"), edit=lose).units) == 80


def test_keep_by_size_on_text_is_refused(tmp_path):
    with pytest.raises(PanelError, match="'device' should hold numbers"):
        build(tmp_path, ("status == 'active'", "device > 3"), ('["minutes", "device"]', '["minutes"]'))


def test_the_probability_of_a_column_comes_along(tmp_path):
    panel = build(tmp_path, ('probability = "blocks"', 'probability = "share"'), edit=lambda r: r.assign(share="0.25"))
    assert set(panel.units["probability"]) == {0.25}


def test_without_a_student_level_each_row_is_a_unit_named_by_its_number(tmp_path):
    roster = make_roster()
    roster.loc[1, "student_id"] = roster.loc[0, "student_id"]
    panel = read(tmp_path, roster, make_tests(make_roster()), NO_KEY, ('student = "student_id"\n', ""))
    assert len(panel.units) == 80
    assert list(panel.units["unit_id"].astype(int)) == list(panel.position + 1)
