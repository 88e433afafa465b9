"""Everything whoworks refuses to do, and how it says so.

An error is one sentence or two: what was seen, what was expected, what to do,
and the first few culprits (a school or a column, never a student's values).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class WhoworksError(Exception):
    """A mistake that a sentence can put right; the command line exits with `exit_code`."""

    exit_code = 2


class PlanError(WhoworksError):
    """The study plan says something that cannot be meant."""


class RecordsError(WhoworksError):
    """A file of records cannot be read as the plan says."""


class PanelError(WhoworksError):
    """The records do not make a table of one row per unit."""


class DesignError(WhoworksError):
    """The data contradict the declared design."""


class InfeasibleError(WhoworksError):
    """The design cannot carry the question: ledger and checks are written, no findings."""

    exit_code = 3


class PrivacyError(WhoworksError):
    """Direct identifiers are present that the plan neither drops nor allows."""


class HonestyError(WhoworksError):
    """An estimate was asked of the data that suggested it."""


class ForestError(WhoworksError):
    """A forest was asked for something its clusters cannot carry."""


class ReportError(WhoworksError):
    """A report cannot be written; the last good one is untouched."""


def first_few(names: Iterable[object], most: int = 3) -> str:
    """Name the first few culprits and count the rest: ``S07, S19, S31 and 4 more``."""
    listed = [str(name) for name in names]
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


def nearest(word: str, known: Sequence[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known word closest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
