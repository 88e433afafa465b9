"""Caveats, in the body, the gravest first."""

from __future__ import annotations

from whoworks.report.complements import COUNTS
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Bullets, Heading, Paragraph, Section
from whoworks.report.labels import Words, capital
from whoworks.report.numbers import count

NOT_COUNTED = (
    "Where a group is withheld, or few have no record, the other groups of its kind keep their estimates and ranges, "
    "but are not counted: the total less such a count would tell how few are not shown."
)
GRAVITIES = {
    1: "These change how the first page is read",
    2: "These belong to the findings",
    3: "Small print",
}


def compose_caveats(released: Released, words: Words) -> Section:
    """Return the caveats by gravity; each comes from a rule, none is typed."""
    blocks: list[Block] = []
    for gravity, title in GRAVITIES.items():
        found = [caveat for caveat in released.evidence.caveats if caveat.gravity == gravity]
        if found:
            blocks.append(Heading(text=title))
            blocks.append(Bullets(items=tuple(("", capital(caveat.sentence)) for caveat in found)))
    if not blocks:
        blocks.append(Paragraph(text="No rule found anything that needs a caveat."))
    n = len(released.withheld)
    if n:
        blocks.append(Heading(text="What is withheld"))
        text = (
            f"{count(n)} entr{'y that rests' if n == 1 else 'ies that rest'} on {released.rule.sentence}, or would "
            f"give such a count away, {'is' if n == 1 else 'are'} withheld in this report and in every file beside it; "
            "suppressed.csv lists which, and why."
        )
        blocks.append(Paragraph(text=text))
        if any(item.column.startswith(COUNTS[0]) for item in released.withheld if item.file == "findings.csv"):
            blocks.append(Paragraph(text=NOT_COUNTED))
    return Section(title="Caveats", blocks=tuple(blocks))
