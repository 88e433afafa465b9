"""Caveats of what was found: how sure it is, how much was looked at, what could not be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from whoworks.checks.wording import in_words, p_range, to_error, written_p
from whoworks.findings.caveats.arms import of_treatment
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import SETTLED, Finding, Findings
from whoworks.findings.grades.credibility import OTHER_FOLDS
from whoworks.findings.multiplicity.families import EXPLORATORY, WEIGHTING, is_test
from whoworks.findings.searches.omnibus import ALL_MODERATORS
from whoworks.findings.searches.rules import BESIDE
from whoworks.findings.setting import Setting
from whoworks.findings.sites.variation import INSEPARABLE
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.findings.steadiness import Steadiness
from whoworks.language import listed, plural
from whoworks.panel.panel import Panel

MANY_LOOKS = 5  # exploratory tests from which the number is a caveat of its own
UNSTEADY = 0.5  # standard errors that the average moves with the folds, above which it is a caveat


def find_finding_caveats(panel: Panel, settings: Sequence[Setting], findings: Findings) -> Iterator[Caveat]:
    """Apply every rule on what was found."""
    for setting in settings:
        if setting.is_primary:
            yield from _underpowered(panel, setting, findings)
            yield from _unsteady_average(panel, setting, findings)
    yield from _no_differences_found(panel, findings)
    yield from _fragile_over_seeds(panel, findings)
    yield from _informative_size(panel, findings)
    yield from _inseparable_sites(findings)
    yield from _only_exploratory(panel, findings)
    yield from _many_looks(findings)
    yield from _suppressed(panel, findings)


def _find_averages(setting: Setting, findings: Findings) -> tuple[Finding, ...]:
    """Return the setting's average effect of the offer, students counting equally."""
    return findings.where(
        question="average", estimand="itt", weighting="student", outcome=setting.outcome.column,
        wave=setting.outcome.wave, contrast=setting.scores.contrast,
    ).items  # fmt: skip


def _underpowered(panel: Panel, setting: Setting, findings: Findings) -> Iterator[Caveat]:
    outcome, averages = setting.outcome, _find_averages(setting, findings)
    if not averages:
        return
    finding, enough = averages[0], setting.meaningful
    if not finding.mde > enough > 0:  # nothing is named, or meaningful in an outcome that does not vary
        return
    inside = finding.conf_low <= 0 <= finding.conf_high
    reading = "so an average that is not told apart from zero is not evidence of absence" if inside else (
        "so its size is known only roughly"
    )  # fmt: skip
    yield Caveat(
        caveat_id="underpowered", subject=setting.scores.outcome, gravity=1 if inside else 2,
        sentence=f"On {outcome.label}, the smallest average effect{of_treatment(panel, finding.contrast)} that this "
        f"study could have detected four times in five is {so_many_times(finding.mde / enough)} the smallest that "
        f"would matter, {reading}.",
        about=(finding.finding_id,),
    )  # fmt: skip


def so_many_times(ratio: float) -> str:
    """Write a ratio above 1 no more exactly than a reader could follow it from rounded numbers."""
    if ratio < 1.05:
        return "hardly more than"
    return f"{ratio:.1f} times" if ratio < 3 else f"about {ratio:,.0f} times"


def _unsteady_average(panel: Panel, setting: Setting, findings: Findings) -> Iterator[Caveat]:
    """Say how far an average moves with the folds, where that is much of its error, or takes its p across .05."""
    for finding in _find_averages(setting, findings):
        steady = finding.steadiness
        crosses = steady is not None and steady.p_low <= SETTLED < steady.p_high
        if steady is None or not (crosses or steady.shift > UNSTEADY):
            continue
        ends = to_error(steady.estimate_low, finding.std_error), to_error(steady.estimate_high, finding.std_error)
        p = f" (p {p_range(steady.p_low, steady.p_high)})" if np.isfinite(steady.p_low) else ""
        unit = "percentage points" if setting.scale.binary else "points"
        yield Caveat(
            caveat_id="unsteady_average", subject=setting.scores.outcome, gravity=1 if crosses else 2,
            sentence=f"On {setting.outcome.label}, the average effect{of_treatment(panel, finding.contrast)} moves "
            f"with how the {plural(finding.cluster)} are divided to foresee outcomes: over {steady.n + 1} such "
            f"divisions of the same data it runs from {ends[0]} to {ends[1]} {unit}{p}.",
            about=(finding.finding_id,),
        )  # fmt: skip


def _informative_size(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    labels = {(outcome.column, outcome.wave): outcome.label for outcome in panel.plan.outcomes}
    for finding in findings.where(question="difference", moderator="weighting"):
        if finding.p_value <= SETTLED:
            label = labels[finding.outcome, finding.wave]
            yield Caveat(
                caveat_id="informative_size", subject=finding.outcome, gravity=2,
                sentence=f"On {label}, the average effect{of_treatment(panel, finding.contrast)} over students and "
                f"that over {plural(finding.cluster)} differ by more than chance explains: size matters to the effect, "
                "and the two averages answer different questions.",
                about=(finding.finding_id,),
            )  # fmt: skip


def _inseparable_sites(findings: Findings) -> Iterator[Caveat]:
    for finding in findings.where(question="site-variation"):
        for note in finding.notes:
            if INSEPARABLE in note:
                yield Caveat(
                    caveat_id="inseparable_sites", subject=finding.outcome, gravity=2,
                    sentence=f"{note[:1].upper()}{note[1:]}; how large the effect would be elsewhere is left open.",
                    about=(finding.finding_id,),
                )  # fmt: skip


def _no_differences_found(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    planned = [f for f in findings if f.status == "confirmatory" and is_test(f, findings.items)]
    known = [f for f in planned if not np.isnan(f.p_adjusted)]
    tests = [f for f in known if not read_smallest_cell(panel.plan).is_small(f)]
    overall = findings.where(question="heterogeneity", moderator=ALL_MODERATORS).items
    if tests and all(f.p_adjusted > SETTLED for f in tests):
        those = "ranges show" if len(tests) > 1 else "range shows"
        said = (
            f"{none_told_apart(len(planned), len(known), len(tests))} their effects apart. That is not evidence that "
            f"everyone gains alike: the {those} how large a difference could be."
        )
    elif not planned and overall and all(f.p_value > SETTLED for f in overall):
        said = (
            "The test for any difference along the moderators does not tell effects apart. That is not evidence that "
            "everyone gains alike: a study of this size sees large differences only."
        )
    else:
        return
    about = () if planned else tuple(f.finding_id for f in overall)
    yield Caveat(caveat_id="no_differences_found", subject="", gravity=1, sentence=said, about=about)


def none_told_apart(n_planned: int, n_made: int, n_shown: int) -> str:
    """Begin the sentence on planned comparisons that found nothing: how many were planned, made and may be shown."""
    if n_made < n_planned:
        could = "could be made" if n_shown == n_made else "could be made and shown"
        those = "the one" if n_shown == 1 else f"{none_of(n_shown)[0].lower()}{none_of(n_shown)[1:]}"
        does = "does not tell" if n_shown == 1 else "tells"
        return f"Of the {in_words(n_planned)} planned comparisons of groups, {those} that {could} {does}"
    shown = "" if n_shown == n_made else " that can be shown"
    if n_shown == 1:
        return f"The planned comparison of groups{shown} does not tell"
    return f"{none_of(n_shown)} planned comparisons of groups{shown} tells"


def none_of(n: int) -> str:
    """Begin a sentence on two or more of which none does something: ``Neither of the two``, ``None of the 12``."""
    return "Neither of the two" if n == 2 else f"None of the {in_words(n)}"


def _many_looks(findings: Findings) -> Iterator[Caveat]:
    looks = max((f.n_tests for f in findings if f.family == EXPLORATORY), default=0)
    if looks >= MANY_LOOKS:
        yield Caveat(
            caveat_id="many_looks", subject="", gravity=2,
            sentence=f"{looks} exploratory comparisons were looked at. Some will look striking by chance; they are "
            "adjusted together and suggest what to test next, no more.",
        )  # fmt: skip


def _only_exploratory(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    named = [moderator for moderator in panel.plan.moderators if moderator.planned]
    if not named and any(f.moderator and f.moderator != WEIGHTING for f in findings):
        yield Caveat(
            caveat_id="only_exploratory", subject="", gravity=2,
            sentence="No group was singled out before outcomes were seen, so that whatever is said about groups is a "
            "suggestion for a later study, however sure it looks.",
        )  # fmt: skip


def _suppressed(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    groups = findings.where(question="subgroup", weighting="student").items
    rule = read_smallest_cell(panel.plan)
    small = [f for f in groups if rule.is_small(f)]
    if not small:
        return
    shown = {f.moderator for f in groups if not rule.is_small(f)}
    whole = [f for f in small if f.moderator not in shown]
    some = [f for f in small if f.moderator in shown]
    said = f"Groups of {name_moderators(panel, whole)} are too small to be shown" if whole else ""
    if some:
        said += ", and so are some of " if whole else "Some groups of "
        said += name_moderators(panel, some) + " are too small to be shown" * (not whole)
        said += f" ({name_groups(panel, some)})"
    yield Caveat(
        caveat_id="suppressed", subject="", gravity=2,
        sentence=f"{said}: the report is silent on them, and that says nothing about how they fared.",
    )  # fmt: skip


def name_moderators(panel: Panel, groups: Sequence[Finding]) -> str:
    """Name the moderators that some groups are of."""
    return listed([panel.variable(name).label or name for name in dict.fromkeys(f.moderator for f in groups)])


def name_groups(panel: Panel, groups: Sequence[Finding]) -> str:
    """Name some groups, by treatment where the study has several: ``coaching: town; tutoring: city and town``."""
    arms: dict[str, dict[str, None]] = {}
    for f in groups:
        variable = panel.variable(f.moderator)
        words = dict(zip(variable.levels, variable.level_labels, strict=False))
        treatment = of_treatment(panel, f.contrast).removeprefix(" of ")
        arms.setdefault(treatment, {})[words.get(f.level) or f.level] = None
    return "; ".join(f"{arm}: {listed(list(names))}" if arm else listed(list(names)) for arm, names in arms.items())


def _fragile_over_seeds(panel: Panel, findings: Findings) -> Iterator[Caveat]:
    told_of = [f for f in findings if f.credibility and not read_smallest_cell(panel.plan).is_small(f)]
    fragile = [(f, f.steadiness) for f in told_of if f.steadiness and turns(f, f.steadiness)]
    if not fragile:
        return
    names = {moderator.name: moderator.label for moderator in panel.plan.moderators}
    told = [
        f"{' and '.join(names.get(name, name) for name in f.moderator.split(BESIDE))} "
        f"({p_range(*s.adjusted_ends(f.p_adjusted))})"
        for f, s in fragile
    ]
    is_planned = any(f.status == "confirmatory" for f, _ in fragile)
    word, n_tries = plural(fragile[0][0].cluster), fragile[0][1].n + 1
    yield Caveat(
        caveat_id="fragile_over_seeds", subject="", gravity=1 if is_planned else 2,
        sentence=f"Borderline: whether the effect differs by {listed(told)}. Dividing the {word} otherwise, to foresee "
        f"outcomes, moves the adjusted p: in brackets its range over {n_tries} such divisions of the same data; up to "
        f"{written_p(SETTLED)} counts as settled.",
    )  # fmt: skip


def turns(finding: Finding, steadiness: Steadiness) -> bool:
    """Tell whether some deal puts a claim on the other side of 0.05, or into a lower grade."""
    own = finding.p_adjusted <= SETTLED
    other_side = any((p <= SETTLED) != own for p in steadiness.p_adjusted if not np.isnan(p))
    return other_side or any(OTHER_FOLDS in cap for cap in finding.caps)
