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
GAP, BESIDE = 0.22, 0.2  # between boxes one below the other, and between arms abreast
ABREAST = 3
CHARACTERS_PER_INCH = 15.5
MOST_STEPS = 5
LONGEST_REASON = 120

Box = tuple[str, tuple[str, ...]]
Folded = tuple[tuple[str, ...], tuple[str, ...]]  # the lines of the heading, and those below it


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


def fold(box: Box, width: float) -> Folded:
    """Break a box's heading and lines to its width in inches."""
    most = max(12, int((width - 2 * PADDING) * CHARACTERS_PER_INCH))
    lines: list[str] = []
    for line in box[1]:
        lines += textwrap.wrap(printable(line), most, subsequent_indent="  ")
    return tuple(textwrap.wrap(printable(box[0]), most)), tuple(lines)


def box_height(box: Box, width: float) -> float:
    """Return a box's height in inches."""
    return 2 * PADDING + LINE_HEIGHT * sum(map(len, fold(box, width)))


def draw(top: Sequence[Box], columns: Sequence[Sequence[Box]]) -> Figure:
    """Return the drawing: the boxes all share, then the arms abreast, at most three in a row."""
    width = 4.6
    ranks = [columns[start : start + ABREAST] for start in range(0, len(columns), ABREAST)]
    height = sum(box_height(box, width) + GAP for box in top) + sum(rank_height(rank) for rank in ranks) - GAP + 0.04
    drawing = new_drawing(height=height)
    y = height - 0.02
    for number, box in enumerate(top):
        left, tall = (WIDTH - width) / 2, box_height(box, width)
        y = draw_box(drawing, box, x=left, y=y, width=width, fill="#ffffff", height=height, tall=tall) - GAP
        if number < len(top) - 1:
            arrow(drawing, x=WIDTH / 2, start=y + GAP, end=y, height=height)
    trunk = (WIDTH / 2, y + GAP)
    for rank in ranks:
        trunk = branch(drawing, rank, trunk=trunk, end=y, height=height)
        draw_rank(drawing, rank, y=y, height=height)
        y -= rank_height(rank)
    return drawing


def rank_width(rank: Sequence[Sequence[Box]]) -> float:
    """Return the width of one arm's boxes."""
    return min(3.35, (WIDTH - BESIDE * (len(rank) - 1) - 0.04) / len(rank))


def box_heights(rank: Sequence[Sequence[Box]]) -> tuple[float, ...]:
    """Return the heights of the boxes drawn abreast: those of a kind are as tall as the tallest."""
    width = rank_width(rank)
    heights = [[box_height(box, width) for box in column] for column in rank]
    most = max(len(column) for column in heights)
    return tuple(max(column[place] for column in heights if len(column) > place) for place in range(most))


def rank_height(rank: Sequence[Sequence[Box]]) -> float:
    """Return the height of the arms drawn abreast, with the gap below."""
    return sum(tall + GAP for tall in box_heights(rank))


def rank_starts(rank: Sequence[Sequence[Box]]) -> list[float]:
    """Return where each arm's boxes begin, in inches from the left."""
    step = rank_width(rank) + (BESIDE if len(rank) > 2 else 0.26)
    left = (WIDTH - (len(rank) - 1) * step - rank_width(rank)) / 2
    return [left + place * step for place in range(len(rank))]


def draw_rank(drawing: Figure, rank: Sequence[Sequence[Box]], *, y: float, height: float) -> None:
    """Draw arms abreast, each box of a kind at one height."""
    width, heights = rank_width(rank), box_heights(rank)
    for x, column in zip(rank_starts(rank), rank, strict=True):
        below = y
        for number, (box, tall) in enumerate(zip(column, heights, strict=False)):
            fill = PALE if number in (0, len(column) - 1) else "#ffffff"
            below = draw_box(drawing, box, x=x, y=below, width=width, fill=fill, height=height, tall=tall)
            if number < len(column) - 1:
                arrow(drawing, x=x + width / 2, start=below, end=below - GAP, height=height)
            below -= GAP


def branch(
    drawing: Figure, rank: Sequence[Sequence[Box]], *, trunk: tuple[float, float], end: float, height: float
) -> tuple[float, float]:
    """Draw one arrow to each arm, from a trunk; return where the trunk of the next row begins: between these arms."""
    from matplotlib.lines import Line2D

    starts, width, fork = rank_starts(rank), rank_width(rank), end + GAP / 2
    heads = [x + width / 2 for x in starts]
    across = (min(trunk[0], *heads), max(trunk[0], *heads))
    for (x, y), (to_x, to_y) in ((trunk, (trunk[0], fork)), ((across[0], fork), (across[1], fork))):
        line = Line2D(
            (x / WIDTH, to_x / WIDTH), (y / height, to_y / height), color=LINE, lw=0.9, transform=drawing.transFigure
        )
        drawing.add_artist(line)
    for x in heads:
        arrow(drawing, x=x, start=fork, end=end, height=height)
    return starts[0] + width + BESIDE / 2, fork


def draw_box(
    drawing: Figure, box: Box, *, x: float, y: float, width: float, fill: str, height: float, tall: float
) -> float:
    """Draw one box whose top is at `y` inches and return where it ends."""
    from matplotlib.patches import Rectangle

    frame = Rectangle(
        (x / WIDTH, (y - tall) / height), width / WIDTH, tall / height,
        facecolor=fill, edgecolor=LINE, lw=0.8, transform=drawing.transFigure,
    )  # fmt: skip
    drawing.add_artist(frame)
    heading, lines = fold(box, width)
    for number, line in enumerate((*heading, *lines)):
        middle = y - PADDING - LINE_HEIGHT * (number + 0.5)
        is_heading = number < len(heading)
        drawing.text(
            (x + PADDING) / WIDTH, middle / height, line, va="center", ha="left", fontsize=8.5,
            fontweight="bold" if is_heading else "normal", color=BLUE if is_heading else INK,
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
