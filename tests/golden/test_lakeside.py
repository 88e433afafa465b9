"""Has a number of ours changed?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.golden.lakeside import read_written, recompute
from whoworks import columns


@pytest.fixture(scope="module")
def now() -> pd.DataFrame:
    """Return the findings as computed now, by their names."""
    return recompute().set_index("finding_id", drop=False)


@pytest.fixture(scope="module")
def written() -> pd.DataFrame:
    """Return the findings as written down, by their names; a missing file fails."""
    return read_written().set_index("finding_id", drop=False)


def test_the_same_findings_are_made_in_the_same_order(now, written):
    assert tuple(written.columns) == columns.FINDINGS
    assert list(now["finding_id"]) == list(written["finding_id"])


@pytest.mark.parametrize("column", columns.FINDINGS)
def test_no_number_and_no_word_of_a_finding_has_changed(now, written, column):
    both = now.index.intersection(written.index)
    computed, expected = now.loc[both, column], written.loc[both, column]
    if computed.dtype.kind in "fi":
        expected = pd.to_numeric(expected.replace("", np.nan)).astype(float)
        np.testing.assert_allclose(computed.astype(float), expected, rtol=1e-10, atol=1e-12, err_msg=column)
    else:
        assert computed.astype(str).to_dict() == expected.to_dict()
