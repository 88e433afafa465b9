"""Where the machine code of kernels is kept.

In a folder named after the sources of *all* kernel files: a kernel may be
inlined into another file's kernel, so a change in any file must retire the
machine code of every file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba

config: Any = numba.config

HOME = Path(__file__).parents[1]  # of the package


@lru_cache(maxsize=1)
def source_key() -> str:
    """Hash of every file of the package that kernels are made of, and of the compiler's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(HOME.rglob("*.py")):
        source = path.read_bytes()
        if b"@kernel" in source or b"import numba" in source or b"from numba" in source or path.name == "arena.py":
            digest.update(path.relative_to(HOME).as_posix().encode())
            digest.update(source)
    return digest.hexdigest()[:16]


def candidate_folders() -> Iterator[Path]:
    """Yield folders that may hold machine code, best first.

    A folder shared between users is never one of them: cached code is loaded
    by unpickling, so it must not be writable by others.
    """
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR)
    yield HOME / "__pycache__"
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        if os.environ.get(variable):
            yield Path(os.environ[variable]) / "whoworks"
    if os.environ.get("HOME") or os.environ.get("USERPROFILE"):
        yield Path.home() / ".cache" / "whoworks"


def is_writable(folder: Path) -> bool:
    """Whether a file can be made in the folder, which is created when absent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Where machine code is kept, or None when nowhere is writable."""
    for base in candidate_folders():
        folder = base / f"kernels-{source_key()}"
        if is_writable(folder):
            return folder
    return None


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Have numba keep in a folder what is decorated meanwhile: it settles a function's folder while decorating it."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before
