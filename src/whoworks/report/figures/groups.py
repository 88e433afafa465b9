"""Sorted groups: the effect in groups of students ranked by prediction; description, never a claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.report.figures.chart import BLUE, INK, SMALL, Chart, direction, new_drawing, styled
from whoworks.report.labels import STUDENT, Words
from whoworks.report.numbers import count
from whoworks.report.tables import estimate_cell

HEIGHT = 2.6


def plot_groups(groups: Sequence[Finding], *, average: Finding, words: Words) -> Chart:
    """Draw the effect in each sorted group beside the average."""
    shown = [finding for finding in groups if math.isfinite(finding.estimate)]
    with styled():
        drawing = new_drawing(height=HEIGHT)
        axes = drawing.add_axes((0.12, 0.19, 0.85, 0.79))
        axes.axhline(0, color=INK, lw=0.8)
        if math.isfinite(average.estimate):
            axes.axhline(average.estimate, color=BLUE, lw=1.0, ls=(0, (4, 3)))
            axes.annotate(
                "average", (0.995, average.estimate), xycoords=("axes fraction", "data"), xytext=(0, 3),
                textcoords="offset points", ha="right", fontsize=SMALL, color=BLUE,
            )  # fmt: skip
        for place, finding in enumerate(shown):
            axes.plot([place, place], [finding.conf_low, finding.conf_high], color=INK, lw=1.5, solid_capstyle="butt")
            axes.plot([place], [finding.estimate], marker="s", ms=6, color=INK, ls="none")
        axes.set_xlim(-0.5, len(shown) - 0.35)
        axes.set_xticks([])
        for place, finding in enumerate(shown):
            for line, text in enumerate(tick(finding, shown, words)):
                axes.annotate(
                    text, (place, 0), xycoords=("data", "axes fraction"), xytext=(0, -5 - 11 * line),
                    textcoords="offset points", ha="center", va="top", fontsize=SMALL,
                    fontweight="normal" if line else "bold",
                )  # fmt: skip
        axes.set_ylabel(direction(words.effect, average, words), fontsize=SMALL)
    cluster = words.cluster(average.cluster)
    unseen = "them" if cluster == STUDENT else f"their {cluster}"
    caption = (
        f"Description: {words.effect}s among students sorted by what the model, which never saw {unseen}, "
        "predicted. Each fold has its own rule, so a group is no fixed kind of "
        "student. The dashed line is the average."
    )
    return Chart(name="sorted-groups", caption=caption, drawing=drawing, alt=tell_groups(shown, words))


def tick(finding: Finding, groups: Sequence[Finding], words: Words) -> tuple[str, ...]:
    """Label one group with its rank and its size, a line each."""
    rank = {groups[0].level: " (smallest predicted)", groups[-1].level: " (largest predicted)"}.get(finding.level, "")
    return (f"Group {finding.level}{rank}", *sizes(finding, words))


def sizes(finding: Finding, words: Words) -> tuple[str, ...]:
    """Return a group's students and clusters, as far as they are told."""
    students = (f"{count(finding.n_units)} students",) if finding.n_units else ()
    if words.cluster(finding.cluster) == STUDENT or not finding.n_clusters:
        return students
    return (*students, words.clusters(finding.n_clusters, finding.cluster))


def tell_groups(groups: Sequence[Finding], words: Words) -> str:
    """Say what the figure shows, group by group."""
    said = [
        f"Group {finding.level} ({', '.join(sizes(finding, words)) or 'size not shown'}): "
        f"{estimate_cell(finding, words)}."
        for finding in groups
    ]
    return "Effects among students sorted by predicted effect. " + " ".join(said)
