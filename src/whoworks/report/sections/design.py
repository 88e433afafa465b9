"""Does the design hold: the checks' verdicts, with their sentences and pictures."""

from __future__ import annotations

from collections.abc import Mapping

from whoworks.checks.verdict import Check, Verdict
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Column, FigureRef, Paragraph, Row, Section, Table
from whoworks.report.labels import Words, capital, check_name

VERDICTS = {
    Verdict.PASS: "Holds",
    Verdict.WARN: "Caution",
    Verdict.FAIL: "Fails",
    Verdict.ERROR: "Error",
    Verdict.NOT_ASSESSABLE: "Not assessable",
}


def compose_checks(released: Released, words: Words, figures: Mapping[str, FigureRef]) -> Section:
    """Return the section on the design's checks."""
    checks = released.evidence.checks
    blocks: list[Block] = [
        Paragraph(
            text="These checks never see an outcome beside an arm, so that what they find cannot depend on the answer. "
            "A check that crashed is shown as an error, not left out."
        ),
        Table(
            caption="Checks of the design",
            columns=(
                Column(head="Check", share=1.25),
                Column(head="Verdict", share=0.75),
                Column(head="What was found", share=4.0),
            ),
            rows=tuple(check_row(check, words) for check in checks),
        ),
    ]
    blocks += [figures[name] for name in ("attrition", "balance") if name in figures]
    return Section(title="Does the design hold?", blocks=tuple(blocks))


def check_row(check: Check, words: Words) -> Row:
    """Return one check."""
    return Row(cells=(check_name(check, words), VERDICTS[check.verdict], capital(check.sentence)))
