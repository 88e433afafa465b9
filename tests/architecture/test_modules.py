"""A module is one idea, named with a noun of the field, and can be read in one sitting."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source_tree import ROOT, dotted, modules, tracked_files

NOT_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "misc", "core", "manager", "managers"}
LONGEST_FILE = 400


@pytest.mark.parametrize("path", modules(), ids=lambda path: dotted(path))
def test_a_module_is_named_for_its_idea(path):
    assert NOT_NOUNS.isdisjoint(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", modules(), ids=lambda path: dotted(path))
def test_a_module_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    empty_marker = path.name == "__init__.py" and not text.strip()
    assert empty_marker or ast.get_docstring(ast.parse(text))


def test_no_python_file_is_longer_than_400_lines():
    files = [path for path in tracked_files() if path.suffix == ".py"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("path", modules(), ids=lambda path: dotted(path))
def test_a_package_holds_something_or_does_not_exist(path):
    if path.name == "__init__.py":
        assert any(other != path for other in path.parent.glob("*.py"))
