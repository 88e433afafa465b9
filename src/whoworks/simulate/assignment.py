"""The draw: which students, classes or schools are offered the programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whoworks.design.design import Codes, Vector
from whoworks.errors import DesignError
from whoworks.simulate.layout import Layout
from whoworks.simulate.world import World


def pair_neighbours(*, score: Vector, stratum: Codes) -> Codes:
    """Pair units with their neighbours in `score` within each stratum; an odd one out joins the last pair.

    Codes run from 0 over strata in order.
    """
    order = np.lexsort((score, stratum))
    counts = np.bincount(stratum)
    pairs = np.maximum(counts // 2, 1)
    within = np.concatenate([np.minimum(np.arange(n) // 2, p - 1) for n, p in zip(counts, pairs, strict=True)])
    codes = np.empty(len(score), dtype=np.int64)
    codes[order] = within + np.repeat(np.concatenate([[0], np.cumsum(pairs)[:-1]]), counts)
    return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What was drawn for each unit: its arm (0 is control), its pair, and the share of its block to be offered."""

    arm: Codes
    pair: Codes
    share: Vector

    def of(self, member: Codes) -> Draw:
        """Hand the draw down to members: `member` holds the unit that each belongs to."""
        return Draw(arm=self.arm[member], pair=self.pair[member], share=self.share[member])


def assign(
    world: World, layout: Layout, *, score: Vector, school: Codes, nest: Codes, rng: np.random.Generator
) -> Draw:
    """Draw arms for the units that carry them, given each one's fall score and school; pairs stay within `nest`."""
    none = np.zeros(len(score), dtype=np.int64)
    level = layout.block_level
    pair = pair_neighbours(score=score, stratum=nest) if level == "pair" else none
    block = {"school": school, "pair": pair}.get(level, none)
    share = block_shares(world, layout, int(block.max()) + 1)
    arm = draw_arms(block=block, share=share, n_arms=len(world.arms), rng=rng)
    return Draw(arm=arm, pair=pair, share=share[block])


def mean_share(world: World, layout: Layout) -> float:
    """Mean over places of the share that is offered the programme."""
    if not world.block_shares:
        return layout.share
    share = block_shares(world, layout, layout.schools)
    return float(share[layout.school_of_class].mean() if layout.place_level == "class" else share.mean())


def block_shares(world: World, layout: Layout, n_blocks: int) -> Vector:
    """(n_blocks,) share of each block that is offered the programme."""
    if not world.block_shares:
        return np.full(n_blocks, layout.share)
    return np.resize(np.array(world.block_shares), n_blocks)


def draw_arms(*, block: Codes, share: Vector, n_arms: int, rng: np.random.Generator) -> Codes:
    """Draw an arm for each unit within its block.

    The number offered is ``n share`` rounded up or down at random in proportion,
    at least one and at most all but one; with several offered arms they are dealt
    out in turn, in random order.
    """
    order = np.lexsort((rng.random(len(block)), block))
    counts = np.bincount(block)
    arm = np.empty(len(block), dtype=np.int64)
    start = 0
    for count, part, lot in zip(counts, share, rng.random(len(counts)), strict=True):
        offered = int(np.clip(np.floor(count * part + lot), min(1, count - 1), max(count - 1, 1)))
        dealt = 1 + (np.arange(offered) + rng.integers(n_arms - 1)) % (n_arms - 1)
        arm[order[start : start + count]] = np.concatenate([dealt, np.zeros(count - offered, dtype=np.int64)])
        start += count
    return arm


def require_possible(world: World, layout: Layout) -> None:
    """Refuse a world that the layout cannot hold."""
    if world.size_by_arm != 1.0 and (layout.assigned != "class" or layout.block_level == "pair"):
        raise DesignError(f"World '{world.name}' makes classes by arm: it needs assigned='class' and no pairs.")
    if world.block_shares and layout.block_level != "school":
        raise DesignError(f"World '{world.name}' has shares that differ by block: it needs schools as blocks.")
    if world.coached is not None and layout.block_level == "pair":
        raise DesignError(f"World '{world.name}' has three arms; pairs hold two. Use blocks='school' or 'none'.")
