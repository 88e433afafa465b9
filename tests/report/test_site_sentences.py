"""What is said of sites: a spread, a place without a name, a new site, or why nothing is given."""

from __future__ import annotations

from dataclasses import replace

from tests.report.harbour import effect
from whoworks.findings.finding import NAN
from whoworks.report.sentences import tell


def spread(estimate, low, high, **more):
    found = effect(estimate, 1.0, question="site-variation", status="descriptive")
    return replace(found, std_error=NAN, p_value=NAN, conf_low=low, conf_high=high, **more)


def test_a_spread_whose_interval_leaves_zero_out_is_said_to_differ(words):
    said = tell(spread(6.2, 3.1, 9.9), words)
    assert "differs between schools: the standard deviation of the effect" in said
    assert "6.2 points (95 % interval 3.1 to 9.9; " in said


def test_a_spread_that_may_be_none_is_not_said_to_differ(words):
    assert tell(spread(2.0, 0.0, 5.0), words).startswith("We cannot tell whether the effect on ")


def test_one_site_has_a_rank_and_no_name(words):
    assert tell(spread(2.0, -1.0, 5.0, level="3"), words).startswith("In school 3 of those large enough to show, ")


def test_a_new_site_has_a_prediction_interval(words):
    found = effect(4.0, 2.0, question="new-site", status="descriptive")
    said = tell(replace(found, conf_low=-6.2, conf_high=14.2), words)
    assert said.startswith("In a new school like these, the effect on ")
    assert (
        "between \u22126.2 and 14.2 points, around a mean over schools of 4.0 points (95 % prediction interval" in said
    )


def test_what_cannot_be_told_is_said_with_its_reason(words):
    found = spread(NAN, NAN, NAN, notes=("teachers and sites cannot be told apart: for a reason",), statistic=NAN)
    said = tell(found, words)
    assert said.startswith("How far the effect on ")
    assert said.endswith("between schools: not assessable (teachers and sites cannot be told apart: for a reason).")
