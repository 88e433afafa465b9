"""Guard on bounded outcomes: no score lies beyond the lowest and the highest that the plan says there can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whoworks.errors import PanelError
from whoworks.plan.plan import Plan


def require_bounds(plan: Plan, values: Mapping[str, Any]) -> None:
    """Refuse an outcome with scores beyond its bounds, counting them."""
    for outcome in plan.outcomes:
        if outcome.bounds is None:
            continue
        scores = np.asarray(values[outcome.name], dtype=np.float64)
        low, high = outcome.bounds
        beyond = int(((scores < low) | (scores > high)).sum())
        if beyond:
            raise PanelError(
                f"'{outcome.name}' has {beyond} score(s) beyond the bounds that the plan gives, {low:g} to {high:g}. "
                "Correct the bounds, or list codes that mean that nothing was measured under missing.columns."
            )
