"""The made-up run's document: as composed now, and as written down by ``make golden``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.report.harbour import make_evidence
from whoworks.report.charts import draw_charts, refer
from whoworks.report.compose import compose_document
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.selection import select

WRITTEN = Path(__file__).with_name("document.json")
VERSIONED = "Inputs and versions"


def recompute() -> dict[str, Any]:
    """Compose the document and return it as JSON, without the versions of what happens to be installed."""
    released = withhold(make_evidence())
    words = read_words(released.evidence)
    chosen = select(released, words)
    charts = draw_charts(released, chosen, words)
    document = compose_document(released, chosen, words, refer(charts)).to_json()
    for section in document["sections"]:
        section["blocks"] = [block for block in section["blocks"] if block.get("caption") != VERSIONED]
    return json.loads(json.dumps(document))


def write() -> None:
    """Write the document down."""
    text = json.dumps(recompute(), ensure_ascii=False, indent=1)
    WRITTEN.write_text(text + "\n", encoding="utf-8", newline="\n")
