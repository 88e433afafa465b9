"""The targeting curve: the effect among those ranked first by prediction less that among all, by how many."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.report.amounts import interval, level_word, places_of
from whoworks.report.figures.chart import INK, PALE, SMALL, Chart, direction, new_drawing, styled
from whoworks.report.labels import Words
from whoworks.report.numbers import fixed, percent

HEIGHT = 2.5


def plot_ranking(points: Sequence[Finding], *, words: Words) -> Chart:
    """Draw the targeting curve; `points` carry the share offered first in `level`."""
    shown = sorted((p for p in points if math.isfinite(p.estimate)), key=lambda point: float(point.level))
    at = [100 * float(point.level) for point in shown]
    with styled():
        drawing = new_drawing(height=HEIGHT)
        axes = drawing.add_axes((0.12, 0.175, 0.85, 0.8))
        axes.fill_between(at, [p.conf_low for p in shown], [p.conf_high for p in shown], color=PALE, lw=0)
        axes.plot([*at, 100], [*(p.estimate for p in shown), 0], color=INK, lw=1.8)
        axes.axhline(0, color=INK, lw=0.8)
        axes.set_xlim(at[0], 100)
        axes.set_xlabel("students ranked first by prediction, %", fontsize=SMALL)
        axes.set_ylabel(direction(f"{words.effect} beyond that of all", shown[0], words), fontsize=SMALL)
    caption = (
        f"The {words.effect} among the students ranked first by prediction less that among all, by how many are taken. "
        f"The band is the {level_word(shown[0])} at each share. A ranking that tells nothing runs "
        "along zero."
    )
    return Chart(name="ranking", caption=caption, drawing=drawing, alt=tell_curve(shown, words))


def tell_curve(points: Sequence[Finding], words: Words) -> str:
    """Say what the curve shows at every other of its points."""
    said = [
        f"{percent(float(point.level), 0)}, {fixed(point.estimate, places_of(point, words))} ({interval(point, words)})"
        for point in points[::2]
    ]
    head = (
        f"The {words.effect} among those ranked first by prediction minus that among all, with {level_word(points[0])}s"
    )
    return f"{head}, by the share taken: {'; '.join(said)}."
