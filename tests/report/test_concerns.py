"""What a check raised is named as it was found: no louder for a warning, and with the noun that was counted."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from tests.checks.test_design_checks import with_one_large_class
from tests.report.harbour import make_evidence
from tests.report.test_answer import answer, failing
from whoworks.checks.clusters import check_cluster_sizes
from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design
from whoworks.report.front_page import name_concerns

STRONG = "the arms were not alike before assignment"
BALANCE = next(check for check in make_evidence().checks if check.check_id == "balance")


def test_a_warning_about_balance_names_the_trait_and_its_size(words):
    assert words.concern(BALANCE) == (
        "before assignment the arms differed in teacher's years of experience (by 0.31 SD)"
    )
    lunch = BALANCE.table[BALANCE.table["variable"] == "frl"]
    told = words.concern(replace(BALANCE, value=0.03, table=lunch))
    assert told.endswith("differed in free or reduced-price lunch \u201cnot eligible\u201d (by 0.03 SD)")


def test_traits_in_which_arms_differed_are_named_in_one_breath(words):
    lunch = replace(BALANCE, value=0.07, table=BALANCE.table[BALANCE.table["variable"] == "frl"])
    assert name_concerns((BALANCE, lunch, lunch), words) == (
        "before assignment the arms differed in teacher's years of experience (by 0.31 SD) and free or reduced-price "
        "lunch \u201cnot eligible\u201d (by 0.07 SD) (2)"
    )


def test_only_a_failed_balance_has_the_strong_words(words):
    assert words.concern(replace(BALANCE, verdict=Verdict.FAIL)) == STRONG
    joint = replace(BALANCE, subject=JOINT, value=0.03, table=pd.DataFrame({"p_value": [0.03]}))
    assert words.concern(joint).startswith("taken together, the arms differed before assignment by more")
    assert words.concern(replace(joint, verdict=Verdict.FAIL)) == STRONG


def test_a_balance_whose_widest_trait_is_withheld_names_none(words):
    assert words.concern(replace(BALANCE, value=math.nan)) == "before assignment the arms were not wholly alike"


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "at least one class holds a single student"), (30, "in an arm one class is far larger than the others")],
)
def test_of_unequal_clusters_the_one_that_was_found_is_named(words, size, said):
    (check,) = check_cluster_sizes(build_design(with_one_large_class(size)))
    assert words.concern(check) == said


def test_what_was_lost_as_a_whole_is_what_was_assigned(words):
    by_school = replace(words, cluster_level="school")
    lost = failing("cluster_attrition", "rd_post")
    assert by_school.concern(lost.checks[0]).startswith("more classes have no outcome at all")
    evidence = replace(lost, design=replace(lost.design, cluster_level="school"))
    assert answer(evidence)[1].startswith("This is in doubt: more classes have no outcome at all")
