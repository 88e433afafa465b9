"""The command line: it reads what was typed, calls the study, and says what came of it."""

from __future__ import annotations

import sys

STOPPED = 130


def main() -> None:
    """Run the command line and leave with its exit code; the keyboard may stop it while it is still being loaded."""
    try:
        from whoworks.cli import commands

        commands.main()
    except KeyboardInterrupt:
        sys.exit(STOPPED)


__all__ = ["main"]
