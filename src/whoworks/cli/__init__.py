"""The command line: it reads what was typed, calls the study, and says what came of it."""

from __future__ import annotations

from whoworks.cli.commands import main

__all__ = ["main"]
