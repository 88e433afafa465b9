"""With two treatments every table says which is meant; the adjustment of p-values has its name in the PDF."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.harbour import averages, build, effect, explored, make_evidence, planned
from tests.report.test_answer import several
from tests.report.test_companions import COMPANIONS, LOOKS
from tests.report.test_sites_section import PROFILE
from tests.report.test_targeting_sentences import found
from whoworks.findings.finding import Findings
from whoworks.findings.multiplicity.families import AVERAGES, EXPLORATORY
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.sections.companions import companion_blocks
from whoworks.report.sections.exploration import compose_exploration
from whoworks.report.sections.method import many
from whoworks.report.sections.sites import compose_sites
from whoworks.report.selection import select
from whoworks.report.tables import tell_own_p

PROFILES = [found("profile", level, "frl", 40.0, 2.0, unit="percentage points") for level in ("Y: 1", "Y: 5")]
LOOKED = [replace(f, robustness=LOOKS) if f.question == "difference" else f for f in planned()]
EVERYTHING = [*averages(), *LOOKED, *COMPANIONS, *explored(), *PROFILES, *PROFILE]
HEADS = (
    "Differences within and between classes", "All moderators at once", "Second looks at the planned",
    "Differences in effect between kinds", "students sorted by predicted effect", "who has the smallest",
)  # fmt: skip


def captions(evidence):
    evidence = replace(evidence, findings=Findings(items=tuple(EVERYTHING)), engine="ridge")
    released = withhold(evidence)
    words = read_words(released.evidence)
    chosen = select(released, words)
    sections = (compose_exploration(released, chosen, words, {}), compose_sites(chosen, words, {}))
    blocks = [*companion_blocks(chosen, words), *(block for section in sections for block in section.blocks)]
    return [block.caption for block in blocks if getattr(block, "caption", "")]


@pytest.mark.parametrize("head", HEADS)
def test_a_table_names_its_treatment_only_where_there_are_two(head):
    named = " \u00b7 small groups rather than usual practice"
    (both,), (one,) = ([c for c in captions(run) if head in c] for run in (several(), make_evidence()))
    assert both.endswith(named)
    assert named not in one


def test_of_three_arms_it_is_said_which_two_took_part_in_what_is_described():
    (both,), (one,) = ([c for c in captions(run) if "Who took part" in c] for run in (several(), make_evidence()))
    assert both.startswith("Who took part in small groups or usual practice: 12 schools, ")
    assert one.startswith("Who took part: 12 schools, ")


def test_every_adjustment_is_named():
    by = "Benjamini-Hochberg"
    sex = replace(explored()[2], adjustment=by, family=EXPLORATORY)
    other = effect(2.0, 2.1, question="average", status="exploratory", n_tests=3, adjustment=by, family=AVERAGES)
    run = build(make_evidence().plan, [*averages(), *planned(), sex, other])
    assert many(withhold(run)) == (
        "The 3 planned tests of differences share one family, adjusted by Holm. Adjusted by Benjamini-Hochberg, each "
        "kind for itself: the 2 exploratory comparisons and the 3 averages that were not planned. A single "
        "difference behind a test of several groups has the larger of that test's adjusted p and its own, adjusted by "
        "Holm among the differences of that trait."
    )
    assert tell_own_p([other]).endswith("one adjusted for all of these (Benjamini-Hochberg).")
    words = read_words(run)
    released = withhold(run)
    notes = [getattr(b, "note", "") for b in compose_exploration(released, select(released, words), words, {}).blocks]
    assert any(n.startswith("Adjusted p: by Benjamini-Hochberg\u2019s method, over the 2 exploratory") for n in notes)
