"""Students without a record of a moderator are counted, and told where they are many or of one arm."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import student_moderator, without_record
from whoworks.findings.caveats.measures import find_measure_caveats
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.unrecorded import Unrecorded, count_unrecorded, note_unrecorded


def told(opened):
    found = find_measure_caveats(opened.panel, opened.settings)
    return next((c for c in found if c.caveat_id == "unrecorded" and c.subject == "frl"), None)


def with_cell(opened, min_cell):
    report = opened.panel.plan.report.model_copy(update={"min_cell": min_cell})
    return replace(opened, panel=replace(opened.panel, plan=opened.panel.plan.model_copy(update={"report": report})))


def test_students_without_a_moderator_are_counted_by_arm():
    caveat = told(without_record(0.2))
    counted = r"\d+ of [\d,]+ students \(\d+ %\) have no record of .* and are left out of the questions about it: "
    assert re.match(counted + r"\d+\.\d % under adaptive programme, \d+\.\d % under usual practice\.", caveat.sentence)
    assert caveat.gravity == 2


def test_few_without_a_moderator_are_a_caveat_where_they_are_all_of_one_arm():
    assert told(without_record(0.09, arm=(1,))) is not None
    assert told(without_record(0.04)) is None


def test_fewer_without_a_moderator_than_a_cell_are_told_without_their_number():
    assert not re.search(r"\d", told(with_cell(without_record(0.2), 100_000)).sentence)


def test_a_test_notes_how_many_students_without_a_record_it_leaves_out():
    opened = without_record(0.2)
    lost = int(opened.panel.values["frl"].isna().to_numpy()[opened.scores.rows].sum())
    total = len(opened.scores.rows)
    note = f"{lost:,} of {total:,} students ({100 * lost / total:.0f} %) without a record of it are left out"
    found = find_moderation(opened.panel, opened.main, opened.moderator("frl"), rng=np.random.default_rng(0))
    assert [note in f.notes for f in found] == [f.question == "difference" for f in found]


def test_where_everyone_has_a_record_nothing_is_noted():
    opened = without_record(0.0)
    found = find_moderation(opened.panel, opened.main, opened.moderator("frl"), rng=np.random.default_rng(0))
    assert not any("without a record" in note for f in found for note in f.notes)


@pytest.mark.parametrize(
    ("without", "of", "matters"),
    [
        ((5, 5), (100, 100), False),  # a twentieth of both: not above it
        ((6, 5), (100, 100), True),
        ((0, 6), (400, 100), True),  # few in all, and of one arm
        ((6, 0), (100, 400), True),  # or of the other
        ((0, 5), (400, 100), False),
        ((8, 36), (100, 900), False),  # 44 of 1,000: arms of unequal size count by their students
    ],
)
def test_many_are_more_than_a_twentieth_of_all_or_apart_by_more_between_arms(without, of, matters):
    assert Unrecorded(without=without, of=of, tellable=True).matters == matters


def lacking(control, treated):
    """Take the record of free lunch away from so many students in each of some classes, by arm: (students, classes)."""
    opened = without_record(0.0)
    scores = opened.scores
    lunch = opened.panel.values["frl"].cat
    codes = lunch.codes.to_numpy().astype(int)
    for arm, (n, n_classes) in enumerate((control, treated)):
        rooms = np.unique(scores.cluster[scores.z == arm])[:n_classes]
        dealt = np.concatenate([np.flatnonzero(scores.cluster == room)[: n // n_classes] for room in rooms])
        assert len(dealt) == n
        codes[scores.rows[dealt]] = -1
    frl = pd.Categorical.from_codes(codes, lunch.categories, ordered=True)
    return replace(opened, panel=replace(opened.panel, values=opened.panel.values.assign(frl=frl)))


@pytest.mark.parametrize(
    ("control", "treated", "tellable"),
    [
        ((12, 3), (15, 3), True), ((12, 3), (12, 3), True), ((9, 3), (15, 3), False), ((15, 3), (9, 3), False),
        ((14, 2), (15, 3), False), ((15, 3), (14, 2), False), ((15, 3), (0, 1), True), ((0, 1), (15, 3), True),
    ],
)  # fmt: skip
def test_their_number_is_told_where_both_arms_have_none_or_a_cell_that_may_be_shown(control, treated, tellable):
    """The plan shows cells from 12 students in 3 classes on."""
    opened = lacking(control, treated)
    report = opened.panel.plan.report.model_copy(update={"min_cell": 12, "min_clusters": 3})
    plan = opened.panel.plan.model_copy(update={"report": report})
    lost = count_unrecorded(replace(opened.panel, plan=plan), opened.main, "frl")
    assert lost.without == (control[0], treated[0])
    assert lost.of == (int((opened.scores.z == 0).sum()), int((opened.scores.z == 1).sum()))
    assert lost.tellable == tellable


def test_a_test_that_tells_nothing_notes_nothing():
    opened, moderator = without_record(0.2), student_moderator().moderator("frl")
    subject = {"quantity": "", "moderator": "frl"}
    findings = [
        opened.main.finding(question="difference", **subject),
        opened.main.finding(question="difference", estimate=1.0, **subject),
        opened.main.finding(question="joint", statistic=1.0, **subject),
        opened.main.finding(question="subgroup", estimate=1.0, **subject),
    ]
    noted = note_unrecorded(opened.panel, opened.main, moderator, findings)
    assert [len(f.notes) for f in noted] == [0, 1, 1, 0]
