"""The traits beneath the records: fall and spring score, lunch status, English learning, as sums over levels."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np

from whoworks.design.design import Vector
from whoworks.simulate.layout import Layout
from whoworks.simulate.world import EL_SHARE, FRL_SHARE, World

STREAMS = ("school", "class", "student", "heavy", "size", "arm", "feature", "vary", "use", "loss", "gap", "sex", "code")
Streams = Mapping[str, np.random.Generator]

# Correlations of lunch status and English learning with fall scores, and with one another, at every level.
FRL_FALL = -0.40
EL_FALL = -0.25
FRL_EL = 0.25
# Variances of what lies beneath the two needs: between schools, classes of a school, and students.
NEED_PARTS = (0.15, 0.05, 0.80)

_NORMAL = NormalDist()
FRL_CUT = -_NORMAL.inv_cdf(FRL_SHARE)
EL_CUT = -_NORMAL.inv_cdf(EL_SHARE)


def open_streams(seed: int) -> Streams:
    """One random stream per ingredient, so that worlds with the same seed share whatever they have in common."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(STREAMS, children, strict=True)}


def variance_parts(world: World, layout: Layout) -> tuple[Vector, Vector, Vector]:
    """Variances between schools, classes and students: of x, of y, and of the two needs (lunch status, English).

    Where students are drawn into classes, classes differ in y alone, by their teachers.
    """
    half = layout.icc / 2
    score = np.array([half, half, 1 - layout.icc])
    need = np.array(NEED_PARTS)
    if world.size_by_arm == 1.0:
        return score, score, need
    drawn = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    return drawn @ score, score, drawn @ need


def level_correlations(world: World) -> tuple[Vector, Vector, Vector]:
    """Correlations of x, y, lunch status and English learning at each level; y depends on the latter two through x."""
    return (
        _correlations(world.correlation[0]),
        _correlations(world.correlation[1]),
        _correlations(world.correlation[2]),
    )


def _correlations(rho: float) -> Vector:
    frl, el, both = FRL_FALL, EL_FALL, FRL_EL
    return np.array(
        [
            [1.0, rho, frl, el],
            [rho, 1.0, rho * frl, rho * el],
            [frl, rho * frl, 1.0, both],
            [el, rho * el, both, 1.0],
        ]
    )


def draw_places(world: World, layout: Layout, streams: Streams) -> Vector:
    """(classes, 4) school and class parts of the traits x, y, lunch status and English learning, added up."""
    spread = _spread(world, layout)
    roots = [np.linalg.cholesky(matrix) for matrix in level_correlations(world)]
    school = streams["school"].standard_normal((layout.schools, 4)) @ roots[0].T * spread[0]
    room = streams["class"].standard_normal((layout.classes, 4)) @ roots[1].T * spread[1]
    place: Vector = school[layout.school_of_class] + room
    return place


def draw_students(world: World, layout: Layout, streams: Streams) -> Vector:
    """(students, 4) the students' own parts of the four traits."""
    rho = world.correlation[2]
    normal = streams["student"].standard_normal((layout.students, 4))
    heavy = streams["heavy"].standard_t(3, layout.students) / np.sqrt(3)
    own = normal @ np.linalg.cholesky(level_correlations(world)[2]).T
    if world.heavy_tails:
        own[:, 1] = rho * own[:, 0] + np.sqrt(1 - rho**2) * heavy
    own *= _spread(world, layout)[2]
    return own


def draw_varying(layout: Layout, rng: np.random.Generator) -> Vector:
    """(classes, 2) school and class part of v, which effects follow and nothing recorded does; equal variances."""
    school = rng.normal(0.0, np.sqrt(0.5), layout.schools)
    return np.column_stack([school[layout.school_of_class], rng.normal(0.0, np.sqrt(0.5), layout.classes)])


def _spread(world: World, layout: Layout) -> Vector:
    x, y, need = variance_parts(world, layout)
    return np.sqrt(np.column_stack([x, y, need, need]))
