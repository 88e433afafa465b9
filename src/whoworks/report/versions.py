"""What a run was computed and drawn with."""

from __future__ import annotations

import importlib.metadata
import platform

from whoworks import __version__

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "econml", "numba", "matplotlib", "typst")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers and pictures depend on."""
    named = {"whoworks": __version__, "python": platform.python_version()}
    return named | {name: importlib.metadata.version(name) for name in PACKAGES}
