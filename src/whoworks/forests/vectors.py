"""Inner loops in the language of vector units: eight features of a node at once.

A compiler does not keep what a scan carries along (sums, the best cut so far)
in registers when features are its innermost loop, so these loops are built
from vectors of eight by hand.  LLVM turns them into whatever the processor
has; ``lanes`` says what they compute, and the tests hold them to a plain scan.

A small number of rows travels in one 64-bit number with its sum: the sum from
bit 24 on, then treated and untreated rows in 12 bits each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

from whoworks.forests.arena import LANES, MISSING
from whoworks.forests.pseudo import COUNT_BITS, SUM_BITS

GROUP = 8  # features in a vector
ARM_BITS = 12  # for the rows of an arm, the highest of them kept free
NO_CUT = 1 << 10
SHIFT = 1.5 * 2.0**52
SHIFT_BITS = 0x4338 << 48  # the same number's bits
REAL_BITS = 0x433 << 52  # of 2^52
RAISE = 1 << (SUM_BITS + COUNT_BITS)  # makes any sum positive

allocate: Any = cgutils.alloca_once

NUMBER, REAL = ir.IntType(64), ir.DoubleType()
INTEGERS, REALS = ir.VectorType(NUMBER, GROUP), ir.VectorType(REAL, GROUP)

# entries of ``frame``: what holds for every cut of the node
ROWS, TREATED, LEAST_ZERO, LEAST_ONE, FLOOR = range(5)
# rows of ``best``: squared sum, product of the children's weights, twice the cut plus 1 if missing values go left
SQUARE, WEIGHT, CUT = range(3)


class _Best(NamedTuple):
    """Where the best cut so far is kept, a vector each."""

    square: Any
    weight: Any
    cut: Any


class _Node(NamedTuple):
    """What holds for every cut of a node, as vectors."""

    rows: Any
    treated: Any
    untreated: Any
    least_zero: Any
    least_one: Any
    floor: Any
    low: tuple[Any, Any]  # lowest cut allowed, missing values right and left
    high: tuple[Any, Any]
    guard: Any  # the free bits of both arms' rows
    least: Any  # guard less the fewest rows of each arm
    most: Any  # guard plus the most rows of each arm


def _spread(builder: Any, scalar: Any, kind: Any) -> Any:
    """Repeat a number in every place of a vector."""
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), GROUP), [0] * GROUP))


def many(value: int) -> Any:
    """Repeat a whole number in every place of a vector."""
    return ir.Constant(INTEGERS, [value] * GROUP)


def vector_at(builder: Any, data: Any, index: Any, kind: Any) -> Any:
    """Point to the vector that begins at an entry of an array."""
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def to_real(builder: Any, value: Any) -> Any:
    """Convert whole numbers below 2^51, exactly: many processors have no instruction for a vector of 64-bit ones.

    Added to the bits of 1.5 2^52 such a number is in the last places of a real one, from which 1.5 2^52 is taken.
    """
    shifted = builder.bitcast(builder.add(value, many(SHIFT_BITS)), REALS)
    return builder.fsub(shifted, ir.Constant(REALS, [SHIFT] * GROUP))


def _raised_sum(builder: Any, total: Any) -> Any:
    """Take the sum out of a narrow node's raised total: few processors shift a vector of signed 64-bit numbers.

    Raised it is positive, and the last places of a real number once the bits of 2^52 stand above it.
    """
    bits = builder.or_(builder.lshr(total, many(COUNT_BITS)), many(REAL_BITS))
    return builder.fsub(builder.bitcast(bits, REALS), ir.Constant(REALS, [2.0**52 + (RAISE >> COUNT_BITS)] * GROUP))


def _row(builder: Any, data: Any, row: int, first: Any, kind: Any) -> Any:
    """Load a group's part of one row of an array with ``LANES`` columns."""
    at = builder.add(first, ir.Constant(NUMBER, row * LANES))
    return builder.load(vector_at(builder, data, at, kind), align=8)


def read_node(builder: Any, frame: Any, bound: Any, first: Any) -> _Node:
    """Read what every cut of a node must respect, and the bounds of a group's lanes."""

    def entry(k: int) -> Any:
        return _spread(builder, builder.load(builder.gep(frame, [ir.Constant(NUMBER, k)])), REALS)

    def fields(zero: Any, one: Any) -> Any:
        shifted = builder.shl(builder.fptosi(one, INTEGERS), many(ARM_BITS))
        return builder.add(shifted, builder.fptosi(zero, INTEGERS))

    rows, treated, least_zero, least_one = entry(ROWS), entry(TREATED), entry(LEAST_ZERO), entry(LEAST_ONE)
    untreated = builder.fsub(rows, treated)
    limits = [_row(builder, bound, k, first, INTEGERS) for k in range(4)]
    guard = many((1 << (ARM_BITS - 1)) | (1 << (2 * ARM_BITS - 1)))
    most = fields(builder.fsub(untreated, least_zero), builder.fsub(treated, least_one))
    return _Node(
        rows=rows,
        treated=treated,
        untreated=untreated,
        least_zero=least_zero,
        least_one=least_one,
        floor=entry(FLOOR),
        low=(limits[0], limits[2]),
        high=(limits[1], limits[3]),
        guard=guard,
        least=builder.sub(guard, fields(least_zero, least_one)),
        most=builder.add(guard, most),
    )


def start_best(builder: Any) -> _Best:
    """Keep the best cut of every lane, none so far."""

    def kept(kind: Any, value: float) -> Any:
        start = ir.Constant(kind, [value] * GROUP)
        place = allocate(builder, kind)
        builder.store(start, place)
        return place

    return _Best(kept(REALS, 0.0), kept(REALS, 1.0), kept(INTEGERS, NO_CUT))


def _any(builder: Any, condition: Any) -> Any:
    """Whether a condition holds in any place of a vector."""
    return builder.icmp_unsigned("!=", builder.bitcast(condition, ir.IntType(GROUP)), ir.Constant(ir.IntType(GROUP), 0))


def kept_zeros(builder: Any) -> Any:
    """Keep a vector that is changed as a loop goes on, zeros at first."""
    place = allocate(builder, INTEGERS)
    builder.store(many(0), place)
    return place


def _all(builder: Any, *conditions: Any) -> Any:
    found = conditions[0]
    for condition in conditions[1:]:
        found = builder.and_(found, condition)
    return found


def offer_plain(builder: Any, node: _Node, best: _Best, code: Any, total: Any, is_met: Any) -> None:
    """Offer a cut of a narrow node where nothing is missing and both ways are bounded alike.

    ``total`` is raised by ``RAISE``; ``is_met`` tells in which lanes the code ends here.
    """
    counts = builder.and_(total, many((1 << COUNT_BITS) - 1))
    free = builder.and_(builder.add(counts, node.least), builder.sub(node.most, counts))
    keeps_rows = builder.icmp_signed("==", builder.and_(free, node.guard), node.guard)
    treated = builder.lshr(counts, many(ARM_BITS))
    left = to_real(builder, builder.add(builder.and_(counts, many((1 << ARM_BITS) - 1)), treated))
    s = _raised_sum(builder, total)
    right = builder.fsub(node.rows, left)
    square, weight = builder.fmul(s, s), builder.fmul(left, right)
    mine, other = builder.fmul(square, builder.load(best.weight)), builder.fmul(builder.load(best.square), weight)
    is_as_good = _all(builder, builder.fcmp_ordered(">=", mine, other), keeps_rows, is_met)
    # seldom entered, so what is asked in here costs little
    with builder.if_then(_any(builder, is_as_good)):
        to_left = builder.zext(builder.fcmp_ordered(">=", left, right), INTEGERS)
        cut = builder.add(builder.add(code, code), to_left)
        is_first = builder.icmp_signed("<", cut, builder.load(best.cut))
        one = to_real(builder, treated)
        is_better = _all(
            builder,
            is_as_good,
            builder.or_(builder.fcmp_ordered(">", mine, other), is_first),
            builder.icmp_signed(">=", code, node.low[0]),
            builder.icmp_signed("<", code, node.high[0]),
            _keeps_information(builder, node, (left, right, builder.fsub(left, one), one)),
        )
        _store_where(builder, is_better, best, (square, weight, cut))


def _keeps_information(builder: Any, node: _Node, parts: tuple[Any, ...]) -> Any:
    """Where both children keep the share of the parent's information that is asked for."""
    left, right, zero, one = parts
    one_right, zero_right = builder.fsub(node.treated, one), builder.fsub(node.untreated, zero)
    return builder.and_(
        builder.fcmp_ordered(">=", builder.fmul(one, zero), builder.fmul(node.floor, left)),
        builder.fcmp_ordered(">=", builder.fmul(one_right, zero_right), builder.fmul(node.floor, right)),
    )


def _store_where(builder: Any, condition: Any, best: _Best, new: tuple[Any, Any, Any]) -> None:
    for place, value in zip(best, new, strict=True):
        builder.store(builder.select(condition, value, builder.load(place)), place)


def _weigh(builder: Any, node: _Node, sums: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    """Rows left and right, untreated and treated rows left, squared sum."""
    s, zero, one = (to_real(builder, v) for v in sums)
    left = builder.fadd(zero, one)
    return left, builder.fsub(node.rows, left), zero, one, builder.fmul(s, s)


def _keep(
    builder: Any, node: _Node, best: _Best, code: Any, parts: tuple[Any, ...], to_left: Any, limits: Any, mask: Any
) -> None:
    """Keep a cut in the lanes where it is the best so far and allowed."""
    left, right, zero, one, square = parts
    one_right, zero_right = builder.fsub(node.treated, one), builder.fsub(node.untreated, zero)
    weight = builder.fmul(left, right)
    best_square, best_weight, best_cut = (builder.load(place) for place in best)
    mine, other = builder.fmul(square, best_weight), builder.fmul(best_square, weight)
    cut = builder.add(builder.add(code, code), builder.zext(to_left, INTEGERS))
    is_tie = _all(
        builder,
        builder.fcmp_ordered("==", mine, other),
        builder.icmp_signed("<", cut, best_cut),
    )
    is_better = _all(
        builder,
        builder.or_(builder.fcmp_ordered(">", mine, other), is_tie),
        builder.fcmp_ordered(">=", one, node.least_one),
        builder.fcmp_ordered(">=", zero, node.least_zero),
        builder.fcmp_ordered(">=", one_right, node.least_one),
        builder.fcmp_ordered(">=", zero_right, node.least_zero),
        _keeps_information(builder, node, (left, right, zero, one)),
        builder.icmp_signed(">=", code, limits[0]),
        builder.icmp_signed("<", code, limits[1]),
        mask,
    )
    _store_where(builder, is_better, best, (square, weight, cut))


def offer_both(builder: Any, node: _Node, best: _Best, code: Any, sums: Any, missing: Any, met: Any) -> None:
    """Offer a cut with missing values right, then left; where none were met, they would go to the larger child."""
    has_missing = builder.icmp_signed(">", builder.add(missing[1], missing[2]), many(0))
    parts = _weigh(builder, node, sums)
    to_left = builder.and_(builder.fcmp_ordered(">=", parts[0], parts[1]), builder.not_(has_missing))
    limits = tuple(builder.select(to_left, pair[1], pair[0]) for pair in (node.low, node.high))
    _keep(builder, node, best, code, parts, to_left, limits, met)
    moved = tuple(builder.add(a, b) for a, b in zip(sums, missing, strict=True))
    parts, limits = _weigh(builder, node, moved), (node.low[1], node.high[1])
    _keep(builder, node, best, code, parts, has_missing, limits, builder.and_(has_missing, met))


def all_plain(builder: Any, node: _Node, missing: Any) -> Any:
    """Whether nothing is missing in a group and its bounds are the same both ways."""
    differs = builder.or_(builder.icmp_signed("!=", *node.low), builder.icmp_signed("!=", *node.high))
    return builder.not_(_any(builder, builder.or_(builder.icmp_signed("!=", missing, many(0)), differs)))


def write_best(builder: Any, best: _Best, found: Any, first: Any) -> None:
    """Write the best cuts of a group's lanes."""
    for row, place in enumerate(best):
        value = builder.load(place)
        value = to_real(builder, value) if row == CUT else value
        at = builder.add(first, ir.Constant(NUMBER, row * LANES))
        builder.store(value, vector_at(builder, found, at, REALS), align=8)


def array_data(context: Any, builder: Any, signature: Any, arguments: Any, places: tuple[int, ...]) -> list[Any]:
    """Point to where the arrays among the arguments begin."""
    return [context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in places]


def unpack(builder: Any, total: Any) -> tuple[Any, Any, Any]:
    """Take a narrow node's sum, untreated and treated rows apart."""
    mask = many((1 << ARM_BITS) - 1)
    one = builder.and_(builder.lshr(total, many(ARM_BITS)), mask)
    return builder.ashr(total, many(COUNT_BITS)), builder.and_(total, mask), one


def _take_slot(builder: Any, histogram: Any, at: Any) -> Any:
    """Take a slot out of the histogram, leaving zeros."""
    place = vector_at(builder, histogram, at, INTEGERS)
    slot = builder.load(place, align=8)
    builder.store(many(0), place, align=8)
    return slot


def _narrow_cuts(typing: Any, histogram: Any, n: Any, first: Any, frame: Any, bound: Any, best: Any) -> Any:
    """Best cuts of eight features from their histogram, which is emptied: codes 0 to n - 1 are tried."""
    signature = types.void(histogram, types.int64, types.int64, frame, bound, best)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slots, frame, bound, found = array_data(context, builder, signature, arguments, (0, 3, 4, 5))
        n, first = arguments[1], arguments[2]
        node, best = read_node(builder, frame, bound, first), start_best(builder)
        start = builder.mul(first, ir.Constant(NUMBER, 2 * (MISSING + 1)))
        absent = _take_slot(builder, slots, builder.add(start, ir.Constant(NUMBER, MISSING * GROUP)))
        missing = unpack(builder, absent)
        running = kept_zeros(builder)

        def scan(is_plain: bool) -> None:
            if is_plain:
                builder.store(many(RAISE), running)
            with cgutils.for_range(builder, n) as loop:
                at = builder.add(start, builder.mul(loop.index, ir.Constant(NUMBER, GROUP)))
                slot = _take_slot(builder, slots, at)
                is_met, total = builder.icmp_signed("!=", slot, many(0)), builder.add(builder.load(running), slot)
                builder.store(total, running)
                code = _spread(builder, loop.index, INTEGERS)
                if is_plain:
                    offer_plain(builder, node, best, code, total, is_met)
                else:
                    offer_both(builder, node, best, code, unpack(builder, total), missing, is_met)

        with builder.if_else(all_plain(builder, node, absent)) as (plain, full):
            with plain:
                scan(is_plain=True)
            with full:
                scan(is_plain=False)
        write_best(builder, best, found, first)
        return context.get_dummy_value()

    return signature, emit


def _take_arms(builder: Any, histogram: Any, at: Any) -> tuple[Any, Any, Any]:
    """Take a code's sum, untreated and treated rows out of a wide histogram, leaving zeros."""
    slots = [_take_slot(builder, histogram, builder.add(at, ir.Constant(NUMBER, arm * GROUP))) for arm in range(2)]
    mask = many((1 << COUNT_BITS) - 1)
    both = builder.ashr(builder.add(*slots), many(COUNT_BITS))
    return both, builder.and_(slots[0], mask), builder.and_(slots[1], mask)


def _wide_cuts(typing: Any, histogram: Any, n: Any, first: Any, frame: Any, bound: Any, best: Any) -> Any:
    """Do the same with a slot for each arm, for nodes of any size."""
    signature = types.void(histogram, types.int64, types.int64, frame, bound, best)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slots, frame, bound, found = array_data(context, builder, signature, arguments, (0, 3, 4, 5))
        n, first = arguments[1], arguments[2]
        node, best = read_node(builder, frame, bound, first), start_best(builder)
        start = builder.mul(first, ir.Constant(NUMBER, 2 * (MISSING + 1)))
        step = ir.Constant(NUMBER, 2 * GROUP)
        missing = _take_arms(builder, slots, builder.add(start, builder.mul(ir.Constant(NUMBER, MISSING), step)))
        running = [kept_zeros(builder) for _ in range(3)]
        with cgutils.for_range(builder, n) as loop:
            here = _take_arms(builder, slots, builder.add(start, builder.mul(loop.index, step)))
            sums = []
            for place, new in zip(running, here, strict=True):
                sums.append(builder.add(builder.load(place), new))
                builder.store(sums[-1], place)
            is_met = builder.icmp_signed("!=", builder.or_(here[1], here[2]), many(0))
            code = _spread(builder, loop.index, INTEGERS)
            offer_both(builder, node, best, code, tuple(sums), missing, is_met)
        write_best(builder, best, found, first)
        return context.get_dummy_value()

    return signature, emit


# called from kernels without the typing context
narrow_cuts: Any = intrinsic(_narrow_cuts)
wide_cuts: Any = intrinsic(_wide_cuts)
