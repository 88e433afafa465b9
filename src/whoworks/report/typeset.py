"""The PDF: Typst lays the document out, tagged, with one typeface and no clock."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whoworks.errors import ReportError
from whoworks.report.document import Document
from whoworks.report.fonts import FAMILY, copy_fonts, printable_all
from whoworks.report.paging import Placed, arrange, read_boxes

UNREGISTERED = dt.date(2000, 1, 1)
SIZES = "<sizes>"


def typeset(document: Document, *, figures: Mapping[str, bytes], registered: dt.date | None) -> bytes:
    """Return the PDF's bytes.

    All data go in as one JSON text, so that nothing in a name can be taken for
    markup. Blocks are measured first, then set where pages end well. The time
    stamp inside is the day the study was registered.

    Raises
    ------
    ReportError
        When the document cannot be laid out; the sentence carries Typst's message.
    """
    import typst

    day = registered or UNREGISTERED
    told = printable_all(document.to_json())
    with tempfile.TemporaryDirectory(prefix="whoworks-") as scratch:
        root = Path(scratch)
        source, fonts = lay_ready(root, figures)
        try:
            sizes = json.loads(
                typst.query(
                    source, SIZES, field="value", one=True, root=root, font_paths=[fonts], ignore_system_fonts=True,
                    sys_inputs=write_inputs(as_written(told), measuring=True),
                )
            )  # fmt: skip
            placed = arrange(read_boxes(sizes, told), sizes["page"])
            compiled = typst.compile(
                source, root=root, font_paths=[fonts], ignore_system_fonts=True,
                sys_inputs=write_inputs(set_as(told, placed), measuring=False), pdf_standards=["a-2a", "ua-1"],
                timestamp=dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC),
            )  # fmt: skip
        except typst.TypstError as error:
            named = next((file for file in figures if file in str(error.diagnostic)), "")
            which = f"The figure {named} cannot be set" if named else "The report cannot be laid out"
            raise ReportError(f"{which}: {error.message}") from error
    return bytes(compiled)


def lay_ready(root: Path, figures: Mapping[str, bytes]) -> tuple[Path, Path]:
    """Write the template, the figures and the fonts into a folder; return the template's path and the fonts'."""
    template = importlib.resources.files("whoworks.report").joinpath("report.typ").read_bytes()
    (root / "report.typ").write_bytes(template)
    for file, content in figures.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_bytes(content)
    return root / "report.typ", copy_fonts(root / "fonts")


def as_written(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with every block where it was written, whole and at full size."""
    return set_as(document, [[Placed(place=k) for k in range(len(s["blocks"]))] for s in document["sections"]])


def set_as(document: Mapping[str, Any], placed: Sequence[Sequence[Placed]]) -> dict[str, Any]:
    """Return the document with each section's blocks in the order, at the scale and with the breaks they are set in."""
    sections = [
        {**section, "blocks": [set_one(section["blocks"][p.place], p) for p in order]}
        for section, order in zip(document["sections"], placed, strict=True)
    ]
    return {**document, "sections": sections}


def set_one(block: Mapping[str, Any], placed: Placed) -> dict[str, Any]:
    """Return one block with its scale, its runs of rows and what it leads; a broken table's note is in the last run."""
    runs = list(placed.runs)
    if runs and block["note"]:
        runs[-1] += 1
    return {**block, "scale": placed.scale, "runs": runs, "leads": placed.leads}


def write_inputs(document: Mapping[str, Any], *, measuring: bool) -> dict[str, str]:
    """Return what the template is given."""
    told = {"document": document, "font": FAMILY, "measuring": measuring}
    return {"payload": json.dumps(told, ensure_ascii=False)}
