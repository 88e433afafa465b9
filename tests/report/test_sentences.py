"""One sentence per finding: its state, its numbers, and what it must never say."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

import pytest

from tests.report.harbour import PLAN, build, claim, effect
from whoworks.checks.wording import exact_p
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.planned.average import describe_test
from whoworks.findings.planned.gap import NARROWED
from whoworks.findings.redrawing.randomization import RandomizationTest
from whoworks.findings.searches.omnibus import ALL_MODERATORS
from whoworks.findings.setting import FEW_DF
from whoworks.language import plural
from whoworks.plan.describe import describe_plan
from whoworks.plan.plan import Plan
from whoworks.report.amounts import detectable, places_of
from whoworks.report.labels import capital, read_words, shorten
from whoworks.report.numbers import decimals
from whoworks.report.sentences import tell
from whoworks.report.states import State, read_state

BANNED = re.compile(
    r"works for|prove|no effect|because of|significan|trend|\bcaus|impact|\bwork(s|ed)\b|percent\b|\bnan\b|not known",
    re.I,
)
CAUSAL = re.compile(r"\b(rais|lower|effect|assignment|benefit|gain)", re.I)
QUESTIONS = ("average", "subgroup", "difference", "joint", "curve", "heterogeneity", "sorted-group", "takeup")
STRENGTHS = ((6.3, 2.1), (-6.3, 2.1), (2.0, 2.1), (-2.0, 2.1), (0.1, 0.4), (0.9, 0.3))


def grid() -> list[Finding]:
    """Return findings of every question, strength, standing and unit."""
    found = []
    for question, (estimate, error), status in itertools.product(
        QUESTIONS, STRENGTHS, ("confirmatory", "exploratory", "descriptive")
    ):
        finding = effect(estimate, error, question=question, status=status, n_tests=7)
        if question in ("subgroup", "difference"):
            finding = replace(finding, moderator="frl", level="Y", reference="N", p_adjusted=finding.p_value * 1.5)
        if question == "joint":
            finding = replace(finding, moderator="locale", df_num=2.0, estimate=NAN, conf_low=NAN, conf_high=NAN)
        if question == "curve":
            finding = replace(finding, moderator="tch_yrs", level="7.5")
        if question in ("heterogeneity", "sorted-group"):
            finding = replace(finding, moderator="predicted effect", level="5 - 1" if estimate > 0 else "2")
        found.append(finding)
        found.append(replace(finding, p_value=NAN, notes=("p not assessable: fewer than 4 degrees of freedom",)))
        found.append(replace(finding, estimate=NAN, statistic=NAN, conf_low=NAN, conf_high=NAN, p_value=NAN))
        found.append(replace(finding, suppressed=True, estimate=NAN, statistic=NAN))
        found.append(replace(finding, estimand="cace", conf_high=math.inf))
        found.append(replace(finding, unit="percentage points", outcome="promoted"))
    found.append(claim(0.4, 0.5, moderator="weighting", level="student - cluster", reference="cluster"))
    found.append(claim(1.4, 0.2, moderator="weighting", level="student - cluster", reference="cluster"))
    return found


@pytest.fixture(scope="module")
def matched():
    text = PLAN.replace("[design]\n", '[design]\nkind = "matched"\n').replace('probability = "blocks"\n', "")
    return read_words(build(Plan.parse(text), []))


def test_no_sentence_says_what_it_must_not(words):
    for finding in grid():
        assert not BANNED.search(tell(finding, words)), tell(finding, words)


def test_a_matched_design_uses_no_causal_verb(matched):
    for finding in grid():
        if finding.question in ("average", "subgroup", "difference", "joint", "curve"):
            sentence = tell(replace(finding, estimand="itt"), matched)
            assert not CAUSAL.search(sentence.replace("higher or lower", "").replace("with lower", "")), sentence


def test_every_sentence_with_a_number_names_its_clusters(words):
    for finding in grid():
        if read_state(finding) not in (State.WITHHELD, State.NOT_ASSESSABLE):
            assert "48 classes" in tell(finding, words)


def test_a_p_value_never_stands_without_its_range_or_its_statistic(words):
    for finding in grid():
        sentence = tell(finding, words)
        if re.search(r"\bp [=<>]", sentence):
            assert re.search(r"interval|tested together|slope|statistic|re-drawing", sentence), sentence


def test_codes_give_way_to_words(words):
    for finding in grid():
        assert not re.search(r"\b(rd_post|frl|bau|sg|tch_yrs|locale|promoted@)\b", tell(finding, words))


def test_a_clear_effect_is_told_as_the_style_asks(words):
    assert tell(effect(6.3214, 2.1371, question="average", status="confirmatory"), words) == (
        "Assignment to small groups rather than usual practice raised reading (district test, spring) by 6.3 points "
        "(95 % interval 1.9 to 10.8; 48 classes; 1,102 students; planned); that is 0.20 SD (0.06 to 0.34)."
    )


def test_a_range_that_holds_zero_is_inconclusive_however_close(words):
    finding = effect(4.0, 2.1, question="average", status="confirmatory")
    assert read_state(finding) is State.INCONCLUSIVE
    assert "we cannot tell whether assignment" in tell(finding, words).lower()


def test_a_small_one_sided_p_tells_nothing_where_the_range_holds_zero(words):
    finding = effect(4.0, 2.1, question="ranking", p_value=0.03, p_adjusted=0.04, level="AUTOC")
    assert finding.conf_low < 0 < finding.conf_high
    assert read_state(finding) is State.INCONCLUSIVE


def test_a_difference_that_dies_by_adjustment_is_suggestive(words):
    finding = claim(6.3, 2.1, moderator="frl", level="Y", reference="N", p_adjusted=0.2)
    assert read_state(finding) is State.SUGGESTIVE
    assert "may be 6.3 points larger" in tell(finding, words)


def test_a_range_inside_what_matters_is_no_meaningful_difference_even_when_it_leaves_zero_out(words):
    for estimate in (0.1, 0.9):
        finding = effect(estimate, 0.3, question="average")
        assert read_state(finding) is State.NO_MEANINGFUL
        assert "the plan calls meaningful" in tell(finding, words)


def test_a_meaningful_difference_in_points_is_held_against_points(words):
    finding = effect(1.0, 1.0, question="average", outcome="promoted", unit="percentage points")
    assert read_state(finding) is State.NO_MEANINGFUL


def test_a_smaller_difference_is_told_with_its_range_turned(words):
    sentence = tell(claim(-6.3, 2.1, moderator="frl", level="Y", reference="N", p_adjusted=0.01), words)
    assert "6.3 points smaller among students" in sentence
    assert "interval 1.9 to 10.7" in sentence


def test_swapping_the_sign_swaps_the_words_and_keeps_the_numbers(words):
    up, down = (tell(effect(sign * 6.3, 2.1, question="average"), words) for sign in (1, -1))
    assert up.replace("raised", "lowered") == down


def test_what_cannot_be_assessed_says_why(words):
    finding = Finding(
        question="difference", outcome="rd_post", contrast="sg - bau", quantity="", moderator="locale", level="R",
        reference="S", notes=("not assessable: fewer than three clusters in an arm",),
    )  # fmt: skip
    assert tell(finding, words).endswith("not assessable (fewer than three clusters in an arm).")


@pytest.mark.parametrize(("noun", "many"), [("class", "classes"), ("school", "schools"), ("study", "studies")])
def test_nouns_have_their_plural(noun, many):
    assert plural(noun) == many


def test_a_code_is_not_given_a_capital_letter():
    assert (capital("rd_pre: low"), capital("free lunch")) == ("rd_pre: low", "Free lunch")


def test_a_text_is_cut_at_a_word():
    assert shorten("the quick brown fox", 12) == "the quick…"
    assert shorten("short", 12) == "short"


def test_a_gap_that_may_go_either_way_says_wider_and_narrower(words):
    gap = effect(1.5, 4.0, question="gap", moderator="frl", level="Y - N", reference="N", status="confirmatory")
    assert "6.8 wider to 9.8 narrower" in tell(replace(gap, quantity=NARROWED), words)


def test_a_small_difference_that_is_not_settled_is_not_told_as_a_fact(words):
    told = tell(claim(0.9, 0.3, moderator="frl", level="Y", reference="N", p_adjusted=0.06), words)
    assert told.startswith("We cannot tell whether the effect")
    assert "the range allows for at most 1.5 points, less than the 0.1 SD (3.2 points)" in told
    sure = tell(claim(0.9, 0.3, moderator="frl", level="Y", reference="N", p_adjusted=0.01), words)
    assert "was 0.9 points larger among students" in sure
    assert "at most 1.5 points" in sure


def test_a_slope_too_small_to_matter_is_one_between_students_one_sd_apart(words):
    slope = claim(0.9, 0.3, moderator="tch_yrs", unit="per SD", p_adjusted=0.06)
    assert "at most 1.5 points between classes one SD apart, less than" in tell(slope, words)


def test_an_average_too_small_to_matter_is_an_estimate(words):
    assert "is estimated to have moved" in tell(effect(0.1, 0.3, question="average"), words)


def test_an_estimate_without_an_error_has_the_decimals_of_its_outcome(words):
    finding = replace(effect(2.3614, 1.0, question="sorted-group"), std_error=NAN)
    assert places_of(finding, words) == 1
    assert places_of(finding, replace(words, errors={})) == 1


def test_all_numbers_of_an_outcome_have_the_decimals_of_its_average(words):
    for error in (0.04, 0.4, 4.0, 40.0):
        finding = claim(1.23456, error, moderator="frl", level="Y", reference="N")
        if finding.conf_low < 0:
            assert "1.2 points larger" in tell(finding, words)
    assert decimals(words.errors["rd_post"]) == 1


def test_a_range_that_leaves_zero_out_is_not_written_as_if_it_ended_there(words):
    finding = replace(claim(0.9, 0.3, moderator="frl", level="Y", reference="N"), conf_low=0.012)
    assert "interval 0.01 to" in tell(finding, words)


@pytest.mark.parametrize("estimate", [0.02, -0.02, 0.0])
def test_a_difference_that_rounds_to_nothing_is_told_by_a_bound_and_not_as_nothing(words, estimate):
    asked = claim(estimate, 2.1, moderator="frl", level="Y", reference="N")
    side = "larger" if estimate >= 0 else "smaller"
    assert f"the estimate is under 0.1 points {side}" in tell(asked, words)
    weighed = claim(estimate, 0.5, moderator="weighting", level="student - cluster", reference="cluster")
    assert f"that is under 0.1 points {side}" in tell(weighed, words)
    assert "the estimate is 0.0 points" in tell(effect(estimate, 2.1, question="average"), words)


def test_a_joint_test_is_told_without_its_degrees_of_freedom(words):
    joint = replace(effect(1.0, 1.0, question="joint", moderator="locale", df_num=2.0, p_adjusted=0.4), estimate=NAN)
    joint = replace(joint, conf_low=NAN, conf_high=NAN)
    told = tell(joint, words)
    assert "(tested together, adjusted p = .40; 48 classes" in told
    assert "degrees of freedom" not in told


def test_what_could_be_missed_has_its_unit(words):
    told = tell(claim(1.0, 2.1, moderator="frl", level="Y", reference="N", p_adjusted=0.6), words)
    assert "a difference smaller than 6.1 points could easily be missed" in told
    assert detectable(effect(1.0, 2.1, question="average"), words) == (
        "an effect smaller than 6.1 points could easily be missed"
    )


def test_full_take_up_is_told_in_a_plain_sentence(words):
    full = effect(
        100.0, 1e-13, question="takeup", estimand="itt", unit="percentage points", status="descriptive", p_value=NAN
    )
    assert tell(full, words) == (
        "Every student under small groups took the programme up, and no student under usual practice did "
        "(48 classes; 1,102 students; description): the average speaks of taking it up as well."
    )
    assert (
        "share of students who took the programme up was 80.0 percentage points higher under small groups than"
        in tell(replace(full, estimate=80.0), words)
    )


def test_an_arm_whose_code_is_a_number_is_called_an_arm():
    text = PLAN.replace('control = "bau"', 'control = "0"').replace('treatments = ["sg"]', 'treatments = ["1"]')
    plan = Plan.parse(text.replace('labels = { bau = "usual practice", sg = "small groups" }\n', ""))
    assert [plan.arms.label(code) for code in plan.arms.codes] == ["arm 0", "arm 1"]
    assert "\u201carm 1\u201d is compared with \u201carm 0\u201d, as assigned." in describe_plan(plan)


def test_what_taking_up_does_is_told_of_those_moved_and_under_its_condition(words):
    note = "interval by inverting the cluster-robust t test (Anderson-Rubin)"
    told = tell(effect(9.0, 2.1, question="average", estimand="cace", notes=(note,)), words)
    assert told.startswith(
        "Among students whom the offer moved to take it up, and if it acts only through that, taking up small groups "
        "raised reading (district test, spring) by 9.0 points"
    )
    assert "Anderson" not in told
    assert "roughly the share of students whom the offer moved is known" in told


def test_a_range_that_leaves_zero_out_says_what_keeps_it_from_being_settled(words):
    told = tell(claim(0.9, 0.3, moderator="frl", level="Y", reference="N", p_adjusted=0.06), words)
    assert "it is not settled once the other questions asked are counted; the range allows for at most" in told


def test_nothing_is_sorted_into_a_group_without_a_name(words):
    lost = {"estimate": NAN, "statistic": NAN, "moderator": "predicted effect", "notes": ("not assessable: too few",)}
    slope = tell(replace(effect(1.0, 1.0, question="heterogeneity"), **lost), words)
    assert slope.startswith("Whether predicted differences in the effect on reading")
    groups = tell(replace(effect(1.0, 1.0, question="sorted-group", level="2 - 1"), **lost), words)
    assert "between the students with the largest and the smallest prediction: not assessable" in groups
    rankings = [
        tell(replace(effect(1.0, 1.0, question="ranking", level=level), **lost), words)
        for level in ("AUTOC", "top third")
    ]
    assert rankings[0] != rankings[1]


@pytest.mark.parametrize(("level", "half", "p", "state"), [
    (0.90, 1.7, 0.08, State.SUGGESTIVE), (0.90, 1.7, 0.04, State.CLEAR), (0.99, 2.8, 0.03, State.INCONCLUSIVE),
])  # fmt: skip
def test_what_is_settled_goes_by_the_level_of_the_grades_and_never_against_the_range(level, half, p, state):
    found = claim(2.0, 1.0, moderator="frl", level="Y", reference="N", p_adjusted=p)
    found = replace(found, conf_level=level, conf_low=2.0 - half, conf_high=2.0 + half, meaningful=math.nan)
    assert read_state(found) is state


def test_a_p_by_re_drawing_follows_the_reason_why_the_regression_gave_none(words):
    test = RandomizationTest(p_value=0.75, n_draws=16, is_exact=True, smallest=2 / 16)
    drawn = effect(2.0, 2.1, question="average", p_value=NAN, p_randomization=0.75, notes=(FEW_DF, describe_test(test)))
    assert tell(drawn, words).endswith(
        "(No p from the regression: fewer than 4 degrees of freedom. By re-drawing the assignment, p = .75 over all 16 "
        "assignments; the smallest this design can give is .125.)"
    )
    assert tell(replace(drawn, p_randomization=NAN, notes=(FEW_DF,)), words).endswith(
        "(No p: fewer than 4 degrees of freedom.)"
    )


@pytest.mark.parametrize(
    ("p", "told"), [(0.1, ".10"), (1 / 16, ".0625"), (2 / 70, ".029"), (1.0, "1.00"), (1e-9, "below .001")]
)
def test_the_smallest_p_of_few_draws_is_written_to_its_last_decimal(p, told):
    assert exact_p(p) == told


def test_a_test_along_all_moderators_tells_no_bare_statistic(words):
    asked = effect(2.0, 2.1, question="heterogeneity", moderator=ALL_MODERATORS, statistic=1.69, p_adjusted=0.9)
    told = tell(replace(asked, estimate=NAN, conf_low=NAN, conf_high=NAN), words)
    assert "differs along any of the moderators, tested together (48 classes" in told
    assert "1.69" not in told
