"""How counts, shares, arms and p-values are written in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.language import plural

TINY_P = 0.001
EDGES = (0.05, 0.01, 0.005)  # of evidence: grades and words change here (findings/grades/credibility.py)
EXACT_P = 0.01
LARGE_P = 0.99
NUMERALS = (
    "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def percent(share: float, places: int = 1) -> str:
    """Write a share in [0, 1] as a percentage: ``7.2 %``; a share that rounds to nothing is ``under 0.1 %``."""
    return f"{points(share, places)} %"


def points(share: float, places: int = 1) -> str:
    """Write a difference of shares in percentage points: ``2.1``; one that rounds to nothing is ``under 0.1``."""
    if 0 < share < 0.005 * 10**-places:
        return f"under {10**-places:.{places}f}"
    return f"{100 * share:.{places}f}"


def places_apart(one: float, other: float) -> tuple[int, int]:
    """Return the decimals, one or two, of two percentages and of their difference, so that it is as far as they are.

    Where two decimals of each would be off in the last, the difference has one: 5.23 and 4.95 are 0.3 apart.
    """
    for places in (1, 2):
        first, second = round(100 * one, places), round(100 * other, places)
        if math.isclose(abs(first - second), round(100 * abs(one - other), places), abs_tol=1e-9):
            return places, places
    return 2, 1


def counted(n: int, word: str) -> str:
    """Write a count with its noun: ``1 class``, ``1,200 students``."""
    return f"{n:,} {word if n == 1 else plural(word)}"


def in_words(n: int, word: str = "") -> str:
    """Write a count that is not one of students in words, with its noun: ``none``, ``one level``, ``13 levels``."""
    numeral = NUMERALS[n] if n < len(NUMERALS) else f"{n:,}"
    return f"{numeral} {word if n == 1 else plural(word)}" if word else numeral


def to_error(value: float, std_error: float) -> str:
    """Write an estimate with two digits of its error, and a true minus sign: ``3.9`` where that is 1.2."""
    places = 1 - math.floor(math.log10(std_error)) if std_error > 0 else 2
    return f"{value:.{max(0, min(4, places))}f}".replace("-", "\u2212")


def written_size(size: float, edges: Sequence[float]) -> str:
    """Write a size with two decimals, or with as many as it takes to tell on which side of an edge it lies."""
    is_edge = any(math.isclose(size, edge, abs_tol=1e-12) for edge in edges)
    places = next((k for k in (2, 3) if is_edge or round(size, k) not in edges), 4)
    return f"{size:.{places}f}"


def written_p(p: float, *, name: str = "p") -> str:
    """Write a p-value: ``p = .03``, ``p = .004``, ``p < .001``; near an edge exactly enough to tell its side."""
    if math.isnan(p):
        return f"{name} not assessable"
    if p < TINY_P:
        return f"{name} < .001"
    if p > LARGE_P:
        return f"{name} > .99"
    is_edge = any(math.isclose(p, edge, abs_tol=1e-12) for edge in EDGES)
    fewest = 3 if p < EXACT_P and not math.isclose(p, EXACT_P, abs_tol=1e-12) else 2
    places = next((k for k in range(fewest, 4) if is_edge or round(p, k) not in EDGES), 4)
    return f"{name} = {p:.{places}f}".replace("= 0.", "= .")


def bare_p(p: float) -> str:
    """Write a p-value without its name: ``.03``, ``< .001``."""
    return written_p(p).removeprefix("p ").removeprefix("= ")


def exact_p(p: float) -> str:
    """Write a p that is a share of few draws, to the last of up to four decimals: ``.125``; ``below .001``."""
    if p < TINY_P:
        return "below .001"
    places = next((k for k in (2, 3, 4) if math.isclose(round(p, k), p, abs_tol=1e-12)), 3)
    return f"{p:.{places}f}".removeprefix("0")


def p_range(low: float, high: float) -> str:
    """Write the range of a p-value: ``.02 to .11``, ``< .001 to .03``."""
    return f"{bare_p(low)} to {bare_p(high)}"
