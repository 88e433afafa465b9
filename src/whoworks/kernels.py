"""How the kernels are compiled, and where their machine code is kept.

Kernels release the interpreter lock, so a thread pool runs them side by side.
Machine code is cached in a folder named after the sources of *all* kernel
files: a kernel may be inlined into another file's kernel, so a change in any
file must retire the machine code of every file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import types

config: Any = numba.config

F = TypeVar("F", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def source_key() -> str:
    """Hash of every file of the package that kernels are made of, and of the compiler's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    home = Path(__file__).parent
    for path in sorted(home.rglob("*.py")):
        source = path.read_bytes()
        if b"@kernel" in source or b"import numba" in source or b"from numba" in source or path.name == "arena.py":
            digest.update(path.relative_to(home).as_posix().encode())
            digest.update(source)
    return digest.hexdigest()[:16]


def candidate_folders() -> Iterator[Path]:
    """Yield folders that may hold machine code, best first.

    A folder shared between users is never one of them: cached code is loaded
    by unpickling, so it must not be writable by others.
    """
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR)
    yield Path(__file__).parent / "__pycache__"
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
def _numba_folder(folder: Path) -> Iterator[None]:
    # numba settles a function's cache folder while decorating it
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def share_constants(compiled: Any) -> Any:
    """Let calls with a constant use the same machine code as calls with a variable, not a copy of their own."""
    resolve, general = compiled.get_call_template, cast(Any, types.unliteral)

    def without_constants(arguments: Any, named: Any) -> Any:
        return resolve(tuple(map(general, arguments)), {name: general(kind) for name, kind in named.items()})

    compiled.get_call_template = without_constants
    return compiled


def kernel(function: F) -> F:
    """Compile on first call, without the interpreter lock, cached where possible."""
    folder = cache_folder()
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    if folder is None:
        alone: F = share_constants(numba.njit(**options)(function))
        return alone
    with _numba_folder(folder):
        compiled: F = share_constants(numba.njit(cache=True, **options)(function))
    return compiled
