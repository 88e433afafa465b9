"""Students without a record of a moderator are counted, and told where they are many or of one arm."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from tests.findings.pilots import without_record
from whoworks.findings.measure_caveats import find_measure_caveats
from whoworks.findings.subgroups import find_moderation


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
