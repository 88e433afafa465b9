"""Sorted groups: the effect in groups of students ranked by prediction; description, never a claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.report.amounts import interval, level_word, places_of, unit_word
from whoworks.report.figures.chart import BLUE, INK, QUIET, SMALL, Chart, new_drawing, styled
from whoworks.report.labels import Words
from whoworks.report.numbers import count, fixed

HEIGHT = 2.6


def plot_groups(groups: Sequence[Finding], *, average: Finding, words: Words) -> Chart:
    """Draw the effect in each sorted group beside the average."""
    shown = [finding for finding in groups if math.isfinite(finding.estimate)]
    with styled():
        drawing = new_drawing(height=HEIGHT)
        axes = drawing.add_axes((0.1, 0.27, 0.87, 0.7))
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
        axes.set_xticks(range(len(shown)), [tick(finding, shown, words) for finding in shown])
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel(f"effect, {unit_word(average, words)}", fontsize=SMALL)
        axes.text(
            0.0, -0.34, "students sorted by predicted effect, within each fold", transform=axes.transAxes,
            fontsize=SMALL, color=QUIET,
        )  # fmt: skip
    caption = (
        "Description: effects among students sorted by what the model, which never saw their "
        f"{words.cluster(average.cluster)}, predicted. Each fold has its own rule, so a group is no fixed kind of student."
    )
    return Chart(name="sorted-groups", caption=caption, drawing=drawing, alt=tell_groups(shown, words))


def tick(finding: Finding, groups: Sequence[Finding], words: Words) -> str:
    """Label one group with its rank and its size."""
    rank = {groups[0].level: " (smallest)", groups[-1].level: " (largest)"}.get(finding.level, "")
    clusters = (
        ""
        if words.cluster(finding.cluster) == "student"
        else f"\n{words.clusters(finding.n_clusters, finding.cluster)}"
    )
    return f"{finding.level}{rank}\n{count(finding.n_units)} students{clusters}"


def tell_groups(groups: Sequence[Finding], words: Words) -> str:
    """Say what the figure shows, group by group."""
    said = [
        f"Group {finding.level} ({count(finding.n_units)} students, "
        f"{words.clusters(finding.n_clusters, finding.cluster)}): {fixed(finding.estimate, places_of(finding, words))} "
        f"({level_word(finding)} {interval(finding, words)})."
        for finding in groups
    ]
    return "Effects among students sorted by predicted effect. " + " ".join(said)
