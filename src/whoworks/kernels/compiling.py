"""How a kernel is compiled: each once, as simply as kernels allow.

numba compiles any Python; kernels are loops over arrays. What numba does for
the rest of the language, and does again for every function that calls a
function, is left out here (docs/decisions/0035). Steps are named as the numba
that `pyproject.toml` asks for names them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, cast

from llvmlite import binding  # type: ignore[import-untyped]
from numba.core import typed_passes as typed
from numba.core import untyped_passes as untyped
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, Flags
from numba.core.compiler_machinery import PassManager

STEPS: tuple[Any, ...] = (
    untyped.TranslateByteCode,
    untyped.FixupArgs,
    untyped.IRProcessing,
    untyped.GenericRewrites,
    untyped.ReconstructSSA,
    typed.NopythonTypeInference,
    typed.PreLowerStripPhis,
    typed.IRLegalization,
    typed.NativeLowering,
    typed.NoPythonBackend,
)


class _Options(Flags):
    """numba's options, which change no more.

    It hashes and compares them all whenever it asks what `a + b` means: tens of thousands of times.
    """

    def __init__(self, given: Any) -> None:
        settled: Any = super()
        settled.__init__(given)
        self._all = settled.values()

    def copy(self) -> Any:
        return self

    def values(self) -> Any:
        return self._all

    def __hash__(self) -> int:
        return NAMES

    def __eq__(self, other: object) -> bool:
        return self is other or bool(cast(Any, super()).__eq__(other))


NAMES = hash(cast(Any, Flags)())  # numba's hash of options is that of their names
settle = lru_cache(maxsize=None)(_Options)


class _Whole(JITCodeLibrary):
    """Code of a kernel that Python calls, with that of all kernels it calls: optimised once."""

    def _optimize_functions(self, module: Any) -> None:
        """Tidy every function; what takes long waits until all are linked."""
        generator = cast(Any, self)._codegen
        module.data_layout = generator._data_layout
        passes, builder = generator._function_pass_manager(opt=1, loop_vectorize=False)
        for function in module.functions:
            if not function.is_declaration:
                passes.run(function, builder)

    def _optimize_final_module(self) -> None:
        """Optimise, but write no loop's body several times over: that takes a sixth of the time, and gains nothing."""
        options = binding.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization, options.loop_unrolling = True, False
        builder = binding.create_pass_builder(cast(Any, self)._codegen._tm, options)
        builder.getModulePassManager().run(cast(Any, self)._final_module, builder)


class _Part(_Whole):
    """Code of a kernel as other kernels call it: linked into theirs, and optimised and emitted there alone.

    numba optimises and emits every function together with all that it calls, so
    a loop eight calls deep is done eight times over.
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


class WholeCompiler(Compiler):
    """Compile a kernel as Python calls it."""

    library: ClassVar[Any] = _Whole

    def __init__(
        self, typing: Any, target: Any, library: Any, arguments: Any, result: Any, flags: Any, kinds: Any
    ) -> None:
        made = self.library(target.codegen(), "kernel")
        made.enable_object_caching()
        cast(Any, super()).__init__(typing, target, made, arguments, result, settle(flags), kinds)

    def define_pipelines(self) -> list[Any]:
        """Return the steps of compilation that loops over arrays need."""
        steps = cast(Any, PassManager)("kernel")
        for step in STEPS:
            steps.add_pass(step, step.__name__)
        steps.finalize()
        return [steps]


class PartCompiler(WholeCompiler):
    """Compile a kernel as other kernels call it."""

    library: ClassVar[Any] = _Part
