"""Asking memory for rows before they are needed.

Rows of a deep node lie far apart.  A loop that does much with each of them waits for one
after the other, unless it asks for the rows to come while it works on the row at hand.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

AHEAD = 12  # rows

unpack_tuple: Any = cgutils.unpack_tuple
declare: Any = cgutils.get_or_insert_function

BYTES = ir.IntType(8).as_pointer()


def _prefetch(typing: Any, table: Any, row: Any) -> Any:
    """Ask for the memory where a row of a table begins and where it ends; nothing is read."""
    signature = types.void(table, types.int64)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = unpack_tuple(builder, held.strides)[0]
        kind = ir.FunctionType(ir.VoidType(), [BYTES, *[ir.IntType(32)] * 3])
        ask = declare(builder.module, kind, "llvm.prefetch.p0i8")
        start = builder.gep(builder.bitcast(held.data, BYTES), [builder.mul(arguments[1], stride)])
        last = builder.gep(start, [builder.sub(stride, ir.Constant(stride.type, 1))])
        for place in (start, last):
            builder.call(ask, [place, *(ir.Constant(ir.IntType(32), k) for k in (0, 3, 1))])
        return context.get_dummy_value()

    return signature, emit


# called from kernels without the typing context
prefetch: Any = intrinsic(_prefetch)
