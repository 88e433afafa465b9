"""A code by which the plan names an arm, a group, an answer or a wave cannot stand for missing as well."""

from __future__ import annotations

import pytest

from tests.plan.lakeside import changed
from whoworks.errors import PlanError
from whoworks.plan.plan import Plan

VALUES = '{ N = "not eligible", Y = "eligible" }'
CLASHES = [
    (
        (VALUES, '{ NA = "Native American", Y = "other" }'),
        "[missing], 'codes': 'NA' stands for missing, and is also a group of 'frl'. "
        'Write: codes = ["", "N/A", "."]',
    ),
    (
        ('control = "usual"', 'control = "."'),
        "[missing], 'codes': '.' stands for missing, and is also an arm of 'arm'. "
        'Write: codes = ["", "NA", "N/A"]',
    ),
    (
        ('["unknown", -9]', '["Y"]'),
        "[missing], 'columns': 'Y' stands for missing, and is also a group of 'frl'. Take it out here, or there.",
    ),
    (
        ('columns = { frl = ["unknown", -9] }', 'columns = { "tests.term" = ["Fall 2026"] }'),
        "'Fall 2026' stands for missing, and is also a wave of 'tests.term'.",
    ),
    (
        ('columns = { frl = ["unknown", -9] }', 'codes = ["", "N"]'),
        "'N' stands for missing, and is also an answer of 'passed'. Write: codes = [\"\"]",
    ),
    (
        ('values = { Y = "passed", N = "not yet" }\n', 'values = { Y = "passed", "" = "not yet" }\n'),
        "[missing]: an empty value is always missing, and is also an answer of 'passed'.",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), CLASHES, ids=lambda part: part[1][:40])
def test_a_code_with_two_meanings_is_refused_with_the_line_that_mends_it(change, sentence):
    with pytest.raises(PlanError) as told:
        Plan.parse(changed(change))
    assert sentence in str(told.value)


def test_a_code_that_is_missing_in_another_column_is_no_clash():
    assert Plan.parse(changed(('{ frl = ["unknown", -9] }', '{ age = ["Y", "usual"] }'))).missing.columns
