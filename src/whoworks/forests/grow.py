"""Growing the trees of one bag."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import (
    CATEGORICAL,
    LEAF,
    MISSING,
    MISSING_LEFT,
    N_CODES,
    NEAR,
    Arena,
    Bagging,
    Bins,
    Census,
    Draws,
    Lanes,
    Product,
    Pseudo,
    Rows,
    Rules,
    Sample,
    Strata,
)
from whoworks.forests.draw import SPLIT, VALUE, draw_bag, draw_parts, list_rows, mark_bag
from whoworks.forests.split import find_split
from whoworks.kernels import kernel

# columns of the stack: node, its range in both parts, depth, the nearest range above that holds every arm
NODE_ID, DEPTH, ABOVE = 0, 5, 6


@kernel
def holds_arms(
    arm: NDArray[np.uint8], weight: NDArray[np.float64], n_arms: int, rows: NDArray[np.uint32], start: int, stop: int
) -> bool:
    """Whether rows of positive weight of every arm are there; stops as soon as they are."""
    found = np.int64(0)
    for i in range(start, stop):
        r = rows[i]
        if weight[r] > 0.0:
            found |= np.int64(1) << np.int64(arm[r])
            if found == (1 << n_arms) - 1:
                return True
    return False


@kernel
def write_payload(
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    weight: NDArray[np.float64],
    rows: NDArray[np.uint32],
    payload: NDArray[np.float64],
) -> None:
    """Weighted means of y, z, z y and the upper triangle of z z' over a leaf's estimating part."""
    d = z.shape[1]
    payload[:] = 0.0
    total = 0.0
    for i in range(len(rows)):
        r = rows[i]
        total += weight[r]
        payload[0] += weight[r] * y[r]
        at = 1 + 2 * d
        for k in range(d):
            wz = weight[r] * z[r, k]
            payload[1 + k] += wz
            payload[1 + d + k] += wz * y[r]
            for j in range(k, d):
                payload[at] += wz * z[r, j]
                at += 1
    for k in range(len(payload)):
        payload[k] /= total


@kernel
def part(
    codes: NDArray[np.uint8],
    f: int,
    goes_left: NDArray[np.bool_],
    rows: NDArray[np.uint32],
    start: int,
    stop: int,
    spare: NDArray[np.uint32],
) -> int:
    """Bring the rows that go left to the front, keeping their order; where the right begins is returned."""
    n_left, n_right = start, 0
    for i in range(start, stop):
        r = rows[i]
        is_left = goes_left[codes[r, f]]
        rows[n_left] = r
        spare[n_right] = r
        n_left += is_left
        n_right += not is_left
    for i in range(n_right):
        rows[n_left + i] = spare[i]
    return n_left


@kernel
def write_split(is_levels: bool, f: int, at: int, child: int, n_masks: int, bins: Bins, product: Product) -> int:
    """Write an inner node; the number of level masks so far is returned."""
    kind = MISSING_LEFT if bins.goes_left[MISSING] else 0
    cut = int(bins.found[f, 1])
    if is_levels:
        kind |= CATEGORICAL
        cut = 0
        product.mask_of[at] = n_masks
        product.masks[n_masks, :] = 0
        for c in range(N_CODES):
            if bins.goes_left[c]:
                product.masks[n_masks, c >> 3] |= np.uint8(1 << (c & 7))
        n_masks += 1
    node = product.nodes[at]
    node.child, node.feature, node.cut, node.kind = child, f, cut, kind
    return n_masks


@kernel
def write_leaf(
    sample: Sample,
    n_arms: int,
    box: NDArray[np.int64],
    rows: NDArray[np.uint32],
    at: int,
    leaf: int,
    first_leaf: int,
    product: Product,
) -> None:
    """Write a leaf and its moments; a leaf whose estimating part lacks an arm takes its parent's."""
    start, stop = box[3], box[4]
    if not holds_arms(sample.arm, sample.weight, n_arms, rows, start, stop):
        start, stop = box[ABOVE], box[ABOVE + 1]
    write_payload(sample.y, sample.z, sample.weight, rows[start:stop], product.payload[first_leaf + leaf])
    node = product.nodes[at]
    node.child, node.feature, node.cut, node.kind = leaf, 0, 0, LEAF


@kernel
def push(
    stack: NDArray[np.int64], top: int, box: NDArray[np.int64], node: int, s0: int, s1: int, v0: int, v1: int
) -> None:
    """Put a child on the stack, with its parent's range as the nearest that holds every arm."""
    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3], stack[top, 4] = node, s0, s1, v0, v1
    stack[top, DEPTH] = box[DEPTH] + 1
    stack[top, ABOVE], stack[top, ABOVE + 1] = box[ABOVE], box[ABOVE + 1]


@kernel
def copy_near(sample: Sample, near: Sample, rows: NDArray[np.uint32], start: int, stop: int, first: int) -> None:
    """Copy rows to stand together from place ``first`` on, and let ``rows`` name their new places."""
    for i in range(start, stop):
        r, k = rows[i], first + i - start
        near.y[k], near.arm[k], near.weight[k], near.cell[k] = (
            sample.y[r],
            sample.arm[r],
            sample.weight[r],
            sample.cell[r],
        )
        for j in range(sample.z.shape[1]):
            near.z[k, j] = sample.z[r, j]
        for j in range(sample.codes.shape[1]):
            near.codes[k, j] = sample.codes[r, j]
        rows[i] = k


@kernel
def bring_near(sample: Sample, near: Sample, n_arms: int, box: NDArray[np.int64], rows: Rows) -> bool:
    """Copy a branch's rows where they fit; its leaves may then ask for no rows beyond it."""
    if box[2] - box[1] > NEAR or box[4] - box[3] > NEAR:
        return False
    if not holds_arms(sample.arm, sample.weight, n_arms, rows.value, box[3], box[4]):
        return False
    copy_near(sample, near, rows.split, box[1], box[2], 0)
    copy_near(sample, near, rows.value, box[3], box[4], NEAR)
    return True


@kernel
def grow_tree(
    sample: Sample,
    near: Sample,
    rules: Rules,
    n_split: int,
    n_value: int,
    first: NDArray[np.int64],
    rows: Rows,
    pseudo: Pseudo,
    bins: Bins,
    lanes: Lanes,
    census: Census,
    product: Product,
    stack: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """Grow one tree from ``rows``, depth first.

    A branch small enough is grown on a copy of its rows: those of a deep node
    lie far apart, and fetching them from memory would take most of the time.
    ``first`` counts the nodes, leaves and masks ``product`` already holds, and
    is moved on.
    """
    for j in range(len(bins.features)):
        bins.features[j] = j
    box = stack[len(stack) - 1]
    stack[0, :] = 0
    stack[0, 2], stack[0, 4], stack[0, ABOVE + 1] = n_split, n_value, n_value
    top, n_nodes, n_leaves = 1, 1, 0
    data, branch = sample, -1  # where on the stack the branch began whose rows are near
    while top > 0:
        top -= 1
        for k in range(len(box)):
            box[k] = stack[top, k]
        at = first[0] + box[NODE_ID]
        if top < branch:
            data, branch = sample, -1
        if branch < 0 and bring_near(sample, near, rules.n_arms, box, rows):
            data, branch = near, top
        f = -1
        if box[DEPTH] < rules.max_depth and box[2] - box[1] >= 2 * rules.n_arms * rules.min_rows:
            f = find_split(data, rules, box[1:5], rows, pseudo, bins, lanes, census, rng)
        if f < 0:
            write_leaf(data, rules.n_arms, box, rows.value, at, n_leaves, first[1], product)
            n_leaves += 1
            continue
        if holds_arms(data.arm, data.weight, rules.n_arms, rows.value, box[3], box[4]):
            box[ABOVE], box[ABOVE + 1] = box[3], box[4]
        s = part(data.codes, f, bins.goes_left, rows.split, box[1], box[2], rows.spare)
        v = part(data.codes, f, bins.goes_left, rows.value, box[3], box[4], rows.spare)
        first[2] = write_split(sample.categorical[f], f, at, n_nodes, first[2], bins, product)
        push(stack, top, box, n_nodes + 1, s, box[2], v, box[4])
        push(stack, top + 1, box, n_nodes, box[1], s, box[3], v)
        top += 2
        n_nodes += 2
    first[0] += n_nodes
    first[1] += n_leaves


@kernel
def draw_rows(strata: Strata, bagging: Bagging, draws: Draws, rows: Rows, rng: NDArray[np.uint64]) -> tuple[int, int]:
    """Draw a tree's clusters from its bag; list the rows of both parts and return their numbers."""
    draw_parts(strata, bagging, draws, rng)
    n_split = list_rows(strata, draws, SPLIT, bagging.honest, rows.split)
    return n_split, list_rows(strata, draws, VALUE, bagging.honest, rows.value)


@kernel
def write_stump(first: NDArray[np.int64], product: Product) -> None:
    """Write a tree that is not usable: one leaf that holds nothing."""
    product.payload[first[1], :] = 0.0
    node = product.nodes[first[0]]
    node.child, node.feature, node.cut, node.kind = 0, 0, 0, LEAF
    first[0] += 1
    first[1] += 1


@kernel
def grow_bags(
    sample: Sample,
    rules: Rules,
    strata: Strata,
    bagging: Bagging,
    seeds: NDArray[np.uint64],
    arena: Arena,
    bits: NDArray[np.uint8],
) -> tuple[int, int, int]:
    """Grow a bag per seed, one after the other, its trees too; each bag depends on its seed alone.

    Its clusters are marked in ``bits``.  A tree whose estimating part lacks an
    arm is not usable and stays a stump.  Returns how many nodes, leaves and
    level masks the arena now holds.
    """
    rows, product = arena.rows, arena.product
    rng, first = np.empty(1, np.uint64), np.empty(3, np.int64)
    first[0] = first[1] = first[2] = 0
    for b in range(len(seeds)):
        rng[0] = seeds[b]
        draw_bag(strata, bagging, arena.draws, rng)
        mark_bag(strata, arena.draws, bits[b])
        for t in range(b * bagging.n_trees, (b + 1) * bagging.n_trees):
            nodes, leaves = first[0], first[1]
            n_split, n_value = draw_rows(strata, bagging, arena.draws, rows, rng)
            is_usable = holds_arms(sample.arm, sample.weight, rules.n_arms, rows.value, 0, n_value)
            if is_usable:
                grow_tree(
                    sample,
                    arena.near,
                    rules,
                    n_split,
                    n_value,
                    first,
                    rows,
                    arena.pseudo,
                    arena.bins,
                    arena.lanes,
                    arena.census,
                    product,
                    arena.stack,
                    rng,
                )
            else:
                write_stump(first, product)
            product.grown[t, 0], product.grown[t, 1] = first[0] - nodes, first[1] - leaves
            product.grown[t, 2] = is_usable
    return first[0], first[1], first[2]
