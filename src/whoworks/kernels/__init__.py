"""Kernels: loops over arrays, compiled, that release the interpreter lock, so that a thread pool runs them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import types

from whoworks.kernels import cache
from whoworks.kernels.compiling import PartCompiler, WholeCompiler

compiler: Any = numba.njit

F = TypeVar("F", bound=Callable[..., Any])


def call_as_part(whole: Any, part: Any) -> None:
    """Let kernels that name ``whole`` call ``part``, with constants as with variables: one machine code for both."""
    resolve, general = part.get_call_template, cast(Any, types.unliteral)

    def without_constants(arguments: Any, named: Any) -> Any:
        return resolve(tuple(map(general, arguments)), {name: general(kind) for name, kind in named.items()})

    whole.get_call_template, whole.get_overload = without_constants, part.get_overload


def kernel(function: F) -> F:
    """Compile on first call, without the interpreter lock, cached where possible.

    Called from Python it is a whole of its own; called from another kernel it
    is compiled as a part of that one. A part may allocate no array: it works
    on those it is given, so nothing in it needs counting who still holds one.
    """
    options: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True}
    part = compiler(no_cpython_wrapper=True, _nrt=False, pipeline_class=PartCompiler, **options)(function)
    options |= {"nogil": True, "pipeline_class": WholeCompiler}
    folder = cache.cache_folder()
    if folder is None:
        whole: F = compiler(**options)(function)
    else:
        with cache.kept_in(folder):
            whole = compiler(cache=True, **options)(function)
    call_as_part(whole, part)
    return whole
