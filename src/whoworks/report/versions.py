"""What a run was computed and drawn with."""

from __future__ import annotations

import importlib.metadata
import platform

from whoworks import __version__

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "numba", "matplotlib", "typst")


def versions(engine: str = "") -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers and pictures depend on.

    `engine` is the plan's; EconML's version belongs to a run that used it.
    """
    named = {"whoworks": __version__, "python": platform.python_version()}
    return named | {
        name: importlib.metadata.version(name) for name in (*PACKAGES, *(("econml",) if engine == "econml" else ()))
    }
