"""Guard on pre-tests: a pre-test has values, and is not the outcome itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whoworks.errors import PanelError
from whoworks.panel.typing import Vector
from whoworks.plan.plan import Plan

ENOUGH = 10  # fewer students can have the same score twice by chance


def require_baselines(plan: Plan, values: Mapping[str, Any]) -> None:
    """Refuse a pre-test without a value, or with the outcome's own values."""
    for outcome in plan.outcomes:
        for baseline in outcome.baseline:
            before = np.asarray(values[baseline.name], dtype=np.float64)
            after = np.asarray(values[outcome.name], dtype=np.float64)
            if np.isnan(before).all():
                raise PanelError(
                    f"The pre-test '{baseline.name}' has no value at all among the {len(before)} units compared. Take "
                    "it out of the outcome's baseline, or check the column, missing.codes and records.keep."
                )
            if is_same(before, after):
                raise PanelError(
                    f"The pre-test '{baseline.name}' is the same as the outcome '{outcome.name}' for every unit, so it "
                    "was not measured before. Correct the outcome's baseline, or the columns of the records."
                )


def is_same(before: Vector, after: Vector) -> bool:
    """Tell whether two measures agree for all who have both; what takes two values may by chance."""
    both = ~np.isnan(before) & ~np.isnan(after)
    if np.count_nonzero(both) < ENOUGH or len(np.unique(before[both])) <= 2:
        return False
    return bool(np.array_equal(before[both], after[both]))
