"""What the report was made from: versions, seeds and hashes; no clock."""

from __future__ import annotations

from whoworks.panel.panel import Provenance
from whoworks.report.disclosure import Released
from whoworks.report.document import Column, Paragraph, Row, Section, Table
from whoworks.report.evidence import Evidence
from whoworks.report.numbers import count
from whoworks.report.versions import versions


def compose_origin(released: Released) -> Section:
    """Return the section that lets someone else make the same report."""
    evidence = released.evidence
    text = "The same records, plan, seed and versions give the same report, byte for byte; manifest.json says the same."
    return Section(title="What this report was made from", blocks=(Paragraph(text=text), origin_table(evidence)))


def origin_table(evidence: Evidence) -> Table:
    """Return the table of inputs and versions."""
    rows = [Row(cells=("Plan", f"sha256 {evidence.plan.hash}"))]
    rows += [
        Row(cells=(f"Table {p.table}: {p.file}", f"{say_rows(p)}, {p.n_columns} columns, sha256 {p.sha256}"))
        for p in evidence.provenance
    ]
    rows.append(Row(cells=("Seed", str(evidence.plan.analysis.seed))))
    made_with = versions(evidence.plan.analysis.engine)
    rows.append(Row(cells=("Versions", ", ".join(f"{name} {version}" for name, version in made_with.items()))))
    return Table(
        caption="Inputs and versions",
        columns=(Column(head="What", share=1.3), Column(head="Which", share=3.2)),
        rows=tuple(rows),
    )


def say_rows(source: Provenance) -> str:
    """Write a table's rows."""
    return "rows not shown" if source.n_rows < 0 else f"{count(source.n_rows)} rows"
