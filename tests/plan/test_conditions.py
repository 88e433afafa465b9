from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whoworks.plan.conditions import IN_WORDS, Condition, phrase, read_conditions, say_condition


@pytest.mark.parametrize(
    ("keep", "conditions"),
    [
        ("", []),
        ("gr == 'K'", [("gr", "==", ("K",))]),
        ("grade==\"6\" and status != 'left'", [("grade", "==", ("6",)), ("status", "!=", ("left",))]),
        ("age >= 6", [("age", ">=", (6.0,))]),
        ("age < -1.5e2 and `home language` == 'and'", [("age", "<", (-150.0,)), ("home language", "==", ("and",))]),
        ("grade in ['5', '6']", [("grade", "in", ("5", "6"))]),
        ("grade in (5, 6)", [("grade", "in", (5.0, 6.0))]),
        ("outcome.test.score > '3'", [("outcome.test.score", ">", (3.0,))]),
        ("school == '007'", [("school", "==", ("007",))]),
        ("code == '1.0'", [("code", "==", ("1",))]),
    ],
)
def test_conditions_are_column_operator_value(keep: str, conditions: list[tuple[object, ...]]):
    assert [tuple(condition) for condition in read_conditions(keep)] == conditions


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        ("grade = 6", "after the column 'grade' a single = does not compare; write =="),
        ("grade == K", "K after == is neither a number nor between quotes: write 'K'"),
        ("grade == 'K' or x == 1", "after \"grade == 'K'\" only 'and' and another condition may follow"),
        ("grade == 'K' and", "it ends with 'and': a condition is missing"),
        ("grade", "after the column 'grade' comes one of == != < <= > >= in, and nothing was found"),
        ("grade is 6", "after the column 'grade' comes one of == != < <= > >= in, and \"is\" was found"),
        ("grade ==", "after == comes a number or a text between quotes"),
        ("'K' == grade", 'a condition begins with a column, not with "K"'),
        ("and grade == 1", 'a condition begins with a column, not with "and"'),
        ("grade > 'K'", "> compares numbers, and 'K' is not one"),
        ("grade in '5'", "after 'in' comes a list, such as ['5', '6']"),
        ("grade in ['5'", "the list after 'in' is not closed by ]"),
        ("grade in ['5')", "the list after 'in' is not closed by ]"),
        ("grade in", "after 'in' comes a list"),
        ("grade in []", "after in comes a number or a text between quotes"),
        ("grade == 'K", '"\'K" cannot be read as a condition'),
    ],
)
def test_what_is_no_condition_is_a_sentence(keep: str, sentence: str):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read_conditions(keep)


@given(st.text(alphabet="ab1.'\"`=!<>()[], andi", max_size=30))
def test_any_text_is_conditions_or_a_value_error(keep: str):
    try:
        conditions = read_conditions(keep)
    except ValueError:
        return
    for condition in conditions:
        assert condition.op in ("==", "!=", "<", "<=", ">", ">=", "in")


def test_a_condition_reads_as_it_was_written():
    assert phrase(Condition("grade", "in", ("5", 6.0))) == "grade in ['5', 6]"
    assert phrase(Condition("age", ">=", (6.5,))) == "age >= 6.5"


def test_a_condition_is_said_in_words():
    assert say_condition(Condition("grade", "in", ("5", 6.0, 7.5))) == "grade is \u201c5\u201d, 6 or 7.5"
    assert say_condition(Condition("status", "!=", ("left",))) == "status is not \u201cleft\u201d"
    for op in ("==", "!=", "<", "<=", ">", ">="):
        assert say_condition(Condition("age", op, (6.5,))) == f"age {IN_WORDS[op]} 6.5"
