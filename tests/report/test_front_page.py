"""The first page: sentences that can be repeated, each with its direction, its size and its range."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.harbour import averages, build, effect, explored, make_evidence, planned
from tests.report.test_sites_section import NEW
from whoworks.checks.verdict import Verdict
from whoworks.findings.finding import NAN, Findings
from whoworks.findings.setting import FEW_DF
from whoworks.report.disclosure import withhold
from whoworks.report.figures.forest import build_rows
from whoworks.report.front_page import (
    compose_front_page,
    find_claims,
    list_estimates,
    make_tiles,
    tell_arms,
    tell_claims,
)
from whoworks.report.labels import Words, read_words
from whoworks.report.next_study import multiple, propose, times_as_many
from whoworks.report.sections.differences import planned_table
from whoworks.report.sections.method import tell_counted
from whoworks.report.selection import select
from whoworks.report.sentences import tell
from whoworks.report.tables import DASH, effects_table, moderator_table, tell_sd


def front(evidence):
    released = withhold(evidence)
    words = read_words(released.evidence)
    return compose_front_page(released, select(released, words), words)


@pytest.fixture(scope="module")
def page(evidence):
    return front(evidence)


def run(*findings):
    return build(make_evidence().plan, list(findings))


def test_a_claim_that_carries_weight_is_told_with_direction_size_and_range(page):
    assert page.for_whom_text.startswith(
        "The effect on reading (district test, spring) was 6.4 points larger among students with free or "
        "reduced-price lunch \u201celigible\u201d than with \u201cnot eligible\u201d (95 % interval 1.8 to 10.9); "
        "credibility moderate."
    )


def test_several_groups_are_told_by_their_estimates_beside_their_test(page):
    (cell,) = (row.cells[1] for row in page.for_whom.rows if "setting" in row.cells[0])
    assert cell == (
        "effect in each group: suburban 7.1, inner city 5.0 and rural 6.9; tested together, adjusted p = .83; "
        "48 classes"
    )


def test_of_many_groups_the_two_ends_are_named(words):
    groups = [
        effect(float(place), 1.0, question="subgroup", moderator="locale", level=f"L{place}", p_adjusted=NAN)
        for place in (3, 1, 2, 7, 5, 4, 6)
    ]
    joint = effect(1.0, 1.0, question="joint", moderator="locale")
    assert list_estimates(joint, tuple(groups), words) == "effects in 7 groups, from 1.0 (L1) to 7.0 (L7)"


def test_what_an_effect_size_is_in_depends_on_the_outcome(words):
    score, passed = (effect(1.0, 1.0, question="average", outcome=name) for name in ("rd_post", "promoted"))
    assert tell_sd([score], words) == "SD: the outcome's standard deviation over all students of both arms."
    assert tell_sd([passed], words).startswith("In SD: of a yes-or-no outcome, the Cox index")
    assert "both arms; of yes-or-no outcomes, the Cox index" in tell_sd([score, passed], words)


def test_a_yes_or_no_outcome_has_no_percentile_points_and_its_size_is_named_the_cox_index(words):
    score, passed = (effect(9.0, 2.1, question="average", outcome=name) for name in ("rd_post", "promoted"))
    both, alone = effects_table([score, passed], words), effects_table([passed], words)
    heads = [column.head for column in both.columns]
    moved = [row.cells[heads.index("Percentile points")] for row in both.rows if row.tone != "group"]
    assert moved == ["11 (6 to 16)", DASH]
    assert [column.head for column in alone.columns] == [head for head in heads if head != "Percentile points"]
    assert all(len(row.cells) == len(alone.columns) for row in alone.rows if row.tone != "group")
    assert "Percentile points" not in alone.note
    assert [tile.unit for tile in make_tiles(passed, words)][1:] == ["standard deviations (Cox index)"]
    assert "that is 0.28 SD by the Cox index (0.15 to 0.42)." in tell(passed, words)
    assert "that is 0.28 SD (0.15 to 0.42)." in tell(score, words)


def test_the_table_says_what_its_columns_mean(page):
    assert "four times in five" in page.for_whom.note
    assert "Credibility" in page.for_whom.note


def test_a_check_that_raised_a_concern_says_which(evidence, page):
    (said,) = [sentence for sentence in page.how_sure if "checks of the design" in sentence]
    differed = "before assignment the arms differed in teacher's years of experience (by 0.31 SD)"
    assert f"{differed}; different arms shared the same schools" in said
    assert "\u201cChance of each arm\u201d could not be run" in said


def test_every_check_has_words_for_what_it_found(evidence, words):
    for check_id in ("attrition", "cluster_attrition", "clusters", "cluster_sizes", "sample_ratio"):
        check = replace(evidence.checks[0], check_id=check_id, verdict=Verdict.WARN)
        assert "did not pass" not in words.concern(check)
        assert "{" not in words.concern(check)
    assert words.concern(replace(check, check_id="new_look")) == "\u201cNew look\u201d did not pass"


def test_clusters_with_both_arms_are_not_counted_twice(words):
    main = effect(1.0, 1.0, question="average")
    assert tell_arms(main, words) == " (24 small groups, 24 usual practice)"
    both = replace(main, n_treated_clusters=48, n_control_clusters=48)
    assert tell_arms(both, words) == ", each with students of both arms"
    some = replace(main, n_treated_clusters=30, n_control_clusters=24)
    assert tell_arms(some, words) == " (30 small groups, 24 usual practice; 6 with both)"


def test_what_a_new_school_may_expect_stands_on_the_first_page():
    assert front(run(*averages(), NEW)).cannot_say[-1] == (
        "Whether other schools would see the same: in a new school like these, the effect is expected between "
        "\u22123.2 and 15.2 points (95 % prediction interval)."
    )
    hidden = replace(NEW, suppressed=True)
    assert "these are the ones that took part" in front(run(*averages(), hidden)).cannot_say[-1]


def test_a_difference_that_is_suggestive_only_is_among_what_cannot_be_said():
    found = [replace(f, p_adjusted=0.2) if f.moderator == "frl" else f for f in planned()]
    said = " ".join(front(run(*averages(), *found)).cannot_say)
    assert "Whether the effect differs by free or reduced-price lunch" in said


def test_a_small_slope_leaves_no_room_for_what_matters_one_sd_apart(words: Words):
    slope = replace(planned()[-1], conf_low=-1.2, conf_high=1.0, effect_size_low=-0.04, effect_size_high=0.03)
    assert "experience (one SD apart), the range leaves no room" in tell_claims((slope,), words)


def test_a_part_of_a_planned_question_is_proposed_as_its_part(evidence, words):
    said = " ".join(propose(evidence.findings, words, None))
    assert "differs by school's setting. Its hardest part is \u201csuburban\u201d against \u201crural\u201d" in said


@pytest.mark.parametrize(("ratio", "said"), [(4.53, "19"), (1.5, "2.1"), (3.0, "8.3")])
def test_how_many_times_as_many_clusters_has_decimals_only_where_it_is_small(words, ratio, said):
    asked = effect(1.0, 1.0, question="difference", moderator="frl", level="Y", reference="N")
    assert times_as_many(replace(asked, mde=ratio * asked.meaningful)) == said


def test_differences_under_a_joint_test_are_not_proposed_one_by_one(words):
    joint = next(f for f in planned() if f.question == "joint")
    free = {"status": "exploratory", "outcome": "promoted", "domain": "progress"}
    parts = [replace(f, p_value=0.001, **free) for f in planned() if f.moderator == "locale" and f.reference]
    said = " ".join(propose([*parts, replace(joint, **free)], words, None))
    assert "Nothing that was explored stood out" in said


def test_what_stood_out_is_proposed_with_its_p_among_all_comparisons(words):
    girls = next(f for f in explored() if f.question == "difference")
    wide = replace(girls, conf_low=0.2, conf_high=4.5, p_adjusted=0.24, n_tests=16)
    other = replace(wide, moderator="tch_yrs", p_adjusted=0.5, outcome="promoted")
    said = " ".join(propose([wide, other], words, None))
    assert "Of the differences among the 16 comparisons explored, that by sex (for reading)" in said
    assert "stood out most (adjusted p = .24, not settled)" in said


def test_a_line_that_runs_against_its_groups_is_remarked(words):
    slope = next(f for f in planned() if f.moderator == "tch_yrs")
    groups = [
        effect(estimate, 2.0, question="subgroup", moderator="tch_yrs", level=level, status="confirmatory")
        for level, estimate in (("up to 6", 2.9), ("above 6", 4.2))
    ]
    said = "line and groups point different ways; the effect need not change evenly, and neither is settled."
    for order, there in ((groups, True), ([replace(groups[0], estimate=5.0), groups[1]], False)):
        released = withhold(run(*averages(), slope, *order))
        assert (said in planned_table(select(released, words), released, words).note) is there


def test_a_claim_of_several_groups_is_their_joint_test(evidence, words):
    claims = find_claims(select(withhold(evidence), words).planned)
    assert [f.question for f in claims if f.moderator == "locale"] == ["joint"]


def test_signs_that_effects_vary_are_told_on_page_one_and_settle_nothing():
    seen = effect(0.27, 0.1, question="heterogeneity", moderator="predicted effect", status="exploratory", unit="")
    clear, open_one = (replace(seen, p_adjusted=p, adjustment="BH", conf_low=NAN, conf_high=NAN) for p in (0.03, 0.3))
    told = [front(run(*averages(), finding)).for_whom_text for finding in (clear, open_one)]
    assert told[0].endswith(
        "Exploration saw signs that effects vary between students (adjusted p = .03); between whom is not settled."
    )
    assert "Exploration saw" not in told[1]
    after = front(run(*averages(), *planned(), replace(seen, p_adjusted=0.03, adjustment="BH"))).for_whom_text
    assert "Beyond that, exploration saw signs" in after


def test_places_elsewhere_have_the_plan_s_word(words):
    assert words.places == "schools"
    plan = words.plan.model_copy(update={"levels": {"student": "pupil_ref"}})
    plan = plan.model_copy(update={"design": plan.design.model_copy(update={"site": "", "blocks": ()})})
    nowhere = replace(words, plan=plan)
    assert nowhere.places == "places"
    assert propose([], nowhere, None)[0].startswith("Repeat the study in other places:")


def test_a_count_of_other_clusters_than_the_average_s_has_its_noun(words):
    lunch, setting = (
        effect(1.0, 1.0, question="subgroup", moderator=name, level=level, cluster=cluster, n_clusters=n)
        for name, level, cluster, n in (("frl", "Y", "class", 48), ("locale", "S", "school", 12))
    )
    mixed = planned_cells((lunch, setting), words)
    assert mixed == ("Classes", ["48", "12 schools"])
    assert planned_cells((setting,), words) == ("Schools", ["12"])
    assert build_rows((setting,), words)[1].clusters == "12 schools"


def planned_cells(findings, words):
    """Return the head and the cells of the column that counts clusters."""
    table = moderator_table(findings, words, caption="", technical=False)
    return table.columns[2].head, [row.cells[2] for row in table.rows if row.tone != "group"]


def test_the_method_says_where_other_clusters_are_counted(evidence, words):
    assert tell_counted(withhold(evidence), words) == "classes"
    schools = replace(evidence.findings.items[-1], cluster="school")
    both = withhold(replace(evidence, findings=Findings(items=(*evidence.findings, schools))))
    assert tell_counted(both, words) == "classes, and schools in questions about a trait of schools"


def test_more_clusters_bring_degrees_of_freedom_with_them(words):
    asked = effect(1.0, 1.0, question="difference", moderator="frl", level="Y", reference="N", df=6.0)
    few, many = (replace(asked, mde=2.5 * asked.meaningful, df=df) for df in (6.0, 600.0))
    assert multiple(few) == pytest.approx(4.68, abs=0.01)
    assert multiple(many) == pytest.approx(2.5**2, rel=0.01)
    assert multiple(replace(few, df=NAN)) == 2.5**2


@pytest.mark.parametrize(("notes", "there"), [((FEW_DF,), True), ((), False)])
def test_a_row_with_a_range_and_no_grade_has_its_reason_below_the_table(words, notes, there):
    row = effect(-12.1, 2.0, question="difference", moderator="tch_yrs", unit="per SD", p_value=NAN, notes=notes)
    table = moderator_table([replace(row, credibility="not assessable")], words, caption="", technical=False)
    said = "Not assessable beside a range: the range rests on fewer than 4 degrees of freedom"
    assert (said in table.note) is there
