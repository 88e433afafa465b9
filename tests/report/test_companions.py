"""What is said of gaps, splits, crossings, projections, variances and second looks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.report.harbour import effect
from whoworks.findings.finding import NAN, Findings
from whoworks.findings.planned.contrasts import AGREE
from whoworks.findings.planned.crossed import CELL, DIFFERENCE, SAME
from whoworks.findings.planned.gap import BEFORE, NARROWED, NARROWED_OR_TURNED, UNSURE, WIDENED
from whoworks.findings.robustness import Robustness
from whoworks.findings.searches.variance_ratio import VARIANCE_RATIO
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.sections.companions import companion_blocks, look_row, times_too_large
from whoworks.report.selection import select
from whoworks.report.sentences import tell
from whoworks.report.tables import DASH
from whoworks.report.write import compose_files

LUNCH = {"moderator": "frl", "reference": "N"}


def gap(estimate, error, quantity, **fields):
    given = {"question": "gap", "level": "Y - N", "status": "confirmatory", "p_adjusted": 0.01, "quantity": quantity}
    return effect(estimate, error, **(LUNCH | given | fields))


def split(estimate, error, level, **fields):
    return effect(estimate, error, question="difference", level=level, status="descriptive", **(LUNCH | fields))


def crossed(estimate, error, quantity, level="", **fields):
    return effect(
        estimate, error, question="for-whom-where", moderator="frl x locale", quantity=quantity, level=level,
        status="exploratory" if quantity == SAME else "descriptive", **fields,
    )  # fmt: skip


def projected(estimate, error, **fields):
    return effect(
        estimate, error, question="projection", status="descriptive", level="Y", p_value=NAN, **(LUNCH | fields)
    )


LOOKS = Robustness(
    rank_estimate=7.56, rank_low=2.92, rank_high=12.2, rank_p=0.002, assumed=3.2, assumed_from="plan",
    wrong_sign=0.01, exaggeration=2.33, min_p=0.02,
)  # fmt: skip

COMPANIONS = [
    replace(gap(-5.6, 1.4, BEFORE, level="Y", status="descriptive"), p_value=NAN, p_adjusted=NAN),
    gap(3.8, 1.3, NARROWED),
    split(4.4, 1.2, "within class", p_value=NAN),
    split(1.3, 6.0, "between classes", p_value=NAN),
    split(3.1, 6.3, AGREE),
    crossed(4.6, 1.5, DIFFERENCE, "Y - N, S", reference="N", p_value=NAN),
    crossed(4.9, 1.6, CELL, "Y, S", p_value=NAN),
    crossed(NAN, 1.0, SAME, df_num=2.0, statistic=0.4, p_value=0.6, conf_low=NAN, conf_high=NAN, n_tests=15),
    projected(3.3, 1.4),
]


@pytest.fixture(scope="module")
def told(evidence):
    """The evidence with companions, and second looks at the first planned difference."""
    items = list(evidence.findings)
    place = next(i for i, f in enumerate(items) if f.question == "difference" and f.moderator == "frl")
    items[place] = replace(items[place], robustness=LOOKS)
    return replace(evidence, findings=Findings(items=(*items, *COMPANIONS)))


def test_a_clear_change_of_a_gap_is_said_with_its_direction(words):
    said = tell(gap(3.8, 1.3, NARROWED), words)
    assert "narrowed the gap in reading (district test, spring) between \u201celigible\u201d and \u201cnot" in said
    assert "by 3.8 points (95 % interval 1.1 to 6.5" in said
    assert said.endswith("adjusted p = .01.")


def test_an_open_change_of_a_gap_claims_neither(words):
    assert tell(gap(1.0, 1.3, WIDENED, p_adjusted=0.5), words).startswith("We cannot tell whether assignment to ")
    assert "may have changed" in tell(gap(3.8, 1.3, UNSURE, p_adjusted=0.2), words)
    either = tell(gap(3.8, 4.0, UNSURE, p_adjusted=0.5), words)
    assert "is 3.8 points in favour of \u201celigible\u201d (95 % interval 4.5 against to 12.1 in favour;" in either
    other = tell(gap(-3.8, 4.0, UNSURE, p_adjusted=0.5), words)
    assert "is 3.8 points in favour of \u201cnot eligible\u201d (95 % interval 12.1 in favour to 4.5 against;" in other
    turned = tell(gap(3.8, 1.3, NARROWED_OR_TURNED), words)
    assert "narrowed or turned round the gap in reading" in turned


def test_a_gap_that_the_range_keeps_small_is_said_to_be_so(words):
    assert "smaller than the plan calls meaningful" in tell(gap(0.1, 0.4, NARROWED, p_adjusted=0.7), words)


def test_the_gap_without_the_programme_names_the_arm_and_the_side(words):
    said = tell(COMPANIONS[0], words)
    assert said.startswith(
        "Under usual practice, \u201celigible\u201d is estimated to stand 5.6 points below \u201cnot"
    )


def test_an_unrandomised_gap_has_no_causal_verb(told):
    plan = told.plan.model_copy(update={"design": told.plan.design.model_copy(update={"kind": "matched"})})
    matched = read_words(replace(told, plan=plan))
    said = tell(gap(3.8, 1.3, NARROWED), matched)
    assert "narrowed" not in said
    assert "3.8 points narrower under small groups than under usual practice" in said


def test_within_and_between_are_told_apart(words):
    assert "for \u201celigible\u201d than for \u201cnot eligible\u201d of the same class" in tell(COMPANIONS[2], words)
    assert "in a class of \u201celigible\u201d alone" in tell(COMPANIONS[3], words)
    assert tell(COMPANIONS[4], words).startswith("We cannot tell whether the difference by free or reduced-price lunch")
    assert "within, it is 3.1 points larger (95 % interval 10.0 smaller to 16.2 larger;" in tell(COMPANIONS[4], words)
    assert "mixes two answers" in tell(split(31.0, 6.3, AGREE), words)
    slope = split(1.0, 0.4, "between classes", unit="per SD", p_value=NAN)
    assert "for each SD more of free or reduced-price lunch in the mean of a class" in tell(slope, words)


def test_a_crossing_names_group_and_context(words):
    where = "In schools with \u201csuburban\u201d (school's setting), the effect on reading (district test, spring)"
    who = "for \u201celigible\u201d (free or reduced-price lunch)"
    assert tell(COMPANIONS[5], words).startswith(f"{where} is estimated to be 4.6 points larger {who} than for")
    assert tell(COMPANIONS[6], words).startswith(f"{where} {who} is")
    assert "F = 0.40" in tell(COMPANIONS[7], words)
    assert "is not the same across" in tell(crossed(9.0, 2.0, SAME, p_adjusted=0.001), words)


def test_two_contexts_are_told_apart_with_what_is_larger_where(words):
    """Of a range that holds zero each end says its side; of two contexts among three none is named."""
    same = crossed(2.7, 11.0, SAME, p_value=0.8)
    assert (
        "taken as \u201celigible\u201d minus \u201cnot eligible\u201d, it is 2.7 points larger in the second of the "
        "two contexts than in the first (95 % interval 20.1 smaller to 25.5 larger; 48 classes"
    ) in tell(same, words)
    variables = tuple(replace(v, levels=v.levels[:2]) if v.name == "locale" else v for v in words.variables)
    two = replace(words, variables=variables)
    assert "points smaller with \u201cinner city\u201d than with \u201csuburban\u201d (95 %" in tell(
        replace(same, estimate=-2.7), two
    )


def test_the_range_of_a_gap_before_the_programme_says_its_sides(words):
    before = replace(COMPANIONS[0], estimate=-4.2, conf_low=-15.9, conf_high=7.5)
    said = tell(before, words)
    assert "to stand 4.2 points below \u201cnot eligible\u201d" in said
    assert "(95 % interval 15.9 below to 7.5 above; " in said
    assert "(95 % interval 2.7 to 8.5; " in tell(COMPANIONS[0], words)


def test_a_group_named_as_its_moderator_is_quoted_beside_the_other(evidence):
    plan = evidence.plan
    moderators = [m if m.name != "frl" else m.model_copy(update={"label": "eligible"}) for m in plan.moderators]
    same = read_words(replace(evidence, plan=plan.model_copy(update={"moderators": tuple(moderators)})))
    assert "larger for \u201celigible\u201d than for \u201cnot eligible\u201d" in tell(COMPANIONS[5], same)


def test_a_row_within_and_between_says_which_group_is_held_against_which(told):
    words = read_words(told)
    blocks = companion_blocks(select(withhold(told), words), words)
    (table,) = [block for block in blocks if getattr(block, "caption", "").startswith("Differences within")]
    assert table.rows[0].cells[0] == "Free or reduced-price lunch: eligible minus not eligible"
    assert "a class of one group alone against a class of the other alone" in table.note


def test_a_projection_says_what_is_held_fixed(words):
    assert tell(COMPANIONS[8], words).startswith("With the other moderators held fixed, ")
    assert tell(projected(1.0, 1.4), words).startswith("We cannot tell whether ")


@pytest.mark.parametrize("finding", [f for f in COMPANIONS if f.quantity != BEFORE], ids=lambda f: f.finding_id)
def test_what_is_not_assessable_is_named_with_its_reason(finding, words):
    nothing = replace(finding, estimate=NAN, statistic=NAN, notes=("not assessable: fewer than three clusters",))
    assert "not assessable (fewer than three clusters)" in tell(nothing, words)


def test_a_variance_ratio_is_read_against_one(words):
    given = {
        "question": "heterogeneity", "moderator": VARIANCE_RATIO, "unit": "", "status": "exploratory",
    }  # fmt: skip
    same = replace(effect(1.04, 0.09, **given), conf_low=0.86, conf_high=1.26, p_adjusted=0.8, adjustment="BH")
    assert tell(same, words).startswith("We cannot tell from how far reading (district test, spring) varies")
    other = replace(effect(1.6, 0.2, **given), conf_low=1.2, conf_high=2.1, p_adjusted=0.001, adjustment="BH")
    assert " more under small groups than under usual practice; had everyone gained alike" in tell(other, words)
    less = replace(other, estimate=0.6, conf_low=0.4, conf_high=0.9)
    assert " less under small groups than under usual practice" in tell(less, words)
    assert "may not vary alike" in tell(replace(other, p_adjusted=0.2), words)


def test_companions_stand_under_the_planned_differences(told, words):
    blocks = companion_blocks(select(withhold(told), words), words)
    titles = [block.text for block in blocks if type(block).__name__ == "Heading"]
    assert titles == [
        "Gaps between groups",
        "For whom, and where",
        "Within a class, and between classes",
        "Which differences are left when the others are held fixed",
        "How the differences hold up",
    ]
    last = blocks[-1]
    assert last.rows[0].cells[1:] == ("7.6 (2.9 to 12.2)", ".002", ".02", "1 %", "2.3 times")
    heads = [column.head for column in last.columns]
    assert heads[-2:] == ["If truly 3.2 points: wrong sign", "If truly 3.2 points: too large by"]


def test_without_companions_nothing_is_added(evidence, words):
    assert companion_blocks(select(withhold(evidence), words), words) == []


def test_the_plain_differences_stay_the_only_claims(told, evidence, words):
    more, less = select(withhold(told), words), select(withhold(evidence), words)
    assert [f.finding_id for f in more.planned] == [f.finding_id for f in less.planned]
    assert [f.finding_id for f in more.explored] == [f.finding_id for f in less.explored]


def test_a_difference_that_a_joint_test_stands_for_is_not_judged_by_second_looks(told, words):
    finding = next(f for f in told.findings if f.robustness is not None)
    judged = look_row(finding, words).cells
    alone = look_row(replace(finding, family=""), words).cells
    assert alone[:2] == judged[:2]
    assert DASH not in (judged[2], judged[7], judged[8])
    assert (alone[2], alone[4], alone[7], alone[8]) == (DASH, DASH, DASH, DASH)


def test_second_looks_are_written_and_withheld_with_their_difference(told):
    written = json.loads(compose_files(told)["findings.json"])["findings"]
    looks = [f["robustness"] for f in written if f["robustness"]]
    assert len(looks) == 1
    assert looks[0]["rank_estimate"] == 7.56
    assert looks[0]["corrected"] is None
    small = [replace(f, smallest_cell=1) if f.robustness else f for f in told.findings]
    hidden = withhold(replace(told, findings=Findings(items=tuple(small)))).evidence
    assert all(f.robustness is None for f in hidden.findings)


@pytest.mark.parametrize(("ratio", "said"), [(1.04, "not too large"), (1.06, "1.1 times"), (2.3, "2.3 times")])
def test_what_is_not_too_large_is_not_told_as_once_too_large(ratio, said):
    assert times_too_large(ratio) == said
