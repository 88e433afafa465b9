"""A pilot in a folder of its own, and the command line run inside this process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.cli.pilots import PLAN, Folder, students
from whoworks.cli.commands import run


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def pilot(tmp_path) -> Folder:
    """A folder with pilot.csv and plan.toml."""
    folder = Folder(tmp_path)
    folder.write(list(students()))
    folder.plan.write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture
def small(pilot) -> Folder:
    """The same folder with six classes: too few for any model, so a report takes seconds."""
    pilot.write(list(students(classes=6)))
    pilot.edit('blocks = ["school"]\nprobability = "blocks"', "probability = 0.5")
    return pilot


@pytest.fixture
def whoworks(capsys, monkeypatch, tmp_path):
    """Run a command in the pilot's folder and return its exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> Answer:
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return command
