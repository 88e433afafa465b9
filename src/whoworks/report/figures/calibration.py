"""Calibration: what was predicted against what came about, in groups sorted by prediction; description."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whoworks.findings.finding import Finding
from whoworks.findings.searches.exploration import rank_groups
from whoworks.forests.protocol import Predictions
from whoworks.report.amounts import places_of, unit_word
from whoworks.report.figures.chart import BLUE, INK, LINE, SMALL, Chart, direction, new_drawing, styled
from whoworks.report.labels import Words
from whoworks.report.numbers import fixed

HEIGHT, WIDTH = 3.4, 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One sorted group: the mean of its predicted effects, and its estimated effect, in the outcome's units."""

    group: str
    predicted: float
    estimate: float


def read_points(groups: Sequence[Finding], predictions: Predictions, *, times: float) -> tuple[Point, ...]:
    """Set each group's estimate beside the mean of its predictions.

    Units are grouped as `find_sorted_groups` did; predictions are centred
    within fold, as the calibration test centres them, around their mean over all.
    `times` brings them into the estimates' unit.
    """
    known = np.isfinite(predictions.tau)
    tau, fold = predictions.tau[known], predictions.fold[known]
    size = np.maximum(np.bincount(fold), 1)
    centred = tau - (np.bincount(fold, tau) / size)[fold] + tau.mean()
    member = rank_groups(tau, fold, len(groups))
    return tuple(
        Point(group=f.level, predicted=times * float(centred[member.member(place)].mean()), estimate=f.estimate)
        for place, f in enumerate(groups)
    )


def plot_calibration(points: Sequence[Point], *, slope: Finding, average: Finding, words: Words) -> Chart:
    """Draw the groups; `slope` holds the calibration test, whose line runs through the averages."""
    predicted = [point.predicted for point in points]
    unit = unit_word(average, words)
    with styled():
        drawing = new_drawing(height=HEIGHT, width=WIDTH)
        axes = drawing.add_axes((0.15, 0.135, 0.82, 0.84))
        ends = np.array([min(predicted), max(predicted)])
        axes.axline((ends[0], ends[0]), slope=1.0, color=LINE, lw=1.0)
        if math.isfinite(slope.estimate):
            through = average.estimate + slope.estimate * (ends - float(np.mean(predicted)))
            axes.plot(ends, through, color=BLUE, lw=1.2, ls=(0, (4, 3)))
        axes.plot(predicted, [point.estimate for point in points], marker="s", ms=6, color=INK, ls="none")
        for point in points:
            axes.annotate(
                point.group, (point.predicted, point.estimate), xytext=(6, 3), textcoords="offset points",
                fontsize=SMALL, fontweight="bold",
            )  # fmt: skip
        axes.set_xlabel(f"predicted {words.effect}, {unit}", fontsize=SMALL)
        axes.set_ylabel(direction(f"estimated {words.effect}", average, words), fontsize=SMALL)
    caption = (
        f"Description: the {words.effect} estimated in groups sorted by prediction, against what was predicted of "
        "them. Groups on the grey line came out as predicted; the dashed line has the slope of the calibration test."
    )
    return Chart(name="calibration", caption=caption, drawing=drawing, alt=tell_points(points, slope, average, words))


def tell_points(points: Sequence[Point], slope: Finding, average: Finding, words: Words) -> str:
    """Say what the figure shows, group by group."""
    places = places_of(average, words)
    said = [
        f"group {point.group}, predicted {fixed(point.predicted, places)}, estimated {fixed(point.estimate, places)}"
        for point in points
    ]
    return (
        f"Estimated against predicted {words.effect} in groups sorted by prediction, in {unit_word(average, words)}: "
        f"{'; '.join(said)}. Slope of the calibration test: {fixed(slope.estimate, 2)}."
    )
