"""What `import whoworks` offers, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

import whoworks
from tests.architecture.source_tree import ROOT

PROMISED = {
    "Study", "Run", "Plan", "Panel", "Findings", "CausalForest", "RegressionForest", "cluster_robust",
    "joint_test", "aipw_scores", "minimum_detectable", "make_pilot", "example", "WhoworksError", "__version__",
}  # fmt: skip
HEAVY = {"numpy", "pandas", "scipy", "sklearn", "econml", "matplotlib", "numba", "duckdb", "typst", "pydantic", "rich"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after one statement."""
    program = f"{statement}\nimport json, sys; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize("name", whoworks.__all__)
def test_every_public_name_loads_and_is_documented(name):
    assert getattr(whoworks, name).__doc__


def test_the_public_names_are_the_promised_ones():
    assert set(whoworks.__all__) == PROMISED
    assert set(dir(whoworks)) == PROMISED


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        _ = whoworks.Studdy


def test_importing_whoworks_loads_nothing_heavy():
    assert HEAVY.isdisjoint(loaded_by("import whoworks"))


def test_reading_the_command_line_loads_no_models():
    assert (HEAVY - {"rich"}).isdisjoint(loaded_by("import whoworks.cli"))


def test_importing_whoworks_takes_less_than_0_3_seconds():
    bare, ours = (min(seconds(statement) for _ in range(3)) for statement in ("pass", "import whoworks"))
    assert ours - bare < 0.3


def seconds(statement: str) -> float:
    """Return how long a fresh interpreter takes for one statement."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin
