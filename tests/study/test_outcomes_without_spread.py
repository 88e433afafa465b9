"""Outcomes that hardly vary, or were measured in one place alone, give what they can and never stop the run."""

from __future__ import annotations

import numpy as np

from tests.findings.pilots import where
from tests.study.designs import LUNCH, make_classes, run_briefly


def test_an_outcome_measured_in_one_school_alone_has_no_error_by_schools():
    frame = make_classes(schools=3, per_school=12, size=6, seed=2)
    frame["y"] = frame["y"].where(frame["school_id"] == "h0")
    run = run_briefly(frame, moderators=[LUNCH])
    assert np.isfinite(where(run.findings, question="average", weighting="student").std_error)
    assert np.isnan(run.precision[0].std_error_by_block)
