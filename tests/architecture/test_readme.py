"""The README's commands exist and its example runs."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.architecture.source_tree import ROOT
from tests.architecture.test_docs import blocks
from whoworks.cli.commands import app

README = ROOT / "README.md"


def test_the_example_runs_and_writes_a_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(README, "python")
    assert len(example.strip().splitlines()) <= 12
    exec(compile(example, str(README), "exec"), {"__name__": "readme"})
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "frl" in capsys.readouterr().out


def commands():
    """Return every command the README shows."""
    lines = [line for text in blocks(README, "sh") for line in text.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_exists(words):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE)
    else:
        assert words[0] == ".venv/bin/whoworks"
        assert words[1] in {command.callback.__name__ for command in app.registered_commands}


def test_the_commands_listed_are_the_commands_there_are():
    listed = re.findall(r"^\| `whoworks (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [command.callback.__name__ for command in app.registered_commands]


def test_continuous_integration_runs_the_test_command_of_the_readme():
    assert ["make", "test"] in commands()
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_make_offers_what_it_should():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    truth = ["truth", "truth-quick", "truth-slice", "truth-check"]
    others = ["help", "setup", "report", "test", "lint", "types", "notebooks", "data", "golden", "bounds"]
    assert offered == {*others, "bench", "clean", *truth}
