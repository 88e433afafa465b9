"""whoworks: what works, for whom, in which circumstances.

The public names are loaded when they are first used, so that ``import whoworks``
costs nothing and an error in a plan is told before any model is loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from whoworks.errors import WhoworksError as WhoworksError
    from whoworks.findings.finding import Findings as Findings
    from whoworks.forests.causal import CausalForest as CausalForest
    from whoworks.forests.regression import RegressionForest as RegressionForest
    from whoworks.inference.cluster_robust import cluster_robust as cluster_robust
    from whoworks.inference.joint_test import joint_test as joint_test
    from whoworks.inference.power import minimum_detectable as minimum_detectable
    from whoworks.panel.panel import Panel as Panel
    from whoworks.plan.plan import Plan as Plan
    from whoworks.run import Run as Run
    from whoworks.scores.aipw import aipw_scores as aipw_scores
    from whoworks.simulate.pilot import example as example
    from whoworks.simulate.pilot import make_pilot as make_pilot
    from whoworks.study import Study as Study

_HOME = {
    "Study": "whoworks.study",
    "Run": "whoworks.run",
    "Plan": "whoworks.plan.plan",
    "Panel": "whoworks.panel.panel",
    "Findings": "whoworks.findings.finding",
    "CausalForest": "whoworks.forests.causal",
    "RegressionForest": "whoworks.forests.regression",
    "cluster_robust": "whoworks.inference.cluster_robust",
    "joint_test": "whoworks.inference.joint_test",
    "aipw_scores": "whoworks.scores.aipw",
    "minimum_detectable": "whoworks.inference.power",
    "make_pilot": "whoworks.simulate.pilot",
    "example": "whoworks.simulate.pilot",
    "WhoworksError": "whoworks.errors",
}

__all__ = [  # noqa: RUF022 - in the order in which a reader meets them
    "Study",
    "Run",
    "Plan",
    "Panel",
    "Findings",
    "CausalForest",
    "RegressionForest",
    "cluster_robust",
    "joint_test",
    "aipw_scores",
    "minimum_detectable",
    "make_pilot",
    "example",
    "WhoworksError",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'whoworks' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
