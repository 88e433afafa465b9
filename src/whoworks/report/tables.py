"""Tables of effects: cells are words and rounded numbers, one row per finding."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.checks.wording import bare_p
from whoworks.findings.finding import Finding
from whoworks.findings.grades.credibility import NOT_ASSESSABLE
from whoworks.findings.setting import FEW_DF, TOO_FEW_DF
from whoworks.language import plural
from whoworks.report.amounts import SD_PLACES, in_percentiles, places_of, unit_word
from whoworks.report.document import Column, Row, Table
from whoworks.report.labels import STUDENT, Words, capital, outcome_of
from whoworks.report.numbers import count, fixed, ranged
from whoworks.report.phrases import is_slope
from whoworks.report.states import is_settled

TECHNICAL = ("SE", "df", "p", "Re-drawn p")
DASH = "\u2013"
WITHHELD = "withheld"
MOVED = " Percentile points: how far a student in the middle of the comparison arm would move."


def estimate_cell(finding: Finding, words: Words) -> str:
    """Write an estimate with its interval: ``9.0 (3.6 to 14.3)``."""
    if finding.suppressed:
        return WITHHELD
    if math.isnan(finding.estimate):
        return "not assessable"
    return ranged(finding.estimate, finding.conf_low, finding.conf_high, places_of(finding, words))


def size_cell(finding: Finding) -> str:
    """Write an effect size with its interval: ``0.19 (0.08 to 0.30)``."""
    if math.isnan(finding.effect_size):
        return DASH
    return ranged(finding.effect_size, finding.effect_size_low, finding.effect_size_high, SD_PLACES)


def percentile_cell(finding: Finding, words: Words) -> str:
    """Write percentile points with their interval: ``7 (3 to 12)``."""
    ends = in_percentiles(finding, words)
    return DASH if ends is None else ranged(*ends, 0)


def number_cell(value: float, places: int) -> str:
    """Write a number, or a dash where there is none."""
    return DASH if math.isnan(value) else fixed(value, places)


def count_cell(finding: Finding, number: int) -> str:
    """Write a count; nothing of a withheld finding is told."""
    return DASH if finding.suppressed or not number else count(number)


def clusters_head(findings: Sequence[Finding], words: Words) -> str:
    """Return the head of a column that counts what inference counts: what all rows count, else what the averages do."""
    nouns = {words.cluster(finding.cluster) for finding in findings} - {STUDENT}  # they have a column of their own
    if len(nouns) > 1 and words.cluster() == STUDENT:
        return "Clusters"  # each row says of which kind
    return capital(plural(nouns.pop() if len(nouns) == 1 else words.cluster()))


def clusters_cell(finding: Finding, head: str, words: Words) -> str:
    """Write a count of clusters, with its noun where the column's head has another; "" of students, told beside."""
    if words.cluster(finding.cluster) == STUDENT:
        return ""
    told = count_cell(finding, finding.n_clusters)
    same = told == DASH or head == capital(plural(words.cluster(finding.cluster)))
    return told if same else words.clusters(finding.n_clusters, finding.cluster)


def p_cell(p: float) -> str:
    """Write a p-value without its name; a dash where there is none."""
    return DASH if math.isnan(p) else bare_p(p)


def weighting_words(finding: Finding, words: Words) -> str:
    """Say whom a weighting speaks for."""
    if finding.weighting == "cluster":
        return f"each {words.cluster(finding.cluster)} equally"
    return "each student equally"


def arm_columns(words: Words) -> bool:
    """Whether the table must say which treatment a row is about."""
    return len(words.plan.arms.treatments) > 1


def arms_said(finding: Finding, words: Words) -> str:
    """Say at the end of a head which treatment is held against what, where the plan has several; else nothing."""
    return f" \u00b7 {words.contrast(finding.contrast)}" if arm_columns(words) else ""


def effects_table(averages: Sequence[Finding], words: Words) -> Table:
    """Return the average effects: one row per outcome, treatment and weighting."""
    by_cluster = words.cluster() != STUDENT
    has_percentiles = any(in_percentiles(finding, words) for finding in averages)
    rows: list[Row] = []
    head = ""
    for finding in averages:
        named = capital(words.outcome(outcome_of(finding)))
        if arm_columns(words):
            named += f": {words.contrast(finding.contrast)}"
        if named != head:
            head = named
            rows.append(Row(cells=(f"{named}, in {unit_word(finding, words)}",), tone="group"))
        moved = finding.estimand == "cace"
        label = "those whom the offer moved to take it up" if moved else weighting_words(finding, words)
        cells = [capital(label), estimate_cell(finding, words), size_cell(finding)]
        cells += [percentile_cell(finding, words)] * has_percentiles
        cells += [p_cell(finding.p_value), count_cell(finding, finding.n_units)]
        cells += [count_cell(finding, finding.n_clusters)] * by_cluster
        rows.append(Row(cells=tuple(cells)))
    level = next((f.conf_level for f in averages), 0.95)
    return Table(
        caption="Average effects" if not words.matched else "Average gaps between the arms",
        columns=(
            Column(head="Counting", share=1.5),
            Column(head=f"Estimate ({100 * level:g} % interval)", align="right", share=1.75),
            Column(head="In SD", align="right", share=1.6),
            *[Column(head="Percentile points", align="right", share=1.25)] * has_percentiles,
            Column(head="p", align="right", share=0.55),
            Column(head="Students", align="right", share=0.75),
            *[Column(head=capital(plural(words.cluster())), align="right", share=0.75)] * by_cluster,
        ),
        rows=tuple(rows),
        note=f"{tell_sd(averages, words)}{MOVED * has_percentiles}{tell_own_p(averages)}",
    )


def tell_own_p(averages: Sequence[Finding]) -> str:
    """Say that the table's p are not adjusted, where the sentences go by adjusted ones."""
    family = next((finding for finding in averages if finding.n_tests > 1), None)
    if family is None:
        return ""
    by = f" ({family.adjustment})" if family.adjustment else ""
    return f" p: each row\u2019s own; sentences on exploratory averages go by one adjusted for all of these{by}."


def tell_sd(averages: Sequence[Finding], words: Words) -> str:
    """Say what the outcomes are counted in beside their own units."""
    binary = [words.is_binary(outcome_of(finding)) for finding in averages]
    index = "the Cox index: the difference in log odds, over 1.65"
    if binary and all(binary):
        return f"In SD: of a yes-or-no outcome, {index}."
    also = f"; of yes-or-no outcomes, {index}" if any(binary) else ""
    return f"SD: the outcome's standard deviation over all students of both arms{also}."


def moderator_table(findings: Sequence[Finding], words: Words, *, caption: str, technical: bool) -> Table:
    """Return groups, differences and joint tests, moderator by moderator."""
    rows: list[Row] = []
    head, counted = "", clusters_head(findings, words)
    for finding in findings:
        named = group_head(finding, words)
        if named != head:
            head = named
            rows.append(Row(cells=(named,), tone="group"))
        rows.append(moderator_row(finding, words, counted=counted, technical=technical))
    level = next((f.conf_level for f in findings), 0.95)
    extra = tuple(Column(head=head, align="right", share=0.6) for head in TECHNICAL) if technical else ()
    columns = (
        Column(head="Group or comparison", share=2.2),
        Column(head="Students", align="right", share=0.85),
        Column(head=counted, align="right", share=1.0 if len({f.cluster for f in findings}) > 1 else 0.8),
        Column(head=f"{capital(words.effect)} or difference ({100 * level:g} % interval)", align="right", share=1.9),
        *extra,
        Column(head="In SD", align="right", share=0.65),
        Column(head="Adjusted p", align="right", share=0.8),
        Column(head="Could detect", align="right", share=0.75),
        Column(head="Credibility", share=1.0),
    )
    used = [place for place in range(len(columns)) if any(told(row, place) for row in rows)]
    return Table(
        caption=caption,
        columns=tuple(columns[place] for place in used),
        rows=tuple(row if row.tone == "group" else keep_cells(row, used) for row in rows),
        note=" ".join(
            note for note in (tell_ranges(findings), tell_unjudged(findings), tell_bends(findings, words)) if note
        ),
    )


def tell_ranges(findings: Sequence[Finding]) -> str:
    """Say how ranges and adjusted p go together, where several questions were asked; "" of one question."""
    if not any(finding.n_tests > 1 and math.isfinite(finding.p_adjusted) for finding in findings):
        return ""
    return (
        "A range is for one question at a time and the adjusted p counts all of them, so that a range may leave zero "
        "out and the difference still not be settled."
    )


def tell_unjudged(findings: Sequence[Finding]) -> str:
    """Say why rows with numbers have neither a p nor a grade; "" where each has both."""
    if not any(f.credibility == NOT_ASSESSABLE and FEW_DF in f.notes and not f.suppressed for f in findings):
        return ""
    return (
        f"{capital(NOT_ASSESSABLE)} beside a range: the range rests on fewer than {TOO_FEW_DF:g} degrees of freedom, "
        "too few for a p, however far from zero it lies."
    )


def tell_bends(findings: Sequence[Finding], words: Words) -> str:
    """Name the numbers along which the line runs one way and the outer groups lie the other way."""
    said = []
    for line in findings:
        if line.question != "difference" or not is_slope(line):
            continue
        key = (line.moderator, outcome_of(line), line.contrast)
        groups = [f for f in findings if f.question == "subgroup" and (f.moderator, outcome_of(f), f.contrast) == key]
        known = [f.estimate for f in groups if math.isfinite(f.estimate)]
        if len(known) > 1 and line.estimate * (known[-1] - known[0]) < 0:
            open_too = "" if is_settled(line) else ", and neither is settled"
            named = capital(words.moderator(line.moderator))
            said.append(
                f"{named}: line and groups point different ways; the {words.effect} need not change evenly{open_too}."
            )
    return " ".join(dict.fromkeys(said))


def told(row: Row, place: int) -> bool:
    """Whether a row says something in a column."""
    return row.tone != "group" and row.cells[place] not in ("", DASH)


def keep_cells(row: Row, used: Sequence[int]) -> Row:
    """Return a row with the columns that are in use."""
    return Row(cells=tuple(row.cells[place] for place in used), tone=row.tone)


def group_head(finding: Finding, words: Words) -> str:
    """Return the subheading of a moderator's rows."""
    head = f"{capital(words.moderator(finding.moderator))} \u00b7 {words.outcome(outcome_of(finding))}"
    head += f", in {unit_word(finding, words)}"
    return head + arms_said(finding, words)


def moderator_row(finding: Finding, words: Words, *, counted: str, technical: bool) -> Row:
    """Return one group, difference or joint test; `counted` is the head over its clusters."""
    places = places_of(finding, words)
    is_claim = finding.question in ("difference", "joint")
    label, told = row_label(finding, words), estimate_cell(finding, words)
    if finding.question == "joint" and not finding.suppressed and math.isfinite(finding.statistic):
        told = f"F = {fixed(finding.statistic, 2)} on {fixed(finding.df_num, 0)} and {fixed(finding.df, 1)} df"
    cells = [label, count_cell(finding, finding.n_units), clusters_cell(finding, counted, words), told]
    if technical:
        cells += [number_cell(finding.std_error, places), number_cell(finding.df, 1)]
        cells += [p_cell(finding.p_value), p_cell(finding.p_randomization)] if is_claim else ["", ""]
    cells += [number_cell(finding.effect_size, 2), p_cell(finding.p_adjusted) if is_claim else ""]
    cells += [number_cell(finding.mde, places) if is_claim else "", finding.credibility]
    return Row(cells=tuple(cells), tone="strong" if is_claim and math.isfinite(finding.p_adjusted) else "plain")


def row_label(finding: Finding, words: Words) -> str:
    """Name a row: a group, one group against another, a slope, or all groups at once."""
    if finding.question == "joint":
        return "All groups at once"
    if finding.question == "subgroup":
        return capital(words.level(finding.moderator, finding.level))
    if is_slope(finding):
        return "For each SD more"
    first, second = (words.level(finding.moderator, code) for code in (finding.level, finding.reference))
    return f"Difference: {first} minus {second}"
