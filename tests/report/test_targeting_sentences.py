"""Rankings, profiles and candidates in sentences: the plan's words for the codes, no claim of a description."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.report.harbour import PLAN, build, effect
from tests.report.test_sentences import BANNED, CAUSAL
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.searches.candidates import AGAIN
from whoworks.plan.plan import Plan
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.places import trait_distance
from whoworks.report.sections.exploration import compose_exploration, profile_table
from whoworks.report.selection import select
from whoworks.report.sentences import tell
from whoworks.report.targeting import tell_again

RULE = "frl = Y and tch_yrs <= 8"


def found(question: str, level: str, moderator: str, estimate: float = 6.3, error: float = 2.1, **fields) -> Finding:
    given = {"adjustment": "BH"} if "p_adjusted" in fields else {}
    whole = effect(estimate, error, question=question, status="exploratory")
    return replace(whole, level=level, moderator=moderator, **(given | fields))


def grid() -> list[Finding]:
    kinds = (
        ("ranking", "AUTOC", "predicted effect"), ("ranking", "top third", "predicted effect"),
        ("ranking", "0.3", "predicted effect"), ("candidate", RULE, "frl & tch_yrs"),
        ("candidate", "proposed again", "frl"), ("profile", "Y: 5", "frl"), ("profile", "5 - 1", "tch_yrs"),
    )  # fmt: skip
    told = []
    for (question, level, moderator), (estimate, error) in itertools.product(
        kinds, ((6.3, 2.1), (-6.3, 2.1), (1.0, 2.1))
    ):
        finding = found(question, level, moderator, estimate, error, quantity="mean")
        told += [finding, replace(finding, p_adjusted=0.4), replace(finding, suppressed=True, estimate=NAN)]
        told.append(replace(finding, estimate=NAN, statistic=NAN, notes=("not assessable: too few clusters",)))
    return told


@pytest.fixture(scope="module")
def matched():
    text = PLAN.replace("[design]\n", '[design]\nkind = "matched"\n').replace('probability = "blocks"\n', "")
    return read_words(build(Plan.parse(text), []))


def test_no_sentence_says_what_it_must_not(words):
    for finding in grid():
        assert not BANNED.search(tell(finding, words)), tell(finding, words)


def test_without_randomisation_no_sentence_speaks_of_effects(matched):
    for finding in grid():
        assert not CAUSAL.search(tell(finding, matched)), tell(finding, matched)


def test_a_rule_is_told_in_the_plans_words(words):
    told = tell(found("candidate", RULE, "frl & tch_yrs"), words)
    assert "for those with \u201celigible\u201d (free or reduced-price lunch) and " in told
    assert " of at most 8 than for all others" in told
    assert "frl" not in told
    alone = found("candidate", "frl = Y", "frl")
    assert " for \u201celigible\u201d (free or reduced-price lunch) than for all others" in tell(alone, words)
    gone = tell(replace(alone, suppressed=True), words)
    assert gone.startswith("The group \u201celigible\u201d (free or reduced-price lunch), which the data proposed:")
    third = tell(found("ranking", "top third", "predicted effect"), words)
    assert "in the third of students ranked first by prediction" in third


@pytest.mark.parametrize(("p", "said"), [(0.01, " was "), (0.4, " may be ")])
def test_a_candidate_is_as_settled_as_its_adjusted_p(words, p, said):
    assert said in tell(found("candidate", RULE, "frl & tch_yrs", p_adjusted=p), words)


def test_two_cuts_of_one_number_are_told_as_one_range(words):
    told = tell(found("candidate", "tch_yrs <= 20 and tch_yrs > 8", "tch_yrs"), words)
    assert told.count("experience") == 1
    assert "above 8 and at most 20 than for all others" in told


def test_a_profile_names_its_groups_by_their_numbers(words):
    told = tell(found("profile", "5 - 1", "tch_yrs", quantity="mean"), words)
    assert "in group 5 of the students sorted by prediction" in told
    assert "from that in group 1" in told


def test_a_wide_range_settles_nothing(words):
    told = tell(found("candidate", "frl is not Y", "frl", 1.0, 2.1), words)
    assert "tested in the other half: we cannot tell whether the effect" in told
    assert "the estimate is 1.0 points larger for the first (95 % interval 3.4 smaller to 5.4 larger" in told
    assert tell(found("ranking", "AUTOC", "predicted effect", 1.0, 2.1), words).startswith("We cannot tell")


def test_the_section_shows_profiles_and_proposed_groups():
    profiles = [
        found("profile", level, "frl", 40.0, 2.0, unit="percentage points", quantity="share", reference=reference)
        for level, reference in (("Y: 1", ""), ("Y: 5", ""), ("Y: 5 - 1", "1"))
    ]
    evidence = build(Plan.parse(PLAN), [*profiles, found("candidate", RULE, "frl & tch_yrs")], engine="ridge")
    released, words = withhold(evidence), read_words(evidence)
    section = compose_exploration(released, select(released, words), words, {})
    tables = [block for block in section.blocks if getattr(block, "caption", "").startswith("Description: who has")]
    assert [len(row.cells) for row in tables[0].rows] == [5]
    assert "Groups that the data proposed" in [getattr(block, "text", "") for block in section.blocks]


def explored(*items: Finding) -> list[str]:
    evidence = build(Plan.parse(PLAN), list(items), engine="ridge")
    released, words = withhold(evidence), read_words(evidence)
    section = compose_exploration(released, select(released, words), words, {})
    return [getattr(block, "text", "") + getattr(block, "note", "") for block in section.blocks]


def test_looks_that_disagree_are_drawn_together_before_they_are_told():
    area = found("ranking", "AUTOC", "predicted effect", p_adjusted=0.01)
    third = found("ranking", "top third", "predicted effect", 1.0, p_adjusted=0.6)
    together = [text for text in explored(area, third) if text.startswith("Of 2 ways of asking below, 1 found")]
    assert len(together) == 1
    assert "none of this settles for whom" in together[0]
    assert not any("ways of asking" in text for text in (*explored(area), *explored(third)))


def test_the_tested_difference_of_sorted_groups_is_not_that_of_the_rows_above():
    groups = [
        found("sorted-group", str(i), "predicted effect", 3.0 * i, status="descriptive", conf_low=NAN, conf_high=NAN)
        for i in (1, 2, 3)
    ]
    said = " ".join(explored(*groups, found("sorted-group", "3 - 1", "predicted effect", 2.0, p_adjusted=0.03)))
    assert "so it is not that of the rows above: adjusted p = .03." in said


def test_a_range_with_zero_in_it_says_which_side_is_which(words):
    for question, level, moderator in (("candidate", RULE, "frl & tch_yrs"), ("ranking", "AUTOC", "predicted effect")):
        told = tell(found(question, level, moderator, -1.0, 2.1, p_adjusted=0.6), words)
        assert "1.0 points smaller" in told
        assert "smaller to" in told
        assert "larger;" in told


def test_how_often_groups_are_proposed_again_is_one_sentence(words):
    again = [found("candidate", AGAIN, name, 0.6) for name in ("frl", "tch_yrs")]
    assert tell_again(again, words).count("60 %") == 2
    assert tell_again(again, words).count("drawn anew") == 1


def test_how_often_a_group_is_proposed_again_may_be_withheld(words):
    again = [found("candidate", AGAIN, "frl", NAN, suppressed=True), found("candidate", AGAIN, "tch_yrs", 0.6)]
    told = tell_again(again, words)
    assert " in a part that is not shown and " in told
    assert "60 %" in told


def test_a_rule_of_two_conditions_is_not_run_together_with_all_others(words):
    told = tell(found("candidate", RULE, "frl & tch_yrs", 1.0, 2.1), words)
    assert " of at most 8 differs from that for all others" in told


@pytest.mark.parametrize(("status", "said"), [("descriptive", "; none was tested."), ("exploratory", "tested them.")])
def test_groups_that_were_not_put_to_the_test_are_not_said_to_have_been(status, said):
    listed = found("candidate", RULE, "frl & tch_yrs", status=status)
    (lead,) = [text for text in explored(listed) if text.startswith("Half of the classes proposed these groups")]
    assert lead.endswith(said)


@pytest.mark.parametrize(("apart", "told"), [(1.2, "1 percentage point"), (-8.0, "\u22128 percentage points")])
def test_shares_lie_percentage_points_apart_and_one_point_is_singular(apart, told):
    share = found("profile", "Y: 5 - 1", "frl", apart, unit="percentage points", reference="1")
    assert trait_distance(share) == told


def test_a_mean_has_the_same_decimals_wherever_it_is_told_and_a_difference_has_its_mean_s(words):
    means = [found("profile", level, "tch_yrs", value, quantity="mean") for level, value in (("1", 3.274), ("5", 5.38))]
    apart = found("profile", "5 - 1", "tch_yrs", 2.106, quantity="mean", reference="1", p_adjusted=0.2)
    (row,) = profile_table((*means, apart), words).rows
    assert row.cells == ("Teacher's years of experience", "3.27", "5.38", "2.11", ".20")
    at_site = found("site-profile", "", "tch_yrs", 3.274)
    assert "3.27" in tell(at_site, words)
    assert "3.27" in tell(means[0], words)
