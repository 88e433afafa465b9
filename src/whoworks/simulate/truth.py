"""The truth of a pilot, under the names that findings have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from whoworks.design.design import Codes, Vector
from whoworks.simulate.cohort import SETTINGS, Cohort
from whoworks.simulate.layout import Layout
from whoworks.simulate.population import Population
from whoworks.simulate.potential import Potential
from whoworks.simulate.world import POINTS_PER_SD, World

GROUPS = {"frl": ("N", "Y"), "devices": ("shared", "own"), "el": ("N", "Y"), "sex": ("M", "F"), "setting": SETTINGS}
NUMBERS = ("rit_fall", "teacher_years")


def tell_truth(world: World, layout: Layout, cohort: Cohort, potential: Potential, *, seed: int) -> dict[str, Any]:
    """Tell the true value of every effect that a plan of this world asks for.

    Each entry of ``estimands`` has the ``finding_id`` that the finding has, its
    parts, the ``unit``, and the value three times: ``population``, over all schools
    that the world could have drawn; ``given_blocks``, over all clusters that these
    blocks could have held (what an interval should cover: blocks are absorbed, so
    that it speaks of them and of no others; the same as `population` where the arm is
    drawn without blocks, or where whole sites are the clusters); and ``sample``, the
    mean over the students of this pilot, whether or not their outcome was recorded.
    ``effect_size`` is `population` in SD of the outcome without the programme; null for a
    binary outcome. Values have 10 significant digits.
    """
    population = Population(world=world, layout=layout)
    return {
        "world": world.name,
        "summary": world.summary,
        "equations": world.equations,
        "seed": seed,
        "layout": {
            "students": layout.students,
            "classes": layout.classes,
            "schools": layout.schools,
            "assigned": layout.assigned,
            "blocks": layout.block_level,
            "share": layout.share,
            "icc": layout.icc,
            "cluster": layout.cluster_level,
        },
        "outcome": world.outcome,
        "sd_without_programme": _digits(population.sd_control),
        "estimands": [
            _entry(world, population, **parts) for parts in _estimands(world, layout, cohort, potential, population)
        ],
    }


def _estimands(
    world: World, layout: Layout, cohort: Cohort, potential: Potential, population: Population
) -> Iterator[dict[str, Any]]:
    for column, arm in enumerate(world.arms[1:]):
        contrast = f"{arm} - {world.arms[0]}"
        more = POINTS_PER_SD * (world.coached or 0.0) if column else 0.0
        effect = potential.effects[:, column] * (100.0 if world.binary else 1.0)
        cluster = {"class": cohort.klass, "school": cohort.school}.get(layout.cluster_level, np.arange(len(effect)))
        fixed = fixed_part(world, layout, cohort)
        for weighting, mean in (("student", _mean), ("cluster", partial(_mean_of_means, cluster=cluster))):
            values = (population.average(weighting) + more, mean(fixed), mean(effect))
            yield {"contrast": contrast, "question": "average", "weighting": weighting, "values": values}
        if world.take_up != (0.0, 1.0):
            used = potential.use[:, column + 1].mean() - potential.use[:, 0].mean()
            share = world.complier_share
            values = (population.average("student") / share, _mean(fixed) / share, _mean(effect) / used)
            yield {"contrast": contrast, "question": "takeup", "estimand": "cace", "values": values}
        for parts in _moderated(cohort, effect, fixed, population, more):
            yield {"contrast": contrast, **parts}


def fixed_part(world: World, layout: Layout, cohort: Cohort) -> Vector:
    """(n,) what the places above the cluster, absorbed as blocks or cut through by the draw, add to each effect."""
    if layout.cluster_level == "student":
        part = cohort.varying
    elif layout.cluster_level == "class" and layout.block_level:
        part = cohort.varying_by_school
    else:
        part = np.zeros(len(cohort.fall))
    return POINTS_PER_SD * world.varying * part


def _moderated(
    cohort: Cohort, effect: Vector, fixed: Vector, population: Population, more: float
) -> Iterator[dict[str, Any]]:
    for moderator, levels in GROUPS.items():
        code: Codes = getattr(cohort, "girl" if moderator == "sex" else moderator)
        groups = [
            (population.effect(moderator, index) + more, _mean(fixed[code == index]), _mean(effect[code == index]))
            for index in range(len(levels))
        ]
        for level, values in zip(levels, groups, strict=True):
            yield {"question": "subgroup", "moderator": moderator, "level": level, "values": values}
        for level, values in zip(levels[1:], groups[1:], strict=True):
            differences = tuple(value - first for value, first in zip(values, groups[0], strict=True))
            parts = {"moderator": moderator, "level": level, "reference": levels[0]}
            yield {"question": "difference", **parts, "values": differences}
    for moderator in NUMBERS:
        number = cohort.fall if moderator == "rit_fall" else cohort.years.astype(np.float64)
        fixed_slope, slope = (np.cov(part, number, bias=True)[0, 1] / number.std() for part in (fixed, effect))
        parts = {"question": "difference", "moderator": moderator, "quantity": "slope"}
        yield {**parts, "values": (population.slope(moderator), fixed_slope, slope)}


def _entry(world: World, population: Population, **parts: Any) -> dict[str, Any]:
    value, fixed, sample = parts["values"]
    moderator, level, weighting = parts.get("moderator", ""), parts.get("level", ""), parts.get("weighting", "student")
    estimand, question, contrast = parts.get("estimand", "itt"), parts["question"], parts["contrast"]
    names = (world.outcome, "", contrast, estimand, question, moderator, level, weighting)
    unit = "percentage points" if world.binary else "outcome"
    return {
        "finding_id": ":".join(names),
        "contrast": contrast,
        "estimand": estimand,
        "question": question,
        "moderator": moderator,
        "level": level,
        "reference": parts.get("reference", ""),
        "weighting": weighting,
        "unit": f"{unit}, per SD" if parts.get("quantity") else unit,
        "population": _digits(value),
        "given_blocks": _digits(value + fixed),
        "sample": _digits(sample),
        "effect_size": None if world.binary else _digits(value / population.sd_control),
    }


def _mean(effect: Vector) -> float:
    return float(effect.mean()) if len(effect) else float("nan")


def _mean_of_means(effect: Vector, cluster: Codes) -> float:
    sizes = np.bincount(cluster)
    return float((np.bincount(cluster, weights=effect)[sizes > 0] / sizes[sizes > 0]).mean())


def _digits(value: float) -> float | None:
    """Round to 10 significant digits, so that machines agree; None where a group is empty; no minus before a zero."""
    return None if np.isnan(value) else float(f"{value:.10g}") + 0.0
