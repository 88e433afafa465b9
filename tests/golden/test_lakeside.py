"""Has a number of ours changed?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.golden.lakeside import read_written, recompute
from whoworks import columns


@pytest.fixture(scope="module")
def now() -> pd.DataFrame:
    """Return the findings as computed now."""
    return recompute()


@pytest.fixture(scope="module")
def written() -> pd.DataFrame:
    """Return the findings as written down; a missing file fails."""
    return read_written()


def test_the_same_findings_are_made_in_the_same_order(now, written):
    assert tuple(written.columns) == columns.FINDINGS
    assert list(now["finding_id"]) == list(written["finding_id"])


@pytest.mark.parametrize("column", columns.FINDINGS)
def test_no_number_and_no_word_has_changed(now, written, column):
    if now[column].dtype.kind in "fi":
        expected = pd.to_numeric(written[column].replace("", np.nan)).astype(float)
        np.testing.assert_allclose(now[column].astype(float), expected, rtol=1e-10, atol=1e-12, err_msg=column)
    else:
        assert list(now[column].astype(str)) == list(written[column])
