from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.lakeside import parse
from whoworks.language import listed, plural
from whoworks.plan.describe import describe_plan
from whoworks.plan.plan import Plan

CLASSES = 'assigned = "class"'
SHARES = 'probability = "blocks"'


def test_a_plan_reads_as_sentences():
    assert describe_plan(parse()) == [
        "The question: Does it raise mathematics, and for whom?",
        "The study was registered on 2026-08-15.",
        "Of the table \u201croster\u201d, the rows in which grade is \u201c6\u201d are kept.",
        "\u201cadaptive programme\u201d is compared with \u201cusual practice\u201d, as assigned.",
        "Classes were assigned at random on 2026-09-04 within schools.",
        "The probability of each arm is its share of the classes drawn in each school, among the arms compared.",
        "Primary outcome: mathematics.",
        "Other outcome: passed.",
        "For mathematics, the measure before assignment is tests.rit (fall).",
        "For mathematics, the smallest difference that would matter is 0.1 SD.",
        "Planned beforehand: whether the difference depends on free lunch.",
        "For free lunch, the larger difference was expected in the group \u201celigible\u201d.",
        "Explored besides: years.",
        "All of these are declared as measured before assignment.",
        "Used for precision only: age.",
        "Whether the programme was received is in the column \u201clogged_in\u201d.",
        "Measured after assignment, and described only: minutes.",
        "1 column is never read.",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            (CLASSES, f'{CLASSES}\ndrawn = "student"'),
            "Students were assigned at random on 2026-09-04 to classes within schools.",
        ),
        ((CLASSES, f'{CLASSES}\ndrawn = "student"'), "Each class has one arm."),
        ((SHARES, "probability = 0.5"), "The probability of being assigned \u201cadaptive programme\u201d was 0.5."),
        (
            (SHARES, "probability = { usual = 0.25, adaptive = 0.75 }"),
            "The probability of assignment was 0.25 for \u201cusual practice\u201d and "
            "0.75 for \u201cadaptive programme\u201d.",
        ),
        ((SHARES, 'probability = "p"'), "The probability of assignment is in the column \u201cp\u201d."),
        ((f'blocks = ["school"]\nsite = "school"\n{SHARES}', ""), "Classes were assigned at random on 2026-09-04."),
        (
            (f'blocks = ["school"]\nsite = "school"\n{SHARES}', ""),
            "The probability of each arm is its share of the classes drawn, among the arms compared.",
        ),
        ((CLASSES, f'{CLASSES}\ncluster = "school"'), "The plan asks that schools be counted as the clusters."),
        (
            ('kind = "binary"', 'kind = "binary"\nmeaningful = 1\nmeaningful_in = "points"'),
            "For passed, the smallest difference that would matter is 1 percentage point.",
        ),
        (("meaningful = 0.1", 'better = "lower"'), "For mathematics, lower is better."),
        (
            ("cut = [2, 5.5]", 'planned = true\nexpect = "decreasing"'),
            "With more of years, the difference was expected to shrink.",
        ),
    ],
)
def test_what_the_plan_says_is_said(change: tuple[str, str], sentence: str):
    assert sentence in describe_plan(parse(change))


def test_a_pre_test_that_is_no_moderator_has_the_words_that_the_plan_gives_it():
    given = 'baseline = [{ column = "tests.rit", wave = "fall" }]'
    named = given.replace('"fall" }', '"fall", label = "mathematics, fall" }')
    said = describe_plan(parse((given, named)))
    assert "For mathematics, the measure before assignment is mathematics, fall." in said


def test_a_covariate_has_the_words_that_the_plan_gives_it():
    said = describe_plan(parse(('columns = ["age"]', 'columns = ["age"]\nlabels = { age = "age at assignment" }')))
    assert "Used for precision only: age at assignment." in said


def test_a_covariate_that_was_named_before_is_told_by_its_label():
    said = describe_plan(parse(('columns = ["age"]', 'columns = ["age", "frl", "years"]')))
    assert "Used for precision as well: free lunch and years." in said
    assert "Used for precision only: age." in said
    none = describe_plan(parse(('columns = ["age"]', 'columns = ["frl"]')))
    assert not any(sentence.startswith("Used for precision only") for sentence in none)


def test_a_matched_design_is_never_called_random():
    said = " ".join(describe_plan(parse((CLASSES, f'{CLASSES}\nkind = "matched"'))))
    assert "Classes were not given their arms by chance; they are matched within schools" in said
    assert "random on" not in said
    assert "at random" not in said


@pytest.mark.shared
def test_no_column_is_named_where_the_plan_has_a_label(shared: Path):
    said = describe_plan(Plan.load(shared / "plans" / "eef_crt.toml"))
    assert "For post-test, the measure before assignment is pre-test." in said
    assert not any("Prettest" in sentence for sentence in said)


def test_words_of_levels_have_their_plural():
    assert [plural(word) for word in ("class", "school", "study", "day", "branch")] == [
        "classes",
        "schools",
        "studies",
        "days",
        "branches",
    ]


def test_words_are_joined_as_in_a_sentence():
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
