"""Where: how far the effect differs between sites and kinds of sites, who the sites are, and how like a target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from whoworks.findings.finding import Finding
from whoworks.findings.sites.profile import INDEX
from whoworks.findings.sites.variation import UNITS_TO_SHOW
from whoworks.language import plural
from whoworks.report.amounts import level_word, unit_word
from whoworks.report.document import Block, Column, FigureRef, Heading, Paragraph, Row, Section, Table
from whoworks.report.labels import STATUS_WORDS, STUDENT, Words, capital
from whoworks.report.numbers import count, fixed, signed
from whoworks.report.places import about_site_profile, code_of, is_spread, trait_amount, trait_distance, trait_places
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.tables import DASH, WITHHELD, arm_columns, arms_said, estimate_cell, number_cell, p_cell, row_label


def compose_sites(chosen: Selection, words: Words, figures: Mapping[str, FigureRef]) -> Section:
    """Return the section on where; a study without places has only who took part."""
    blocks = [*variation_blocks(chosen, words, figures), *context_blocks(chosen, words)]
    blocks += profile_blocks(chosen, words)
    if not blocks:
        blocks.append(Paragraph(text="The plan names neither sites nor anything that describes those who took part."))
    title = "Who these students are" if words.site == STUDENT else f"Where: in which {plural(words.site)}"
    return Section(title=title, blocks=tuple(blocks))


def variation_blocks(chosen: Selection, words: Words, figures: Mapping[str, FigureRef]) -> list[Block]:
    """Return how far the effect differs between sites, in each of them unnamed, and in a new one; or why not."""
    if words.site == STUDENT or (words.plan.design.site and not chosen.sites):
        return []
    heading = Heading(text=f"Does the {words.effect} differ between {plural(words.site)}?")
    if not chosen.sites:
        text = (
            f"The plan names no site, so how far the {words.effect} differs between {plural(words.site)} is not told."
        )
        return [heading, Paragraph(text=text)]
    spread = [f for f in chosen.sites if f.question == "site-variation" and not f.level]
    blocks: list[Block] = [heading, *(Paragraph(text=tell(finding, words, notes=False)) for finding in spread)]
    new = [f for f in chosen.sites if f.question == "new-site" and math.isfinite(f.estimate)]
    if "sites" in figures:
        blocks.append(figures["sites"])
    elif new:
        text = f"Too few {plural(words.site)} have {UNITS_TO_SHOW} students in each arm to show them one by one."
        blocks.append(Paragraph(text=text))
    return blocks + [Paragraph(text=tell(finding, words, notes=False)) for finding in new]


def context_blocks(chosen: Selection, words: Words) -> list[Block]:
    """Return the main outcome's differences between kinds of classes and schools, with their degrees of freedom."""
    told = [f for f in (*chosen.planned, *chosen.explored) if is_of_context(f, chosen.main, words)]
    if not told:
        return []
    rows = [context_row(finding, words) for finding in told]
    table = Table(
        caption=f"Differences in {words.effect} between kinds of {enumerate_levels(told, words)}, in "
        f"{unit_word(told[0], words)}{arms_said(told[0], words)}",
        columns=(
            Column(head="What differs", share=2.3),
            Column(head="It varies between", share=1.0),
            Column(head=f"Difference ({level_word(told[0])})", align="right", share=1.7),
            Column(head="Degrees of freedom", align="right", share=0.9),
            Column(head="Adjusted p", align="right", share=0.8),
            Column(head="Asked", share=0.9),
        ),
        rows=tuple(rows),
        note=tell_degrees(told),
    )
    return [Heading(text=f"Does it differ between kinds of {enumerate_levels(told, words)}?"), table]


def tell_degrees(findings: Sequence[Finding]) -> str:
    """Say what the degrees of freedom count, and which row of several groups is the claim."""
    said = (
        "What describes a class or a school has as many values as there are classes or schools, however many students "
        "they have; the degrees of freedom say how many of them the answer rests on."
    )
    if not any(finding.question == "joint" for finding in findings):
        return said
    return (
        f"{said} Of several groups the claim is all of them at once; a single difference's adjusted p is never below "
        "that of all at once."
    )


def is_of_context(finding: Finding, main: Finding | None, words: Words) -> bool:
    """Whether a finding is the main outcome's difference along something that describes classes or schools."""
    moderator = words.find_moderator(finding.moderator)
    if main is None or moderator is None or moderator.level in ("", STUDENT):
        return False
    same = (finding.outcome, finding.wave, finding.contrast) == (main.outcome, main.wave, main.contrast)
    return same and finding.question in ("difference", "joint")


def enumerate_levels(findings: Sequence[Finding], words: Words) -> str:
    """Name the levels that moderators describe: ``classes and schools``."""
    found = [moderator.level for f in findings if (moderator := words.find_moderator(f.moderator)) is not None]
    return " and ".join(plural(level) for level in words.plan.levels if level in found)


def context_row(finding: Finding, words: Words) -> Row:
    """Return one difference or joint test."""
    moderator = words.find_moderator(finding.moderator)
    assert moderator is not None
    label = row_label(finding, words).removeprefix("Difference: ")
    told, df = estimate_cell(finding, words), number_cell(finding.df, 1)
    if finding.question == "joint" and not finding.suppressed and math.isfinite(finding.statistic):
        told = f"F = {fixed(finding.statistic, 2)}"
        df = f"{fixed(finding.df_num, 0)} and {df}"
    named = f"{capital(words.moderator(finding.moderator))}: {label[:1].lower()}{label[1:]}"
    return Row(
        cells=(
            named, plural(moderator.level), told, DASH if finding.suppressed else df,
            p_cell(finding.p_adjusted),
            STATUS_WORDS.get(finding.status, finding.status),
        )
    )  # fmt: skip


def profile_blocks(chosen: Selection, words: Words) -> list[Block]:
    """Return who took part, and how like the target they are."""
    if not chosen.site_profile:
        return []
    blocks: list[Block] = []
    if words.site != STUDENT:
        blocks.append(Heading(text=f"Who these {plural(words.site)} are"))
    blocks += [Paragraph(text=tell(f, words)) for f in chosen.target if f.level == INDEX and not f.moderator]
    blocks.append(profile_table(chosen, words))
    if chosen.target:
        text = (
            "Alike in these traits is not alike in all: what the plan does not give is not compared. The estimates in "
            f"this report speak of the {plural(words.site)} that took part; none is reweighted to the target."
        )
        blocks.append(Paragraph(text=text, tone="quiet"))
    return blocks


def profile_table(chosen: Selection, words: Words) -> Table:
    """Return one row per trait: students' mean or share, the spread between sites, and the target's where known."""
    spreads = {(f.moderator, code_of(f)): f for f in chosen.site_profile if is_spread(f)}
    gaps = {(f.moderator, f.level): f for f in chosen.target}
    means = [f for f in chosen.site_profile if not is_spread(f)]
    rows = [profile_row(f, spreads.get((f.moderator, f.level)), gaps.get((f.moderator, f.level)), words) for f in means]
    n_sites = max((int(f.df) + 1 for f in spreads.values() if math.isfinite(f.df)), default=0)
    places = plural(words.site)
    columns = [
        Column(head="Mean, or share of students", share=2.4),
        Column(head="In this study", align="right", share=0.9),
        Column(head=f"SD between {places}", align="right", share=1.5),
        Column(head="In the target", align="right", share=1.0),
        Column(head="Apart, in SD", align="right", share=0.9),
    ]
    used = [place for place in range(len(columns)) if any(row.cells[place] != DASH for row in rows)]
    told = means if chosen.main is None else (*means, chosen.main)  # a mean is over those who have a value
    n_units = max(f.n_units for f in told)
    students = f"{count(n_units)} students" if n_units else "the students"
    who = f"{count(n_sites)} {places}, {students}" if n_sites else "the students"
    return Table(
        caption=f"Who took part{tell_arms(told, words)}: {who}"
        + (f", beside {chosen.target[0].reference}" if chosen.target else ""),
        columns=tuple(columns[place] for place in used),
        rows=tuple(Row(cells=tuple(row.cells[place] for place in used)) for row in rows),
        note=tell_units(chosen, places) if spreads else "",
    )


def tell_arms(told: Sequence[Finding], words: Words) -> str:
    """Say of which two arms those are who are described, where the study has more."""
    return f" in {' or '.join(words.arms_of(told[0].contrast))}" if arm_columns(words) else ""


def tell_units(chosen: Selection, places: str) -> str:
    """Say what the spreads are, and in whose SD distances from the target are."""
    said = f"SD between {places}: how far the {places}\u2019 own means or shares lie apart (standard deviation)."
    if not chosen.target:
        return said
    return (
        f"{said} Apart, in SD: the distance from the target in SD between {places}, the target\u2019s own where the "
        "plan gives it."
    )


def is_of_site(finding: Finding, words: Words) -> bool:
    """Whether a share is of whole sites, all or nothing in each, so that its spread says nothing more."""
    moderator = words.find_moderator(finding.moderator)
    return moderator is not None and moderator.kind == "category" and moderator.level == words.site


def profile_row(mean: Finding, spread: Finding | None, gap: Finding | None, words: Words) -> Row:
    """Return one trait's cells."""
    cells = [capital(about_site_profile(mean, words)), WITHHELD if mean.suppressed else trait_amount(mean)]
    told = DASH
    if spread is not None and not is_of_site(mean, words):
        told = WITHHELD if spread.suppressed else trait_distance(spread, beside=mean)
    cells.append(told)
    if gap is None or gap.suppressed or mean.suppressed:
        return Row(cells=(*cells, *([DASH, DASH] if gap is None else [WITHHELD, WITHHELD])))
    value = mean.estimate - gap.estimate
    shown = f"{fixed(value, 0)} %" if mean.unit != "moderator" else fixed(value, trait_places(mean.estimate))
    return Row(cells=(*cells, shown, DASH if math.isnan(gap.effect_size) else signed(gap.effect_size, 2)))
