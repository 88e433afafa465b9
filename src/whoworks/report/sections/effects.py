"""What changed on average: both weightings, in three scales, and how precise that is."""

from __future__ import annotations

from whoworks.findings.planned.best_arm import PICKED
from whoworks.findings.precision import Precision
from whoworks.language import plural
from whoworks.plan.plan import Plan
from whoworks.report.amounts import places_of
from whoworks.report.arms import tell_standings
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Bullets, Column, Heading, Paragraph, Row, Section, Table
from whoworks.report.labels import Words, capital, outcome_of
from whoworks.report.numbers import decimals, percent
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.tables import DASH, count_cell, effects_table, number_cell, p_cell

NOTHING_BEFORE = "No prognosis: the plan names nothing measured before assignment that could foretell the outcome."


def compose_effects(released: Released, chosen: Selection, words: Words) -> Section:
    """Return the section on average effects."""
    told = [f for f in chosen.averages if f.weighting == "student"]
    blocks: list[Block] = [Bullets(items=tuple(("", tell(finding, words)) for finding in told))]
    if chosen.averages:
        blocks.append(effects_table(chosen.averages, words))
    shown = [f for f in chosen.weightings if not f.suppressed]
    if shown:
        blocks.append(Bullets(items=tuple(("", tell(finding, words)) for finding in shown)))
    blocks += precision_blocks(released, chosen, words)
    blocks += best_arm_blocks(chosen, words)
    if chosen.growth:
        blocks.append(Heading(text=f"Whether the {words.effect} grows or fades"))
        blocks.append(Bullets(items=tuple(("", tell(finding, words)) for finding in chosen.growth)))
    if chosen.takeup:
        blocks.append(Heading(text="How far the offer was taken up"))
        blocks.append(Bullets(items=tuple(("", tell(finding, words)) for finding in chosen.takeup)))
    title = "How the arms differ" if words.matched else "What changed on average"
    return Section(title=title, blocks=tuple(blocks))


def best_arm_blocks(chosen: Selection, words: Words) -> list[Block]:
    """Return what the treatment that looks best does, and which arms may be the best; nothing with one treatment."""
    picked = [f for f in chosen.best_arm if f.quantity == PICKED]
    if not picked:
        return []
    told = [tell(finding, words) for finding in picked]
    for finding in picked:
        same = [f for f in chosen.best_arm if outcome_of(f) == outcome_of(finding)]
        told += [sentence for sentence in (tell_standings(same, words),) if sentence]
    return [Heading(text="Which arm may be the best"), Bullets(items=tuple(("", sentence) for sentence in told))]


def precision_blocks(released: Released, chosen: Selection, words: Words) -> list[Block]:
    """Return how precise each average is, and under which choices."""
    withheld = {(f.outcome, f.wave) for f in chosen.averages if f.suppressed}
    known = [p for p in released.evidence.precision if key_of(p, words) not in withheld]
    if not known:
        return []
    blocks: list[Block] = [precision_table(known, chosen, words)]
    rules = {p.rule for p in known}
    told = dict.fromkeys(p.rule if len(rules) == 1 else f"{words.short_outcome(p.outcome)}: {p.rule}" for p in known)
    if knows_nothing(words.plan):
        told = {NOTHING_BEFORE: None}
    blocks.append(Paragraph(text=" ".join(capital(rule) for rule in told), tone="quiet"))
    return blocks


def knows_nothing(plan: Plan) -> bool:
    """Whether the plan names nothing measured before assignment."""
    return not (plan.moderators or plan.covariates.columns or any(outcome.baseline for outcome in plan.outcomes))


def key_of(precision: Precision, words: Words) -> tuple[str, str]:
    """Return the outcome's column and wave."""
    outcome = words.find_outcome(precision.outcome)
    return outcome.column, outcome.wave


def precision_table(known: list[Precision], chosen: Selection, words: Words) -> Table:
    """Return the standard errors of the student-weighted averages, side by side."""
    block = next((p.block_level for p in known if p.block_level), "block")
    cluster = next((p.cluster_level for p in known if p.cluster_level), words.cluster())
    heads = (
        Column(head="Outcome", share=2.2),
        Column(head="As reported", align="right", share=0.9),
        Column(head="Without prognosis", align="right", share=0.95),
        Column(head=f"By {block}", align="right", share=0.85),
        Column(head="Variance removed", align="right", share=0.9),
        Column(head="Degrees of freedom", align="right", share=0.95),
        Column(head="Could detect", align="right", share=0.8),
        Column(head="p by re-drawing", align="right", share=0.9),
        Column(head="Students", align="right", share=0.85),
    )
    rows = [precision_row(precision, chosen, words) for precision in known]
    used = [place for place in range(len(heads)) if any(row[place] != DASH for row in rows)]
    by_block = f"By {block}: the error, were {plural(block)} counted, not {plural(cluster)}. "
    return Table(
        caption=f"How precise the averages are: standard errors, counting {plural(cluster)}",
        columns=tuple(heads[place] for place in used),
        rows=tuple(Row(cells=tuple(row[place] for place in used)) for row in rows),
        note=(by_block if 3 in used else "")
        + "Could detect: the effect this study had an 80 % chance of detecting. Variance removed: the share of "
        "the outcome's spread in clusters left out that was foreseen from what was measured before assignment.",
    )


def precision_row(precision: Precision, chosen: Selection, words: Words) -> tuple[str, ...]:
    """Return one outcome's cells."""
    name = words.find_outcome(precision.outcome).name
    same = [f for f in chosen.averages if outcome_of(f) == name and f.contrast == precision.contrast]
    finding = next((f for f in same if (f.weighting, f.estimand) == ("student", "itt")), None)
    places = decimals(precision.std_error) if finding is None else places_of(finding, words)
    named = capital(words.outcome(precision.outcome))
    if len(words.plan.arms.treatments) > 1:
        named += f": {words.contrast(precision.contrast)}"
    errors = (precision.std_error, precision.std_error_unadjusted, precision.std_error_by_block)
    removed = percent(precision.share_explained) if precision.share_explained > 0 else "none"
    tail = [DASH] * 4
    if finding is not None:
        tail = [number_cell(finding.df, 1), number_cell(finding.mde, places), p_cell(finding.p_randomization)]
        tail.append(count_cell(finding, finding.n_units))
    return (named, *(number_cell(error, places) for error in errors), removed, *tail)
