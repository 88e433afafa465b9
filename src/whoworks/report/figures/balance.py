"""The Love plot: how far the arms stood apart before assignment, in SD."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from whoworks.checks.balance import SATISFIED, WITH_ADJUSTMENT
from whoworks.report.figures.chart import BLUE, INK, QUIET, SMALL, Chart, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import capital, shorten
from whoworks.report.numbers import signed

ROW, TIGHT = 0.175, 0.15  # inches from one line to the next; of more than `LOOSE` lines, the second
LOOSE = 20
MOST = 36
LEFT, RIGHT = 0.42, 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One variable's standardised difference between the arms; NaN where it is withheld or unknown.

    `group` names the treatment where there are several.
    """

    words: str
    value: float
    group: str = ""


def plot_balance(gaps: Sequence[Gap], *, treatment: str, control: str) -> Chart:
    """Draw the gaps, treatment less control, with the bands of the What Works Clearinghouse: 0.05 and 0.25 SD."""
    known = [gap for gap in gaps if math.isfinite(gap.value)]
    widest = sorted(known, key=lambda gap: -abs(gap.value))[:MOST]
    shown = [gap for gap in known if gap in widest]
    lines = divide(shown)
    top, bottom = 0.06, 0.44
    row = ROW if len(lines) <= LOOSE else TIGHT
    height = top + bottom + row * len(lines)
    with styled():
        drawing = new_drawing(height=height)
        axes = drawing.add_axes((LEFT, bottom / height, RIGHT - LEFT, 1 - (top + bottom) / height))
        reach = max(0.3, *(1.08 * abs(gap.value) for gap in shown))
        axes.set_xlim(-reach, reach)
        axes.set_ylim(len(lines) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.axvspan(-WITH_ADJUSTMENT, WITH_ADJUSTMENT, color="#eef1f4", lw=0, zorder=0)
        axes.axvspan(-SATISFIED, SATISFIED, color="#cddbe8", lw=0, zorder=0)
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_xlabel("difference between the arms before assignment, SD", fontsize=SMALL)
        for place, gap in enumerate(lines):
            across = 1 - (top + row * (place + 0.5)) / height
            if isinstance(gap, str):
                drawing.text(0.0, across, printable(capital(gap)), va="center", fontsize=SMALL, fontweight="bold")
                continue
            marker = "o" if abs(gap.value) <= WITH_ADJUSTMENT else "D"
            axes.plot([gap.value], [place], marker=marker, ms=4.6, color=BLUE, ls="none", zorder=3)
            drawing.text(0.0, across, printable(capital(shorten(gap.words, 52))), va="center", fontsize=SMALL)
            drawing.text(0.995, across, signed(gap.value, 2), va="center", ha="right", fontsize=SMALL, color=QUIET)
    caption = (
        "How alike the arms were before assignment. To the right of zero a value was higher, or a group larger, in "
        f"{treatment} than in {control}. Within the dark band ({SATISFIED:.2f} SD) they count as alike; within the "
        f"light band ({WITH_ADJUSTMENT:.2f} SD) they do once adjusted, here through what earlier information foresees "
        "of the outcome; a diamond lies beyond it."
    )
    if len(known) > len(shown):
        caption += f" Shown are the {len(shown)} largest of {len(known)} differences."
    named = ((f"{gap.words}, {gap.group}" if gap.group else gap.words, gap.value) for gap in shown)
    said = "; ".join(f"{name}: {signed(value, 2)}" for name, value in named)
    alt = f"Differences between the arms before assignment, in SD. {said}."
    return Chart(name="balance", caption=caption, drawing=drawing, alt=alt)


def divide(gaps: Sequence[Gap]) -> list[Gap | str]:
    """Return the lines of the figure: the gaps, under a line for each treatment where there are several."""
    lines: list[Gap | str] = []
    for group in dict.fromkeys(gap.group for gap in gaps):
        lines += [group] if group else []
        lines += [gap for gap in gaps if gap.group == group]
    return lines
