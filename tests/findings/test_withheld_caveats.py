"""A caveat names the findings that it is computed from, and counts none that a report withholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.findings.pilots import three_arms
from tests.findings.test_caveats import derive, finding


def test_a_planned_test_that_is_withheld_is_not_counted_among_those_that_found_nothing():
    shown = [finding("difference", status="confirmatory", moderator=m, p_adjusted=0.3) for m in ("frl", "sex", "el")]
    hidden = [replace(shown[2], smallest_cell=7, p_adjusted=p) for p in (0.01, 0.3)]
    for each in hidden:
        told = derive(findings=[*shown[:2], each])["no_differences_found"].sentence
        assert "Neither of the two planned comparisons of groups that can be shown" in told
    assert "no_differences_found" not in derive(findings=hidden[1:])


def test_a_caveat_that_is_computed_from_a_finding_names_it():
    average = finding("average", conf_low=-1.0, conf_high=4.0, mde=9.0)
    found = derive(findings=[average])
    assert found["underpowered"].about == (average.finding_id,)
    assert found["who_these_are"].about == ()


def test_of_planned_tests_those_that_could_not_be_made_are_counted_apart():
    made = [finding("difference", status="confirmatory", moderator=m, p_adjusted=0.3) for m in ("frl", "sex", "el")]
    lost = finding("difference", status="confirmatory", moderator="rit_fall", p_adjusted=np.nan)
    hidden = replace(made[2], smallest_cell=7)
    for tests, said in (
        ([made[0], lost], "Of the two planned comparisons of groups, the one that could be made does not tell"),
        ([*made, lost], "Of the four planned comparisons of groups, none of the three that could be made tells"),
        ([made[0], hidden, lost], "the one that could be made and shown does not tell"),
    ):
        assert f"{said} their effects apart." in derive(findings=tests)["no_differences_found"].sentence


def test_only_where_all_groups_are_too_small_all_are_said_to_be():
    told = finding("subgroup", moderator="frl", level="N")
    small = replace(told, level="Y", smallest_cell=7)
    silent = "too small to be shown: the report is silent on them, and that says nothing about how they fared."
    assert derive(findings=[small])["suppressed"].sentence == f"Groups of free or reduced-price lunch are {silent}"
    part = derive(findings=[told, small])["suppressed"].sentence
    assert part == (
        "Some groups of free or reduced-price lunch are too small to be shown (eligible): the report is silent on "
        "them, and that says nothing about how they fared."
    )
    other = derive(findings=[told, small, replace(small, moderator="sex", level="F")])["suppressed"].sentence
    assert other.startswith("Groups of sex are too small to be shown, and so are some of free or reduced-price lunch (")


def test_a_group_too_small_under_one_treatment_is_named_with_it():
    opened = three_arms()
    one, other = (f"{code} - usual" for code in opened.panel.plan.arms.treatments)
    told = finding("subgroup", moderator="frl", level="Y", contrast=other)
    said = derive(opened, findings=[told, replace(told, contrast=one, smallest_cell=7)])["suppressed"].sentence
    assert "(adaptive programme: eligible)" in said
