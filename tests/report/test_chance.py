"""What the report says of chance in the analysis: use beside noise, and other folds."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pandas as pd
import pytest

from tests.report.harbour import PLAN, averages, build
from whoworks.errors import ReportError
from whoworks.findings.finding import Findings
from whoworks.findings.grades.credibility import OTHER_FOLDS
from whoworks.findings.steadiness import Steadiness
from whoworks.plan.plan import Plan
from whoworks.report.charts import read_use
from whoworks.report.disclosure import withhold
from whoworks.report.figures.importance import plot_importance
from whoworks.report.labels import read_words
from whoworks.report.plots import plot_use
from whoworks.report.sections.companions import p_range
from whoworks.report.sections.effects import NOTHING_BEFORE, compose_effects
from whoworks.report.sections.exploration import importance_blocks, importance_table, tell_beyond_noise
from whoworks.report.sections.method import tell_chance, tell_estimation
from whoworks.report.selection import select


def used(evidence, *shares):
    """Give each of three moderators a share; noise reaches 0.4 for all."""
    frame = evidence.importance.assign(share=list(shares), noise_median=0.3, noise_high=0.4)
    return read_use(replace(evidence, importance=frame), read_words(evidence))


def test_the_most_used_stand_first_under_the_plans_words(evidence):
    found = used(evidence, 0.2, 0.5, 0.3)
    assert [use.words for use in found] == ["teacher's years of experience", "sex", "free or reduced-price lunch"]


def test_what_is_used_no_more_than_noise_is_said_to_be_no_sign_of_anything(evidence):
    assert "no sign of anything" in tell_beyond_noise(used(evidence, 0.2, 0.4, 0.3))


def test_what_is_used_beyond_noise_is_named_as_a_rank_and_not_as_a_cause(evidence):
    told = tell_beyond_noise(used(evidence, 0.45, 0.5, 0.05))
    assert told.startswith(
        "The predictions use teacher's years of experience and free or reduced-price lunch more than"
    )
    assert "The others are used no more than noise would be." in told
    assert "This ranks what a model goes by" in told
    assert "others" not in tell_beyond_noise(used(evidence, 0.45, 0.5, 0.6))


def test_the_table_sets_each_share_beside_noise_and_says_which_is_more(evidence):
    table = importance_table(used(evidence, 0.45, 0.3, 0.25))
    assert table.rows[0].cells == ("Free or reduced-price lunch", "45 %", "30 %", "40 %", "more than noise")
    assert {row.cells[-1] for row in table.rows[1:]} == {"no more than noise"}
    assert "not causes" in table.caption


def test_the_figure_says_the_same_to_who_cannot_see_it(evidence):
    chart = plot_importance(used(evidence, 0.45, 0.3, 0.25))
    assert "free or reduced-price lunch, 45 % (noise up to 40 %)" in chart.alt_text()
    assert chart.svg() == plot_importance(used(evidence, 0.45, 0.3, 0.25)).svg()


def test_without_predictions_there_is_nothing_to_rank(evidence):
    bare = replace(evidence, importance=evidence.importance.iloc[:0], no_predictions="Too few.")
    assert importance_blocks(withhold(bare), read_words(bare), {}) == []
    with pytest.raises(ReportError, match="nothing to rank"):
        plot_use(bare)
    assert isinstance(evidence.importance, pd.DataFrame)


# ---- other folds -------------------------------------------------------------------------------------------------


def steady(shift, *p_adjusted):
    return Steadiness(over="folds", n=5, shift=shift, p_adjusted=p_adjusted)


def with_steadiness(evidence, *, cap=""):
    """Let the average move by .1 of its error and each planned difference by .2."""
    findings = []
    for finding in evidence.findings:
        if finding.question == "average":
            finding = replace(finding, steadiness=steady(0.1))
        elif finding.question == "difference" and finding.credibility:
            caps = (*finding.caps, *([cap] if cap else []))
            finding = replace(finding, steadiness=steady(0.2, 0.03, 0.06), caps=caps)
        findings.append(finding)
    return replace(evidence, findings=Findings(items=tuple(findings)))


def chance(evidence):
    released = withhold(evidence)
    return tell_chance(released, read_words(evidence))


def test_the_method_says_how_far_other_folds_move_the_average_and_the_differences(evidence):
    told = chance(with_steadiness(evidence))
    assert "Which classes fall into which fold is chance." in told
    assert "on 5 other divisions" in told
    assert "at most 0.10 of its standard error" in told
    assert "at most 0.20 of theirs. No grade would have been lower." in told


def test_a_grade_that_was_lowered_is_counted_there(evidence):
    told = chance(with_steadiness(evidence, cap=f"{OTHER_FOLDS} in 2 of 5 tries: one step down"))
    assert "lowered because another division would have" in told


def test_a_run_that_did_not_look_says_nothing(evidence):
    assert chance(evidence) == ""


def test_the_second_looks_give_the_range_of_the_adjusted_p_its_own_included(evidence):
    finding = replace(next(iter(evidence.findings)), p_adjusted=0.02, steadiness=steady(0.1, 0.03, 0.06))
    assert p_range(finding) == ".02 to .06"
    assert p_range(replace(finding, steadiness=steady(0.1, 0.02))) == ".02"
    assert p_range(replace(finding, steadiness=None)) == "\u2013"
    assert p_range(replace(finding, p_adjusted=math.nan, steadiness=steady(0.1))) == "\u2013"


def test_where_no_prognosis_was_used_none_is_said_to_have_been(evidence):
    bare = replace(evidence, precision=tuple(replace(p, learner="none") for p in evidence.precision))
    told = dict(tell_estimation(withhold(bare), read_words(bare)))
    assert "prognosis" not in told["Estimates:"]
    assert told["Prognosis:"] == "None was used; estimates are plain differences within blocks."
    assert "Chance in the analysis:" not in told
    whole = replace(bare, design=replace(bare.design, block_level=""))
    assert dict(tell_estimation(withhold(whole), read_words(whole)))["Prognosis:"].endswith("plain differences.")
    assert "and the prognosis" in dict(tell_estimation(withhold(evidence), read_words(evidence)))["Estimates:"]


def test_a_plan_that_names_nothing_measured_before_is_not_said_to_have_tried():
    start, end = PLAN.index("[[moderators]]"), PLAN.index("[analysis]")
    plan = Plan.parse(re.sub(r"(?m)^baseline = .*$", "", PLAN[:start] + PLAN[end:]))
    evidence = build(plan, averages())
    words = read_words(evidence)
    section = compose_effects(withhold(evidence), select(withhold(evidence), words), words)
    assert NOTHING_BEFORE in [getattr(block, "text", "") for block in section.blocks]
