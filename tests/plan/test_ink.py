"""Words without ink are refused in the plan: a report that comes to write them would end there."""

from __future__ import annotations

import pytest

from tests.plan.lakeside import parse
from whoworks.errors import PlanError

BASELINE = '{ column = "tests.rit", wave = "fall"'
REFUSED = [
    ('label = "free lunch"', 'label = " "', "[[moderators]] 1, 'label'"),
    ('label = "free lunch"', 'label = "\u200b"', "[[moderators]] 1, 'label'"),
    ('{ N = "not eligible"', '{ N = "\u00a0"', "[[moderators]] 1, 'values', 'N'"),
    ('{ Y = "passed"', '{ Y = "\u3000"', "[[outcomes]] 2, 'values', 'Y'"),
    (BASELINE, BASELINE + ', label = "\ue000\u2060"', "[[outcomes]] 1, 'baseline' 1, 'label'"),
    ('{ usual = "usual practice"', '{ usual = "\\t"', "[arms], 'labels', 'usual'"),
    ('columns = ["age"]', 'columns = ["age"]\nlabels = { age = " " }', "[covariates], 'labels', 'age'"),
]


@pytest.mark.parametrize(("line", "changed", "place"), REFUSED, ids=[place for *_, place in REFUSED])
def test_words_in_which_nothing_can_be_read_are_refused(line, changed, place):
    with pytest.raises(PlanError) as refused:
        parse((line, changed))
    assert f"{place}: there is nothing in it that can be read; write words, or leave it out." in str(refused.value)


def test_no_words_leave_the_column_to_speak_for_itself():
    plan = parse(('label = "free lunch"', 'label = ""'))
    assert plan.moderators[0].label == "frl"


@pytest.mark.parametrize("words", ["математика", "数学", "n/a", "?"])
def test_words_of_any_script_are_words(words):
    assert parse(('"free lunch"', f'"{words}"')).moderators[0].label == words
