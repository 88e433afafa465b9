"""Records that cannot tell what the plan asks give "not assessable", and never stop the run."""

from __future__ import annotations

import numpy as np

from tests.findings.pilots import where
from tests.study.designs import LUNCH, make_pairs, run_briefly
from whoworks.findings.gap import BEFORE
from whoworks.findings.setting import NOT_DETERMINED


def test_students_in_matched_pairs_have_one_control_each_and_no_gap_between_two_of_them():
    found = run_briefly(make_pairs(), assigned="student", moderators=[LUNCH]).findings
    before = where(found, question="gap", quantity=BEFORE)
    assert np.isnan(before.estimate)
    assert before.notes == (NOT_DETERMINED,)
    assert np.isfinite(where(found, question="average", weighting="student").estimate)
    assert np.isfinite(where(found, question="difference", moderator="frl").estimate)
