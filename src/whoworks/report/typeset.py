"""The PDF: Typst lays the document out, tagged, with one typeface and no clock."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from whoworks.errors import ReportError
from whoworks.report.document import Document
from whoworks.report.fonts import FAMILY, copy_fonts, printable_all

UNREGISTERED = dt.date(2000, 1, 1)


def typeset(document: Document, *, figures: Mapping[str, bytes], registered: dt.date | None) -> bytes:
    """Return the PDF's bytes.

    All data go in as one JSON text, so that nothing in a name can be taken for
    markup. The time stamp inside is the day the study was registered.

    Raises
    ------
    ReportError
        When the document cannot be laid out; the sentence carries Typst's message.
    """
    import typst

    payload = printable_all({"document": document.to_json(), "font": FAMILY})
    day = registered or UNREGISTERED
    with tempfile.TemporaryDirectory(prefix="whoworks-") as scratch:
        root = Path(scratch)
        template = importlib.resources.files("whoworks.report").joinpath("report.typ").read_bytes()
        (root / "report.typ").write_bytes(template)
        for file, content in figures.items():
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).write_bytes(content)
        try:
            compiled = typst.compile(
                root / "report.typ",
                root=root,
                font_paths=[copy_fonts(root / "fonts")],
                ignore_system_fonts=True,
                sys_inputs={"payload": json.dumps(payload, ensure_ascii=False)},
                pdf_standards=["a-2a", "ua-1"],
                timestamp=dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC),
            )
        except typst.TypstError as error:
            named = next((file for file in figures if file in str(error.diagnostic)), "")
            which = f"The figure {named} cannot be set" if named else "The report cannot be laid out"
            raise ReportError(f"{which}: {error.message}") from error
    return bytes(compiled)
