"""A code of the plan in another spelling, and keys in another form, are told before they cost half of the study."""

from __future__ import annotations

import numpy as np
import pytest

from tests.panel.pilots import make_roster, make_tests, read
from tests.panel.test_joining import long_pilot
from tests.panel.test_values import build, setting
from whoworks.errors import PanelError
from whoworks.panel.partners import kinds_of, tell_forms
from whoworks.plan.codes import fold
from whoworks.records.text import texts_of

SPELLINGS = {
    "capital": str.capitalize, "capitals": str.upper, "blank without width": lambda arm: arm + "\u200b",
    "byte-order mark": lambda arm: "\ufeff" + arm, "blank within": lambda arm: f"{arm[:2]} {arm[2:]}",
    "hard blank": lambda arm: f"{arm[:2]}\u00a0{arm[2:]}",
    "full width": lambda arm: chr(ord(arm[0]) + 0xFEE0) + arm[1:],
}  # fmt: skip


@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_an_arm_in_two_spellings_is_refused_by_its_name_and_count(tmp_path, respell):
    def edit(roster):
        half = np.arange(len(roster)) % 4 == 0
        roster.loc[half, "arm"] = roster.loc[half, "arm"].map(respell)
        return roster

    with pytest.raises(PanelError, match=r"20 row\(s\) hold in 'arm' the arm 'usual' in another spelling"):
        build(tmp_path, edit=edit)


def test_arms_all_in_another_spelling_are_refused_by_their_names(tmp_path):
    with pytest.raises(PanelError, match=r"80 row\(s\) hold in 'arm' the arms 'usual', 'adaptive' in another spelling"):
        build(tmp_path, edit=lambda roster: roster.assign(arm=roster["arm"].str.upper()))


def test_rows_that_leave_by_keep_may_spell_their_arm_as_they_like(tmp_path):
    def edit(roster):
        roster.loc[:3, ["arm", "status"]] = ["Usual", "left"]
        return roster

    assert len(build(tmp_path, edit=edit).units) == 76


def test_arms_that_differ_by_a_capital_alone_are_two_arms_where_the_plan_has_both(tmp_path):
    changes = ('control = "usual"', 'control = "a"'), ('["adaptive"]', '["A"]')
    panel = build(tmp_path, *changes, edit=lambda r: r.assign(arm=r["arm"].map({"usual": "a", "adaptive": "A"})))
    assert dict(panel.units["arm"].value_counts()) == {"a": 40, "A": 40}


def test_a_wave_in_two_spellings_is_refused_in_a_table_and_in_a_long_spine(tmp_path):
    edit = setting("term", "fall 2026")
    said = r"3 row\(s\) hold in '(tests.)?term' the wave 'Fall 2026' in another spelling"
    with pytest.raises(PanelError, match=said):
        build(tmp_path, edit_tests=edit)
    with pytest.raises(PanelError, match=said):
        long_pilot(tmp_path, edit=edit)


def test_what_the_eye_may_miss_is_folded_and_nothing_else():
    assert fold(" \u200bUs\u00adUAL\u00a0") == "usual"
    assert len({fold(code) for code in ("reg", "reg+A", "reg-a", "reg.a", "rég")}) == 5


JOINS = {
    "lost zeros": (
        lambda ids: ids.str.lstrip("0"), "'student' of 'tests' holds digits (1 to 2 long), and 'roster.student_id' "
        "holds digits (5 long)"),
    "a prefix": (lambda ids: "ST" + ids, "holds capital letters and digits (7 long)"),
    "small letters": (lambda ids: "st-" + ids, "holds small letters, digits and other signs (8 long)"),
    "other units": (
        lambda ids: "9" + ids.str[1:], "holds digits (5 long), and 'roster.student_id' holds digits (5 long)"
    ),
    "no keys": (lambda ids: "", "'student' of 'tests' holds nothing"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "said"), JOINS.values(), ids=JOINS)
def test_a_join_without_a_partner_is_refused_by_the_forms_of_its_keys_and_never_by_a_key(tmp_path, write, said):
    roster = make_roster().assign(student_id=[f"{row:05d}" for row in range(1, 81)])
    tests = make_tests(roster)
    tests["student"] = write(tests["student"])
    with pytest.raises(PanelError) as told:
        read(tmp_path, roster, tests)
    assert "0 of the 80 rows of 'tests' of the wave 'fall' have a partner in the table that they join" in str(
        told.value
    )
    assert said in str(told.value)
    keys = {code for code in (*roster["student_id"], *tests["student"]) if len(code) >= 5}
    assert not any(code in str(told.value) for code in keys)


def test_a_wave_whose_keys_have_another_form_is_refused_though_the_others_match(tmp_path):
    def edit(tests):
        later = tests["term"] == "Spring 2027"
        tests.loc[later, "student"] = "K" + tests.loc[later, "student"]
        return tests

    with pytest.raises(PanelError, match=r"0 of the 80 rows of 'tests' of the wave 'spring' have a partner"):
        build(tmp_path, edit_tests=edit)


def test_a_wave_that_has_not_come_yet_is_no_mistake(tmp_path):
    panel = build(tmp_path, edit_tests=lambda tests: tests[tests["term"] == "Fall 2026"])
    assert panel.values["tests.rit@spring"].isna().all()


UNKNOWN_WAVE = (
    r"No row has in 'tests.term' the code '{}' of the wave '{}': it holds Fall 2026, Spring 2027\. Write under"
)


@pytest.mark.parametrize(("wave", "code"), [("fall", "Fall 2026"), ("spring", "Spring 2027")])
def test_a_wave_whose_code_no_row_has_is_refused_naming_the_codes(tmp_path, wave, code):
    with pytest.raises(PanelError, match=UNKNOWN_WAVE.format("May", wave)):
        build(tmp_path, (f'{wave} = "{code}"', f'{wave} = "May"'))


def test_codes_that_may_be_persons_are_no_names_of_waves(tmp_path):
    with pytest.raises(
        PanelError, match=r"No row has in 'tests.student' the code '.*' of the wave '(fall|spring)'\. Write"
    ) as told:
        build(tmp_path, ('column = "tests.term"', 'column = "tests.student"'))
    assert not any(code in str(told.value) for code in make_roster()["student_id"])


def test_a_wave_that_nothing_is_measured_in_needs_no_row(tmp_path):
    panel = build(tmp_path, ('spring = "Spring 2027" }', 'spring = "Spring 2027", summer = "Summer 2027" }'))
    assert panel.values["tests.rit@spring"].notna().all()


def test_forms_are_told_commonest_first_and_the_rest_is_counted():
    assert tell_forms(texts_of(["007", "12", "3", "ab", "cd", "X-1", None])) == (
        "digits (1 to 3 long), small letters (2 long) and 1 more"
    )
    assert kinds_of("Ab") == "letters"
