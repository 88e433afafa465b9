"""The sites' caterpillar: each site's effect drawn towards the mean of all, smallest first and without a name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.language import plural
from whoworks.report.amounts import interval, level_word, unit_word
from whoworks.report.figures.chart import BAND, BLUE, INK, SMALL, Chart, direction, new_drawing, styled
from whoworks.report.labels import Words
from whoworks.report.numbers import count, percent
from whoworks.report.tables import estimate_cell

HEIGHT = 2.7
WIDE, NARROW = 6.0, 2.0  # size of a mark in points, with few sites and with many
FEW = 60  # sites: beyond, marks shrink


def plot_sites(sites: Sequence[Finding], *, new: Finding | None, words: Words) -> Chart:
    """Draw the sites by rank; `new` holds the mean over sites and the range for one that did not take part."""
    shown = sorted((f for f in sites if math.isfinite(f.estimate)), key=lambda finding: int(finding.level))
    noun = plural(words.site)
    with styled():
        drawing = new_drawing(height=HEIGHT)
        axes = drawing.add_axes((0.12, 0.1, 0.85, 0.88))
        if new is not None and math.isfinite(new.conf_low):
            axes.axhspan(new.conf_low, new.conf_high, color=BAND, lw=0, zorder=0)
        axes.axhline(0, color=INK, lw=0.8)
        if new is not None and math.isfinite(new.estimate):
            axes.axhline(new.estimate, color=BLUE, lw=1.0, ls=(0, (4, 3)))
        size = WIDE if len(shown) <= FEW else max(NARROW, WIDE * FEW / len(shown))
        for place, finding in enumerate(shown):
            ends = [finding.conf_low, finding.conf_high]
            axes.plot([place, place], ends, color=INK, lw=size / 4, solid_capstyle="butt")
        at, effects = range(len(shown)), [finding.estimate for finding in shown]
        axes.plot(at, effects, marker="s", ms=0.8 * size, color=INK, ls="none")
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.set_xticks([])
        axes.set_xlabel(f"{count(len(shown))} {noun}, the smallest {words.effect} first", fontsize=SMALL)
        axes.set_ylabel(direction(words.effect, shown[0], words), fontsize=SMALL)
    return Chart(name="sites", caption=tell_caption(shown, new, words), drawing=drawing, alt=tell(shown, new, words))


def tell_caption(sites: Sequence[Finding], new: Finding | None, words: Words) -> str:
    """Say what the marks are, and what their order is not."""
    band = ""
    if new is not None and math.isfinite(new.conf_low):
        band = f" The dashed line is their mean; the grey band is where one new {words.site} like these is expected."
    return (
        f"The {words.effect} in each {words.site} large enough to show, drawn towards the mean of all as far as its "
        f"own students leave it uncertain; lines are {level_word(sites[0])}s.{band} The order is no league table: "
        f"{plural(words.site)} whose lines overlap cannot be told apart."
    )


def tell(sites: Sequence[Finding], new: Finding | None, words: Words) -> str:
    """Say what the figure shows: the smallest, the middle and the largest, and what a new site may expect."""
    named = {"smallest": sites[0], "middle": sites[len(sites) // 2], "largest": sites[-1]}
    said = [f"{name} {estimate_cell(finding, words)}" for name, finding in named.items()]
    unit = unit_word(sites[0], words)
    text = (
        f"The {words.effect} in {count(len(sites))} {plural(words.site)} without names, in order of size, in {unit}, "
        f"with {level_word(sites[0])}s: {'; '.join(said)}."
    )
    if new is None or not math.isfinite(new.conf_low):
        return text
    expected = interval(new, words)
    return f"{text} One new {words.site} like these: {expected} ({percent(new.conf_level, 1)} prediction interval)."
