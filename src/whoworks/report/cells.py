"""The account of what is withheld from a report and its files."""

from __future__ import annotations

from dataclasses import dataclass

WITHHELD = -2  # stands where a count may not be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """One row of ``suppressed.csv``: where something was withheld, and why; never the number."""

    file: str
    row: str
    column: str
    reason: str
