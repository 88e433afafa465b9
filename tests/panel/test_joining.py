"""Tables are joined by declared keys, long ones wave by wave, and nothing is multiplied or lost."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest

from tests.panel.pilots import counts, make_roster, make_tests, read
from whoworks.errors import PanelError
from whoworks.panel.join import wave_mistake
from whoworks.panel.panel import Kind, Role


def both():
    roster = make_roster()
    return roster, make_tests(roster)


def test_a_long_table_becomes_one_column_per_wave(tmp_path):
    roster, tests = both()
    panel = read(tmp_path, roster, tests)
    by_student = tests.set_index(["term", "student"])["rit"].astype(float)
    ids = panel.units["student"]
    assert np.array_equal(panel.values["tests.rit@fall"], by_student["Fall 2026"].loc[ids])
    assert np.array_equal(panel.values["tests.rit@spring"], by_student["Spring 2027"].loc[ids])
    fall = panel.variable("tests.rit@fall")
    assert (fall.roles, fall.wave, fall.column) == ((Role.BASELINE, Role.MODERATOR), "fall", "tests.rit")


def test_variables_keep_the_plan_s_order_and_roles(tmp_path):
    panel = read(tmp_path, *both())
    names = ["tests.rit@spring", "passed", "tests.rit@fall", "frl", "years"]
    names += ["age", "sex", "logged_in", "minutes", "device"]
    assert [variable.name for variable in panel.variables] == names == list(panel.values.columns)
    assert [variable.name for variable in panel.having(Role.IMPLEMENTATION)] == ["minutes", "device"]
    assert "minutes" not in panel.blind().values
    assert "passed" not in panel.blind().values
    assert "arm" not in panel.pooled().units


def test_rows_without_a_partner_are_counted_both_ways(tmp_path):
    roster, tests = both()
    stranger = tests.iloc[:3].assign(student=["X1", "X2", "X3"])
    retake = tests.iloc[:2].assign(term="Summer 2027")
    left_over = tests[~tests["student"].isin(roster["student_id"][:5])]
    panel = read(tmp_path, roster, pd.concat([left_over, stranger, retake]))
    joined = counts(panel, "joined")
    assert joined["rows of 'tests'", ""] == len(left_over) + 5
    assert joined["rows of 'tests' in waves that the plan does not name", ""] == 2
    assert joined["rows of 'tests' without a row in 'roster'", ""] == 3
    assert joined["units without a row in 'tests'", "usual"] == 3
    assert joined["units without a row in 'tests'", "adaptive"] == 2
    assert len(panel.units) == 80
    assert panel.values["tests.rit@spring"].isna().sum() == 5


def test_a_repeated_key_is_refused_by_table_and_count(tmp_path):
    roster, tests = both()
    with pytest.raises(PanelError, match=r"4 rows of 'tests' share their key \('student', 'term'\)"):
        read(tmp_path, roster, pd.concat([tests, tests.iloc[:2]]))


def test_a_repeated_key_of_the_spine_is_refused_after_keep(tmp_path):
    roster, tests = both()
    left = roster.iloc[:2].assign(status="left")
    assert len(read(tmp_path, pd.concat([roster, left]), tests).units) == 80
    with pytest.raises(PanelError, match="4 rows of 'roster' share their key"):
        read(tmp_path, pd.concat([roster, roster.iloc[:2]]), tests)


def test_a_join_that_would_multiply_rows_is_refused(tmp_path):
    roster, tests = both()
    tests = pd.concat([tests.assign(form="A"), tests.assign(form="B")])
    with pytest.raises(PanelError, match=r"160 rows of 'tests' share 'student'.*multiplied.*records\.keep"):
        read(tmp_path, roster, tests, ('key = ["student", "term"]', 'key = ["student", "term", "form"]'))


CLASSROOMS = (
    "[waves]",
    '[[records]]\nname = "rooms"\npath = "rooms.csv"\njoin = { room = "class_id" }\n'
    '[[records]]\nname = "towns"\npath = "towns.csv"\njoin = { town = "rooms.town" }\n[waves]',
)


def test_many_students_share_one_row_of_a_classroom_and_tables_join_in_a_chain(tmp_path):
    roster, tests = both()
    pd.DataFrame({"room": [f"C{code}" for code in range(9)], "town": ["1.0", "2"] * 4 + ["1"]}).to_csv(
        tmp_path / "rooms.csv", index=False
    )
    pd.DataFrame({"town": [1, 2], "size": ["big", "small"]}).to_csv(tmp_path / "towns.csv", index=False)
    more = (
        CLASSROOMS[1].replace('"class_id"', '"roster.class_id"'),
        '[covariates]\ncolumns = ["towns.size", ',
    )
    panel = read(tmp_path, roster, tests, ("[waves]", more[0]), ("[covariates]\ncolumns = [", more[1]))
    expected = panel.units["class"].map(lambda code: "big" if int(code[1]) % 2 == 0 else "small")
    assert list(panel.values["towns.size"]) == list(expected)
    assert panel.variable("towns.size").level == "class"
    assert counts(panel, "joined")["rows of 'rooms' without a row in 'roster'", ""] == 1


def test_the_arm_may_stand_in_a_joined_table(tmp_path):
    roster, tests = both()
    roster[["class_id", "arm"]].drop_duplicates().to_csv(tmp_path / "draw.csv", index=False)
    table = '[[records]]\nname = "draw"\npath = "draw.csv"\njoin = { class_id = "roster.class_id" }\n[waves]'
    panel = read(
        tmp_path,
        roster.drop(columns="arm"),
        tests,
        ("[waves]", table),
        ('[arms]\ncolumn = "arm"', '[arms]\ncolumn = "draw.arm"'),
    )
    expected = read(tmp_path, roster, tests)
    pd.testing.assert_frame_equal(panel.units, expected.units)


def test_a_measure_in_a_wave_of_a_table_that_is_not_long_is_refused(tmp_path):
    with pytest.raises(PanelError, match=r"measures 'passed' in the wave 'spring'.*one row per unit"):
        read(tmp_path, *both(), ('column = "passed"\n', 'column = "passed"\nwave = "spring"\n'))


def test_a_measure_of_a_long_table_needs_its_wave(tmp_path):
    roster, tests = both()
    with pytest.raises(PanelError, match=r"'tests.form' stands in 'tests'.*which wave"):
        read(tmp_path, roster, tests.assign(form="A"), ('["minutes", "device"]', '["minutes", "tests.form"]'))


def test_the_line_to_write_is_toml_whatever_the_column_is_called():
    said = wave_mistake('the "form"', "tests", "")
    line = said[said.index("{") : said.index("}") + 1]
    assert tomllib.loads(f"measure = {line}") == {"measure": {"column": 'the "form"', "wave": "..."}}


def long_pilot(folder, *changes, edit=lambda table: table):
    """The same pilot with everything in one long table."""
    roster, tests = both()
    table = tests.rename(columns={"student": "student_id"}).merge(roster, on="student_id")
    single = [
        ('[[records]]\nname = "tests"\npath = "tests.csv"\nkey = ["student", "term"]\n', ""),
        ('join = { student = "roster.student_id" }\n', ""),
        ('key = ["student_id"]', 'key = ["student_id", "term"]'),
        ('"tests.term"', '"term"'),
        *[('"tests.rit"', '"rit"')] * 3,
    ]
    return read(folder, edit(table), tests, *single, *changes)


def test_a_long_spine_is_the_same_panel_as_a_roster_with_a_long_table(tmp_path):
    panel, expected = long_pilot(tmp_path), read(tmp_path, *both())
    pd.testing.assert_frame_equal(panel.units, expected.units)
    assert np.array_equal(panel.values["rit@spring"], expected.values["tests.rit@spring"])
    assert np.array_equal(panel.values["rit@fall"], expected.values["tests.rit@fall"])
    assert counts(panel, "excluded") == {
        ("further waves of a student already counted", "usual"): 40,
        ("further waves of a student already counted", "adaptive"): 40,
    }


def test_the_tidy_frame_has_one_row_per_unit_and_wave(tmp_path):
    panel = long_pilot(tmp_path)
    tidy = panel.tidy()
    assert list(tidy["wave"].unique()) == ["fall", "spring"]
    assert len(tidy) == 160
    spring = tidy[tidy["wave"] == "spring"].set_index("unit_id")
    assert np.array_equal(spring["rit"], panel.values["rit@spring"])
    assert spring["passed"].notna().all()
    assert "rit@spring" not in tidy


def test_a_study_without_waves_is_tidy_as_it_is(tmp_path):
    roster, tests = both()
    changes = [
        ('\n[[records]]\nname = "tests"\npath = "tests.csv"\nkey = ["student", "term"]', ""),
        ('\njoin = { student = "roster.student_id" }', ""),
        (
            '[waves]\ncolumn = "tests.term"\norder = { fall = "Fall 2026", spring = "Spring 2027" }\nbefore = ["fall"]',
            "",
        ),
        ('column = "tests.rit"\nwave = "spring"', 'column = "minutes"'),
        ('baseline = [{ column = "tests.rit", wave = "fall" }]\n', ""),
        ('[[moderators]]\ncolumn = "tests.rit"\nwave = "fall"\nkind = "number"\nlevel = "student"\n', ""),
        ('["minutes", "device"]', '["device"]'),
    ]
    panel = read(tmp_path, roster, tests, *changes)
    assert len(panel.tidy()) == len(panel.units)
    assert list(panel.tidy().columns) == [*panel.units.columns, "wave", *panel.values.columns]


def test_in_a_long_spine_what_changes_between_waves_needs_a_wave(tmp_path):
    def move(table):
        table.loc[0, "frl"] = "Y" if table.loc[0, "frl"] == "N" else "N"
        return table

    with pytest.raises(PanelError, match=r"'frl' changes between waves for 1 student"):
        long_pilot(tmp_path, edit=move)


def test_in_a_long_spine_a_value_given_in_one_wave_holds_for_the_unit(tmp_path):
    def forget(table):
        table.loc[table["term"] == "Fall 2026", ["frl", "arm", "age"]] = None
        return table

    pd.testing.assert_frame_equal(long_pilot(tmp_path, edit=forget).frame, long_pilot(tmp_path).frame)


def test_in_a_long_spine_two_rows_in_one_wave_are_refused(tmp_path):
    with pytest.raises(
        PanelError, match=r"1 row\(s\) of 'roster' are further rows of a student within the wave 'fall'"
    ):
        long_pilot(
            tmp_path,
            ('key = ["student_id", "term"]', ""),
            edit=lambda table: pd.concat([table, table.iloc[:1]]),
        )


def test_in_a_long_spine_other_waves_and_rows_without_a_student_are_counted_out(tmp_path):
    def add(table):
        later = table.iloc[:4].assign(term="Summer 2027")
        return pd.concat([table, later, table.iloc[:3].assign(student_id="")])

    left = counts(long_pilot(tmp_path, edit=add), "excluded")
    assert sum(n for (reason, _), n in left.items() if reason == "wave not in the plan") == 4
    assert sum(n for (reason, _), n in left.items() if reason == "no student id") == 3


def test_a_long_spine_needs_a_column_of_students(tmp_path):
    with pytest.raises(PanelError, match="which rows are of one unit"):
        long_pilot(tmp_path, ('student = "student_id"\n', ""))


def test_binary_outcomes_and_take_up_are_one_and_zero(tmp_path):
    roster, tests = both()
    panel = read(tmp_path, roster, tests)
    source = roster.set_index("student_id").loc[panel.units["student"]]
    assert np.array_equal(panel.values["passed"], (source["passed"] == "Y").astype(float))
    assert np.array_equal(panel.values["logged_in"], (source["logged_in"] == "yes").astype(float))
    passed = panel.variable("passed")
    assert (passed.kind, passed.levels, passed.level_labels) == (Kind.BINARY, ("N", "Y"), ("not yet", "passed"))
