"""The cells of the table: one world, one way of assigning, one number of clusters, one intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from typing import Any

from whoworks.simulate.layout import Layout
from whoworks.simulate.world import World
from whoworks.simulate.worlds import WORLDS

# what carries the arm and within what it is drawn: fields of `Layout`, and units of a block or school
ASSIGNED: dict[str, dict[str, Any]] = {
    "class": {"assigned": "class", "blocks": "none", "classes_a_school": 1},
    "class in schools": {"assigned": "class", "blocks": "school", "classes_a_school": 4},
    "class in pairs": {"assigned": "class", "blocks": "pair", "classes_a_school": 4},
    "class, one in five": {"assigned": "class", "blocks": "none", "classes_a_school": 1, "share": 0.2},
    "school": {"assigned": "school", "blocks": "none", "classes_a_school": 2},
    "school in pairs": {"assigned": "school", "blocks": "pair", "classes_a_school": 2},
    "student in schools": {"assigned": "student", "blocks": "school", "classes_a_school": 2},
}
CLUSTERS = (8, 12, 20, 40, 80, 200)
ICC = (0.0, 0.1, 0.2)
GRID_WORLDS = tuple(name for name in WORLDS if name != "lakeside")
PER_CLUSTER = {8: 25, 12: 25, 20: 24, 40: 12, 80: 12, 200: 10}  # students of a class or school, in the designed grid
FULL, FEWER = 2000, 400  # replicates; the fewer where many clusters make a replicate long, and for forests
LARGE = 80  # clusters from which a cell of the grid has fewer replicates
TREES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: `clusters` counts what is assigned (schools, where students are assigned within them).

    per_cluster : students of each, on average
    replicates : through planned questions, exploration without predictions, and grades
    forest_replicates : how many of them, the first, also predict effects, with all seven moderators of the pilot
    peer_replicates : how many of those after them also run what others would
    """

    world: str
    assigned: str
    clusters: int
    icc: float
    per_cluster: int
    replicates: int
    forest_replicates: int = 0
    peer_replicates: int = 0

    @property
    def key(self) -> tuple[str, str, int, float]:
        """The cell's columns in the table."""
        return self.world, self.assigned, self.clusters, self.icc

    @property
    def name(self) -> str:
        """The cell's name, in which a folder can be called."""
        return f"{self.world}_{self.assigned.replace(',', '').replace(' ', '-')}_{self.clusters}_{self.icc:g}"

    @property
    def truth_world(self) -> World:
        """The world."""
        return WORLDS[self.world]

    @property
    def layout(self) -> Layout:
        """The layout of a pilot."""
        fields = dict(ASSIGNED[self.assigned])
        per = fields.pop("classes_a_school")
        if fields["assigned"] == "class":
            classes, schools = self.clusters, self.clusters // per
        else:
            classes, schools = per * self.clusters, self.clusters
        return Layout(
            students=self.clusters * self.per_cluster, classes=classes, schools=schools, icc=self.icc, **fields
        )

    @property
    def weight(self) -> float:
        """About how many seconds of one processor a replicate takes, predictions apart."""
        return 0.08 + 0.0002 * self.clusters * self.per_cluster


def is_possible(world: str, assigned: str, clusters: int, icc: float) -> bool:
    """Tell whether the world and the number of clusters fit the way of assigning."""
    held = WORLDS[world]
    if held.size_by_arm != 1.0 and assigned not in ("class", "class in schools", "class, one in five"):
        return False
    if held.block_shares and assigned not in ("class in schools", "student in schools"):
        return False
    if held.coached is not None and (assigned.endswith("pairs") or clusters < 20):
        return False
    return assigned != "class, one in five" or clusters >= 20


@cache
def designed_grid() -> tuple[Cell, ...]:
    """Pick cells until every pair of levels of world, assignment, clusters and correlation that can occur does.

    Greedy: each pick holds the most pairs that are still missing; among equals
    the one with fewest clusters, then the first in order. No draw is made.
    """
    levels = [GRID_WORLDS, tuple(ASSIGNED), CLUSTERS, ICC]
    candidates = [levels_of for levels_of in product(*levels) if is_possible(*levels_of)]
    pairs = {point: frozenset(combinations(enumerate(point), 2)) for point in candidates}
    missing = set().union(*pairs.values())
    picked = []
    while missing:
        best = max(candidates, key=lambda point: (len(pairs[point] & missing), -point[2]))
        picked.append(best)
        missing -= pairs[best]
    return tuple(_grid_cell(*point) for point in picked)


def _grid_cell(world: str, assigned: str, clusters: int, icc: float) -> Cell:
    # three arms need classes enough for a second treatment; schools hold two classes of eight at least
    per_cluster = max(PER_CLUSTER[clusters], 16) if not assigned.startswith("class") else PER_CLUSTER[clusters]
    replicates = FEWER if clusters >= LARGE else FULL
    return Cell(
        world=world, assigned=assigned, clusters=clusters, icc=icc, per_cluster=per_cluster, replicates=replicates
    )


def _named(world: str, assigned: str, clusters: int, *, peers: int = 0, forest: int = FEWER) -> Cell:
    return Cell(
        world=world, assigned=assigned, clusters=clusters, icc=0.2, per_cluster=25, replicates=FULL,
        forest_replicates=forest, peer_replicates=peers,
    )  # fmt: skip


# First come those on which most hangs. Peers answer where their errors are instructive, econml's forest in few.
NAMED = (
    *(_named("class-varying", "class", g, peers=FEWER) for g in (8, 12, 20, 40)),
    _named("student-moderator", "class", 40, peers=FEWER),
    _named("classroom-moderator", "class", 40, peers=FEWER),
    *(_named("no-effect", "class", g) for g in (8, 12, 20)),
    _named("no-effect", "class", 40, peers=FEWER),
    _named("size-by-arm", "class in schools", 80, peers=FEWER),
    *(_named("class-varying", "class in schools", g) for g in (12, 40)),
    *(_named("student-moderator", "class", g) for g in (8, 12, 20)),
    *(_named("classroom-moderator", "class", g) for g in (8, 12, 20)),
    *(_named("class-varying", "student in schools", g) for g in (12, 20, 40)),
    *(_named("student-moderator", "student in schools", g) for g in (20, 40)),
    _named("class-varying", "class in pairs", 40),
    _named("unequal-shares", "class in schools", 40),
    _named("both", "class in schools", 40),
    _named("middle-heavy", "class", 40),
    _named("rare-subgroup", "class", 40),
)


@cache
def all_cells() -> tuple[Cell, ...]:
    """Return the named cells, then the grid's others."""
    taken = {cell.key for cell in NAMED}
    return (*NAMED, *(cell for cell in designed_grid() if cell.key not in taken))


QUICK = (
    ("class-varying", "class", 8, 0.2), ("class-varying", "class", 20, 0.2), ("student-moderator", "class", 40, 0.2),
    ("no-effect", "class", 12, 0.2), ("class-varying", "student in schools", 20, 0.2),
)  # fmt: skip
QUICK_REPLICATES, QUICK_FORESTS, QUICK_PEERS = 100, 20, 20


def quick_cells() -> tuple[Cell, ...]:
    """Return few cells with few replicates, in which every diagnosand occurs."""
    return tuple(
        replace(
            cell, replicates=QUICK_REPLICATES, forest_replicates=QUICK_FORESTS,
            peer_replicates=min(cell.peer_replicates, QUICK_PEERS),
        )
        for cell in NAMED if cell.key in QUICK
    )  # fmt: skip
