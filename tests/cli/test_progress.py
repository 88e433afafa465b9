"""Progress is shown to whoever watches, and to nobody else."""

from __future__ import annotations

import io
import sys

import pytest

from whoworks.cli.progress import stage_bar


class Screen(io.StringIO):
    """A place to write that says whether it is a terminal."""

    def __init__(self, watched: bool):
        super().__init__()
        self.watched = watched

    def isatty(self) -> bool:
        return self.watched


@pytest.mark.parametrize("watched", [True, False])
def test_the_stage_and_the_time_left_are_shown_on_a_terminal_alone(monkeypatch, watched):
    screen = Screen(watched)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with stage_bar() as progress:
        progress("prognosis", 0.0)
        progress("prognosis", 0.5)
        progress("findings", 0.1)
    told = screen.getvalue()
    assert ("findings" in told and "left" in told) is watched
    assert bool(told) is watched
