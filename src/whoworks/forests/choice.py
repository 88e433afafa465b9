"""Which engine predicts effects: the plan names it, the number of clusters decides whether it can."""

from __future__ import annotations

from importlib.util import find_spec

from whoworks.errors import ForestError
from whoworks.forests.econml_engine import EconmlEngine
from whoworks.forests.forest_engine import ForestEngine
from whoworks.forests.protocol import Engine
from whoworks.forests.ridge_engine import RidgeEngine

CLUSTERS_FOR_FOREST = 10  # in each arm; below, a ridge regression of effects takes the forest's place
FOLDS = 5  # the most that a plan's trees are shared out over
TREES_PER_FOLD = 100  # the fewest of a fold
CLUSTERS_FOR_ANY = 4  # in each arm; below, nothing can be learned from some clusters and shown in others


def choose_engine(name: str, *, clusters_per_arm: int, trees: int) -> Engine | None:
    """Return the engine, or None where the plan wants none or clusters are too few for any.

    Parameters
    ----------
    name : the plan's ``analysis.engine``
    clusters_per_arm : clusters in the smaller arm
    trees : the plan's ``analysis.trees``, over all folds together

    Raises
    ------
    ForestError
        When the plan names an engine that is not installed.
    """
    if name == "econml" and find_spec("econml") is None:
        raise ForestError(
            'The plan asks for engine = "econml", and the package econml is not installed. Install it with '
            "pip install 'whoworks[econml]', or write engine = \"whoworks\"."
        )
    if name == "none" or clusters_per_arm < CLUSTERS_FOR_ANY:
        return None
    if clusters_per_arm < CLUSTERS_FOR_FOREST:
        return RidgeEngine()
    if name == "econml":
        return EconmlEngine()
    return ForestEngine(n_estimators=max(TREES_PER_FOLD, trees // FOLDS))
