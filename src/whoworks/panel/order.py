"""Order: units are sorted by what is said of them, so that the order of a file's rows changes nothing downstream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.panel.join import Codes
from whoworks.panel.levels import UNIT
from whoworks.records.text import Texts


def canonical_order(*, levels: dict[str, Texts], arm: Codes, values: Sequence[NDArray[np.float64]]) -> Codes:
    """Return the order of units: by largest level, by smaller ones, by unit, by arm and by values in the plan's order.

    Names of columns and arms play no part. Missing sorts last. Units that tie
    on everything are the same in everything that an analysis can see.
    """
    places = [ranks(texts) for level, texts in levels.items() if level != UNIT]
    unit = [ranks(levels[UNIT])] if UNIT in levels else []
    keys: list[NDArray[np.generic]] = [*reversed(places), *unit, arm, *values]
    return np.lexsort(keys[::-1])


def ranks(texts: Texts) -> Codes:
    """Return each text's place in the sorted texts; missing comes last."""
    codes, distinct = pd.factorize(texts, sort=True)
    return np.where(codes < 0, len(distinct), codes)
