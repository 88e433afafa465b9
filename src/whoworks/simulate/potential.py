"""Potential outcomes: what each student would score under each arm. Never part of the records."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from whoworks.design.design import Vector
from whoworks.simulate.assignment import mean_share
from whoworks.simulate.cohort import Cohort
from whoworks.simulate.layout import Layout
from whoworks.simulate.world import EL_SHARE, FRL_SHARE, PASS_SHARE, PEAK_WIDTH, POINTS_PER_SD, SPRING_MEAN, World

PASS_CUT = -NormalDist().inv_cdf(PASS_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Potential:
    """One row per student, one column per arm, control first.

    outcome : (n, arms) the outcome under each arm, before it is rounded
    foreseen : (n, arms - 1) each student's effect as far as what is recorded tells, in the outcome's unit: without the
        part that follows nothing recorded, and in the mean over who uses the programme and who passes by luck
    use : (n, arms) whether the student would use the programme
    """

    outcome: Vector
    foreseen: Vector
    use: NDArray[np.bool_]

    @property
    def effects(self) -> Vector:
        """(n, arms - 1) each student's effect of being offered each arm rather than control."""
        effects: Vector = self.outcome[:, 1:] - self.outcome[:, :1]
        return effects


def offer_effects(world: World, layout: Layout, cohort: Cohort) -> Vector:
    """(n,) tau of `World` for each student, in SD."""
    frl, el, devices = cohort.frl - FRL_SHARE, cohort.el - EL_SHARE, cohort.devices - devices_share(layout)
    bump = np.exp(-(cohort.fall**2) / (2 * PEAK_WIDTH**2)) - world.peak_mean
    linear = world.by_frl * frl + world.by_el * el + world.by_devices * devices + world.by_both * frl * devices
    place = world.by_size * (cohort.size / layout.place_sizes.mean() - 1)
    block = world.by_share * (cohort.share - mean_share(world, layout))
    tau: Vector = world.average + linear + place + block + world.varying * cohort.varying + world.peak * bump
    return tau


def devices_share(layout: Layout) -> float:
    """Share of classes with their own devices: half, or just under where classes are odd in number."""
    return (layout.classes // 2) / layout.classes


def draw_potential(world: World, layout: Layout, cohort: Cohort, rng: np.random.Generator) -> Potential:
    """Work out what each student would score and use under each arm; who would use it is drawn."""
    lot = rng.random(len(cohort.fall))
    usual, offered = world.take_up
    complier = (lot >= usual) & (lot < offered)
    tau = offer_effects(world, layout, cohort)
    extra = (0.0,) if world.coached is None else (0.0, world.coached)
    gain = np.column_stack([np.zeros_like(tau), *(tau + more for more in extra)])
    spring = cohort.spring[:, None] + np.where(complier[:, None], gain / world.complier_share, 0.0)
    use = np.column_stack([lot < usual, *(lot < offered for _ in extra)])
    if world.binary:
        passed, chance = (spring > PASS_CUT).astype(np.float64), _chance_to_pass(world, cohort.fall)
        return Potential(outcome=passed, foreseen=chance[:, 1:] - chance[:, :1], use=use)
    follows = gain[:, 1:] - (world.varying * cohort.varying)[:, None]
    return Potential(outcome=SPRING_MEAN + POINTS_PER_SD * spring, foreseen=POINTS_PER_SD * follows, use=use)


def _chance_to_pass(world: World, fall: Vector) -> Vector:
    """(n, 2) probability of passing without and with the programme, given the fall score: y = r x + sqrt(1 - r^2) e."""
    r = world.correlation[2]  # the same at every level, so that y depends on nothing else that is recorded
    gain = np.array([0.0, world.average])
    return np.asarray(ndtr((r * fall[:, None] + gain - PASS_CUT) / np.sqrt(1 - r**2)))
