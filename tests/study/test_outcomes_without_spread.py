"""Outcomes that hardly vary, or were measured in one place alone, give what they can and never stop the run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import where
from tests.study.designs import LUNCH, make_classes, run_briefly
from whoworks.findings.setting import NO_ERROR
from whoworks.report.labels import read_words
from whoworks.report.sentences import tell


def test_an_outcome_measured_in_one_school_alone_has_no_error_by_schools():
    frame = make_classes(schools=3, per_school=12, size=6, seed=2)
    frame["y"] = frame["y"].where(frame["school_id"] == "h0")
    run = run_briefly(frame, moderators=[LUNCH])
    assert np.isfinite(where(run.findings, question="average", weighting="student").std_error)
    assert np.isnan(run.precision[0].std_error_by_block)


BINARY = {"column": "y", "kind": "binary", "primary": True}


SETTING = {"column": "setting", "level": "school", "planned": True}


def run_flat(y):
    frame = make_classes(schools=8)
    frame["setting"] = np.where(frame["school_id"] < "h4", "city", "town")
    return run_briefly(frame.assign(y=y(frame)), outcome=[BINARY], moderators=[SETTING], baseline=())


@pytest.fixture(scope="module")
def rare():
    """Nobody in town has the event."""
    return run_flat(lambda frame: ((frame["setting"] == "city") & (np.arange(len(frame)) % 3 == 0)).astype(int))


def group(run, level):
    return where(run.findings, question="subgroup", moderator="setting", level=level, weighting="student")


def test_a_group_in_which_nobody_has_the_event_has_an_estimate_and_neither_range_nor_p(rare):
    found, other = group(rare, "town"), group(rare, "city")
    assert found.estimate == pytest.approx(0.0, abs=1e-9)
    for name in ("std_error", "conf_low", "conf_high", "p_value", "mde", "effect_size_low"):
        assert np.isnan(getattr(found, name)), name
    assert found.notes == (NO_ERROR,)
    assert other.conf_low < other.estimate < other.conf_high


def test_its_sentence_says_not_assessable_and_tells_no_range(rare):
    said = tell(group(rare, "town"), read_words(rare.evidence()))
    assert "not assessable (outcomes do not vary enough" in said
    assert "interval" not in said


def test_an_outcome_that_is_the_arm_is_no_certainty():
    found = run_flat(lambda frame: (frame["arm"] == "T").astype(int)).findings
    for finding in found.where(question="average"):
        assert finding.estimate == pytest.approx(100.0)
        assert np.isnan([finding.std_error, finding.conf_low, finding.p_value, finding.mde]).all()


def test_nothing_is_called_underpowered_where_the_outcome_has_no_spread():
    frame = make_classes()
    outcome = {"column": "y", "primary": True, "meaningful": 0.2, "meaningful_in": "sd"}
    run = run_briefly(frame.assign(y=5.0 + 5 * (frame["arm"] == "T")), outcome=[outcome], moderators=[LUNCH])
    assert "underpowered" not in {caveat.caveat_id for caveat in run.caveats}
