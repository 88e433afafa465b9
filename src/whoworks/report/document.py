"""The document: frozen, JSON-able, complete; what the template lays out and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text; `tone` "lead" is larger, "quiet" smaller."""

    text: str
    tone: Literal["plain", "lead", "quiet"] = "plain"
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; `head` stands in bold before an item where it is not empty."""

    items: tuple[tuple[str, str], ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """A framed remark with a title."""

    title: str
    text: str
    kind: Literal["callout"] = "callout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's head, how its cells are set, and its share of the page's width."""

    head: str
    align: Align = "left"
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of cells; `tone` "group" is a subheading over the whole width (its first cell alone counts)."""

    cells: tuple[str, ...]
    tone: Literal["plain", "group", "strong"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its caption above and its note below."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRef:
    """A figure's file, its caption and its words for who cannot see it."""

    name: str
    file: str
    caption: str
    alt: str
    kind: Literal["figure"] = "figure"


Block = Paragraph | Heading | Bullets | Callout | Table | FigureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: its title and what stands in it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One large number with its range and what it is in."""

    value: str
    unit: str
    range: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPage:
    """The first page, for who reads nothing else; it never spills."""

    kicker: str
    question: str
    answer: tuple[str, ...]
    tiles: tuple[Tile, ...]
    how_sure: tuple[str, ...]
    cannot_say: tuple[str, ...]
    for_whom: Table | None
    for_whom_text: str
    next_test: tuple[str, ...]
    foot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report."""

    title: str
    running: str
    description: str
    front: FrontPage
    sections: tuple[Section, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document as plain dictionaries and lists."""
        return asdict(self)
