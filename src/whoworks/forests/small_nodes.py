"""Cuts of a small node: its rows sorted by code, in up to 32 features side by side.

A key is a row's code and, below it, its place in the node.  Keys of a lane are sorted by a network,
which asks for the same exchanges whatever the keys: one of all lanes is two instructions.  The rows
of every lane are then met in the order of their codes, and a cut is tried where a code ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from whoworks.forests.arena import LANES, MISSING
from whoworks.forests.vectors import (
    GROUP,
    INTEGERS,
    NUMBER,
    RAISE,
    all_plain,
    array_data,
    kept_zeros,
    many,
    offer_both,
    offer_plain,
    read_node,
    start_best,
    unpack,
    vector_at,
    write_best,
)
from whoworks.kernels import kernel

KEY_BITS = 8  # of a key, for the row's place; the code stands above
BEYOND = 0xFFFF  # a key after all others

KEY = ir.IntType(16)
KEYS = ir.VectorType(KEY, GROUP)


def _exchange(typing: Any, key: Any, low: Any, high: Any) -> Any:
    """Put the smaller of two rows' keys into the first row, lane by lane, and the larger into the other."""
    signature = types.void(key, types.int64, types.int64)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (keys,) = array_data(context, builder, signature, arguments, (0,))
        line = ir.VectorType(KEY, LANES)
        rows = [builder.mul(row, ir.Constant(NUMBER, LANES)) for row in arguments[1:]]
        places = [vector_at(builder, keys, row, line) for row in rows]
        here, there = (builder.load(place, align=2) for place in places)
        in_order = builder.icmp_unsigned("<", here, there)
        builder.store(builder.select(in_order, here, there), places[0], align=2)
        builder.store(builder.select(in_order, there, here), places[1], align=2)
        return context.get_dummy_value()

    return signature, emit


def _read_keys(builder: Any, keys: Any, row: Any, first: Any) -> tuple[Any, Any]:
    """Take a group's keys of one row apart: the codes, and which of the node's rows they are of."""
    at = builder.add(builder.mul(row, ir.Constant(NUMBER, LANES)), first)
    key = builder.zext(builder.load(vector_at(builder, keys, at, KEYS), align=2), INTEGERS)
    return builder.lshr(key, many(KEY_BITS)), builder.and_(key, many((1 << KEY_BITS) - 1))


def _fetch(builder: Any, value: Any, row: Any) -> Any:
    """Fetch the packed values of eight rows, one for each lane."""
    found = ir.Constant(INTEGERS, ir.Undefined)
    for k in range(GROUP):
        place = ir.Constant(ir.IntType(32), k)
        one = builder.load(builder.gep(value, [builder.extract_element(row, place)]))
        found = builder.insert_element(found, one, place)
    return found


def _sorted_cuts(typing: Any, key: Any, value: Any, n: Any, first: Any, frame: Any, bound: Any, best: Any) -> Any:
    """Best cuts of eight features of a small node, each lane's keys in order: the last row of every code is tried."""
    signature = types.void(key, value, types.int64, types.int64, frame, bound, best)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        keys, values, frame, bound, found = array_data(context, builder, signature, arguments, (0, 1, 4, 5, 6))
        n, first = arguments[2], arguments[3]
        node, best = read_node(builder, frame, bound, first), start_best(builder)
        absent, running = kept_zeros(builder), kept_zeros(builder)

        def scan(is_plain: bool) -> None:
            if is_plain:
                builder.store(many(RAISE), running)
            missing = None if is_plain else unpack(builder, builder.load(absent))
            with cgutils.for_range(builder, n) as loop:
                code, row = _read_keys(builder, keys, loop.index, first)
                after, _ = _read_keys(builder, keys, builder.add(loop.index, ir.Constant(NUMBER, 1)), first)
                total = builder.add(builder.load(running), _fetch(builder, values, row))
                builder.store(total, running)
                is_last = builder.icmp_signed("!=", code, after)
                if is_plain:
                    offer_plain(builder, node, best, code, total, is_last)
                else:
                    offer_both(builder, node, best, code, unpack(builder, total), missing, is_last)

        largest, _ = _read_keys(builder, keys, builder.sub(n, ir.Constant(NUMBER, 1)), first)
        is_absent = builder.zext(builder.icmp_signed("==", largest, many(MISSING)), INTEGERS)
        with builder.if_else(all_plain(builder, node, is_absent)) as (plain, full):
            with plain:
                scan(is_plain=True)
            with full:
                with cgutils.for_range(builder, n) as loop:
                    code, row = _read_keys(builder, keys, loop.index, first)
                    is_absent = builder.icmp_signed("==", code, many(MISSING))
                    taken = builder.select(is_absent, _fetch(builder, values, row), many(0))
                    builder.store(builder.add(builder.load(absent), taken), absent)
                scan(is_plain=False)
        write_best(builder, best, found, first)
        return context.get_dummy_value()

    return signature, emit


# called from kernels without the typing context
exchange: Any = intrinsic(_exchange)
sorted_cuts: Any = intrinsic(_sorted_cuts)


@kernel
def write_keys(
    codes: NDArray[np.uint8], lane: NDArray[np.uint64], m: int, rows: NDArray[np.uint32], key: NDArray[np.uint16]
) -> None:
    """Write down every row's codes, each with the row's place in the node; after the last a key beyond all."""
    for i in range(len(rows)):
        r = rows[i]
        for first in range(0, m, GROUP):
            for j in range(first, first + GROUP):
                key[i, j] = np.uint16(codes[r, lane[j]]) << KEY_BITS | i
    key[len(rows), :] = BEYOND


@kernel
def sort_keys(key: NDArray[np.uint16], n: int) -> None:
    """Sort the first n rows of every lane, by a network that asks for the same exchanges whatever the keys.

    Batcher's merge exchange (Knuth 1998, The Art of Computer Programming 3,
    section 5.2.2, algorithm M).
    """
    largest = 1
    while 2 * largest < n:
        largest *= 2
    p = largest
    while p > 0:
        q, r, d = largest, 0, p
        while True:
            for i in range(n - d):
                if i & p == r:
                    exchange(key, i, i + d)
            if q == p:
                break
            d, r = q - p, p
            q //= 2
        p //= 2
