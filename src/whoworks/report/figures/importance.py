"""What predictions use: each moderator's share beside the shares that noise alone would give it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from whoworks.report.figures.chart import BLUE, INK, LINE, PALE, QUIET, SMALL, Chart, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import capital, shorten
from whoworks.report.numbers import percent

ROW, FRAME = 0.24, 0.62
LONGEST = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One moderator's share of use, and the middle and the upper limit of its share under noise; in [0, 1]."""

    words: str
    share: float
    noise_median: float
    noise_high: float

    @property
    def is_beyond(self) -> bool:
        """Whether it is used more than noise would be."""
        return self.share > self.noise_high

    @property
    def places(self) -> int:
        """With how many decimals of a percentage the share is seen to lie on its side of the limit."""
        apart = (k for k in range(4) if percent(self.share, k) != percent(self.noise_high, k))
        return next(apart, 0) if math.isfinite(self.noise_high) else 0


def plot_importance(used: Sequence[Use]) -> Chart:
    """Draw one row per moderator: its share as a dot, what noise reaches as a band from zero, its middle as a tick."""
    rows = list(reversed(used))
    with styled():
        drawing = new_drawing(height=FRAME + ROW * len(rows))
        height = ROW * len(rows) / (FRAME + ROW * len(rows))
        axes = drawing.add_axes((0.42, 1 - height - 0.02, 0.55, height))
        at = range(len(rows))
        axes.barh(at, [100 * use.noise_high for use in rows], height=0.56, color=PALE, lw=0)
        axes.vlines(
            [100 * use.noise_median for use in rows], [y - 0.28 for y in at], [y + 0.28 for y in at], color=QUIET, lw=1
        )
        axes.hlines(at, 0, [100 * use.share for use in rows], color=LINE, lw=0.8)
        for y, use in zip(at, rows, strict=True):
            face = BLUE if use.is_beyond else "white"
            axes.plot(100 * use.share, y, marker="o", ms=5.5, mfc=face, mec=BLUE, mew=1.2)
        axes.set_yticks(list(at), [printable(capital(shorten(use.words, LONGEST))) for use in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(0, None)
        axes.set_xlabel("share of use in the predictions, %", fontsize=SMALL, color=INK)
    caption = (
        "What the predictions go by. The band is what a moderator's share would stay under, 19 times in 20, if effects "
        "did not differ; the tick is the middle of that. A filled dot is used more than noise would be."
    )
    return Chart(name="importance", caption=caption, drawing=drawing, alt=tell_use(used))


def tell_use(used: Sequence[Use]) -> str:
    """Say each share and its limit under noise."""
    said = (
        f"{use.words}, {percent(use.share, use.places)} (noise up to {percent(use.noise_high, use.places)})"
        for use in used
    )
    return f"Share of each moderator in the predictions, beside the most that noise would reach: {'; '.join(said)}."
