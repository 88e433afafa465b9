"""Where pages end: figures that do not fit give way or shrink a little, tables break between runs of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_BLANK = 0.2  # share of a page that may stay empty before something is moved, shrunk or broken to fill it
LEAST_SCALE = 0.88  # how far a figure may shrink: its letters of 8 points stay at 7
FEWEST_ROWS, LONGEST_RUN = 3, 9
FEWEST_ITEMS = 2  # of a list that stand together under its heading
EPSILON = 0.01  # points


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What one block measures, in points.

    `parts` are the rows or items between which it may break, `between` the space
    from one to the next; `caption` stands once above, `head` again on each page,
    `tail` under the last part; of a figure, `tail` is what does not shrink.
    `tones` are a table's rows' tones. What `leads` stands on the page of the
    block after it, as a heading does.
    """

    kind: str
    height: float
    above: float
    below: float
    caption: float = 0.0
    head: float = 0.0
    parts: tuple[float, ...] = ()
    between: float = 0.0
    tail: float = 0.0
    tones: tuple[str, ...] = ()
    leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A block as it is set: its place in the section, its scale, the runs of rows that it may break between.

    What `leads` is never parted from the block after it.
    """

    place: int
    scale: float = 1.0
    runs: tuple[int, ...] = ()
    leads: bool = False


@dataclass(slots=True)
class Sheet:
    """The page being filled: how far down it is, what space follows, and the headings and leads that wait."""

    page: float
    y: float = 0.0
    after: float = 0.0
    waiting: list[Box] = field(default_factory=list)

    def start_of(self, box: Box) -> float:
        """Return where a block would begin on this page, below the headings that wait for it."""
        y, after = self.y, self.after
        for each in self.waiting:
            y, after = y + (max(after, each.above) if y else 0.0) + each.height, each.below
        return y + (max(after, box.above) if y else 0.0)

    def room(self, box: Box) -> float:
        """Return the height that is left for a block on this page."""
        return self.page - self.start_of(box)

    @property
    def blank(self) -> float:
        """The share of this page that stays empty when what comes next goes to another; none of a page not begun."""
        return 1 - self.y / self.page if self.y else 0.0

    def turn(self) -> None:
        """Begin a page; headings that wait go with what they stand above."""
        self.y = self.after = 0.0

    def put(self, box: Box, height: float) -> None:
        """Set a block, or the first part of it, with its headings: here where it fits, else on the next page."""
        if height > self.room(box) + EPSILON:
            self.turn()
        self.y = self.start_of(box) + height
        self.after, self.waiting = box.below, []

    def follow(self, height: float, *, between: float, head: float) -> None:
        """Set a further part of a block, on the next page below its head where it does not fit here."""
        if self.y + between + height > self.page + EPSILON:
            self.y = head + height
        else:
            self.y += between + height


def arrange(sections: Sequence[tuple[Box, Sequence[Box]]], page: float) -> tuple[tuple[Placed, ...], ...]:
    """Return how the blocks of each section are set, in order, so that no page stays emptier than need be.

    Each section is its title and its blocks. Only figures and what follows them
    under the same heading may change places.
    """
    sheet = Sheet(page=page)
    placed = []
    for title, boxes in sections:
        sheet.waiting.append(title)
        placed.append(tuple(arrange_section(sheet, boxes)))
    return tuple(placed)


def arrange_section(sheet: Sheet, boxes: Sequence[Box]) -> list[Placed]:
    """Return how one section's blocks are set."""
    left, placed = list(range(len(boxes))), []
    while left:
        place = left[0]
        if boxes[place].kind == "figure":
            place = next_beside(sheet, boxes, left)
        left.remove(place)
        placed.append(set_block(sheet, boxes[place], place))
    return placed


def next_beside(sheet: Sheet, boxes: Sequence[Box], left: Sequence[int]) -> int:
    """Return what stands next: the figure that is due, or, where it would leave a page empty, what follows and fits."""
    due = boxes[left[0]]
    if scale_to(sheet, due, LEAST_SCALE) or sheet.blank <= MOST_BLANK:
        return left[0]
    for place in left[1:]:
        box = boxes[place]
        if box.kind == "heading":
            break
        if starts_here(sheet, box):
            return place
    return left[0]


def starts_here(sheet: Sheet, box: Box) -> bool:
    """Whether a block, or the first part of one that may break, fits on the page as it is."""
    if box.kind == "figure":
        return scale_to(sheet, box, LEAST_SCALE) > 0
    return box.height <= sheet.room(box) + EPSILON or (box.kind == "table" and first_part(box) <= sheet.room(box))


def scale_to(sheet: Sheet, box: Box, least: float) -> float:
    """Return the scale at which a figure fits on this page, in hundredths; 0 where it would be smaller than `least`."""
    scale = (sheet.room(box) - box.tail) / (box.height - box.tail)
    return 1.0 if scale >= 1 else (int(100 * scale) / 100 if scale >= least else 0.0)


def set_block(sheet: Sheet, box: Box, place: int) -> Placed:
    """Set one block on the sheet."""
    if box.kind == "heading" or box.leads:
        sheet.waiting.append(box)
        return Placed(place=place, leads=box.leads)
    if box.kind == "figure":
        scale = scale_to(sheet, box, LEAST_SCALE) or 1.0
        sheet.put(box, scale * (box.height - box.tail) + box.tail)
        return Placed(place=place, scale=scale)
    elif box.kind == "table" and is_broken(sheet, box):
        return Placed(place=place, runs=set_table(sheet, box))
    elif box.kind == "bullets" and box.parts:
        first = box.parts[:FEWEST_ITEMS]
        sheet.put(box, sum(first) + box.between * (len(first) - 1))
        for part in box.parts[FEWEST_ITEMS:]:
            sheet.follow(part, between=box.between, head=0.0)
    else:
        sheet.put(box, box.height)
    return Placed(place=place)


def is_broken(sheet: Sheet, box: Box) -> bool:
    """Whether a table is broken: it does not fit here, and kept whole it would leave much of this page empty."""
    if box.height <= sheet.room(box) + EPSILON or len(runs_of(box.tones)) == 1:
        return False
    return box.height > sheet.page or sheet.blank > MOST_BLANK


def set_table(sheet: Sheet, box: Box) -> tuple[int, ...]:
    """Set a table that may break, and return its runs of rows."""
    runs = runs_of(box.tones)
    heights = run_heights(box, runs)
    sheet.put(box, box.caption + box.head + heights[0])
    for height in heights[1:]:
        sheet.follow(height, between=0.0, head=box.head)
    return runs


def first_part(box: Box) -> float:
    """Return the height of a table down to the end of its first run of rows."""
    return box.caption + box.head + run_heights(box, runs_of(box.tones))[0]


def run_heights(box: Box, runs: Sequence[int]) -> list[float]:
    """Return each run's height; the note stands with the last."""
    ends = [sum(runs[: k + 1]) for k in range(len(runs))]
    heights = [sum(box.parts[end - n : end]) for end, n in zip(ends, runs, strict=True)]
    heights[-1] += box.tail
    return heights


def runs_of(tones: Sequence[str]) -> tuple[int, ...]:
    """Return how many rows at a time are never parted.

    A subheading stays with its rows, all of them where they are few, and no page
    is left with fewer than three rows of a table.
    """
    starts = [place for place, tone in enumerate(tones) if tone == "group" and place] + [len(tones)]
    runs: list[int] = []
    start = 0
    for end in starts:
        runs += split_group(end - start, is_headed="group" in tones[start : start + 1])
        start = end
    while len(runs) > 1 and runs[0] < FEWEST_ROWS:
        runs[:2] = [sum(runs[:2])]
    while len(runs) > 1 and runs[-1] < FEWEST_ROWS:
        runs[-2:] = [sum(runs[-2:])]
    return tuple(runs)


def split_group(n: int, *, is_headed: bool) -> list[int]:
    """Return the runs of one group of rows: one where they are few, else single rows between two longer runs.

    The first holds a subheading besides, where the group has one.
    """
    if n <= LONGEST_RUN:
        return [n]
    first = FEWEST_ROWS + is_headed
    return [first, *[1] * (n - first - FEWEST_ROWS), FEWEST_ROWS]


def read_boxes(sizes: Mapping[str, Any], document: Mapping[str, Any]) -> list[tuple[Box, list[Box]]]:
    """Return each section's title and blocks as boxes, from what was measured and the document itself."""
    sections = []
    for title, measured, section in zip(sizes["titles"], sizes["blocks"], document["sections"], strict=True):
        leads = find_leads([block["kind"] for block in section["blocks"]])
        told = zip(measured, section["blocks"], leads, strict=True)
        boxes = [read_box(size, block, leads=is_lead) for size, block, is_lead in told]
        sections.append((Box(kind="heading", **title), boxes))
    return sections


def find_leads(kinds: Sequence[str]) -> list[bool]:
    """Return which blocks say what a table or a list is about: a paragraph between it and the heading above."""
    before, after = ("heading", *kinds), (*kinds[1:], "")
    return [
        kind == "paragraph" and above == "heading" and below in ("table", "bullets")
        for above, kind, below in zip(before, kinds, after, strict=False)
    ]


def read_box(size: Mapping[str, Any], block: Mapping[str, Any], *, leads: bool) -> Box:
    """Return one block as a box."""
    told = {**size, "parts": tuple(size.get("parts", ())), "leads": leads}
    return Box(kind=block["kind"], tones=tuple(row["tone"] for row in block.get("rows", ())), **told)
