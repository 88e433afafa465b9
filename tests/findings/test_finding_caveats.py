"""How caveats that come from findings are worded."""

from __future__ import annotations

import pytest

from whoworks.findings.caveats.findings import so_many_times


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1.02, "hardly more than"), (1.42, "1.4 times"), (4.66, "about 5 times"), (1234.5, "about 1,234 times")],
)
def test_how_underpowered_a_study_is_can_be_followed_from_rounded_numbers(ratio, said):
    assert so_many_times(ratio) == said
