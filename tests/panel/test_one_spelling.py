"""A place or a group in two spellings is one place or one group, and is told before it counts as two."""

from __future__ import annotations

import pytest

from tests.panel.test_values import build, setting
from whoworks.errors import PanelError
from whoworks.panel.levels import is_of_persons
from whoworks.panel.spelling import plain, spelled_alike
from whoworks.records.text import texts_of

HALF = slice(0, 40)
RESPELL = {
    "small letters": (lambda code: code.lower(), "'C0' and 'c0', 'C1' and 'c1', 'C2' and 'c2' and 5 more"),
    "blank without width": (lambda code: code + "\u200b", r"'C0' and 'C0\u200b'"),
    "hard blank within": (lambda code: f"{code[0]}\u00a0{code[1]}", r"'C0' and 'C\xa00'"),
    "blank within": (lambda code: f"{code[0]} {code[1]}", "'C 0' and 'C0'"),
}
PLAIN_FRL = ('level = "student"\nvalues = { N = "not eligible", Y = "eligible" }', "")


@pytest.mark.parametrize(("respell", "said"), RESPELL.values(), ids=RESPELL)
def test_a_class_in_two_spellings_is_refused_naming_the_first(tmp_path, respell, said):
    with pytest.raises(PanelError) as told:
        build(tmp_path, edit=lambda r: setting("class_id", r["class_id"].iloc[HALF].map(respell), HALF)(r))
    assert "16 code(s) of the level 'class' differ from one another only in capital letters, blanks" in str(told.value)
    assert said in str(told.value)


def test_a_school_whose_zeros_a_spreadsheet_dropped_is_refused(tmp_path):
    def edit(roster):
        roster["school_id"] = roster["school_id"].str.replace("S", "00")
        return setting("school_id", roster["school_id"].iloc[HALF].str[-1], HALF)(roster)

    with pytest.raises(PanelError, match=r"4 code\(s\) of the level 'school' .*: '0' and '000', '001' and '1'\."):
        build(tmp_path, edit=edit)


def test_codes_of_students_may_differ_in_capitals_alone(tmp_path):
    """Short codes drawn by chance do, and each is a student of its own."""

    def edit(roster):
        return setting("student_id", ["aB3", "Ab3"], slice(0, 2))(roster)

    assert {"aB3", "Ab3"} <= set(build(tmp_path, edit=edit).units["student"])


def test_rows_that_leave_may_spell_their_class_as_they_like(tmp_path):
    def edit(roster):
        roster.loc[0, ["class_id", "status"]] = ["c0", "left"]
        return roster

    assert len(build(tmp_path, edit=edit).units) == 79


def test_codes_that_differ_in_more_are_different():
    texts = texts_of(["1 1", "11", "1-1", "10", "100", "S07", "S7", "reg", "reg+", None, "0", "O"])
    assert spelled_alike(texts) == []
    assert plain("000") == plain("0") == "0"
    assert plain("1\u00a01") == plain("1 1") != plain("11")


def test_groups_that_the_data_tell_in_two_spellings_are_refused_by_the_column(tmp_path):
    def edit(roster):
        return setting("frl", roster["frl"].iloc[HALF].str.lower(), HALF)(roster)

    said = r"'frl' \(moderator\) holds 4 codes \('N', 'Y', 'n', 'y'\) that differ from one another only in capital"
    with pytest.raises(PanelError, match=said):
        build(tmp_path, PLAIN_FRL, edit=edit)


def test_a_covariate_in_two_spellings_is_refused_and_a_code_like_an_id_is_not_named(tmp_path):
    with pytest.raises(PanelError, match=r"'sex' \(covariate\) holds 2 codes that differ") as told:
        build(tmp_path, edit=setting("sex", ["LEAK-101", "leak-101", "LEAK-101"]))
    assert "leak" not in str(told.value).lower()


def test_what_is_only_described_may_be_spelled_in_any_way(tmp_path):
    panel = build(tmp_path, edit=setting("device", ["Tablet", "TABLET", "tablet"]))
    assert len(panel.variable("device").levels) == 4


PUPIL = (
    ('key = ["student_id"]\n', ""),
    ('student = "student_id"\n', 'pupil = "student_id"\n'),
)


def test_students_under_another_word_are_counted_and_not_named(tmp_path):
    with pytest.raises(
        PanelError, match=r"1 code\(s\) of the level 'pupil' lie in more than one class\. A pupil"
    ) as told:
        build(tmp_path, *PUPIL, edit=setting("student_id", "LEAK-1", slice(0, 2)))
    assert "LEAK" not in str(told.value)
    years = ('column = "years"\nlevel = "class"', 'column = "years"\nlevel = "pupil"')
    with pytest.raises(PanelError, match="declared to belong to the level 'pupil', and 1 of the values") as told:
        build(tmp_path, *PUPIL, years, edit=lambda r: setting("years", ["1", "99"], [0, 8])(
            setting("student_id", "LEAK-1", [0, 8])(r)
        ))  # fmt: skip
    assert "LEAK" not in str(told.value)


def test_a_level_with_as_many_codes_as_half_of_the_rows_may_be_of_persons():
    assert is_of_persons("student", 2, 100)
    assert is_of_persons("pupil", 50, 100)
    assert not is_of_persons("class", 49, 100)


def test_a_students_code_among_groups_that_the_data_tell_is_refused_and_not_named(tmp_path):
    def edit(roster):
        return setting("frl", "P-17", slice(1, 2))(setting("student_id", "P-17", slice(0, 1))(roster))

    with pytest.raises(PanelError, match=r"'frl' \(moderator\) holds the codes of 1 student\(s\)") as told:
        build(tmp_path, PLAIN_FRL, edit=edit)
    assert "P-17" not in str(told.value)
