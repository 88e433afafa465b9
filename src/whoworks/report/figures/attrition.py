"""Outcomes missing, drawn on the What Works Clearinghouse's boundary of attrition."""

from __future__ import annotations

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
        first = points[crowd[0]]
        axes.annotate(
            ", ".join(str(number + 1) for number in crowd), (first.overall, first.differential), xytext=(3, 5),
            textcoords="offset points", fontsize=SMALL, fontweight="bold",
        )  # fmt: skip
    for number, point in enumerate(points):
        axes.plot(
            [point.overall], [point.differential], marker="o", ms=5, color=BLUE, ls="none", clip_on=False, zorder=5
        )
        if number < 8:
            label = printable(f"{number + 1}  {capital(shorten(point.words, 32))}")
            numbers = f"{fixed(point.overall, 1)} % overall, {apart(point)} points apart"
            drawing.text(0.67, 0.93 - 0.115 * number, label, va="top", fontweight="bold")
            drawing.text(0.688, 0.93 - 0.115 * number - 0.052, numbers, va="top", fontsize=SMALL, color=QUIET)
    return drawing
