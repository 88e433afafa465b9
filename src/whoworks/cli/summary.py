"""What a command says when it is done, in at most 80 columns."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from whoworks.panel.ledger import JOINED, Entry

if TYPE_CHECKING:
    from whoworks.checks.verdict import Check
    from whoworks.report.labels import Words
    from whoworks.study import Study

WIDTH = 80
UNPARTED = "\u00a0"
COUNTED = re.compile(r"(?<=^row)s|(?<=^unit)s")


def show_checks(study: Study) -> None:
    """Print who was there, who was left out, what inference counts, and every check's verdict."""
    from whoworks.report.labels import Words

    words = Words(plan=study.plan, variables=study.panel.variables, cluster_level=study.design.cluster_level)
    typer.echo(study.plan.study.name)
    for line in (*account(study.design.ledger.entries), study.design.cluster_reason):
        typer.echo(paragraph(line, indent="  "))
    typer.echo("")
    for check in study.checks():
        typer.echo(verdict_lines(check, words))


def account(entries: Iterable[Entry]) -> list[str]:
    """Say how many rows were received, and how many left under each reason, over all arms."""
    counts: dict[tuple[str, str], int] = {}
    for entry in entries:
        if not entry.outcome and entry.step != "analysed":
            counts[entry.step, entry.reason] = counts.get((entry.step, entry.reason), 0) + entry.n_rows
    return [tell_count(n, step, reason) for (step, reason), n in counts.items()]


def tell_count(n: int, step: str, reason: str) -> str:
    """Say what one step counted; tables that are joined are counted in rows, or units, of their own."""
    from whoworks.checks.wording import counted

    if step == JOINED:
        return f"{n:,} {COUNTED.sub('', reason) if n == 1 else reason}"
    return f"{counted(n, 'row')} {step}: {reason}"


def verdict_lines(check: Check, words: Words) -> str:
    """Return a check's verdict, its name as the report has it, and its sentence underneath."""
    from whoworks.report.labels import capital, check_name

    indent = " " * 16
    named = paragraph(check_name(check, words), indent=indent, first=f"{check.verdict.upper():<16}")
    return f"{named}\n{paragraph(capital(check.sentence), indent=indent)}"


def show_answer(folder: Path) -> None:
    """Print the first page's answer, the planned claims with their credibility, the gravest caveats, and where."""
    from whoworks.report.labels import capital

    told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    said = list(told["answer"])
    for finding in told["findings"]:
        if finding["status"] == "confirmatory" and finding["family"]:
            grade = f"Credibility {finding['credibility']}: " if finding["credibility"] else ""
            said.append(grade + finding["sentence"])
    said += [f"Caveat: {capital(caveat['sentence'])}" for caveat in told["caveats"] if caveat["gravity"] == 1]
    for sentence in said:
        typer.echo(paragraph(sentence) + "\n")
    typer.echo(f"Report: {folder / 'report.pdf'}")


def paragraph(text: str, *, indent: str = "", first: str = "") -> str:
    """Wrap a sentence between words; a number is not parted from its ``%``, nor a p from what it is.

    `first` stands in place of the first line's indent.
    """
    kept = re.sub(r" (?=%|[=<>] )|(?<= [=<>]) ", UNPARTED, text)
    filled = textwrap.fill(
        kept, width=WIDTH, initial_indent=first or indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return filled.replace(UNPARTED, " ")
