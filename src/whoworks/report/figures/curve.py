"""The curve: how the effect runs along a number, with its band."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.report.amounts import interval, level_word, places_of
from whoworks.report.figures.chart import BLUE, INK, PALE, SMALL, Chart, direction, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import Words, capital, outcome_of, shorten
from whoworks.report.numbers import fixed
from whoworks.report.phrases import grid

HEIGHT = 2.5
TOLD = 5
ROUNDING = 1e-4  # of the largest effect: grid values are written with six digits


def plot_curve(points: Sequence[Finding], *, average: Finding, words: Words, name: str) -> Chart:
    """Draw one continuous moderator's curve; `points` carry the grid values in `level`."""
    shown = sorted((p for p in points if math.isfinite(p.estimate)), key=lambda point: float(point.level))
    at = [float(point.level) for point in shown]
    moderator = words.moderator(points[0].moderator)
    with styled():
        drawing = new_drawing(height=HEIGHT)
        axes = drawing.add_axes((0.12, 0.175, 0.85, 0.8))
        axes.fill_between(at, [p.conf_low for p in shown], [p.conf_high for p in shown], color=PALE, lw=0)
        axes.plot(at, [p.estimate for p in shown], color=INK, lw=1.8)
        axes.axhline(0, color=INK, lw=0.8)
        if math.isfinite(average.estimate):
            axes.axhline(average.estimate, color=BLUE, lw=1.0, ls=(0, (4, 3)))
        axes.set_xlim(min(at), max(at))
        axes.set_xlabel(printable(shorten(moderator, 80)), fontsize=SMALL)
        axes.set_ylabel(direction(words.effect, average, words), fontsize=SMALL)
    effect = f"{words.effect} {'in' if words.matched else 'on'} {words.short_outcome(outcome_of(average))}"
    caption = (
        f"{capital(moderator)}: the {effect} along it. The band is the {level_word(average)} at each value; the "
        f"dashed line is the average. {tell_shape(shown, at)}"
    )
    return Chart(name=name, caption=caption, drawing=drawing, alt=tell_curve(shown, moderator, words))


def tell_shape(points: Sequence[Finding], at: Sequence[float]) -> str:
    """Say whether the picture bends; with few clusters, or few different values, it is drawn as a straight line."""
    estimates = [point.estimate for point in points]
    slope = (estimates[-1] - estimates[0]) / (at[-1] - at[0])
    off = max(abs(y - estimates[0] - slope * (x - at[0])) for x, y in zip(at, estimates, strict=True))
    if off <= ROUNDING * max(map(abs, estimates)):
        return "It is drawn straight; the claim is its slope, in the table."
    return "The picture bends freely; the claim is the slope in the table."


def tell_curve(points: Sequence[Finding], moderator: str, words: Words) -> str:
    """Say what the curve shows at a few of its points."""
    stride = max(1, (len(points) - 1) // (TOLD - 1))
    said = [
        f"at {grid(point.level)}, {fixed(point.estimate, places_of(point, words))} ({interval(point, words)})"
        for point in points[::stride]
    ]
    return f"Effect along {moderator}, with {level_word(points[0])}s: {'; '.join(said)}."
