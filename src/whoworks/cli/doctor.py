"""What a report of a problem needs to say about the installation, and nothing about the person."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = (
    "numpy", "scipy", "pandas", "scikit-learn", "numba", "duckdb", "pyreadstat", "python-calamine", "pydantic",
    "matplotlib", "typst", "font-source-sans-pro",
)  # fmt: skip
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MISSING = "missing; run 'make setup', or install whoworks again"


def describe_installation() -> list[tuple[str, str]]:
    """Return versions, threads, what is kept between runs and the fonts, each with its name."""
    kept = [("charts' font cache", font_cache()), ("compiled code", compiled_code())]
    return [*versions(), *threads(), *kept, ("fonts", fonts())]


def versions() -> list[tuple[str, str]]:
    """Return the version of whoworks, of Python and of every package that numbers or the PDF depend on."""
    own = [("whoworks", version("whoworks")), ("python", platform.python_version())]
    return [
        *own,
        ("system", f"{platform.system()} {platform.machine()}"),
        *((name, version(name)) for name in PACKAGES),
    ]


def version(name: str) -> str:
    """Return a package's version, or say that it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return MISSING


def threads() -> list[tuple[str, str]]:
    """Return how many processors there are, and the settings that limit their use."""
    settings = [f"{name}={os.environ[name]}" for name in THREAD_SETTINGS if name in os.environ]
    return [("processors", str(os.cpu_count() or 1)), *(("thread setting", told) for told in settings or ["none"])]


def font_cache() -> str:
    """Return where the charts' library keeps its list of fonts."""
    import matplotlib as mpl

    return shorten(Path(mpl.get_cachedir()))


def compiled_code() -> str:
    """Return where the kernels' machine code is kept, or say that it is not."""
    from whoworks.kernels.cache import cache_folder

    folder = cache_folder()
    return "kept nowhere, as no folder is writable: compiled in every run" if folder is None else shorten(folder)


def shorten(folder: Path) -> str:
    """Write a folder with the home folder as ``~``."""
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else folder.as_posix()


def fonts() -> str:
    """Return the family the report is set in, or say that its files are missing."""
    from whoworks.report.fonts import FAMILY, font_files

    return FAMILY if all(file.is_file() for file in font_files()) else f"{FAMILY}: {MISSING}"
