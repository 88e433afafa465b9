from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.lakeside import LAKESIDE, changed, parse
from whoworks.errors import PlanError
from whoworks.plan.plan import Plan

YEARS = 'column = "years"\nlevel = "class"'
RIT = 'baseline = [{ column = "tests.rit", wave = "fall" }]'
KEEP = "keep = \"grade == '6'\""
QUOTED = 'values = { N = "no", \'a "Y"\' = "yes" }\nplanned = true\nexpect = "increasing"'
VALUES = '{ N = "not eligible", Y = "eligible" }'

UNKNOWN_KEYS = [
    (
        (YEARS, f'{YEARS}\nlable = "years taught"'),
        "[[moderators]] 2, 'lable': there is no such key. Did you mean 'label'? Write: label = \"years taught\"",
    ),
    ((YEARS, f'{YEARS}\nblocks = ["school"]'), "[[moderators]] 2, 'blocks': this key belongs under [design]."),
    (("min_cell", "zzz"), "[report], 'zzz': there is no such key; the keys here are audience, min_cell, min_clusters."),
    (("[takeup]", "[take_up]"), "[take_up] is not a table of the plan. Did you mean [takeup]? Write: [takeup]"),
    (("[covariates]", "[qqq]"), "[qqq] is not a table of the plan; its tables are study, records, waves,"),
    (("schema = 1", 'schema = 1\nname = "x"'), "'name' stands under no table; this key belongs under [study]."),
    (('wave = "fall" }', 'wav = "fall" }'), "Did you mean 'wave'? Write: wave = \"fall\""),
]

ABSENT = [
    (("schema = 1", ""), "the plan does not say which form it has. Write at the top: schema = 1"),
    (("schema = 1", "schema = 2"), "schema = 2 is not a form that this version reads. Write: schema = 1"),
    (
        ('name = "Lakeside"', ""),
        "[study], 'name': it is not there; expected the study's name. Write, for example: name = ",
    ),
    (
        ('assigned = "class"', ""),
        "[design], 'assigned': it is not there; expected the level that carries the arm. "
        'Write, for example: assigned = "class"',
    ),
]

VALUES_OF_THE_WRONG_KIND = [
    (
        ('"Lakeside"', "5"),
        "[study], 'name': expected text between quotes (the study's name), found 5. Write: name = \"5\"",
    ),
    (("2026-08-15", '"2026-08-15"'), 'found "2026-08-15". Write: registered = 2026-08-15'),
    (("2026-08-15", "2026-08-15T10:00:00"), "[study], 'registered': expected a date without quotes"),
    (('blocks = ["school"]', 'blocks = "school"'), 'found "school". Write: blocks = ["school"]'),
    (("planned = true", 'planned = "true"'), 'found "true". Write: planned = true'),
    (("20260815", '"20260815"'), 'found "20260815". Write: seed = 20260815'),
    (("20260815", "1.5"), "[analysis], 'seed': expected a whole number"),
    (
        ("[analysis]", "[analysis]\nconfidence = 0.9999999999999999"),
        "[analysis], 'confidence': expected the confidence of intervals, from 0.5 to 0.999, found 0.9999999999999999.",
    ),
    (("[analysis]", "[analysis]\nconfidence = 1.0"), "from 0.5 to 0.999, found 1.0."),
    (('path = "roster.csv"', 'path = "te\\u0000.csv"'), "[[records]] 1, 'path': no file's name holds the character"),
    (("20260815", "-1"), "[analysis], 'seed': expected the seed, from 0, found -1."),
    (("meaningful = 0.1", 'meaningful = "0.1"'), 'found "0.1". Write: meaningful = 0.1'),
    (("meaningful = 0.1", "meaningful = nan"), "[[outcomes]] 1, 'meaningful': expected"),
    (
        ("meaningful = 0.1", "meaningful = 1e300"),
        "the smallest effect that would matter, above 0 and up to a million, found 1e+300.",
    ),
    (
        ("meaningful = 0.1", "meaningful = -1"),
        "the smallest effect that would matter, above 0 and up to a million, found -1.",
    ),
    (
        ("min_cell = 12", "min_cell = 0"),
        "[report], 'min_cell': expected students per published cell and arm, from 1 to a million, found 0.",
    ),
    (('kind = "number"', 'kind = "numbr"'), '"category" or "number", found "numbr". Write: kind = "number"'),
    (('kind = "binary"', 'kind = "ordinal"'), '"continuous" or "binary", found "ordinal".'),
    (("[covariates]", "[[covariates]]"), "[covariates] is not a table."),
    (("[takeup]", "[analysis2]"), "[analysis2] is not a table of the plan. Did you mean [analysis]?"),
    ((VALUES, '["N", "Y"]'), "expected a table between { and } (a code = its words, the reference first)"),
    ((VALUES, "{ N = 1, Y = 2 }"), "[[moderators]] 1, 'values', 'N': expected text between quotes"),
    (
        ('treatments = ["adaptive"]', "treatments = [2026-01-01]"),
        "[arms], 'treatments' 1: expected text between quotes",
    ),
    (('treatments = ["adaptive"]', "treatments = []"), "[arms], 'treatments': expected at least one entry"),
    (('treatments = ["adaptive"]', 'treatments = [""]'), "an arm's code is empty"),
    (('student = "student_id"\n', "student = 4\n"), "[levels], 'student': expected text between quotes, found 4."),
]

RECORDS = [
    (
        ('path = "roster.csv"', 'path = "roster.csv"\nlayout = "oneroster"'),
        'the layout "oneroster" comes in a later version; this one reads plain tables.',
    ),
    (('path = "roster.csv"', 'path = "roster.csv"\nlayout = "tabel"'), '"tabel" is not a layout'),
    (('join = { student = "roster.student_id" }', ""), 'Write: join = { student = "roster.student_id" }'),
    (
        ('"roster.student_id"', '"student_id"'),
        "'student_id' is not a column of a table above, written table.column. Write: join = { student = ",
    ),
    (('name = "tests"', 'name = "roster"'), "[[records]]: two tables are named 'roster'"),
    ((KEEP, 'join = { a = "tests.a" }'), "[[records]] 1, 'join': the first table is what the others join"),
]

KEPT_BY_WHAT_CAME_AFTER = [
    (
        (KEEP, 'keep = "passed == 1"'),
        "[[records]] 1, 'keep': 'passed' is an outcome; rows are kept only by what was known",
    ),
    ((KEEP, 'keep = "age > 3 and logged_in == 1"'), "'logged_in' is the take-up"),
    ((KEEP, 'keep = "minutes >= 5"'), "'minutes' is an implementation column"),
    ((KEEP, 'keep = "roster.minutes >= 5"'), "'roster.minutes' is an implementation column"),
    (('path = "tests.csv"', 'path = "tests.csv"\nkeep = "rit > 100"'), "[[records]] 2, 'keep': 'rit' is an outcome"),
]

TIME = [
    (
        ('column = "frl"', 'column = "minutes"'),
        "[[moderators]] 1: 'minutes' is also under [implementation], so it is measured after assignment",
    ),
    (('column = "frl"', 'column = "logged_in"'), "'logged_in' is also under [takeup]"),
    (('column = "frl"', 'column = "passed"'), "'passed' is also under [[outcomes]]"),
    (('column = "frl"', 'column = "tests.rit"'), "'tests.rit' is also under [[outcomes]]"),
    (
        ('column = "frl"', 'column = "rit"\nwave = "spring"'),
        "'spring' is not a wave before assignment (waves.before has fall)",
    ),
    (
        ('columns = ["age"]', 'columns = ["minutes"]'),
        "[covariates], 'columns': 'minutes' is also under [implementation]",
    ),
    (
        ('columns = ["age"]', 'columns = ["age"]\nlabels = { aeg = "age" }'),
        "[covariates], 'labels': 'aeg' is not listed in columns",
    ),
    ((RIT, 'baseline = ["passed"]'), "[[outcomes]] 1, 'baseline' 1: 'passed' is also under [[outcomes]]"),
    (
        ('wave = "fall" }', 'wave = "spring" }'),
        "[[outcomes]] 1, 'baseline' 1, 'wave': 'spring' is not a wave before assignment",
    ),
    (('wave = "spring"', 'wave = "fall"'), "[[outcomes]] 1, 'wave': 'fall' is a wave before assignment"),
    (('wave = "fall" }', 'wave = "fal" }'), "'fal' is not a wave; the waves are fall, spring. Write: wave = \"fall\""),
    (
        ('fall = "Fall 2026", spring = "Spring 2027"', 'fall = "Spring 2027", spring = "Spring 2027"'),
        "[waves], 'order': several waves have the code 'Spring 2027', and a row is of one wave; give each its own.",
    ),
    (
        ('before = ["fall"]', 'before = ["autumn"]'),
        "[waves], 'before': 'autumn' is not in order, which has fall, spring.",
    ),
]

LEVELS = [
    (
        ('assigned = "class"', 'assigned = "clas"'),
        "[design], 'assigned': 'clas' is not under [levels], which has student,",
    ),
    (('assigned = "class"', 'assigned = "clas"'), 'Write: assigned = "class"'),
    (('site = "school"', 'site = "district"'), 'Name its column there. Write: district = "district_id"'),
    (('blocks = ["school"]', 'blocks = ["shool"]'), "[design], 'blocks': 'shool' is not under [levels]"),
    (('blocks = ["school"]', 'blocks = ["school", "school"]'), "[design], 'blocks': 'school' is listed twice."),
    (('site = "school"', 'cluster = "pupils"'), "[design], 'cluster': 'pupils' is not under [levels]"),
    (('site = "school"', 'drawn = "room"'), "[design], 'drawn': 'room' is not under [levels]"),
    (('site = "school"', 'drawn = "school"'), "[design], 'drawn': 'school' lies above 'class', which carries the arm."),
    (('site = "school"', 'site = "student"'), "[design], 'site': 'student' lies below 'class'"),
    (('site = "school"', 'cluster = "student"'), "[design], 'cluster': 'student' would split 'class'"),
    (('blocks = ["school"]', 'blocks = ["class"]'), "[design], 'blocks': 'class' does not lie above 'class'"),
    ((YEARS, 'column = "years"\nlevel = "teacher"'), "[[moderators]] 2, 'level': 'teacher' is not under [levels]"),
    (
        ('student = "student_id"\nclass = "class_id"', 'class = "class_id"\nstudent = "student_id"'),
        "[levels]: 'student' is the smallest level, so it is listed first.",
    ),
    (
        ('class = "class_id"\nschool = "school_id"', 'school = "school_id"\nclass = "class_id"'),
        "[levels]: 'class' stands after 'school'; levels are listed smallest first",
    ),
    (
        ('class = "class_id"', 'class = "class_id"\narm = "arm_id"'),
        "[levels]: 'arm' is what whoworks calls a column of its own; call the level something else.",
    ),
    (('school = "school_id"', 'school = "school_id"\nunit_id = "row"'), "[levels]: 'unit_id' is what whoworks calls"),
    (('school = "school_id"', 'school = "school_id"\nprobability = "p"'), "[levels]: 'probability' is what whoworks"),
    (('class = "class_id"', 'class = "school_id"'), "[levels]: two levels have the column 'school_id'"),
]

ARMS = [
    (('treatments = ["adaptive"]', 'treatments = ["usual"]'), "[arms], 'treatments': 'usual' is the control"),
    (('treatments = ["adaptive"]', 'treatments = ["adaptive", "adaptive"]'), "'adaptive' is listed twice."),
    (('usual = "usual practice"', 'usul = "usual practice"'), "[arms], 'labels': 'usul' is not an arm of this plan"),
]

PROBABILITIES = [
    (('probability = "blocks"', "probability = 1.5"), "a probability lies between 0 and 1, and 1.5 does not."),
    (
        ('probability = "blocks"', "probability = 1e-320"),
        "a probability from 0.001 to 0.999 leaves somebody in each arm, and 1e-320 does not.",
    ),
    (
        ('probability = "blocks"', "probability = { usual = 0.9999, adaptive = 0.0001 }"),
        "a probability from 0.001 to 0.999 leaves somebody in each arm, and 0.9999 does not.",
    ),
    (('probability = "blocks"', "probability = true"), "a probability lies between 0 and 1, and True does not."),
    (('probability = "blocks"', 'probability = ""'), "[design], 'probability': it is empty."),
    (
        ('probability = "blocks"', "probability = { usual = 0.5, adaptive = 0.6 }"),
        "the arms' probabilities sum to 1.1, and should sum to 1.",
    ),
    (
        ('probability = "blocks"', "probability = { usual = 0.5, adaptve = 0.5 }"),
        "it gives usual, adaptve, and the arms are usual, adaptive. "
        "Write: probability = { usual = 0.5, adaptive = 0.5 }",
    ),
    (('blocks = ["school"]\n', ""), 'it is "blocks", and the design names no blocks. Write: blocks = ["school"]'),
]

MEASURES = [
    ((YEARS, 'column = "frl"\nlevel = "class"'), "[[moderators]]: 'frl' is listed twice; keep one."),
    (
        ('column = "passed"', 'column = "tests.rit"\nwave = "spring"'),
        "[[outcomes]]: 'tests.rit@spring' is listed twice",
    ),
    ((YEARS, 'column = "arm"\nlevel = "class"'), "[[moderators]] 2: 'arm' is the column of the arm."),
    (
        ('columns = ["age"]', 'columns = ["school_id"]'),
        "'school_id' names the school under [levels], and measures nothing.",
    ),
    (('kind = "binary"\n', ""), "[[outcomes]] 2, 'values': only a binary outcome has values. Write: kind = \"binary\""),
    (('{ Y = "passed", N = "not yet" }', '{ Y = "passed" }'), "a binary outcome has two codes, and 1 are listed."),
    (("meaningful = 0.1", 'meaningful_in = "points"'), 'Write: meaningful_in = "units"'),
    (("meaningful = 0.1", "bounds = [300, 100]"), "bounds are the lowest and the highest score"),
    (('{ larger = "Y" }', '{ larger = "Z" }'), "[[moderators]] 1, 'expect': 'Z' is not among the values N, Y."),
    (('{ larger = "Y" }', '"increasing"'), '"increasing" is for numbers. Write: expect = { larger = "Y" }'),
    (
        (f'values = {VALUES}\nplanned = true\nexpect = {{ larger = "Y" }}', QUOTED),
        'Write: expect = { larger = "a \\"Y\\"" }',
    ),
    (('{ larger = "Y" }', "{ larger = [] }"), '"increasing" or "decreasing" for numbers'),
    (
        ("cut = [2, 5.5]", 'expect = { larger = "2" }'),
        'for a number the direction is a word. Write: expect = "increasing"',
    ),
    (("cut = [2, 5.5]", "cut = [5.5, 2]"), 'it is "median", "terciles" or a list of rising numbers.'),
    (("cut = [2, 5.5]", 'cut = "quartiles"'), 'it is "median", "terciles" or a list of rising numbers.'),
    (("cut = [2, 5.5]", f"values = {VALUES}"), 'a number has no list of values. Write: kind = "category"'),
    (("planned = true", 'planned = true\ncut = "median"'), "[[moderators]] 1, 'cut': only a number can be cut."),
    ((VALUES, '{ Y = "eligible" }'), "a moderator has at least two groups, and one is listed."),
    (
        ("cut = [2, 5.5]", "reliability = 1.2"),
        "[[moderators]] 2, 'reliability': expected its reliability, above 0 and up to 1, found 1.2.",
    ),
]

PRIVACY = [
    (('drop = ["email"]', 'drop = ["frl"]'), "[privacy], 'drop': the plan uses 'frl', so it cannot be dropped."),
    (('drop = ["email"]', 'drop = ["tests.rit"]'), "the plan uses 'tests.rit', so it cannot be dropped."),
    (('drop = ["email"]', 'drop = ["email"]\nallow = ["email"]'), "[privacy], 'allow': 'email' is under drop too"),
]

ALL = [
    *UNKNOWN_KEYS,
    *ABSENT,
    *VALUES_OF_THE_WRONG_KIND,
    *RECORDS,
    *KEPT_BY_WHAT_CAME_AFTER,
    *TIME,
    *LEVELS,
    *ARMS,
    *PROBABILITIES,
    *MEASURES,
    *PRIVACY,
]


def refusal(text: str, source: str = "") -> str:
    with pytest.raises(PlanError) as caught:
        Plan.parse(text, source=source)
    return str(caught.value)


@pytest.mark.parametrize(("change", "sentence"), ALL, ids=lambda part: part[1][:40] if isinstance(part, tuple) else "")
def test_a_mistake_is_a_sentence_that_names_the_key_and_what_to_write(change: tuple[str, str], sentence: str):
    said = refusal(changed(change), source="plan.toml")
    assert sentence in said
    assert said.startswith("plan.toml")
    assert "pydantic" not in said


def test_one_number_cannot_be_the_probability_of_three_arms():
    three = ('treatments = ["adaptive"]', 'treatments = ["adaptive", "tutor"]')
    for given in ("0.5", '"p_treated"'):
        said = refusal(changed(three, ('probability = "blocks"', f"probability = {given}")))
        assert "cannot give the probabilities of 3 arms. Write: probability = { usual = 0.333333, " in said


def test_an_absent_table_comes_with_the_lines_it_needs():
    said = refusal(LAKESIDE[: LAKESIDE.index("[arms]")] + LAKESIDE[LAKESIDE.index("[design]") :])
    assert said == (
        'the plan has no [arms]. Under a line [arms], write: column = "arm", then control = "usual", '
        'then treatments = ["adaptive"]'
    )


def test_no_outcome_is_refused():
    without = LAKESIDE[: LAKESIDE.index("[[outcomes]]")] + LAKESIDE[LAKESIDE.index("[[moderators]]") :]
    expected = 'the plan has no [[outcomes]]. Under a line [[outcomes]], write: column = "score"'
    assert refusal(without) == expected
    assert refusal(without.replace("schema = 1", "schema = 1\noutcomes = []")) == expected


def test_a_single_bracket_where_two_are_due_is_named():
    said = refusal(changed(("[[outcomes]]", "[outcomes]"), ("[[outcomes]]", "[implementation2]")))
    assert "[outcomes] may be there several times, so it has two brackets. Write: [[outcomes]]" in said


def test_a_wave_without_waves_is_refused():
    text = LAKESIDE[: LAKESIDE.index("[waves]")] + LAKESIDE[LAKESIDE.index("[levels]") :]
    assert "[[outcomes]] 1, 'wave': the plan has no [waves], so nothing is measured in a wave." in refusal(text)


def test_several_mistakes_are_listed_one_per_line():
    said = refusal(
        changed(('assigned = "class"', 'assigned = "clas"'), ('column = "frl"', 'column = "minutes"')), "p.toml"
    )
    lines = said.splitlines()
    assert lines[0] == "p.toml has 2 mistakes:"
    assert [line[:12] for line in lines[1:]] == ["- [design], ", "- [[moderato"]


def test_of_many_mistakes_eight_are_shown():
    keys = "\n".join(f"key{i} = {i}" for i in range(12))
    lines = refusal(changed(("[report]", f"[report]\n{keys}"))).splitlines()
    assert lines[0] == "The plan has 12 mistakes:"
    assert len(lines) == 10
    assert lines[-1] == "- and 4 more"


def test_a_long_value_is_shortened():
    assert len(refusal(changed(('blocks = ["school"]', f'blocks = "{"x" * 500}"'))).split(", found ")[1]) < 700


def test_broken_toml_names_its_line():
    said = refusal("schema = 1\n[study]\nname = Lakeside\n", "plan.toml")
    assert said == (
        "plan.toml is not TOML: Invalid value (at line 3, column 8). Mend that line; texts stand between quotes."
    )


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = " + "[" * 5000, "schema = 1\nschema = 1", "\x00"])
def test_strange_toml_is_a_sentence(text: str):
    assert "is not TOML" in refusal(text)


def test_an_absent_file_says_how_to_draft_one(tmp_path: Path):
    with pytest.raises(PlanError, match=r"there is no file .*plan\.toml\. Draft one with: whoworks init DATA -o"):
        Plan.load(tmp_path / "plan.toml")


def test_a_folder_is_not_a_plan(tmp_path: Path):
    with pytest.raises(PlanError, match=r"is a folder; name the plan's file, for example"):
        Plan.load(tmp_path)


def test_a_file_that_is_not_utf8_is_a_sentence(tmp_path: Path):
    (tmp_path / "plan.toml").write_bytes('name = "école"'.encode("latin-1"))
    with pytest.raises(PlanError, match=r"plan\.toml is not text in UTF-8\. Save it as UTF-8"):
        Plan.load(tmp_path / "plan.toml")


def test_a_path_with_a_null_byte_is_a_sentence():
    with pytest.raises(PlanError, match="cannot be read"):
        Plan.load("a\0b.toml")


def test_a_moderator_in_a_wave_before_assignment_is_accepted():
    assert parse(('column = "frl"', 'column = "tests.rit"\nwave = "fall"')).moderators[0].name == "tests.rit@fall"
