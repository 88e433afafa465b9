"""Growing the trees of one bag."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import CATEGORICAL, LEAF, MISSING, MISSING_LEFT, N_CODES, Arena, Bagging, Rules, Sample
from whoworks.forests.arena import Strata
from whoworks.forests.compile import kernel
from whoworks.forests.draw import SPLIT, VALUE, draw_bag, draw_halves, list_rows, mark_bag
from whoworks.forests.split import find_split

# columns of the stack: node, its range in both halves, depth, the nearest range above that holds every arm
NODE_ID, DEPTH, ABOVE = 0, 5, 6


@kernel
def holds_arms(sample: Sample, rules: Rules, rows: NDArray[np.uint32], start: int, stop: int) -> bool:
    """Whether rows of positive weight of every arm are there; stops as soon as they are."""
    found = np.int64(0)
    for i in range(start, stop):
        if sample.weight[rows[i]] > 0.0:
            found |= np.int64(1) << np.int64(sample.arm[rows[i]])
            if found == (1 << rules.n_arms) - 1:
                return True
    return False


@kernel
def write_payload(
    sample: Sample, rows: NDArray[np.uint32], start: int, stop: int, payload: NDArray[np.float64]
) -> None:
    """Weighted means of y, z, z y and the upper triangle of z z' over a leaf's estimating half."""
    d = sample.z.shape[1]
    payload[:] = 0.0
    total = 0.0
    for i in range(start, stop):
        r = rows[i]
        weight, y = sample.weight[r], sample.y[r]
        total += weight
        payload[0] += weight * y
        at = 1 + 2 * d
        for k in range(d):
            z = weight * sample.z[r, k]
            payload[1 + k] += z
            payload[1 + d + k] += z * y
            for j in range(k, d):
                payload[at] += z * sample.z[r, j]
                at += 1
    payload /= total


@kernel
def part(sample: Sample, f: int, rows: NDArray[np.uint32], start: int, stop: int, arena: Arena) -> int:
    """Bring the rows that go left to the front, keeping their order; where the right begins is returned."""
    n_left = start
    n_right = 0
    for i in range(start, stop):
        r = rows[i]
        is_left = arena.goes_left[sample.codes[r, f]]
        rows[n_left] = r
        arena.spare_rows[n_right] = r
        n_left += is_left
        n_right += not is_left
    for i in range(n_right):
        rows[n_left + i] = arena.spare_rows[i]
    return n_left


@kernel
def write_split(sample: Sample, f: int, node: int, child: int, n_masks: int, first: int, arena: Arena) -> int:
    """Write an inner node; the number of level masks so far is returned."""
    kind = MISSING_LEFT if arena.goes_left[MISSING] else 0
    cut = arena.found[f, 1]
    if sample.categorical[f]:
        kind |= CATEGORICAL
        cut = 0
        arena.mask_of[first + node] = n_masks
        arena.masks[n_masks, :] = 0
        for c in range(N_CODES):
            if arena.goes_left[c]:
                arena.masks[n_masks, c >> 3] |= np.uint8(1 << (c & 7))
        n_masks += 1
    arena.nodes[first + node].child = child
    arena.nodes[first + node].feature = f
    arena.nodes[first + node].cut = int(cut)
    arena.nodes[first + node].kind = kind
    return n_masks


@kernel
def write_leaf(
    sample: Sample, rules: Rules, box: NDArray[np.int64], first: int, leaf: int, first_leaf: int, arena: Arena
) -> None:
    """Write a leaf and its moments; a leaf whose estimating half lacks an arm takes its parent's."""
    start, stop = box[3], box[4]
    if not holds_arms(sample, rules, arena.value_rows, start, stop):
        start, stop = box[ABOVE], box[ABOVE + 1]
    write_payload(sample, arena.value_rows, start, stop, arena.payload[first_leaf + leaf])
    arena.nodes[first + box[NODE_ID]].child = leaf
    arena.nodes[first + box[NODE_ID]].feature = 0
    arena.nodes[first + box[NODE_ID]].cut = 0
    arena.nodes[first + box[NODE_ID]].kind = LEAF


@kernel
def push(arena: Arena, top: int, box: NDArray[np.int64], node: int, s0: int, s1: int, v0: int, v1: int) -> None:
    """Put a child on the stack, with its parent's range as the nearest that holds every arm."""
    child = arena.stack[top]
    child[0], child[1], child[2], child[3], child[4] = node, s0, s1, v0, v1
    child[DEPTH] = box[DEPTH] + 1
    child[ABOVE], child[ABOVE + 1] = box[ABOVE], box[ABOVE + 1]


@kernel
def grow_tree(
    sample: Sample, rules: Rules, n_split: int, n_value: int, first: NDArray[np.int64], arena: Arena,
    rng: NDArray[np.uint64],
) -> None:
    """Grow one tree from ``arena.split_rows`` and ``value_rows``, depth first.

    ``first`` counts the nodes, leaves and masks the arena already holds, and is
    moved on.
    """
    for j in range(len(arena.features)):
        arena.features[j] = j
    box = np.empty(8, np.int64)
    arena.stack[0, :] = 0
    arena.stack[0, 2], arena.stack[0, 4] = n_split, n_value
    arena.stack[0, ABOVE + 1] = n_value
    top, n_nodes, n_leaves = 1, 1, 0
    while top > 0:
        top -= 1
        box[:] = arena.stack[top]
        f = -1
        if box[DEPTH] < rules.max_depth and box[2] - box[1] >= 2 * rules.n_arms * rules.min_rows:
            f = find_split(sample, rules, box[1:5], arena, rng)
        if f < 0:
            write_leaf(sample, rules, box, first[0], n_leaves, first[1], arena)
            n_leaves += 1
            continue
        if holds_arms(sample, rules, arena.value_rows, box[3], box[4]):
            box[ABOVE], box[ABOVE + 1] = box[3], box[4]
        s = part(sample, f, arena.split_rows, box[1], box[2], arena)
        v = part(sample, f, arena.value_rows, box[3], box[4], arena)
        first[2] = write_split(sample, f, box[NODE_ID], n_nodes, first[2], first[0], arena)
        push(arena, top, box, n_nodes + 1, s, box[2], v, box[4])
        push(arena, top + 1, box, n_nodes, box[1], s, box[3], v)
        top += 2
        n_nodes += 2
    first[0] += n_nodes
    first[1] += n_leaves


@kernel
def grow_bag(
    sample: Sample, rules: Rules, strata: Strata, bagging: Bagging, seed: np.uint64, arena: Arena,
    bits: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Draw a bag, mark its clusters in ``bits``, grow its trees one after the other.

    Returns how many nodes, leaves and level masks the arena now holds.  A tree
    whose estimating half lacks an arm is not usable and stays a stump.
    """
    rng = np.array([seed], dtype=np.uint64)
    first = np.zeros(3, np.int64)
    draw_bag(strata, bagging, arena, rng)
    mark_bag(strata, arena, bits)
    for t in range(bagging.n_trees):
        draw_halves(strata, bagging, arena, rng)
        n_split = list_rows(strata, arena, SPLIT, bagging.honest, arena.split_rows)
        n_value = list_rows(strata, arena, VALUE, bagging.honest, arena.value_rows)
        is_usable = holds_arms(sample, rules, arena.value_rows, 0, n_value)
        before = first[0], first[1]
        if is_usable:
            grow_tree(sample, rules, n_split, n_value, first, arena, rng)
        else:
            arena.payload[first[1]] = 0.0
            arena.nodes[first[0]].child = 0
            arena.nodes[first[0]].kind = LEAF
            first[0] += 1
            first[1] += 1
        arena.grown[t, 0], arena.grown[t, 1] = first[0] - before[0], first[1] - before[1]
        arena.grown[t, 2] = 1 if is_usable else 0
    return first
