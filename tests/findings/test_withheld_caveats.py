"""A caveat names the findings that it is computed from, and counts none that a report withholds."""

from __future__ import annotations

from dataclasses import replace

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
