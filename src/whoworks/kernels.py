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
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

config: Any = numba.config
compiler: Any = numba.njit

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


class _Part(JITCodeLibrary):
    """Code of a kernel as other kernels call it: linked into theirs, and optimised and emitted there alone.

    numba optimises and emits every function together with all that it calls, so
    a loop eight calls deep is done eight times over.  Should numba come to name
    these steps otherwise, they are taken again: slower, and as right.
    """

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Keep nothing: no machine code is there that could ask for its surroundings."""

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0: there is no machine code to point to."""
        cast(Any, self)._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        """Leave it to the kernel that this one becomes a part of."""

    def _finalize_final_module(self) -> None:
        cast(Any, self)._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(Compiler):
    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        part: Any = _Part
        cast(Any, super()).__init__(typing, target, part(target.codegen(), "part"), *rest)


def call_as_part(whole: Any, part: Any) -> None:
    """Let kernels that name ``whole`` call ``part``, with constants as with variables: one machine code for both."""
    resolve, general = part.get_call_template, cast(Any, types.unliteral)

    def without_constants(arguments: Any, named: Any) -> Any:
        return resolve(tuple(map(general, arguments)), {name: general(kind) for name, kind in named.items()})

    whole.get_call_template, whole.get_overload = without_constants, part.get_overload


def kernel(function: F) -> F:
    """Compile on first call, without the interpreter lock, cached where possible.

    Called from Python it is a whole of its own; called from another kernel it
    is compiled as a part of that one.
    """
    options: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True}
    part = compiler(no_cpython_wrapper=True, pipeline_class=_PartCompiler, **options)(function)
    folder = cache_folder()
    if folder is None:
        whole: F = compiler(nogil=True, **options)(function)
    else:
        with _numba_folder(folder):
            whole = compiler(nogil=True, cache=True, **options)(function)
    call_as_part(whole, part)
    return whole
