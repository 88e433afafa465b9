"""Numbers as a reader meets them; the only place where anything is rounded."""

from __future__ import annotations

import math

MINUS = "\u2212"
MOST_DECIMALS = 4
SIGNIFICANT = 10


def decimals(std_error: float) -> int:
    """Return how many decimals an estimate deserves: two significant digits of its standard error."""
    if not math.isfinite(std_error) or std_error <= 0:
        return 2
    return max(0, min(MOST_DECIMALS, 1 - math.floor(math.log10(std_error))))


def fixed(value: float, places: int) -> str:
    """Write a number with `places` decimals, thousands separated, a true minus sign and no negative zero."""
    if not math.isfinite(value):
        return "not known" if math.isnan(value) else ("unbounded above" if value > 0 else "unbounded below")
    text = f"{abs(value):,.{places}f}"
    nothing = not text.strip("0.,")
    return text if value >= 0 or nothing else MINUS + text


def signed(value: float, places: int) -> str:
    """Write a number as `fixed` does, with a plus sign where it is above zero."""
    text = fixed(value, places)
    return f"+{text}" if math.isfinite(value) and value > 0 and text.strip("0.,") else text


def span(low: float, high: float, places: int) -> str:
    """Write a range: ``3.6 to 14.3``; an end that does not exist is said in words."""
    return f"{fixed(low, places)} to {fixed(high, places)}"


def range_of(low: float, high: float, places: int) -> str:
    """Write a range as `span` does; "" where an end of it is not known."""
    return "" if math.isnan(low) or math.isnan(high) else span(low, high, places)


def ranged(value: float, low: float, high: float, places: int, unit: str = "") -> str:
    """Write a number with its range: ``0.19 SD (0.08 to 0.30)``; alone where an end of it is not known."""
    told, ends = f"{fixed(value, places)}{unit}", range_of(low, high, places)
    return f"{told} ({ends})" if ends else told


def count(number: int) -> str:
    """Write a count with thousands separated."""
    return f"{number:,d}"


def percent(share: float, places: int = 0) -> str:
    """Write a share between 0 and 1 as a percentage: ``95 %``."""
    value = 100 * share
    return f"{fixed(value, places if abs(value - round(value)) > 10**-6 else 0)} %"


def percentile_points(effect_size: float) -> float:
    """Return how far an average control student would move, in percentile points.

    ``100 Phi(g) - 50``: the improvement index of the What Works Clearinghouse.
    """
    return 50 * math.erf(effect_size / math.sqrt(2))


def written(value: object) -> str:
    """Write a value for a file that machines read: 10 significant digits, empty where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{SIGNIFICANT}g}"
    return str(value)


def rounded(value: object) -> object:
    """Return a value for JSON: 10 significant digits, None where there is none, an infinite end in words."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else str(value)
    return list(value) if isinstance(value, tuple) else value
