"""What is said of several treatments and of several waves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.findings.test_growth import plan_of
from tests.report.harbour import effect
from whoworks.checks.verdict import Verdict
from whoworks.findings.finding import NAN
from whoworks.findings.planned.best_arm import MAY_BE_BEST, PICKED, QUESTION, RULED_OUT
from whoworks.findings.planned.growth import AT_A_WAVE, CHANGE
from whoworks.report.arms import tell_standings
from whoworks.report.figures.attrition import Attrition, plot_attrition
from whoworks.report.figures.balance import Gap, divide, plot_balance
from whoworks.report.labels import Words
from whoworks.report.next_study import propose_explored
from whoworks.report.sentences import tell
from whoworks.report.waves import earlier_outcome

BARE = Words(plan=plan_of(treatments=("new", "newer")), variables=(), cluster_level="class")
SCORE = {"outcome": "score", "wave": "winter", "domain": "", "p_value": NAN}


def best(estimate, error, quantity, **fields):
    given = {"question": QUESTION, "quantity": quantity, "moderator": "arm", "level": "newer", "reference": "usual"}
    return effect(estimate, error, **(SCORE | given | {"contrast": "newer - usual"} | fields))


def stands(arm, quantity, estimate=1.0):
    return best(estimate, 2.0, quantity, level=arm, reference="best of the others", status="descriptive")


def growth(estimate, error, quantity=CHANGE, **fields):
    given = {
        "question": "growth", "quantity": quantity, "moderator": "wave", "level": "spring - winter",
        "reference": "winter", "contrast": "new - usual", "status": "exploratory",
    }  # fmt: skip
    return effect(estimate, error, **(SCORE | {"wave": "spring"} | given | fields))


def test_a_contrast_of_two_treatments_names_both():
    assert BARE.arms_of("newer - new") == ("newer", "new")
    assert BARE.arms_of("newer - usual") == ("newer", "usual")
    told = tell(
        effect(
            4.0, 1.0, **(SCORE | {"question": "average", "quantity": "", "contrast": "newer - new", "p_value": 0.01})
        ),
        BARE,
    )
    assert told.startswith("Assignment to newer rather than new raised")


def test_the_treatment_that_looks_best_is_told_with_the_reason_for_its_wide_range():
    sure = tell(best(4.0, 1.0, PICKED), BARE)
    unsure = tell(best(1.0, 1.0, PICKED), BARE)
    for sentence in (sure, unsure):
        assert sentence.startswith("The treatment that looks best for reading, winter is newer")
        assert "the range allows for its having been picked" in sentence
    assert unsure.endswith("and includes zero.")
    assert not sure.endswith("and includes zero.")


def test_each_arm_may_be_the_best_or_is_ruled_out():
    assert "may be the best arm for reading" in tell(stands("new", MAY_BE_BEST), BARE)
    told = tell(stands("usual", RULED_OUT, -5.0), BARE)
    assert "is ruled out as the best arm" in told
    assert "5.0 points lower than the best of the other arms" in told


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ((MAY_BE_BEST, MAY_BE_BEST, MAY_BE_BEST), "we cannot tell which of usual, new and newer is the best."),
        ((RULED_OUT, MAY_BE_BEST, MAY_BE_BEST), "which of new and newer is the best; usual is ruled out at 95"),
        ((RULED_OUT, RULED_OUT, MAY_BE_BEST), "newer is the best arm at 95"),
    ],
)
def test_one_sentence_says_which_arms_may_be_the_best(arms, said):
    found = [stands(arm, quantity) for arm, quantity in zip(("usual", "new", "newer"), arms, strict=True)]
    assert said in tell_standings(found, BARE)
    assert tell_standings([replace(each, suppressed=True) for each in found], BARE) == ""


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (growth(2.1, 0.5, p_adjusted=0.01), "was 2.10 points larger than on reading, winter, among students measured"),
        (growth(-2.1, 0.5, p_adjusted=0.01), "was 2.10 points smaller than on reading, winter"),
        (growth(2.1, 0.5, p_adjusted=0.2), "may be 2.10 points larger than on reading, winter"),
        (growth(0.1, 0.5, p_adjusted=0.9), "We cannot tell whether the effect of new on reading, spring is larger"),
        (growth(2.1, 0.5, AT_A_WAVE, status="descriptive"), "Among students measured at both waves, the effect"),
    ],
)
def test_growth_is_told_as_larger_smaller_or_open(finding, said):
    assert said in tell(finding, BARE)


def test_a_change_that_cannot_be_assessed_names_what_it_is():
    lost = replace(growth(NAN, NAN, notes=("not assessable: too few",)), estimate=NAN, statistic=NAN)
    told = "Whether the effect of new on reading, spring is another than on reading, winter: not"
    assert tell(lost, BARE).startswith(told)
    assert earlier_outcome(lost, BARE) == "reading, winter"


def test_of_several_treatments_each_is_named_where_two_would_be_told_alike():
    weighed = {"question": "difference", "moderator": "weighting", "level": "student - cluster", "reference": "cluster"}
    told = tell(effect(0.4, 1.0, **(SCORE | weighed | {"contrast": "newer - usual", "quantity": ""})), BARE)
    assert "gives an estimate for the effect of newer on reading, winter that is 0.4 points larger" in told
    varies = {"question": "heterogeneity", "moderator": "predicted effect", "quantity": "", "contrast": "newer - usual"}
    assert "whether the effect of newer on reading, winter differs" in tell(effect(0.1, 0.4, **(SCORE | varies)), BARE)
    explored = effect(
        4.0, 1.0, **(SCORE | {"question": "difference", "moderator": "frl", "level": "Y", "reference": "N"}),
        contrast="newer - usual", status="exploratory", p_adjusted=0.01, quantity="", n_tests=3,
    )  # fmt: skip
    assert "newer rather than usual)" in propose_explored([explored], BARE)


def test_differences_before_assignment_stand_under_the_treatment_that_they_are_about():
    gaps = [Gap(words=words, value=0.1, group=group) for words in ("sex", "age") for group in ("new", "newer")]
    assert [line if isinstance(line, str) else line.words for line in divide(gaps)] == [
        "new", "sex", "age", "newer", "sex", "age",
    ]  # fmt: skip
    assert divide([replace(gap, group="") for gap in gaps[:1]]) == [replace(gaps[0], group="")]
    assert "age, newer: +0.10" in plot_balance(gaps, treatment="the arm named", control="usual").alt


def test_the_key_of_the_attrition_figure_holds_long_names_whole():
    long = "mathematics, adaptive programme with coaching"
    points = [Attrition(words=long, overall=4.0 + k / 2, differential=1.0, verdict=Verdict.PASS) for k in range(12)]
    drawing = plot_attrition(points).drawing
    written = [text.get_text() for text in drawing.texts]
    assert "1  Mathematics, adaptive programme" in written
    assert "with coaching" in written
    assert all(text.get_position()[1] > 0 for text in drawing.texts)
