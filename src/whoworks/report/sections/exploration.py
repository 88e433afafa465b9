"""What was explored: how much was looked at, whether predictions hold up, and groups that only describe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from whoworks.checks.wording import written_p
from whoworks.findings.finding import Finding
from whoworks.findings.searches.candidates import AGAIN
from whoworks.findings.searches.ranking import AREA, TOP_THIRD
from whoworks.language import plural
from whoworks.report.amounts import unit_word
from whoworks.report.charts import read_use
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Bullets, Callout, Column, FigureRef, Heading, Paragraph, Row, Section, Table
from whoworks.report.figures.importance import Use
from whoworks.report.labels import STUDENT, Words, capital
from whoworks.report.numbers import count, percent
from whoworks.report.phrases import p_name
from whoworks.report.places import trait_amount, trait_distance
from whoworks.report.sections.differences import curve_blocks
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.states import State, read_p, read_state
from whoworks.report.tables import (
    DASH,
    WITHHELD,
    arms_said,
    count_cell,
    estimate_cell,
    moderator_table,
    number_cell,
    p_cell,
)
from whoworks.report.targeting import about_profile, tell_again, tested_elsewhere


def compose_exploration(
    released: Released, chosen: Selection, words: Words, figures: Mapping[str, FigureRef]
) -> Section:
    """Return the exploratory section."""
    blocks: list[Block] = [Callout(title=tell_looks(chosen)[0], text=tell_looks(chosen)[1])]
    blocks += heterogeneity_blocks(released, chosen, words, figures)
    blocks += candidate_blocks(chosen, words)
    if chosen.explored:
        blocks.append(Heading(text="Differences that were explored"))
        technical = released.evidence.plan.report.audience == "technical"
        table = moderator_table(
            chosen.explored, words, caption="Exploratory groups and the differences between them", technical=technical
        )
        blocks.append(replace(table, note=f"{tell_adjusted(chosen.explored)} {table.note}".strip()))
        blocks += curve_blocks(chosen.explored, chosen, figures)
    if len(blocks) == 1:
        blocks.append(Paragraph(text="The plan names no further moderators to explore."))
    return Section(title="What was explored", blocks=tuple(blocks))


def tell_adjusted(explored: Sequence[Finding]) -> str:
    """Name the method by which the exploratory p-values are adjusted, and over how many tests; "" of none."""
    family = next((f for f in explored if f.adjustment and f.status == "exploratory" and f.n_tests > 1), None)
    if family is None:
        return ""
    return f"Adjusted p: by {family.adjustment}\u2019s method, over the {family.n_tests} exploratory tests."


def tell_looks(chosen: Selection) -> tuple[str, str]:
    """Say how many comparisons were looked at, and how to read them."""
    looks = [f for f in (*chosen.explored, *chosen.heterogeneity) if f.question != "subgroup"]
    n = max((f.n_tests for f in looks if f.status == "exploratory"), default=0) or len(looks)
    said = "Nothing in this section was singled out before outcomes were seen."
    then = "It is here to suggest what the next study should plan, and grades stop at moderate."
    if n < 2:
        return "Exploratory", f"{said} {then}"
    return (
        f"Exploratory: {count(n)} comparisons looked at",
        f"{said} With this many looks some will seem large by chance; they are adjusted together. {then}",
    )


def heterogeneity_blocks(
    released: Released, chosen: Selection, words: Words, figures: Mapping[str, FigureRef]
) -> list[Block]:
    """Return whether effects vary at all, and the sorted groups as description."""
    evidence = released.evidence
    blocks: list[Block] = [Heading(text=f"Do {words.effect}s vary between students in ways that can be predicted?")]
    ranking = [f for f in chosen.ranking if f.level in (AREA, TOP_THIRD)]
    tested = [f for f in (*chosen.heterogeneity, *chosen.sorted_groups, *ranking) if f.status == "exploratory"]
    if together := tell_together(tested, words):
        blocks.append(Paragraph(text=together))
    blocks += [Paragraph(text=tell(finding, words)) for finding in chosen.heterogeneity]
    if not evidence.engine:
        why = evidence.no_predictions or "No model of effects was fitted."
        return [*blocks, Paragraph(text=capital(why))]
    blocks.append(Paragraph(text=tell_engine(released, words), tone="quiet"))
    if any("-" not in finding.level for finding in chosen.sorted_groups):
        blocks.append(sorted_table(chosen.sorted_groups, words))
    else:
        blocks += [Paragraph(text=tell(finding, words)) for finding in chosen.sorted_groups]
    if "sorted-groups" in figures:
        blocks.append(figures["sorted-groups"])
    if chosen.profiles:
        blocks.append(profile_table(chosen.profiles, words))
    blocks += [Paragraph(text=tell(finding, words)) for finding in ranking]
    if "ranking" in figures:
        blocks.append(figures["ranking"])
    return blocks + importance_blocks(released, words, figures)


def tell_engine(released: Released, words: Words) -> str:
    """Name what predicted effects and what it leaves out of account."""
    evidence = released.evidence
    clusters = plural(words.cluster())
    whose = "" if words.cluster() == STUDENT else f"'s {words.cluster()}"
    never = f"Predicted by {evidence.engine}, each student by models that never saw that student{whose}."
    tested = (
        f"Tests of predictions take {clusters} in sequence, each part predicted from the parts before it, and average "
        f"over several sequences."
    )
    only = "Predictions only rank, group and describe; no claim is read off them."
    return " ".join((never, *evidence.ignores, tested, only))


def tell_together(looks: Sequence[Finding], words: Words) -> str:
    """Say what several looks at whether effects vary amount to where they differ; "" where they agree."""
    seen = sum(read_state(finding) is State.CLEAR for finding in looks)
    if seen in (0, len(looks)):
        return ""
    return (
        f"Of {len(looks)} ways of asking below, {seen} found a difference and {len(looks) - seen} cannot tell. Effects "
        "may vary between students; none of this settles for whom. It is a reason to look again in the next study."
    )


def sorted_table(groups: tuple[Finding, ...], words: Words) -> Table:
    """Return the sorted groups' numbers."""
    unit, tested = unit_word(groups[0], words), [f for f in groups if math.isfinite(f.conf_low)]
    by_cluster = words.cluster() != STUDENT
    rows = [
        Row(
            cells=(
                "Highest minus lowest, in sequence" if "-" in f.level else f"Group {f.level}",
                count_cell(f, f.n_units),
                *[count_cell(f, f.n_clusters)] * by_cluster,
                estimate_cell(f, words),
                number_cell(f.effect_size, 2),
            )
        )
        for f in groups
    ]
    return Table(
        caption=f"Description: {words.effect}s among students sorted by predicted effect (1 = smallest predicted)"
        f"{arms_said(groups[0], words)}",
        columns=(
            Column(head="Group", share=2.0),
            Column(head="Students", align="right", share=1.0),
            *[Column(head=capital(plural(words.cluster())), align="right", share=1.0)] * by_cluster,
            Column(
                head=f"{capital(words.effect)}, {unit}" + (" (interval)" if tested else ""), align="right", share=2.0
            ),
            Column(head="In SD", align="right", share=0.8),
        ),
        rows=tuple(rows),
        note="Each group's estimate only describes: it carries neither a range nor a test."
        + "".join(
            f" The difference is tested on {plural(words.cluster())} taken in sequence, each part predicted from the "
            f"parts before it, so it is not that of the rows above: {written_p(read_p(f), name=p_name(f))}."
            for f in tested
        ),
    )


def profile_table(profiles: tuple[Finding, ...], words: Words) -> Table:
    """Return what the bottom and the top group are like, and how they differ."""
    rows: dict[tuple[str, str], list[str]] = {}
    means: dict[tuple[str, str], Finding] = {}
    for finding in profiles:
        key = (finding.moderator, about_profile(finding, words))
        write = trait_distance if finding.reference else trait_amount
        told = WITHHELD if finding.suppressed else write(finding, beside=means.setdefault(key, finding))
        rows.setdefault(key, []).append(told)
        if finding.reference:
            rows[key].append(p_cell(finding.p_adjusted))
    return Table(
        caption=f"Description: who has the smallest and the largest predicted {words.effect}s"
        f"{arms_said(profiles[0], words)}",
        columns=(
            Column(head="Mean, or share of students", share=2.6),
            Column(head="Smallest predicted", align="right", share=0.9),
            Column(head="Largest predicted", align="right", share=0.9),
            Column(head="Difference before rounding", align="right", share=1.5),
            Column(head="Adjusted p", align="right", share=0.8),
        ),
        rows=tuple(Row(cells=(capital(trait), *cells)) for (_, trait), cells in rows.items()),
        note="The groups were formed from these moderators: that they differ along them shows what the predictions "
        "go by, not why effects differ.",
    )


def candidate_blocks(chosen: Selection, words: Words) -> list[Block]:
    """Return the groups that the data proposed, each tested where it was not proposed."""
    if not chosen.candidates:
        return []
    tested = [f for f in chosen.candidates if f.level != AGAIN]
    again = [f for f in chosen.candidates if f.level == AGAIN]
    blocks: list[Block] = [Heading(text="Groups that the data proposed")]
    if tested:
        half = plural(words.cluster(tested[0].cluster))
        then = "the other half, which had no part in that, tested them"
        if all(f.status == "descriptive" for f in tested):
            then = "none was tested"
        blocks.append(Paragraph(text=f"Half of the {half} proposed these groups; {then}."))
        prefix = capital(tested_elsewhere(half))
        blocks.append(Bullets(items=tuple(("", capital(tell(f, words).removeprefix(prefix))) for f in tested)))
    return [*blocks, *([Paragraph(text=tell_again(again, words))] if again else [])]


def importance_blocks(released: Released, words: Words, figures: Mapping[str, FigureRef]) -> list[Block]:
    """Return how much each moderator is used by the predictions, beside what noise would do: of two or more."""
    used = read_use(released.evidence, words)
    if len(used) < 2:
        return []
    blocks: list[Block] = [Paragraph(text=tell_beyond_noise(used)), importance_table(used)]
    return [*blocks, figures["importance"]] if "importance" in figures else blocks


def tell_beyond_noise(used: tuple[Use, ...]) -> str:
    """Say which moderators the predictions use more than noise would be, and what that does not mean."""
    beyond = [use.words for use in used if use.is_beyond]
    if not beyond:
        return (
            "No moderator is used by the predictions more than it would be if effects did not differ at all: which one "
            "stands first is no sign of anything."
        )
    named = f"{', '.join(beyond[:-1])} and {beyond[-1]}" if len(beyond) > 1 else beyond[0]
    rest = " The others are used no more than noise would be." if len(beyond) < len(used) else ""
    return (
        f"The predictions use {named} more than they would if effects did not differ.{rest} This ranks what a model "
        "goes by; whether effects differ is for the tests to say, and why is for neither."
    )


def importance_table(used: tuple[Use, ...]) -> Table:
    """Return each moderator's share of use, and its share under noise."""
    rows = [
        Row(
            cells=(
                capital(use.words),
                percent(use.share, use.places),
                percent(use.noise_median, use.places),
                percent(use.noise_high, use.places) if math.isfinite(use.noise_high) else DASH,
                "more than noise" if use.is_beyond else "no more than noise",
            )
        )
        for use in used
    ]
    return Table(
        caption="What the predictions use most: a ranking, not causes",
        columns=(
            Column(head="Moderator", share=2.6),
            Column(head="Share of use", align="right", share=1.0),
            Column(head="Noise: middle", align="right", share=1.0),
            Column(head="Noise: up to", align="right", share=1.0),
            Column(head="Used", share=1.4),
        ),
        rows=tuple(rows),
        note="Noise: arms drawn again 19 times as the design draws them, with the same effect for all, and the model "
        "learned each time; one share in twenty passes the limit by chance. Moderators that go together share their "
        "use arbitrarily.",
    )
