"""How checks write counts, shares and arms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whoworks.design.levels import plural

NUMERALS = (
    "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def percent(share: float) -> str:
    """Write a share in [0, 1] as a percentage: ``7.2 %``; a share that rounds to nothing is ``under 0.1 %``."""
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %"


def points(share: float) -> str:
    """Write a difference of shares in percentage points: ``2.1``; one that rounds to nothing is ``under 0.1``."""
    if 0 < share < 0.0005:
        return "under 0.1"
    return f"{100 * share:.1f}"


def counted(n: int, word: str) -> str:
    """Write a count with its noun: ``1 class``, ``1,200 students``."""
    return f"{n:,} {word if n == 1 else plural(word)}"


def in_words(n: int, word: str = "") -> str:
    """Write a count that is not one of students in words, with its noun: ``none``, ``one level``, ``13 levels``."""
    numeral = NUMERALS[n] if n < len(NUMERALS) else f"{n:,}"
    return f"{numeral} {word if n == 1 else plural(word)}" if word else numeral


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def written_p(p: float) -> str:
    """Write a p-value: ``0.034``, ``below 0.001``; NaN is ``not assessable``."""
    if np.isnan(p):
        return "not assessable"
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
