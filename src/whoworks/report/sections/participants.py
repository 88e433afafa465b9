"""Who took part: the flow, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from whoworks.language import plural
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Column, FigureRef, Paragraph, Row, Section, Table
from whoworks.report.labels import STUDENT, Words, capital
from whoworks.report.numbers import count
from whoworks.report.participants import ArmFlow, Flow, Step, read_flow, say_units
from whoworks.report.tables import DASH


def compose_participants(released: Released, words: Words, figures: Mapping[str, FigureRef]) -> Section:
    """Return the section on who took part."""
    first, *others = [outcome.name for outcome in words.plan.outcomes if outcome.primary]
    flows = [read_flow(released.evidence.ledger, words, name) for name in (first, *others, *secondary(words))]
    blocks: list[Block] = [
        Paragraph(text=f"Every record received is either analysed or counted out with its reason. {what_counts(words)}")
    ]
    if "participant-flow" in figures:
        blocks.append(figures["participant-flow"])
    blocks.append(flow_table(flows, released, words))
    return Section(title="Who took part", blocks=tuple(blocks))


def what_counts(words: Words) -> str:
    """Say what counts as one: a whole class, or each student alone."""
    if words.cluster() == STUDENT:
        return "Each student counts as one, which decides how wide the ranges in this report are."
    return f"What is counted as one {words.cluster()} decides how wide the ranges in this report are."


def secondary(words: Words) -> list[str]:
    """Return the names of the outcomes that are not primary."""
    return [outcome.name for outcome in words.plan.outcomes if not outcome.primary]


def flow_table(flows: list[Flow], released: Released, words: Words) -> Table:
    """Return the flow as a table: what was left out and what was analysed, arm by arm."""
    noun = plural(words.cluster())
    flow = flows[0]
    rows = [Row(cells=("Before the arms are compared, in rows of the records",), tone="group")]
    received = Step(words="received", n_units=flow.received)
    rows += [Row(cells=(capital(step.words), *cells(step))) for step in (received, *flow.before)]
    for arm in flow.arms:
        rows.append(Row(cells=(capital(arm.arm),), tone="group"))
        rows += arm_rows(arm)
    if len(flows) > 1:
        rows.append(Row(cells=("Analysed for the other outcomes",), tone="group"))
        for other in flows[1:]:
            rows += [
                Row(cells=(f"{capital(other.outcome)}: {arm.arm}", *cells(step)))
                for arm in other.arms
                for step in arm.analysed
            ]
    columns: tuple[Column, ...] = (
        Column(head="Step", share=3.2),
        Column(head="Students", align="right", share=1.2),
        Column(head=capital(noun), align="right", share=0.9),
    )
    if words.cluster() == STUDENT:  # one count, once
        columns, rows = columns[:2], [replace(row, cells=row.cells[:2]) for row in rows]
    return Table(
        caption=f"From records received to students analysed: {flow.outcome}",
        columns=columns,
        rows=tuple(rows),
        note=f"Not shown: a count of {released.rule.sentence}, or one that would give such a count away."
        if any("not shown" in row.cells for row in rows)
        else "",
    )


def arm_rows(arm: ArmFlow) -> list[Row]:
    """Return one arm's rows."""
    rows = [Row(cells=("Assigned", *cells(arm.assigned)))]
    rows += [Row(cells=(capital(step.words), *cells(step))) for step in arm.left]
    rows += [Row(cells=(f"Analysed: {step.words}", *cells(step)), tone="strong") for step in arm.analysed]
    return rows


def cells(step: Step) -> tuple[str, str]:
    """Return a step's students and clusters."""
    return say_units(step).removesuffix(" students"), count(step.n_clusters) if step.n_clusters >= 0 else DASH
