"""Size, coverage and calibration over a few hundred pilots of known truth.

Seeds are fixed, so each test passes or fails for good. Bands are what a
procedure at its bar would leave once in 1,000 sets of seeds (binomial, two-sided,
0.0005 a side): the false-alarm rate of each assertion.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.truth_short.replicates import CELLS, replicate

pytestmark = [pytest.mark.truth, pytest.mark.timeout(900)]  # about 75 s on two free cores
SIDE = 0.0005
COVERAGE = (0.93, 0.97)
CALIBRATION = (0.93, 1.10)
CLAIMS = 0.05
ENOUGH = [name for name, cell in CELLS.items() if cell.classes >= 12]


def band(n, low, high):
    """Return the counts between which a rate of `low` to `high` leaves n trials."""
    return stats.binom.ppf(SIDE, n, low), stats.binom.ppf(1 - SIDE, n, high)


def rows(name, **fields):
    found = replicate(name)
    for column, value in fields.items():
        found = found[found[column] == value]
    return found


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("moderator", ["frl", "sex", "devices", "rit_fall"])
def test_a_difference_that_is_not_there_is_found_in_one_of_twenty(name, moderator):
    """Among pilots in which it can be assessed."""
    if moderator not in CELLS[name].names:
        assert rows(name, moderator=moderator).empty
        return
    p = rows(name, question="difference", moderator=moderator)["p"].dropna()
    low, high = band(len(p), 0.05, 0.05)
    assert len(p) >= 300
    assert low <= (p <= 0.05).sum() <= high, f"{(p <= 0.05).mean():.3f} of {len(p)}"


@pytest.mark.parametrize("name", ENOUGH)
@pytest.mark.parametrize("weighting", ["student", "cluster"])
def test_ranges_of_the_average_cover_the_truth_as_often_as_they_say(name, weighting):
    found = rows(name, question="average", weighting=weighting)
    covered = (found["low"] <= found["truth"]) & (found["truth"] <= found["high"])
    low, high = band(len(found), *COVERAGE)
    assert low <= covered.sum() <= high, f"{covered.mean():.3f}"


@pytest.mark.parametrize("name", ENOUGH)
@pytest.mark.parametrize("moderator", ["", "frl"])
def test_errors_are_as_large_as_estimates_spread(name, moderator):
    question = "difference" if moderator else "average"
    found = rows(name, question=question, moderator=moderator, weighting="student")
    miss = found["estimate"] - found["truth"]
    ratio = np.sqrt((found["std_error"] ** 2).mean()) / miss.std()
    slack = stats.norm.ppf(1 - SIDE) / np.sqrt(2 * len(found))
    assert CALIBRATION[0] * (1 - slack) <= ratio <= CALIBRATION[1] * (1 + slack), f"{ratio:.3f}"


@pytest.mark.parametrize("name", CELLS)
def test_estimates_are_right_on_average(name):
    for question, moderator in (("average", ""), ("difference", "frl")):
        found = rows(name, question=question, moderator=moderator, weighting="student")
        miss = (found["estimate"] - found["truth"]).dropna()
        t = miss.mean() / (miss.std() / np.sqrt(len(miss)))
        assert abs(t) < stats.norm.ppf(1 - SIDE), f"{question}: {miss.mean():.3f}"


@pytest.mark.parametrize("name", CELLS)
def test_a_claim_of_moderate_credibility_is_seldom_made_where_nothing_differs(name):
    found = replicate(name)
    claimed = found[found["credibility"].isin(["moderate", "high"])]["replicate"].nunique()
    n = found["replicate"].nunique()
    assert claimed <= stats.binom.ppf(1 - SIDE, n, CLAIMS), f"{claimed / n:.3f}"


@pytest.mark.parametrize("name", CELLS)
def test_the_weightings_are_seldom_told_apart_where_size_says_nothing(name):
    p = rows(name, moderator="weighting")["p"].dropna()
    assert (p <= 0.05).sum() <= band(len(p), 0.05, 0.05)[1]
