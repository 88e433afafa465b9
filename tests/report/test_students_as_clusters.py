"""Where each student counts as one, no sentence speaks of the student of a student."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.harbour import averages, explored, make_evidence
from whoworks.findings.finding import Findings
from whoworks.report.disclosure import withhold
from whoworks.report.figures.groups import plot_groups
from whoworks.report.labels import read_words
from whoworks.report.sections.exploration import compose_exploration
from whoworks.report.sections.glossary import define
from whoworks.report.sections.method import predictions
from whoworks.report.sections.participants import compose_participants
from whoworks.report.selection import select
from whoworks.report.tables import effects_table, moderator_table

PAGES = {
    "class": (
        "Students of one class share much", "never saw that student's class.", "which never saw their class, predicted",
        "What is counted as one class decides", "with folds of whole classes.",
    ),
    "student": (
        "here each student, since nothing larger", "never saw that student.", "which never saw them, predicted",
        "Each student counts as one, which decides", "with folds of students.",
    ),
}  # fmt: skip


def run(level):
    evidence = make_evidence()
    design = replace(evidence.design, cluster_level=level)
    found = Findings(items=tuple(replace(f, cluster=level) for f in (*averages(), *explored())))
    released = withhold(replace(evidence, design=design, findings=found))
    words = read_words(released.evidence)
    return released, select(released, words), words


@pytest.mark.parametrize("level", ["class", "student"])
def test_the_pages_say_what_counts_as_one(level):
    released, chosen, words = run(level)
    blocks = [
        *compose_exploration(released, chosen, words, {}).blocks,
        *compose_participants(released, words, {}).blocks,
    ]
    told = " ".join([
        *(text for _, text in define(level)), *(getattr(block, "text", "") for block in blocks),
        plot_groups(chosen.sorted_groups, average=chosen.main, words=words).caption, predictions(released, words),
    ])  # fmt: skip
    assert [said for said in PAGES[level] if said not in told] == []
    assert "student's student" not in told


@pytest.mark.parametrize(("level", "n"), [("class", 1), ("student", 0)])
def test_students_are_counted_in_one_column(level, n):
    released, chosen, words = run(level)
    blocks = [
        *compose_exploration(released, chosen, words, {}).blocks,
        *compose_participants(released, words, {}).blocks,
    ]
    for caption in ("sorted by predicted effect", "From records received"):
        (table,) = [block for block in blocks if caption in getattr(block, "caption", "")]
        heads = [column.head for column in table.columns]
        assert heads.count("Students") == 1
        assert heads.count("Classes") == n
        assert all(row.tone == "group" or len(row.cells) == len(heads) for row in table.rows)


@pytest.mark.parametrize(("level", "heads"), [("class", ["Students", "Classes"]), ("student", ["Students"])])
def test_averages_and_groups_count_students_in_one_column(level, heads):
    """A trait of classes keeps its count of classes, with its noun, where the others count students."""
    _, chosen, words = run(level)
    groups = [f for f in chosen.explored if f.question in ("subgroup", "difference")]
    group_table = moderator_table(groups, words, caption="", technical=False)
    for table in (effects_table(averages(), words), group_table):
        counted = [column.head for column in table.columns if column.head in ("Students", "Classes")]
        assert counted == heads
        assert all(row.tone == "group" or len(row.cells) == len(table.columns) for row in table.rows)
    own = [replace(f, cluster="class") if f.question == "difference" else f for f in groups]
    mixed = moderator_table(own, words, caption="", technical=False)
    assert [column.head for column in mixed.columns][1:3] == ["Students", "Classes"]
    by_kind = ["school", "class", "student"]
    several = [replace(f, cluster=kind) for f, kind in zip(groups, by_kind, strict=False)]
    table = moderator_table(several, words, caption="", technical=False)
    assert [column.head for column in table.columns][1:3] == [
        "Students",
        "Clusters" if level == "student" else "Classes",
    ]
    assert "48 schools" in {cell for row in table.rows for cell in row.cells}
