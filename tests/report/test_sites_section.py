"""Where: the spread between sites or why it is not told, kinds of schools, who took part, and how like a target."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from tests.report.harbour import averages, build, effect, make_evidence, planned
from whoworks.findings.finding import NAN
from whoworks.findings.sites.profile import INDEX
from whoworks.plan.plan import Plan
from whoworks.report.charts import draw_charts, refer
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.sections.sites import compose_sites
from whoworks.report.selection import select
from whoworks.report.sentences import tell
from whoworks.report.write import compose_files

NAME = "all schools of the state"
UNTESTED = {"statistic": NAN, "p_value": NAN, "mde": NAN, "status": "descriptive"}
BARE = UNTESTED | {"std_error": NAN, "conf_low": NAN, "conf_high": NAN, "effect_size_low": NAN, "effect_size_high": NAN}


def site(rank, estimate, **fields):
    return replace(effect(estimate, 1.5, question="site-variation", level=str(rank), **fields), **UNTESTED)


def trait(estimate, level, *, moderator="frl", unit="percentage points", **fields):
    found = effect(estimate, 1.0, question="site-profile", moderator=moderator, level=level, unit=unit)
    return replace(found, **(BARE | {"effect_size": NAN} | fields))


def gap(estimate, size, level, *, moderator="frl", unit="percentage points", **fields):
    found = effect(estimate, 1.0, question="target", moderator=moderator, level=level, unit=unit, reference=NAME)
    return replace(found, **(BARE | {"effect_size": size, "sd_used": "SD between schools"} | fields))


def index(value, **fields):
    return gap(value, NAN, INDEX, moderator="", unit="", df_num=2.0, **fields)


SPREAD = replace(effect(4.1, 1.0, question="site-variation"), **(UNTESTED | {"std_error": NAN}))
NEW = replace(effect(6.0, 1.2, question="new-site"), **UNTESTED, conf_low=-3.2, conf_high=15.2)
SITES = [SPREAD, *(site(rank, 2.0 * rank - 4) for rank in range(1, 9)), NEW]
PROFILE = [
    trait(48.0, "Y"), trait(17.0, "Y: between schools", df=11.0),
    trait(11.5, "", moderator="tch_yrs", unit="moderator"),
    trait(2.6, "between schools", moderator="tch_yrs", unit="moderator", df=11.0),
    trait(41.0, "S", moderator="locale"), trait(51.0, "S: between schools", moderator="locale", df=11.0),
]  # fmt: skip
TARGET = [gap(-14.0, -0.82, "Y"), gap(0.6, 0.23, "", moderator="tch_yrs", unit="moderator"), index(0.84)]


def compose(findings, plan=None):
    """Return the section as text."""
    evidence = build(plan or make_evidence().plan, findings)
    released = withhold(evidence)
    words = read_words(released.evidence)
    chosen = select(released, words)
    figures = refer(draw_charts(released, chosen, words))
    section = asdict(compose_sites(chosen, words, figures))
    return json.dumps(section, ensure_ascii=False)


def test_a_spread_stands_with_its_figure_and_what_a_new_school_may_expect():
    said = compose([*averages(), *SITES])
    assert "Does the effect differ between schools?" in said
    assert "in about two of three schools the effect lies within that of their mean" in said
    assert "figures/sites.svg" in said
    assert "In a new school like these" in said


def test_schools_too_small_to_show_one_by_one_are_said_to_be():
    said = compose([*averages(), SPREAD, NEW])
    assert "Too few schools have 10 students in each arm to show them one by one." in said


def test_of_several_groups_the_claim_is_all_at_once():
    never = "a single difference's adjusted p is never below that of all at once"
    assert never in compose([*averages(), *planned()])


def test_the_figure_tells_its_ends_to_who_cannot_see_it():
    said = compose([*averages(), *SITES])
    assert "The effect in 8 schools without names, in order of size, in points" in said
    assert "smallest \u22122.0 (\u22125.1 to 1.1)" in said
    assert "largest 12.0" in said
    assert "One new school like these: \u22123.2 to 15.2 (95 % prediction interval)" in said


def test_the_figure_has_the_same_bytes_twice_and_no_date():
    first, second = (compose_files(build(make_evidence().plan, [*averages(), *SITES])) for _ in range(2))
    assert first["figures/sites.svg"] == second["figures/sites.svg"]
    assert b"<dc:date>" not in first["figures/sites.svg"]


def test_a_school_that_is_too_small_is_in_no_figure():
    small = [replace(finding, smallest_cell=4) if finding.level == "8" else finding for finding in SITES]
    said = compose([*averages(), *small])
    assert "7 schools without names" in said
    assert "largest 10.0" in said


def test_what_cannot_be_told_of_schools_is_said_with_its_reason():
    why = "teachers and sites cannot be told apart: for a reason"
    untold = replace(SPREAD, estimate=NAN, conf_low=NAN, conf_high=NAN, notes=(why,))
    said = compose([*averages(), untold])
    assert f"not assessable ({why})" in said
    assert "figures/sites.svg" not in said
    assert "In a new school" not in said


def test_a_plan_that_names_no_site_is_not_asked_how_they_differ():
    given = make_evidence().plan.given
    del given["design"]["site"]
    said = compose(averages(), Plan.build(given))
    assert "The plan names no site, so how far the effect differs between schools is not told." in said


def test_kinds_of_classes_and_schools_stand_with_their_degrees_of_freedom():
    said = compose([*averages(), *planned()])
    assert "Does it differ between kinds of classes and schools?" in said
    assert '"School\'s setting: inner city minus suburban", "schools"' in said
    assert '"F = 0.19", "2 and 18.3"' in said
    assert "Free or reduced-price lunch" not in said


def test_who_took_part_stands_beside_the_target():
    said = compose([*averages(), *PROFILE, *TARGET])
    assert f"Who took part: 12 schools, 1,102 students, beside {NAME}" in said
    assert '"Free or reduced-price lunch “eligible”", "48 %", "17 percentage points", "62 %", "\u22120.82"' in said
    assert '"Teacher\'s years of experience", "11.5", "2.6", "10.9", "+0.23"' in said
    assert '"School\'s setting “suburban”", "41 %", "\u2013", "\u2013", "\u2013"' in said


def test_without_a_target_its_columns_are_not_there():
    said = compose([*averages(), *PROFILE])
    assert "In the target" not in said
    assert "reweighted" not in said


def test_a_withheld_trait_shows_none_of_its_numbers():
    hidden = [
        replace(finding, smallest_cell=3) if finding.moderator == "frl" else finding for finding in PROFILE + TARGET
    ]
    said = compose([*averages(), *hidden])
    assert '"withheld", "withheld", "withheld", "withheld"' in said
    assert "48 %" not in said
    assert "62 %" not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.95, "are like all"),
        (0.84, "are much like all"),
        (0.6, "are like all schools of the state in part only"),
        (0.3, "are unlike all"),
    ],
)
def test_the_index_is_told_in_words(words, value, said):
    sentence = tell(index(value), words)
    assert said in sentence
    assert f"is {value:.2f}, which counts as" in sentence


def test_an_index_that_cannot_be_had_is_said_with_its_reason(words):
    sentence = tell(replace(index(NAN), notes=("6 schools, where an index over 4 traits takes 10",)), words)
    assert sentence == (
        "How like all schools of the state the schools of this study are: not assessable (6 schools, where an index "
        "over 4 traits takes 10)."
    )


def test_each_row_has_a_sentence(words):
    assert tell(PROFILE[0], words) == "Free or reduced-price lunch “eligible”: 48 % of students."
    assert tell(PROFILE[1], words).endswith(
        "the schools' own shares have a standard deviation of 17 percentage points."
    )
    assert tell(PROFILE[2], words) == "Teacher's years of experience: 11.5 on average over students."
    assert tell(TARGET[0], words).endswith(
        "14 percentage points below all schools of the state, 0.82 of the SD between schools."
    )
