"""Who differs: the planned questions, each with its groups, its difference, its grade and what held the grade down."""

from __future__ import annotations

from collections.abc import Mapping

from whoworks.findings.finding import Finding
from whoworks.report.amounts import unit_word
from whoworks.report.charts import curve_names
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Bullets, FigureRef, Heading, Paragraph, Section
from whoworks.report.front_page import find_claims, list_estimates
from whoworks.report.labels import Words, capital, outcome_of
from whoworks.report.numbers import count
from whoworks.report.sections.companions import companion_blocks
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.tables import moderator_table


def compose_differences(
    released: Released, chosen: Selection, words: Words, figures: Mapping[str, FigureRef]
) -> Section:
    """Return the section on the planned questions."""
    title = "Who differs: the planned questions"
    if not chosen.planned:
        text = "The plan names no moderator in advance, so nothing about groups is confirmed or refuted here."
        return Section(title=title, blocks=(Paragraph(text=text),))
    claims = find_claims(chosen.planned)
    blocks: list[Block] = [
        Paragraph(
            text=f"The plan asks {'one question' if len(claims) == 1 else count(len(claims)) + ' questions'} about who "
            "differs. The claim is always the difference between groups; that one group's range leaves out zero and "
            "another's does not says nothing about whether they differ."
        )
    ]
    blocks.append(Bullets(items=tuple((f"{grade(f)}:", tell_claim(f, chosen.planned, words)) for f in claims)))
    held = [(f, cap) for f in claims for cap in f.caps]
    if held:
        blocks.append(Heading(text="What held a grade down"))
        several = len({outcome_of(f) for f in claims}) > 1
        items = tuple((f"{capital(name_claim(f, words, several=several))}:", f"{capital(cap)}.") for f, cap in held)
        blocks.append(Bullets(items=items))
    blocks.append(planned_table(chosen, released, words))
    blocks += [figure for name, figure in figures.items() if name.split("-")[0] == "forest"]
    blocks += curve_blocks(chosen.planned, chosen, figures)
    blocks += companion_blocks(chosen, words)
    return Section(title=title, blocks=tuple(blocks))


def name_claim(claim: Finding, words: Words, *, several: bool) -> str:
    """Name a claim by its moderator, and by its outcome where there are several."""
    on = f" ({words.short_outcome(outcome_of(claim))})" if several else ""
    return words.moderator(claim.moderator) + on


def tell_claim(claim: Finding, planned: tuple[Finding, ...], words: Words) -> str:
    """Tell a claim; a joint test with the estimates in its groups."""
    estimates = list_estimates(claim, planned, words) if claim.question == "joint" else ""
    also = f" {capital(estimates)} {unit_word(claim, words)}." if estimates and not claim.suppressed else ""
    return tell(claim, words) + also


def planned_table(chosen: Selection, released: Released, words: Words) -> Block:
    """Return the planned groups, differences and joint tests."""
    family = next((f for f in chosen.planned if f.adjustment), None)
    table = moderator_table(
        chosen.planned,
        words,
        caption="Planned groups and the differences between them",
        technical=released.evidence.plan.report.audience == "technical",
    )
    if family is None:
        return table
    note = f"Adjusted p: by {family.adjustment}\u2019s method, over the {family.n_tests} planned tests."
    if family.n_tests == 1:
        note = "Adjusted p: with one planned test there is nothing to adjust for."
    return type(table)(
        caption=table.caption,
        columns=table.columns,
        rows=table.rows,
        note=f"{note} Could detect: the difference this study had an 80 % chance of detecting. {table.note}".rstrip(),
    )


def grade(finding: Finding) -> str:
    """Return a claim's grade as the head of its sentence."""
    return f"Credibility {finding.credibility or 'not graded'}"


def curve_blocks(findings: tuple[Finding, ...], chosen: Selection, figures: Mapping[str, FigureRef]) -> list[FigureRef]:
    """Return the curves of the moderators among some findings."""
    names = curve_names(chosen)
    drawn = (names.get(moderator, "") for moderator in dict.fromkeys(f.moderator for f in findings))
    return [figures[name] for name in drawn if name in figures]
