"""Far values: numbers that lie apart from all others, as codes that stand for a missing value do."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.checks.measures import FEW_STUDENTS
from whoworks.checks.one_arm import measured_before
from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import percent
from whoworks.design.design import Codes, Vector
from whoworks.design.levels import count_distinct
from whoworks.panel.panel import BlindPanel, Kind, PooledPanel, Variable

Mask = NDArray[np.bool_]

# Ranges between quartiles from the median beyond which three students' values are far, and beyond which a single one
# is: among 2,000 students, tails as heavy as Student's t with 3 degrees of freedom reach 20 about once in 20 trials.
FAR, VERY_FAR = 20.0, 100.0
# Values at one end that several clusters share are apart from the others by this much of the others' range, and by this
# many times the widest gap between two of the others.
OF_RANGE, OF_GAPS = 0.5, 5.0
MOST_CODES, FEWEST_SHARING = 3, 3


def check_far_outcomes(pooled: PooledPanel, rows: Codes, cluster: Codes) -> tuple[Check, ...]:
    """Check each outcome that is a number, arms taken away, for values that lie far from all others.

    A code such as -999 that the plan does not name is read as a score. No value
    is told. One check for each number that has such values, else one for all.
    """
    return _check_all(pooled.outcomes, pooled.variables, "outcomes", rows, cluster)


def check_far_characteristics(blind: BlindPanel, rows: Codes, cluster: Codes) -> tuple[Check, ...]:
    """Check each pre-test, moderator and covariate that is a number for values that lie far from all others."""
    return _check_all(blind.values, measured_before(blind.variables), "characteristics", rows, cluster)


def _check_all(
    values: pd.DataFrame, variables: Iterable[Variable], subject: str, rows: Codes, cluster: Codes
) -> tuple[Check, ...]:
    numbers = [variable for variable in variables if variable.kind is Kind.NUMBER]
    found = [
        _warn(variable, far, cluster)
        for variable in numbers
        if (far := _far_of_known(values[variable.name].to_numpy(dtype=np.float64)[rows], cluster)).any()
    ]
    verdict, said = Verdict.PASS, f"None of the {subject} has values far from all others."
    if not numbers:
        verdict, said = Verdict.NOT_ASSESSABLE, f"None of the {subject} is a number, so that no value is far off."
    return tuple(found) or (_compose(subject, verdict, math.nan, said, cluster),)


def _far_of_known(values: Vector, cluster: Codes) -> Mask:
    known = ~np.isnan(values)
    return find_far(values[known], cluster[known])


def _warn(variable: Variable, far: Mask, cluster: Codes) -> Check:
    n, share = int(far.sum()), float(far.mean())
    few = n < FEW_STUDENTS
    count = f"fewer than {FEW_STUDENTS} students" if few else f"{n:,} students ({percent(share)} of those recorded)"
    said = (
        f"{variable.label or variable.name}: {count} have values far from all others, as codes for what was not "
        "measured would be. Codes belong under missing.columns in the plan; the ends of an outcome's scale can be "
        "given as its bounds."
    )
    return _compose(variable.name, Verdict.WARN, math.nan if few else share, said, cluster)


def find_far(values: Vector, cluster: Codes) -> Mask:
    """Return which values, (n,) none missing, lie far from the median, or at one end together and apart from the rest.

    Far is 20 ranges between quartiles where three students are as far, else 100.
    Apart are up to three values at one end, each found in three clusters or
    more, between which and the next lies half of the range of the others, and
    five times any gap there.
    """
    if not len(values):
        return np.zeros(0, dtype=np.bool_)
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    away = np.abs(values - middle) / (high - low) if high > low else np.zeros(len(values))
    far = away > FAR if (away > FAR).sum() >= FEWEST_SHARING else away > VERY_FAR
    distinct, code = np.unique(values, return_inverse=True)
    counts = count_distinct(within=code.astype(np.int64), codes=cluster, n=len(distinct))
    n_low, n_high = count_apart(distinct, counts), count_apart(-distinct[::-1], counts[::-1])
    if n_low:
        far |= values < distinct[n_low]
    if n_high:
        far |= values > distinct[-1 - n_high]
    return np.asarray(far)


def count_apart(distinct: Vector, counts: Codes) -> int:
    """Return how many of the lowest of sorted distinct values, each in so many clusters, lie apart; 0 where none do."""
    for n in range(1, min(MOST_CODES, len(distinct) - 2) + 1):
        others = distinct[n:]
        gap = others[0] - distinct[n - 1]
        shared = counts[:n].min() >= FEWEST_SHARING
        if shared and gap >= OF_RANGE * (others[-1] - others[0]) and gap >= OF_GAPS * np.diff(others).max():
            return n
    return 0


def _compose(subject: str, verdict: Verdict, share: float, sentence: str, cluster: Codes) -> Check:
    return Check(
        check_id="far_values",
        subject=subject,
        verdict=verdict,
        value=share,
        threshold=0.0,
        n_units=len(cluster),
        n_clusters=len(np.unique(cluster)),
        sentence=sentence,
    )
