"""Outcomes missing, drawn on the What Works Clearinghouse's boundary of attrition."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whoworks.checks.attrition import WWC_CAUTIOUS, WWC_OPTIMISTIC
from whoworks.checks.verdict import Verdict
from whoworks.report.figures.chart import BLUE, INK, QUIET, SMALL, Chart, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import capital, shorten
from whoworks.report.numbers import fixed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT = 2.5
KEY, LINE = 32, 0.052  # characters of a line of the key, and its share of the figure's height
LEAST_APART = 0.05
CLOSE = 4.0  # percent of outcomes missing: about the width of two numbers
JUDGED = {
    Verdict.PASS: "low under cautious assumptions",
    Verdict.WARN: "low under optimistic assumptions only",
    Verdict.FAIL: "high under both",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attrition:
    """Outcomes missing, for one outcome and treatment, in percent: over both arms, and the arms' difference."""

    words: str
    overall: float
    differential: float
    verdict: Verdict


def plot_attrition(points: Sequence[Attrition]) -> Chart:
    """Draw each outcome's overall and differential attrition against both boundaries."""
    with styled():
        drawing = draw(points)
    caption = (
        "Outcomes missing after assignment. Dark area: attrition is low even where the programme could itself change "
        "who stays; light area: low only where it could not. Self-assessed against the boundary of the What Works "
        "Clearinghouse, not issued by it."
    )
    said = [
        f"{point.words}: {fixed(point.overall, 1)} % missing overall, "
        f"{apart(point)} percentage points between arms; {JUDGED.get(point.verdict, point.verdict)}."
        for point in points
    ]
    alt = "Attrition on the boundary of the What Works Clearinghouse. " + " ".join(said)
    return Chart(name="attrition", caption=caption, drawing=drawing, alt=alt)


def apart(point: Attrition) -> str:
    """Write the arms' difference; one that rounds to nothing is not nothing."""
    return "under 0.1" if 0 < point.differential < LEAST_APART else fixed(point.differential, 1)


def crowds(points: Sequence[Attrition]) -> list[list[int]]:
    """Return the points that lie too close for a number each, together; one number stands for each of the others."""
    found: list[list[int]] = []
    for number, point in enumerate(points):
        for crowd in found:
            first = points[crowd[0]]
            near = (
                abs(first.overall - point.overall) < CLOSE and abs(first.differential - point.differential) < CLOSE / 4
            )
            if near:
                crowd.append(number)
                break
        else:
            found.append([number])
    return found


def draw(points: Sequence[Attrition]) -> Figure:
    """Return the drawing."""
    drawing = new_drawing(height=HEIGHT)
    axes = drawing.add_axes((0.09, 0.165, 0.55, 0.815))
    cautious, optimistic = list(WWC_CAUTIOUS), list(WWC_OPTIMISTIC)
    axes.fill_between(range(len(optimistic)), optimistic, color="#e3ebf2", lw=0)
    axes.fill_between(range(len(cautious)), cautious, color="#b9cfe2", lw=0)
    axes.set_xlim(0, max(66.0, *(point.overall + 3 for point in points)))
    axes.set_ylim(0, max(14.0, *(point.differential + 2 for point in points)))
    axes.set_xlabel("outcomes missing overall, %", fontsize=SMALL)
    axes.set_ylabel("difference between arms,\npercentage points", fontsize=SMALL)
    axes.text(27, 2.0, "low", color=INK, fontsize=SMALL, ha="center")
    axes.text(44, 4.0, "low if optimistic", color=INK, fontsize=SMALL, ha="center", va="center", rotation=-27)
    axes.text(52, 11.2, "high", color=QUIET, fontsize=SMALL, ha="center")
    for crowd in crowds(points):
        corner = [max(getattr(points[number], side) for number in crowd) for side in ("overall", "differential")]
        axes.annotate(
            ", ".join(str(number + 1) for number in crowd), (corner[0], corner[1]), xytext=(3, 5),
            textcoords="offset points", fontsize=SMALL, fontweight="bold",
        )  # fmt: skip
    for point in points:
        axes.plot(
            [point.overall], [point.differential], marker="o", ms=5, color=BLUE, ls="none", clip_on=False, zorder=5
        )
    write_key(drawing, points)
    return drawing


def write_key(drawing: Figure, points: Sequence[Attrition]) -> None:
    """Write beside the axes what each number stands for, as far down as there is room."""
    y = 0.93
    for number, point in enumerate(points):
        label = textwrap.wrap(printable(capital(shorten(point.words, 2 * KEY))), KEY)
        if y - LINE * len(label) < 0.06:
            return
        for place, text in enumerate((f"{number + 1}  {label[0]}", *label[1:])):
            drawing.text(0.688 if place else 0.67, y, text, va="top", fontweight="bold")
            y -= LINE
        numbers = f"{fixed(point.overall, 1)} % overall, {apart(point)} points apart"
        drawing.text(0.688, y, numbers, va="top", fontsize=SMALL, color=QUIET)
        y -= LINE + 0.011
