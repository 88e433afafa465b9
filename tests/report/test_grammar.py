"""One is singular, and what is not assessable is still a sentence."""

from __future__ import annotations

import pytest

from tests.report.harbour import averages, build, effect, make_evidence
from tests.report.test_answer import answer
from whoworks.findings.finding import NAN
from whoworks.plan.plan import Plan
from whoworks.report.amounts import detectable
from whoworks.report.answer import MOST_ANSWERS
from whoworks.report.figures.flow import MOST_STEPS, say_left
from whoworks.report.labels import read_words
from whoworks.report.participants import Step
from whoworks.report.phrases import smallest
from whoworks.report.sentences import tell


@pytest.mark.parametrize(("meaningful", "said"), [(1.0, "1 percentage point"), (5.0, "5 percentage points")])
def test_one_point_is_no_points(meaningful, said):
    given = make_evidence().plan.given
    given["outcomes"][1]["meaningful"] = meaningful
    words = read_words(build(Plan.build(given), averages()))
    assert smallest(effect(2.0, 1.0, question="average", outcome="promoted"), words) == said


def test_a_difference_of_one_point_could_be_missed(words):
    whole = effect(1.0, 30.0, question="average", outcome="rd_post")
    words = read_words(build(make_evidence().plan, [whole]))
    told = {mde: detectable(effect(1.0, 30.0, question="average", mde=mde), words) for mde in (1.0, 2.0)}
    assert told == {mde: f"an effect smaller than {said} could easily be missed"
                    for mde, said in ((1.0, "1 point"), (2.0, "2 points"))}  # fmt: skip


@pytest.mark.parametrize(("n", "said"), [(1, "and 1 more reason, in the table"), (2, "and 2 more reasons, in the")])
def test_one_more_reason_is_one(words, n, said):
    steps = [Step(words=f"reason {k}", n_units=20) for k in range(MOST_STEPS + n)]
    assert say_left(steps, words, "students")[-1].startswith(said)


@pytest.mark.parametrize(("n", "said"), [(1, "1 more of these averages is"), (2, "2 more of these averages are")])
def test_one_more_average_is_one(n, said):
    average = averages()[0]
    told = answer(build(make_evidence().plan, [average, *averages()[:1] * (MOST_ANSWERS - 1 + n)]))
    assert f"{said} in the report." in told


def test_a_comparison_of_sorted_groups_without_answer_is_a_sentence(words):
    lost = effect(
        NAN, 1.0, question="sorted-group", moderator="predicted effect", level="2 - 1", statistic=NAN,
        notes=("not assessable: too few clusters",),
    )  # fmt: skip
    assert tell(lost, words) == (
        "How the effect on reading (district test, spring) differs between the students with the largest and the "
        "smallest prediction: not assessable (too few clusters)."
    )
