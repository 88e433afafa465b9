"""What stands beside the planned differences: gaps, crossings, splits, projections, and second looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from whoworks.findings.finding import Finding
from whoworks.findings.planned.contrasts import AGREE, BETWEEN, is_split
from whoworks.findings.planned.crossed import DIFFERENCE, SAME
from whoworks.language import plural
from whoworks.report.amounts import level_word, outcome_places, places_of, unit_word
from whoworks.report.companions import other_group
from whoworks.report.document import Block, Bullets, Column, Heading, Paragraph, Row, Table
from whoworks.report.labels import Words, capital
from whoworks.report.numbers import fixed, percent, ranged
from whoworks.report.phrases import is_slope
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.tables import DASH, arms_said, count_cell, estimate_cell, p_cell, row_label

LEAST_SHARE = 0.005


def companion_blocks(chosen: Selection, words: Words) -> list[Block]:
    """Return what stands beside the differences of the main outcome and treatment; nothing where there is none."""
    main = chosen.main
    if main is None:
        return []
    subject = (main.outcome, main.wave, main.contrast)
    beside = [f for f in chosen.companions if (f.outcome, f.wave, f.contrast) == subject]
    planned = [f for f in chosen.planned if (f.outcome, f.wave, f.contrast) == subject]
    blocks: list[Block] = []
    for title, told in (
        ("Gaps between groups", [f for f in beside if f.question == "gap"]),
        ("For whom, and where", [f for f in beside if f.quantity in (DIFFERENCE, SAME)]),
    ):
        if told:
            blocks += [Heading(text=title), Bullets(items=tuple(("", tell(f, words)) for f in told))]
    blocks += split_blocks([f for f in beside if is_split(f)], words)
    blocks += projection_blocks([f for f in beside if f.question == "projection"], words)
    return blocks + look_blocks([f for f in planned if f.robustness is not None and not f.suppressed], words)


def split_blocks(splits: Sequence[Finding], words: Words) -> list[Block]:
    """Return each student-level difference within and between classes, and whether they agree."""
    if not splits:
        return []
    carrier = words.plan.design.assigned
    text = (
        f"The {words.effect} may differ between students of one {carrier}, and between {plural(carrier)} with more and "
        f"fewer such students; the plain difference mixes the two."
    )
    rows = []
    for finding in splits:
        if finding.level == AGREE or finding.level.startswith(BETWEEN):
            continue
        same = [f for f in splits if f.moderator == finding.moderator]
        between = next(f for f in same if f.level.startswith(BETWEEN))
        agree = next(f for f in same if f.level == AGREE)
        cells = (estimate_cell(finding, words), estimate_cell(between, words), p_cell(agree.p_value))
        rows.append(Row(cells=(f"{capital(words.moderator(finding.moderator))}: {sides_of(finding, words)}", *cells)))
    unit, level = unit_word(splits[0], words), level_word(splits[0])
    table = Table(
        caption=f"Differences within and between {plural(carrier)}, in {unit}: description"
        f"{arms_said(splits[0], words)}",
        columns=(
            Column(head="Moderator", share=2.0),
            Column(head=f"Within a {carrier} ({level})", align="right", share=1.6),
            Column(head=f"Between {plural(carrier)} ({level})", align="right", share=1.6),
            Column(head="p, that they agree", align="right", share=1.0),
        ),
        rows=tuple(rows),
        note=tell_alone(carrier) if any(not is_slope(f) for f in splits) else "",
    )
    return [Heading(text=f"Within a {carrier}, and between {plural(carrier)}"), Paragraph(text=text), table]


def sides_of(split: Finding, words: Words) -> str:
    """Say what a contrast within or between compares: one group minus the other, or an SD more."""
    if is_slope(split):
        return "for each SD more"
    first, second = (words.level(split.moderator, code) for code in (other_group(split, words), split.reference))
    return f"{first} minus {second}"


def tell_alone(carrier: str) -> str:
    """Say what a difference between classes is of two groups."""
    return (
        f"Between {plural(carrier)}, of two groups: a {carrier} of one group alone against a {carrier} of the other "
        f"alone, which is further apart than most {plural(carrier)} are."
    )


def projection_blocks(projected: Sequence[Finding], words: Words) -> list[Block]:
    """Return the differences with all other moderators held fixed."""
    if not projected:
        return []
    rows = [
        Row(
            cells=(
                label_of(f, words),
                count_cell(f, f.n_units),
                estimate_cell(f, words),
            )
        )
        for f in projected
    ]
    notes = dict.fromkeys(note for f in projected for note in f.notes)
    table = Table(
        caption=f"All moderators at once: differences in {words.effect} with the others held fixed, in "
        f"{unit_word(projected[0], words)}{arms_said(projected[0], words)}",
        columns=(
            Column(head="Moderator", share=3.0),
            Column(head="Students", align="right", share=0.8),
            Column(head=f"Difference ({level_word(projected[0])})", align="right", share=1.8),
        ),
        rows=tuple(rows),
        note=" ".join(f"{capital(note)}." for note in notes),
    )
    text = "Moderators go together. Here each stands net of the others, linearly; none of this is a test or a cause."
    return [Heading(text="Which differences are left when the others are held fixed"), Paragraph(text=text), table]


def look_blocks(looked: Sequence[Finding], words: Words) -> list[Block]:
    """Return the second looks at each planned difference."""
    if not looked:
        return []
    rows = tuple(look_row(finding, words) for finding in looked)
    truth = name_truth(looked, words)
    columns = (
        Column(head="Difference", share=2.2),
        Column(head="On ranks, percentile points (interval)", align="right", share=1.7),
        Column(head="p on ranks", align="right", share=0.7),
        Column(head="Ratio of odds ratios (interval)", align="right", share=1.5),
        Column(head="p on log odds", align="right", share=0.7),
        Column(head="Adjusted p, bootstrap", align="right", share=0.9),
        Column(head="Adjusted p, other folds", align="right", share=0.9),
        Column(head=f"{capital(truth)}: wrong sign", align="right", share=0.85),
        Column(head=f"{capital(truth)}: too large by", align="right", share=0.85),
        Column(head="Without measurement error", align="right", share=1.5),
    )
    used = [i for i in range(len(columns)) if i == 0 or any(row.cells[i] != DASH for row in rows)]
    table = Table(
        caption=f"Second looks at the planned differences{arms_said(looked[0], words)}",
        columns=tuple(columns[i] for i in used),
        rows=tuple(Row(cells=tuple(row.cells[i] for i in used)) for row in rows),
        note=tell_looks(looked, truth),
    )
    return [Heading(text="How the differences hold up"), table]


def name_truth(looked: Sequence[Finding], words: Words) -> str:
    """Name the true difference for which the two rates hold: what the plan calls meaningful, or half the estimate."""
    looks = [f.robustness for f in looked if f.robustness is not None]
    if any(look.assumed_from == "half" for look in looks):
        return "if half as large"
    known = (look.assumed for look in looks if math.isfinite(look.assumed))
    told = dict.fromkeys(fixed(assumed, outcome_places(looked[0], words)) for assumed in known)
    return f"if truly {' or '.join(told)} {unit_word(looked[0], words)}"


def tell_looks(looked: Sequence[Finding], truth: str) -> str:
    """Say what the second looks assume; `truth` names the true difference for which the two rates hold."""
    looks = [f.robustness for f in looked if f.robustness is not None]
    is_half = any(look.assumed_from == "half" for look in looks)
    assumed = "half of what was estimated" if is_half else "what the plan calls meaningful"
    said = (
        f"{capital(truth)}: were the true difference only {assumed}, an estimate this precise whose range leaves out "
        "zero would have the wrong sign so often, and be so many times too large on average. That is not to say that "
        "the estimate here is too large."
    )
    if any(p_range(finding) != DASH for finding in looked):
        said += " Adjusted p, other folds: its range over all divisions on which the prognosis was learned."
    if all(math.isnan(look.min_p) for look in looks):
        return said
    return (
        f"{said} Adjusted p, bootstrap: step-down min-p over the planned tests by a wild cluster bootstrap; the grade "
        "rests on the other adjusted p."
    )


def label_of(finding: Finding, words: Words) -> str:
    """Name a difference in a table that is not divided by moderator."""
    label = row_label(finding, words).removeprefix("Difference: ")
    if is_slope(finding):
        label = label[:1].lower() + label[1:]
    return f"{capital(words.moderator(finding.moderator))}: {label}"


def p_range(finding: Finding) -> str:
    """Return the range of the adjusted p over the prognosis's other folds and its own."""
    steady = finding.steadiness
    known = [p for p in (() if steady is None else (*steady.p_adjusted, finding.p_adjusted)) if math.isfinite(p)]
    if not known:
        return DASH
    low, high = (p_cell(p) for p in (min(known), max(known)))
    return low if low == high else f"{low} to {high}"


def rarely(share: float) -> str:
    """Write a share as a percentage; one that rounds to nothing is not nothing."""
    return "under 1 %" if share < LEAST_SHARE else percent(share)


def times_too_large(ratio: float) -> str:
    """Write how many times too large an estimate would be; one that rounds to once is not too large."""
    told = fixed(ratio, 1)
    return "not too large" if told == "1.0" else f"{told} times"


def look_row(finding: Finding, words: Words) -> Row:
    """Return the second looks at one difference; of one that a joint test stands for, no look that judges it alone."""
    looks = finding.robustness
    assert looks is not None
    if not finding.family:
        looks = replace(looks, rank_p=math.nan, logit_p=math.nan, wrong_sign=math.nan, exaggeration=math.nan)
    ranks = odds = corrected = DASH
    if math.isfinite(looks.rank_estimate):
        ranks = ranged(looks.rank_estimate, looks.rank_low, looks.rank_high, 1)
    if math.isfinite(looks.logit_estimate):
        odds = ranged(math.exp(looks.logit_estimate), math.exp(looks.logit_low), math.exp(looks.logit_high), 2)
    if math.isfinite(looks.corrected):
        corrected = ranged(looks.corrected, looks.corrected_low, looks.corrected_high, places_of(finding, words))
    wrong = DASH if math.isnan(looks.wrong_sign) else rarely(looks.wrong_sign)
    times = DASH if math.isnan(looks.exaggeration) else times_too_large(looks.exaggeration)
    return Row(
        cells=(
            label_of(finding, words),
            ranks,
            p_cell(looks.rank_p),
            odds,
            p_cell(looks.logit_p),
            p_cell(looks.min_p),
            p_range(finding),
            wrong,
            times,
            corrected,
        )
    )
