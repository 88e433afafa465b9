"""The forest plot: effects in planned groups beside the average, each with its interval and its size."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whoworks.findings.finding import Finding
from whoworks.language import plural
from whoworks.report.amounts import level_word, unit_word
from whoworks.report.figures.chart import BAND, BLUE, INK, QUIET, SMALL, Chart, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import Words, capital, outcome_of, shorten
from whoworks.report.numbers import count
from whoworks.report.tables import DASH, clusters_cell, estimate_cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_CHARACTERS = 34
LABEL_LINES = 2
ROW = 0.25
PAGE = 7.4
LEFT, RIGHT = 0.455, 0.785
CROWDED = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the plot: a heading (no numbers), a group, or the average."""

    kind: str
    lines: tuple[str, ...]
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    students: str = ""
    clusters: str = ""
    told: str = ""

    @property
    def height(self) -> float:
        """Height in inches."""
        return ROW + 0.15 * (len(self.lines) - 1) + (0.0 if self.kind == "group" else 0.05)


def plot_forest(*, average: Finding, groups: Sequence[Finding], words: Words, name: str = "forest") -> Chart:
    """Draw planned groups under the average; withheld groups keep their line and lose their numbers."""
    rows = (*build_rows(groups, words), average_row(average, words))
    band = average.meaningful
    with styled():
        drawing = draw(rows, average=average, band=band, words=words)
    outcome = words.outcome(outcome_of(average))
    caption = (
        f"Effect of {words.contrast(average.contrast)} on {outcome} in each planned group. "
        if not words.matched
        else f"Gap in {outcome} between {' and '.join(words.arms_of(average.contrast))} in each planned group. "
    )
    caption += f"Lines are {level_word(average)}s; the dashed line and the diamond are the average"
    caption += "; the grey band is smaller than the plan calls meaningful." if math.isfinite(band) else "."
    caption += " Whether groups differ is judged by the difference between them, not by which lines cross zero."
    return Chart(name=name, caption=caption, drawing=drawing, alt=tell_rows(rows, average, words))


def split_pages(groups: Sequence[Finding], words: Words) -> tuple[tuple[Finding, ...], ...]:
    """Divide the groups into as many plots as it takes for each to fit a page, moderators kept whole."""
    pages: list[tuple[Finding, ...]] = []
    for moderator in dict.fromkeys(finding.moderator for finding in groups):
        own = tuple(finding for finding in groups if finding.moderator == moderator)
        room = (*pages[-1], *own) if pages else own
        if pages and sum(row.height for row in build_rows(room, words)) <= PAGE:
            pages[-1] = room
        else:
            pages.append(own)
    return tuple(pages)


def build_rows(groups: Sequence[Finding], words: Words) -> tuple[Row, ...]:
    """Return the plot's lines: a heading per moderator, then its groups."""
    rows: list[Row] = []
    seen = ""
    for finding in groups:
        if finding.moderator != seen:
            seen = finding.moderator
            rows.append(Row(kind="heading", lines=wrap(capital(words.moderator(seen)), 60)))
        rows.append(group_row(finding, words))
    return tuple(rows)


def group_row(finding: Finding, words: Words) -> Row:
    """Return the line of one group."""
    lines = wrap(words.level(finding.moderator, finding.level), LABEL_CHARACTERS)
    if finding.suppressed:
        return Row(kind="group", lines=lines, told="withheld: small cell")
    if math.isnan(finding.estimate):
        return Row(kind="group", lines=lines, told="not assessable")
    return numbered("group", lines, finding, words)


def average_row(finding: Finding, words: Words) -> Row:
    """Return the line of the average."""
    if finding.suppressed or math.isnan(finding.estimate):
        return Row(kind="average", lines=("All students",), told="withheld" if finding.suppressed else "not assessable")
    return numbered("average", ("All students",), finding, words)


def numbered(kind: str, lines: tuple[str, ...], finding: Finding, words: Words) -> Row:
    """Return a line with its numbers; clusters are counted where they are not the students."""
    own = clusters_cell(finding, capital(plural(words.cluster())), words)
    return Row(
        kind=kind,
        lines=lines,
        estimate=finding.estimate,
        low=finding.conf_low,
        high=finding.conf_high,
        students=count(finding.n_units) if finding.n_units else DASH,
        clusters=own,
        told=estimate_cell(finding, words),
    )


def wrap(text: str, width: int) -> tuple[str, ...]:
    """Break a label into at most two lines; the rest becomes an ellipsis."""
    lines = textwrap.wrap(printable(text), width) or [""]
    if len(lines) > LABEL_LINES:
        lines = [lines[0], shorten(" ".join(lines[1:]), width)]
    return tuple(lines)


def draw(rows: Sequence[Row], *, average: Finding, band: float, words: Words) -> Figure:
    """Return the drawing."""
    top, bottom = 0.34, 0.44
    height = top + bottom + sum(row.height for row in rows)
    drawing = new_drawing(height=height)
    axes = drawing.add_axes((LEFT, bottom / height, RIGHT - LEFT, 1 - (top + bottom) / height))
    low, high = limits(rows, band)
    axes.set_xlim(low, high)
    axes.set_ylim(-(height - top - bottom), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if math.isfinite(band):
        axes.axvspan(max(-band, low), min(band, high), color=BAND, lw=0, zorder=0)
    axes.axvline(0, color=INK, lw=0.9, zorder=1)
    if math.isfinite(average.estimate):
        axes.axvline(average.estimate, color=BLUE, lw=1.0, ls=(0, (4, 3)), zorder=1)
    treatment, control = words.arms_of(average.contrast)
    unit = unit_word(average, words)
    arms = printable(f"{shorten(treatment, 34)} minus {shorten(control, 34)}")
    axes.set_xlabel(f"difference in {unit}: {arms}", fontsize=SMALL)
    heads(drawing, height, words, average)
    place = 0.0
    for row in rows:
        draw_row(drawing, axes, row, y=-(place + row.height / 2), bounds=(low, high), top=top, height=height)
        place += row.height
    return drawing


def heads(drawing: Figure, height: float, words: Words, average: Finding) -> None:
    """Write the heads of the columns."""
    y = 1 - 0.2 / height
    style: dict[str, Any] = {"fontsize": SMALL, "color": QUIET, "va": "center"}
    cluster = plural(words.cluster(average.cluster))
    drawing.text(0.325, y, "students", ha="right", **style)
    if cluster != "students":
        drawing.text(0.425, y, cluster, ha="right", **style)
    drawing.text(0.995, y, f"estimate ({level_word(average)})", ha="right", **style)


def draw_row(
    drawing: Figure, axes: Axes, row: Row, *, y: float, bounds: tuple[float, float], top: float, height: float
) -> None:
    """Draw one line: its label, counts, interval and numbers."""
    across = 1 - (top - y) / height
    heading = row.kind == "heading"
    weight = "normal" if row.kind == "group" else "bold"
    drawing.text(
        0.0 if row.kind != "group" else 0.018, across, "\n".join(row.lines),
        ha="left", va="center", fontweight=weight, linespacing=1.05,
    )  # fmt: skip
    if heading:
        return
    drawing.text(0.325, across, row.students, ha="right", va="center", fontsize=SMALL)
    drawing.text(0.425, across, row.clusters, ha="right", va="center", fontsize=SMALL)
    drawing.text(0.995, across, row.told, ha="right", va="center", fontsize=SMALL, fontweight=weight)
    if math.isnan(row.estimate):
        return
    draw_interval(axes, row, y=y, bounds=bounds)


def draw_interval(axes: Axes, row: Row, *, y: float, bounds: tuple[float, float]) -> None:
    """Draw one interval; an end beyond the axis becomes an arrow."""
    low, high = bounds
    color = BLUE if row.kind == "average" else INK
    if not (math.isnan(row.low) or math.isnan(row.high)):
        ends = [max(row.low, low), min(row.high, high)]
        axes.plot(ends, [y, y], color=color, lw=1.5, solid_capstyle="butt", zorder=3)
        for end, edge, marker in ((row.low, low, "<"), (row.high, high, ">")):
            if (end < edge) if marker == "<" else (end > edge):
                axes.plot([edge], [y], marker=marker, color=color, ms=5, clip_on=False, zorder=4)
    if low <= row.estimate <= high:
        marker, size = ("D", 7.0) if row.kind == "average" else ("s", 5.0)
        axes.plot([row.estimate], [y], marker=marker, color=color, ms=size, zorder=5, ls="none")


def limits(rows: Sequence[Row], band: float) -> tuple[float, float]:
    """Return the axis: all intervals, zero and the band, unless one interval would crowd out the rest."""
    drawn = [row for row in rows if math.isfinite(row.estimate)]
    ends = [(row.low, row.high) for row in drawn if math.isfinite(row.low) and math.isfinite(row.high)]
    if not ends:
        return -1.0, 1.0
    halves = sorted((high - low) / 2 for low, high in ends)
    most = CROWDED * halves[len(halves) // 2]
    inner = [(max(row.low, row.estimate - most), min(row.high, row.estimate + most)) for row in drawn]
    edge = band if math.isfinite(band) else 0.0
    low = min(-edge, 0.0, *(low for low, _ in inner if math.isfinite(low)))
    high = max(edge, 0.0, *(high for _, high in inner if math.isfinite(high)))
    room = 0.06 * (high - low)
    return low - room, high + room


def tell_rows(rows: Sequence[Row], average: Finding, words: Words) -> str:
    """Say what the plot shows, line by line."""
    unit = unit_word(average, words)
    cluster = plural(words.cluster(average.cluster))
    outcome = words.outcome(outcome_of(average))
    said = [f"Forest plot of the effect on {outcome}, in {unit}, with {level_word(average)}s."]
    heading = ""
    for row in rows:
        label = " ".join(row.lines)
        if row.kind == "heading":
            heading = f"{label}: "
            continue
        held = row.clusters if " " in row.clusters else f"{row.clusters} {cluster}"
        counted = [f"{row.students} students"] * bool(row.students.strip(DASH)) + [held] * bool(
            row.clusters.strip(DASH)
        )
        size = f" ({', '.join(counted)})" if counted else ""
        said.append(f"{heading if row.kind == 'group' else ''}{label}{size}: {row.told}.")
    return " ".join(said)
