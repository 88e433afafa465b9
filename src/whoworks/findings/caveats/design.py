"""Caveats of how the study was made: its arms, its clusters and its places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from whoworks.checks.wording import counted
from whoworks.design.design import differs_within
from whoworks.design.levels import count_distinct
from whoworks.findings.caveats.arms import treatment_of
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Findings
from whoworks.findings.setting import FEW_CLUSTERS, Setting
from whoworks.findings.sites.profile import INDEX, TARGET, place_word
from whoworks.inference.likeness import grade_likeness
from whoworks.language import plural
from whoworks.panel.arms import NO_ARM, OTHER_ARM
from whoworks.panel.ledger import EXCLUDED, RECEIVED
from whoworks.panel.panel import Panel, Role

DOMINANT = 0.25  # share of the analysed students in one site above which it dominates, if twice an equal share too
OF_FEW = 0.75  # the same where twice an equal share is more, of two or three sites
MOST = 0.5  # share of them in one site above which findings speak mostly of it
LEFT = 0.10  # share of the rows received that leave for want of an arm, above which it is a caveat
FEW_IN_A_BLOCK = 2  # clusters of an arm in a block, up to which a large one hardly counts more than a small one there
UNLIKE_SIZES = 0.30  # standard deviation of clusters' sizes over their mean, above which that matters


def find_design_caveats(panel: Panel, settings: Sequence[Setting], findings: Findings) -> Iterator[Caveat]:
    """Apply every rule on how the study was made."""
    yield from _matched(panel)
    yield from _without_arm(panel)
    yield from _few_clusters(settings, findings)
    for setting in settings:
        if setting.is_main:
            yield from _simpler_engine(panel, setting)
            yield from _adaptive(panel, setting)
            yield from _dominant_site(setting)
            yield from _unlike_sizes(setting)
    yield from _unlike_target(panel, findings)
    for setting in settings:
        yield from _no_prognosis(panel, setting)
    yield from _places(panel, settings)


def _few_clusters(settings: Sequence[Setting], findings: Findings) -> Iterator[Caveat]:
    """Say of each arm that has few clusters that it has, about all averages it enters; the main comparison first."""
    few: dict[tuple[str, int], list[str]] = {}
    for setting in settings:
        if not (setting.is_primary and setting.has_few_clusters):
            continue
        averages = findings.where(
            question="average", outcome=setting.outcome.column, wave=setting.outcome.wave,
            contrast=setting.scores.contrast,
        )  # fmt: skip
        treated, control = setting.n_clusters(setting.treated), setting.n_clusters(setting.control)
        arms = {f"under {treatment_of(setting)}": treated, f"under {setting.design.arm_labels[0]}": control}
        if treated == control and len(setting.design.arms) == 2:
            arms = {"in each arm": treated}
        for where, n in sorted(arms.items(), key=lambda each: each[1]):
            if n < FEW_CLUSTERS:
                few.setdefault((where, n), []).extend(average.finding_id for average in averages)
    for (where, n), about in few.items():
        yield Caveat(
            caveat_id="few_clusters", subject="", gravity=1,
            sentence=f"There {'is' if n == 1 else 'are'} only {counted(n, settings[0].design.cluster_level)} "
            f"{where}. With fewer than {FEW_CLUSTERS} the range is wide and rests on assumptions; the p-value from "
            "re-drawing the assignment is printed beside it.",
            about=tuple(dict.fromkeys(about)),
        )  # fmt: skip


def _dominant_site(setting: Setting) -> Iterator[Caveat]:
    site = setting.scores.site
    if site is None:
        return
    held = np.bincount(site)
    share = held.max() / len(site)
    if share > max(DOMINANT, min(2 / np.count_nonzero(held), OF_FEW)):
        so = "so the findings speak mostly of it" if share > MOST else "so it weighs more than any other"
        yield Caveat(
            caveat_id="dominant_site", subject="", gravity=2,
            sentence=f"One {setting.design.site_level} holds {100 * share:.0f} in 100 of the students analysed, {so}.",
        )  # fmt: skip


def _unlike_sizes(setting: Setting) -> Iterator[Caveat]:
    """Speak where clusters of unlike size are drawn in small blocks.

    The difference of two arms' means in a pair weighs both clusters alike, whichever is
    offered the programme: over draws the effect of the larger one counts no more. With k
    clusters of an arm in a block about 1 / (2 k) of what size does to the average is lost.
    """
    scores, either = setting.scores, setting.either
    size = np.bincount(scores.cluster[either])
    size = size[size > 0]
    if scores.block.max(initial=0) == 0 or size.max() == 1 or size.std() <= UNLIKE_SIZES * size.mean():
        return
    n_blocks = int(scores.block.max()) + 1
    held = [
        count_distinct(within=scores.block[arm], codes=scores.cluster[arm], n=n_blocks)
        for arm in (setting.treated, setting.control)
    ]
    fewest = np.minimum(*held)
    if np.median(fewest[fewest > 0]) <= FEW_IN_A_BLOCK:
        block, words = setting.design.block_level, plural(setting.design.cluster_level)
        yield Caveat(
            caveat_id="unlike_sizes", subject="", gravity=2,
            sentence=f"Each {block} holds few {words}, and {words} differ much in size. Within a {block} a large one "
            "counts hardly more than a small one: if size matters to the effect, what is told of the average student "
            f"lies between that student's effect and the average {setting.design.cluster_level}'s.",
        )  # fmt: skip


def _places(panel: Panel, settings: Sequence[Setting]) -> Iterator[Caveat]:
    largest = list(panel.plan.levels)[-1] if panel.plan.levels else ""
    analysed = next((setting.scores.rows for setting in settings if setting.is_main), slice(None))
    if largest and largest != "student":
        n = panel.units[largest].iloc[analysed].nunique()
        yield Caveat(
            caveat_id="who_these_are", subject="", gravity=3,
            sentence=f"The findings speak of the {n:,} {plural(largest)} that took part, which were not drawn at "
            "random from any others; elsewhere effects may be larger or smaller.",
        )  # fmt: skip


def _unlike_target(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    compared = [finding for finding in findings.where(question=TARGET) if np.isfinite(finding.estimate)]
    widest = max(
        (f for f in compared if f.level != INDEX), key=lambda f: np.nan_to_num(abs(f.effect_size)), default=None
    )
    for finding in (f for f in compared if f.level == INDEX):
        grade = grade_likeness(finding.estimate)
        if grade in ("medium", "low") and widest is not None:
            places = plural(place_word(panel))
            yield Caveat(
                caveat_id="unlike_target", subject=widest.moderator, gravity=1 if grade == "low" else 2,
                sentence=f"The {places} of this study {'are unlike' if grade == 'low' else 'resemble only in part'} "
                f"{finding.reference}; they differ most in {panel.variable(widest.moderator).label}. Effects there may "
                "be larger or smaller, as far as they depend on what differs.",
                about=(finding.finding_id, widest.finding_id),
            )  # fmt: skip


def _matched(panel: Panel) -> Iterator[Caveat]:
    if panel.plan.design.kind == "matched":
        yield Caveat(
            caveat_id="matched", subject="", gravity=1,
            sentence="Nobody was randomised: groups were matched on what was measured, and may differ in what was not.",
        )  # fmt: skip


def _without_arm(panel: Panel) -> Iterator[Caveat]:
    received = sum(entry.n_rows for entry in panel.ledger.entries if entry.step == RECEIVED)
    left = [entry for entry in panel.ledger.entries if entry.step == EXCLUDED]
    if sum(entry.n_rows for entry in left if entry.reason == NO_ARM) > LEFT * received:
        yield Caveat(
            caveat_id="no_arm", subject="", gravity=2,
            sentence="More than one in ten of the rows received name no arm and were left out. Whoever was assigned "
            "belongs to the comparison: if an arm was lost from some records, the arms are no longer as they were "
            "drawn.",
        )  # fmt: skip
    if sum(entry.n_rows for entry in left if entry.reason.startswith(OTHER_ARM)) > LEFT * received:
        yield Caveat(
            caveat_id="other_arms", subject="", gravity=3,
            sentence="More than one in ten of the rows received name an arm that the plan does not compare, and were "
            "left out. If that is an arm of the plan under another name, part of that arm is missing here.",
        )  # fmt: skip


def _simpler_engine(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    from whoworks.forests.choice import CLUSTERS_FOR_ANY, CLUSTERS_FOR_FOREST  # compiled code: loaded when needed

    n = setting.fewest_clusters(setting.everyone)
    asked = panel.plan.analysis.engine != "none" and bool(panel.plan.moderators or setting.outcome.baseline)
    if not asked or n >= CLUSTERS_FOR_FOREST:
        return
    word = plural(setting.design.cluster_level)
    fewest = CLUSTERS_FOR_FOREST if n >= CLUSTERS_FOR_ANY else CLUSTERS_FOR_ANY
    instead = (
        "a model of straight lines took its place, which sees neither bends nor combinations of moderators"
        if n >= CLUSTERS_FOR_ANY
        else "no effects were predicted and no groups were sorted by them"
    )
    yield Caveat(
        caveat_id="simpler_engine", subject="", gravity=2,
        sentence=f"With fewer than {fewest} {word} in an arm no forest could be grown: {instead}.",
    )  # fmt: skip


def _no_prognosis(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    measured = any(panel.having(role) for role in (Role.BASELINE, Role.MODERATOR, Role.COVARIATE))
    if setting.scores.h is None and measured:
        word = plural(setting.design.cluster_level)
        why = (
            f"what was measured before assignment foretold nothing in {word} that the model had not seen"
            if setting.scores.has_folds
            else setting.why_no_folds
        )
        yield Caveat(
            caveat_id="no_prognosis", subject=setting.scores.outcome, gravity=3,
            sentence=f"On {setting.outcome.label}, estimates are plain differences between arms, and ranges wider than "
            f"they might be: {why}.",
        )  # fmt: skip


def _adaptive(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    design, stated = setting.design, panel.plan.design.probability
    if panel.plan.design.kind == "matched" or not isinstance(stated, str) or stated == "blocks":
        return
    chance = design.probability[:, 1]
    if differs_within(chance, design.block):
        same = f" of the same {design.block_level}" if design.block_level else ""
        yield Caveat(
            caveat_id="adaptive_assignment", subject="", gravity=2,
            sentence=f"The chance of being given {design.arm_labels[1]} differed between students{same}, from "
            f"{chance.min():.2f} to {chance.max():.2f}, for reasons that the plan does not name. If it followed "
            "results that came in during the study, the ranges are approximate.",
        )  # fmt: skip
