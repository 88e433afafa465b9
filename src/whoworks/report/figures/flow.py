"""The participant flow: from records received to students analysed, arm beside arm, clusters beside students."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from whoworks.report.figures.chart import BLUE, INK, LINE, PALE, WIDTH, Chart, new_drawing, styled
from whoworks.report.fonts import printable
from whoworks.report.labels import Words, capital, shorten
from whoworks.report.participants import ArmFlow, Flow, Step, say_step, say_units

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE_HEIGHT = 0.165
PADDING = 0.09
GAP = 0.22
ABREAST = 3
CHARACTERS_PER_INCH = 15.5
MOST_STEPS = 5
LONGEST_REASON = 120

Box = tuple[str, tuple[str, ...]]


def plot_flow(flow: Flow, *, words: Words) -> Chart:
    """Draw the flow of the primary outcome."""
    top: list[Box] = [("Records received", (say_units(Step(words="received", n_units=flow.received), "rows"),))]
    if flow.before:
        top.append(("Left out before the arms are compared", tuple(say_left(flow.before, words, "rows"))))
    has_left = any(arm.left for arm in flow.arms)
    columns = [arm_boxes(arm, words, has_left=has_left) for arm in flow.arms]
    with styled():
        drawing = draw(top, columns)
    caption = f"How the students analysed for {flow.outcome} were reached, arm by arm."
    return Chart(name="participant-flow", caption=caption, drawing=drawing, alt=tell_flow(top, columns))


def say_left(steps: Sequence[Step], words: Words, noun: str) -> list[str]:
    """Write why rows or students were left out; the table beside the figure holds those beyond the fifth."""
    named = [(capital(shorten(step.words, LONGEST_REASON)), say_step(step, words, noun)) for step in steps[:MOST_STEPS]]
    shown = [f"{name}: {said}" for name, said in named]
    rest = len(steps) - MOST_STEPS
    return shown + ([f"and {rest} more reason{'s' if rest > 1 else ''}, in the table"] if rest > 0 else [])


def arm_boxes(arm: ArmFlow, words: Words, *, has_left: bool) -> list[Box]:
    """Return an arm's boxes, from assigned to analysed."""
    boxes: list[Box] = [(shorten(capital(arm.arm), 60), (f"assigned: {say_step(arm.assigned, words)}",))]
    if has_left:
        left = say_left(arm.left, words, "students") or ["nobody"]
        boxes.append(("Left out", tuple(left)))
    kept = [say_step(step, words) for step in arm.analysed] or ["none"]
    boxes.append(("Analysed", tuple(kept)))
    return boxes


def fold(box: Box, width: float) -> tuple[str, ...]:
    """Break a box's lines to its width in inches; the first is its heading."""
    most = max(12, int((width - 2 * PADDING) * CHARACTERS_PER_INCH))
    lines = textwrap.wrap(printable(box[0]), most)
    for line in box[1]:
        lines += textwrap.wrap(printable(line), most, subsequent_indent="  ")
    return tuple(lines)


def box_height(lines: Sequence[str]) -> float:
    """Return a box's height in inches."""
    return 2 * PADDING + LINE_HEIGHT * len(lines)


def draw(top: Sequence[Box], columns: Sequence[Sequence[Box]]) -> Figure:
    """Return the drawing: the boxes all share, then the arms abreast, at most three in a row."""
    width = 4.6
    shared = [fold(box, width) for box in top]
    ranks = [columns[start : start + ABREAST] for start in range(0, len(columns), ABREAST)]
    height = sum(box_height(lines) + GAP for lines in shared) + sum(rank_height(rank) for rank in ranks) - GAP + 0.04
    drawing = new_drawing(height=height)
    y = height - 0.02
    for lines in shared:
        left, tall = (WIDTH - width) / 2, box_height(lines)
        y = draw_box(drawing, lines, x=left, y=y, width=width, fill="#ffffff", height=height, tall=tall) - GAP
        arrow(drawing, x=WIDTH / 2, start=y + GAP, end=y, height=height)
    for rank in ranks:
        draw_rank(drawing, rank, y=y, height=height)
        y -= rank_height(rank)
    return drawing


def rank_width(rank: Sequence[Sequence[Box]]) -> float:
    """Return the width of one arm's boxes."""
    return min(3.35, (WIDTH - 0.2 * (len(rank) - 1) - 0.04) / len(rank))


def box_heights(rank: Sequence[Sequence[Box]]) -> tuple[float, ...]:
    """Return the heights of the boxes drawn abreast: those of a kind are as tall as the tallest."""
    width = rank_width(rank)
    folded = [[box_height(fold(box, width)) for box in column] for column in rank]
    most = max(len(column) for column in folded)
    return tuple(max(column[place] for column in folded if len(column) > place) for place in range(most))


def rank_height(rank: Sequence[Sequence[Box]]) -> float:
    """Return the height of the arms drawn abreast, with the gap below."""
    return sum(tall + GAP for tall in box_heights(rank))


def draw_rank(drawing: Figure, rank: Sequence[Sequence[Box]], *, y: float, height: float) -> None:
    """Draw arms abreast, each box of a kind at one height."""
    width, heights = rank_width(rank), box_heights(rank)
    gap = 0.2 if len(rank) > 2 else 0.26
    left = (WIDTH - len(rank) * width - (len(rank) - 1) * gap) / 2
    for place, column in enumerate(rank):
        x, below = left + place * (width + gap), y
        for number, (box, tall) in enumerate(zip(column, heights, strict=False)):
            fill = PALE if number in (0, len(column) - 1) else "#ffffff"
            lines = fold(box, width)
            below = draw_box(drawing, lines, x=x, y=below, width=width, fill=fill, height=height, tall=tall)
            if number < len(column) - 1:
                arrow(drawing, x=x + width / 2, start=below, end=below - GAP, height=height)
            below -= GAP


def draw_box(
    drawing: Figure, lines: Sequence[str], *, x: float, y: float, width: float, fill: str, height: float, tall: float
) -> float:
    """Draw one box whose top is at `y` inches and return where it ends."""
    from matplotlib.patches import Rectangle

    frame = Rectangle(
        (x / WIDTH, (y - tall) / height), width / WIDTH, tall / height,
        facecolor=fill, edgecolor=LINE, lw=0.8, transform=drawing.transFigure,
    )  # fmt: skip
    drawing.add_artist(frame)
    for number, line in enumerate(lines):
        middle = y - PADDING - LINE_HEIGHT * (number + 0.5)
        weight = "bold" if number == 0 else "normal"
        drawing.text(
            (x + PADDING) / WIDTH, middle / height, line, va="center", ha="left", fontsize=8.5,
            fontweight=weight, color=BLUE if number == 0 else INK,
        )  # fmt: skip
    return y - tall


def arrow(drawing: Figure, *, x: float, start: float, end: float, height: float) -> None:
    """Draw a short arrow downward, in inches."""
    from matplotlib.patches import FancyArrowPatch

    drawing.add_artist(
        FancyArrowPatch(
            (x / WIDTH, start / height), (x / WIDTH, end / height), transform=drawing.transFigure,
            arrowstyle="-|>", mutation_scale=7, color=LINE, lw=0.9, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def tell_flow(top: Sequence[Box], columns: Sequence[Sequence[Box]]) -> str:
    """Say what the figure shows, box by box."""
    boxes = [*top, *(box for column in columns for box in column)]
    return "Participant flow. " + " ".join(f"{head}: {'; '.join(lines)}." for head, lines in boxes)
