"""The errors a user may meet."""

from __future__ import annotations


class WhoworksError(Exception):
    """Any mistake that a sentence can explain."""


class ForestError(WhoworksError):
    """The forest cannot be grown, or asked, as requested."""
