"""A chart: one drawing with its words, written as an SVG whose bytes depend on its numbers alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from whoworks.findings.finding import Finding
from whoworks.report.amounts import unit_word
from whoworks.report.fonts import FAMILY, font_files, printable
from whoworks.report.labels import Words, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.0
INK = "#1a1a1a"
QUIET = "#5c5c5c"
LINE = "#9a9a9a"
BAND = "#e9e9e6"
BLUE = "#0b5394"
PALE = "#cfe0ee"
SIZE = 9.0
SMALL = 8.0
LINE_OF_AXIS, ARM = 38, 18  # letters along an upright axis, and of one arm's words there where both do not fit

STYLE: dict[Any, Any] = {
    "font.family": [FAMILY],
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "lines.linewidth": 1.4,
    "svg.fonttype": "none",
    "svg.hashsalt": "whoworks",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: `name` is its file's, `caption` stands under it, `alt` says what it shows to who cannot see it."""

    name: str
    caption: str
    drawing: Figure
    alt: str

    def __post_init__(self) -> None:
        """Keep to letters that the typeface has, whatever a label says; tick labels are their own figure's to keep."""
        axes = [(*each.texts, each.xaxis.label, each.yaxis.label) for each in self.drawing.axes]
        for text in (*self.drawing.texts, *chain.from_iterable(axes)):
            text.set_text("\n".join(map(printable, text.get_text().split("\n"))))

    def alt_text(self) -> str:
        """Return what the chart shows, in words, from the numbers that were drawn."""
        return self.alt

    def svg(self) -> bytes:
        """Return the drawing as SVG: no date, stable names, text kept as text."""
        buffer = io.BytesIO()
        with styled():
            self.drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()


def direction(told: str, finding: Finding, words: Words) -> str:
    """Return an upright axis's words, a line each of what fits: what is drawn, its unit, which arm minus which."""
    arms = tuple(printable(arm) for arm in words.arms_of(finding.contrast))
    if len(" minus ".join(arms)) > LINE_OF_AXIS:
        arms = tuple(shorten(arm, ARM) for arm in arms)
    what = f"{told}, {unit_word(finding, words)}"
    if len(what) > LINE_OF_AXIS:
        what = what.replace(", ", ",\n")
    return f"{what}\n{' minus '.join(arms)}"


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the report's style, whatever style the caller's session uses."""
    import matplotlib
    from matplotlib import font_manager

    known = {font.fname for font in font_manager.fontManager.ttflist}
    for file in font_files():
        if str(file) not in known:
            font_manager.fontManager.addfont(str(file))
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        yield


def new_drawing(*, height: float, width: float = WIDTH) -> Figure:
    """Return an empty drawing in inches; call it inside `styled`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))
