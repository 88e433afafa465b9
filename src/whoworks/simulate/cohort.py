"""The cohort: who the students are, where they sit, and how they would score without the programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whoworks.design.design import Codes, Vector
from whoworks.simulate.assignment import Draw, assign, mean_share, require_possible
from whoworks.simulate.layout import Layout, divide
from whoworks.simulate.traits import EL_CUT, FRL_CUT, Streams, draw_places, draw_students, draw_varying
from whoworks.simulate.world import World

SETTINGS = ("city", "suburb", "town")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The students as they are before anything is offered; arrays have one entry per student.

    `fall` and `spring` are the standard normal x and y of `World`; `varying` is
    its v, `varying_by_school` the school's part of it; `share` is the part of the block that is offered the programme;
    `size` is n, the size of the place; `years`, `devices` and `setting` belong
    to the class, the class and the school.
    """

    klass: Codes
    school: Codes
    pair: Codes
    arm: Codes
    share: Vector
    size: Codes
    fall: Vector
    spring: Vector
    varying: Vector
    varying_by_school: Vector
    frl: Codes
    el: Codes
    girl: Codes
    years: Codes
    devices: Codes
    setting: Codes


def class_features(layout: Layout, rng: np.random.Generator) -> tuple[Codes, Codes, Codes]:
    """Teacher's years (classes,), own devices (classes,) in half of them, and setting (schools,) in equal thirds."""
    years = np.minimum(np.round(rng.gamma(2.0, 4.5, layout.classes)), 38).astype(np.int64)
    devices = rng.permutation(np.arange(layout.classes) % 2)
    setting = rng.permutation(np.arange(layout.schools) % len(SETTINGS))
    return years, devices, setting


def seat(layout: Layout, world: World, arm_of_class: Codes | None, rng: np.random.Generator) -> Codes:
    """(classes,) how many students sit in each class."""
    if world.size_by_arm != 1.0 and arm_of_class is not None:
        relative = rng.permutation(np.linspace(0.6, 1.4, layout.classes))
        return divide(total=layout.students, weights=relative * np.where(arm_of_class > 0, world.size_by_arm, 1.0))
    sizes = rng.permutation(layout.place_sizes)
    if layout.place_level == "class":
        return sizes
    rooms = np.bincount(layout.school_of_class, minlength=layout.schools)
    return np.concatenate([np.diff(np.arange(n + 1) * size // n) for size, n in zip(sizes, rooms, strict=True)])


def draw_cohort(world: World, layout: Layout, streams: Streams) -> Cohort:
    """Draw places, then arms where places carry them, then students, then arms where students carry them.

    Students stand in random order, so that neither rows nor student codes say where they sit.
    """
    require_possible(world, layout)
    place = draw_places(world, layout, streams)
    home = layout.school_of_class
    draw = None
    if layout.assigned == "class":
        draw = assign(world, layout, score=place[:, 0], school=home, nest=home, rng=streams["arm"])
    elif layout.assigned == "school":
        schools = np.arange(layout.schools)
        at_school = np.bincount(home, weights=place[:, 0]) / np.bincount(home)
        draw = assign(world, layout, score=at_school, school=schools, nest=0 * schools, rng=streams["arm"]).of(home)
    sizes = seat(layout, world, None if draw is None else draw.arm, streams["size"])
    klass = streams["code"].permutation(np.repeat(np.arange(layout.classes), sizes))
    traits = place[klass] + draw_students(world, layout, streams)
    if draw is None:
        draw = assign(world, layout, score=traits[:, 0], school=home[klass], nest=klass, rng=streams["arm"])
    else:
        draw = draw.of(klass)
    return _gather(world, layout, streams, klass=klass, traits=traits, draw=draw)


def _gather(world: World, layout: Layout, streams: Streams, *, klass: Codes, traits: Vector, draw: Draw) -> Cohort:
    years, devices, setting = class_features(layout, streams["feature"])
    varying = draw_varying(layout, streams["vary"])[klass]
    school = layout.school_of_class[klass]
    place = klass if layout.place_level == "class" else school
    return Cohort(
        klass=klass,
        school=school,
        pair=draw.pair,
        arm=draw.arm,
        share=draw.share,
        size=np.bincount(place)[place],
        fall=traits[:, 0],
        spring=traits[:, 1] + world.share_to_outcome * (draw.share - mean_share(world, layout)),
        varying=varying.sum(axis=1),
        varying_by_school=varying[:, 0],
        frl=(traits[:, 2] > FRL_CUT).astype(np.int64),
        el=(traits[:, 3] > EL_CUT).astype(np.int64),
        girl=streams["sex"].integers(2, size=layout.students),
        years=years[klass],
        devices=devices[klass],
        setting=setting[school],
    )
