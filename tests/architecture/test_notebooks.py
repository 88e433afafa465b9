"""Notebooks are kept as they ran: whole, small, and without a word on stderr."""

from __future__ import annotations

import json

import pytest

from tests.architecture.source_tree import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 200_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_ran_from_top_to_bottom(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_small_and_silent(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert path.stat().st_size < LARGEST
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]


def test_there_is_a_first_notebook():
    assert NOTEBOOKS
