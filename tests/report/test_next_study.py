"""What to plan next: of the planned questions, what found no answer, then what is open; never what is settled."""

from __future__ import annotations

from dataclasses import replace

from tests.report.harbour import averages, planned
from tests.report.test_answer import several
from whoworks.report.labels import read_words
from whoworks.report.next_study import propose


def changed(moderator, **fields):
    return [replace(f, **fields) if f.moderator == moderator else f for f in planned()]


def test_a_settled_claim_is_not_what_the_next_study_needs(words):
    (said,) = propose(changed("frl", mde=900.0), words, None)
    assert said.startswith("Needs the largest study of the planned questions: whether the effect on reading")
    assert "differs by school's setting. Its hardest part is" in said
    lunch = [f for f in changed("frl", mde=900.0) if f.moderator == "frl"]
    (said,) = propose(lunch, words, None)
    assert said == "Every planned question was settled here; the next step is to ask it again in other schools."
    within = [replace(f, mde=1.0, conf_low=-5.0, conf_high=5.0) for f in planned() if f.moderator == "tch_yrs"]
    assert propose(within, words, None)[0].startswith("Every planned difference that would matter was within")
    assert propose([*lunch, *within], words, None)[0].startswith("Every other planned difference that would matter")


def test_a_planned_question_without_an_answer_comes_first(words):
    asked = "Could not be answered here: whether the effect on reading (district test, spring) differs "
    (said,) = propose(changed("frl", suppressed=True), words, None)
    assert said == (
        f"{asked}between \u201cnot eligible\u201d and \u201celigible\u201d (free or reduced-price lunch): too few "
        "students or classes stand behind it."
    )
    lost = {"statistic": float("nan"), "estimate": float("nan")}
    (said,) = propose(changed("locale", notes=("not assessable: fewer than two groups",), **lost), words, None)
    assert said == f"{asked}by school's setting: fewer than two groups."


def test_where_students_are_what_is_counted_they_are_too_few_once(words):
    assert words.too_few() == "too few students or classes"
    assert words.too_few("student") == "too few students"


def test_the_average_to_settle_is_that_of_a_named_treatment(words):
    open_one = replace(averages()[0], conf_low=-2.0, conf_high=9.0)
    assert propose([], words, open_one)[0].startswith("The average itself: with 48 classes")
    both = read_words(several())
    assert propose([], both, open_one)[0].startswith("The average itself, small groups rather than usual practice: ")
