"""Caveats: derived from checks, design and findings by rules, never typed. One rule, one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from whoworks.checks.verdict import Check, Verdict
from whoworks.design.levels import plural
from whoworks.findings.families import EXPLORATORY, is_test
from whoworks.findings.finding import Findings
from whoworks.findings.setting import FEW_CLUSTERS, Setting
from whoworks.findings.site_profile import INDEX, TARGET, place_word
from whoworks.findings.sites import INSEPARABLE
from whoworks.inference.likeness import grade_likeness
from whoworks.panel.panel import Panel, Role

DOMINANT = 0.25  # share of the analysed students in one site above which it dominates
MANY_LOOKS = 5  # exploratory tests from which the number is a caveat of its own
INFORMATIVE = 0.05  # p of the difference between weightings
LITTLE_TAKEUP = 50.0  # percentage points that the offer moves take-up, below which it is a caveat

FROM_CHECKS = {
    "attrition": 1,
    "cluster_attrition": 1,
    "balance": 1,
    "sample_ratio": 1,
    "clusters": 1,
    "cluster_sizes": 2,
    "overlap": 2,
    "interference": 2,
    "ceiling_floor": 2,
    "distinct_values": 2,
}  # gravity of a failed check; a warning weighs one less


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """One consequence for the reader.

    `caveat_id` names the rule, `subject` what it concerns ("" for the whole study,
    or an outcome's or moderator's name), `gravity` orders them: 1 changes how
    page 1 is read, 2 belongs in the body, 3 is small print.
    """

    caveat_id: str
    subject: str
    gravity: int
    sentence: str


def find_caveats(
    panel: Panel, settings: Sequence[Setting], checks: Sequence[Check], findings: Findings
) -> tuple[Caveat, ...]:
    """Apply every rule, and order the caveats by gravity, then by rule."""
    found = [*_from_checks(checks)]
    for setting in settings:
        if setting.is_primary:
            found += [*_few_clusters(setting), *_underpowered(setting, findings), *_dominant_site(setting)]
    found += [
        *_declared_before(panel), *_informative_size(findings), *_takeup(findings),
        *_inseparable_sites(findings), *_no_differences_found(findings), *_many_looks(findings), *_places(panel),
        *_unlike_target(panel, findings), *_matched(panel),
    ]  # fmt: skip
    unique = {(caveat.caveat_id, caveat.subject): caveat for caveat in found}
    return tuple(sorted(unique.values(), key=lambda caveat: caveat.gravity))


def _from_checks(checks: Sequence[Check]) -> Iterator[Caveat]:
    for check in checks:
        gravity = FROM_CHECKS[check.check_id]
        if check.verdict is Verdict.FAIL or check.verdict is Verdict.ERROR:
            yield Caveat(caveat_id=check.check_id, subject=check.subject, gravity=gravity, sentence=check.sentence)
        elif check.verdict is Verdict.WARN and check.check_id != "clusters":
            yield Caveat(
                caveat_id=check.check_id, subject=check.subject, gravity=min(gravity + 1, 3), sentence=check.sentence
            )  # fmt: skip


def _few_clusters(setting: Setting) -> Iterator[Caveat]:
    if setting.has_few_clusters:
        n = min(setting.n_clusters(setting.treated), setting.n_clusters(setting.control))
        word = plural(setting.design.cluster_level)
        yield Caveat(
            caveat_id="few_clusters", subject="", gravity=1,
            sentence=f"One arm has only {n} {word}. With fewer than {FEW_CLUSTERS} the range is wide and rests on "
            f"assumptions; the p-value from re-drawing the assignment is printed beside it.",
        )  # fmt: skip


def _underpowered(setting: Setting, findings: Findings) -> Iterator[Caveat]:
    outcome = setting.outcome
    averages = findings.where(
        question="average", estimand="itt", weighting="student", outcome=outcome.column, wave=outcome.wave,
        contrast=setting.scores.contrast,
    )  # fmt: skip
    if outcome.meaningful is None or not averages.items:
        return
    finding = averages.items[0]
    scale = {"sd": setting.scale.sd * (100 if setting.scale.binary else 1), "units": 1.0, "points": 1.0}
    meaningful = outcome.meaningful * scale[outcome.meaningful_in]
    if not finding.mde > meaningful:
        return
    inside = finding.conf_low <= 0 <= finding.conf_high
    reading = "so an average that is not told apart from zero is not evidence of absence" if inside else (
        "so its size is known only roughly"
    )  # fmt: skip
    yield Caveat(
        caveat_id="underpowered", subject=setting.scores.outcome, gravity=1 if inside else 2,
        sentence=f"On {outcome.label}, the smallest average effect this study could have detected four times in "
        f"five is {finding.mde / meaningful:.1f} times the smallest that would matter, {reading}.",
    )  # fmt: skip


def _dominant_site(setting: Setting) -> Iterator[Caveat]:
    site = setting.scores.site
    if site is None:
        return
    share = np.bincount(site).max() / len(site)
    if share > DOMINANT:
        yield Caveat(
            caveat_id="dominant_site", subject="", gravity=2,
            sentence=f"One {setting.design.site_level} holds {100 * share:.0f} in 100 of the students analysed, "
            f"so the findings speak mostly of it.",
        )  # fmt: skip


def _declared_before(panel: Panel) -> Iterator[Caveat]:
    timed = {variable.name for variable in panel.variables if variable.wave}
    if any(variable.name not in timed for variable in panel.having(Role.MODERATOR)):
        yield Caveat(
            caveat_id="declared_before", subject="", gravity=3,
            sentence="That the moderators were measured before assignment is the plan's declaration; "
            "the records carry no date that could confirm it.",
        )  # fmt: skip


def _informative_size(findings: Findings) -> Iterator[Caveat]:
    for finding in findings.where(question="difference", moderator="weighting"):
        if finding.p_value <= INFORMATIVE:
            yield Caveat(
                caveat_id="informative_size", subject=finding.outcome, gravity=2,
                sentence="The average over students and the average over "
                f"{plural(finding.cluster)} differ by more than chance explains: size matters to the effect, "
                "and the two averages answer different questions.",
            )  # fmt: skip


def _takeup(findings: Findings) -> Iterator[Caveat]:
    for finding in findings.where(question="takeup"):
        if finding.estimate < LITTLE_TAKEUP:
            yield Caveat(
                caveat_id="little_takeup", subject="", gravity=2,
                sentence=f"The offer moved take-up by {finding.estimate:.0f} percentage points: what was tested is "
                "an offer that many did not act on, or that others had anyway.",
            )  # fmt: skip


def _inseparable_sites(findings: Findings) -> Iterator[Caveat]:
    for finding in findings.where(question="site-variation"):
        for note in finding.notes:
            if INSEPARABLE in note:
                yield Caveat(
                    caveat_id="inseparable_sites", subject=finding.outcome, gravity=2,
                    sentence=f"{note[:1].upper()}{note[1:]}; how large the effect would be elsewhere is left open.",
                )  # fmt: skip


def _no_differences_found(findings: Findings) -> Iterator[Caveat]:
    planned = [f for f in findings if f.status == "confirmatory" and is_test(f, findings.items)]
    tests = [f for f in planned if not np.isnan(f.p_adjusted)]
    if tests and all(f.p_adjusted > 0.05 for f in tests):
        yield Caveat(
            caveat_id="no_differences_found", subject="", gravity=1,
            sentence=f"None of the {len(tests)} planned comparisons of groups tells their effects apart. That is not "
            "evidence that everyone gains alike: the ranges show how large a difference could be."
            if len(tests) > 1
            else "The planned comparison of groups does not tell their effects apart. That is not evidence that "
            "everyone gains alike: the range shows how large a difference could be.",
        )  # fmt: skip


def _many_looks(findings: Findings) -> Iterator[Caveat]:
    looks = max((f.n_tests for f in findings if f.family == EXPLORATORY), default=0)
    if looks >= MANY_LOOKS:
        yield Caveat(
            caveat_id="many_looks", subject="", gravity=2,
            sentence=f"{looks} exploratory comparisons were looked at. Some will look striking by chance; they are "
            "adjusted together and suggest what to test next, no more.",
        )  # fmt: skip


def _places(panel: Panel) -> Iterator[Caveat]:
    largest = list(panel.plan.levels)[-1] if panel.plan.levels else ""
    if largest and largest != "student":
        n = panel.units[largest].nunique()
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
            )  # fmt: skip


def _matched(panel: Panel) -> Iterator[Caveat]:
    if panel.plan.design.kind == "matched":
        yield Caveat(
            caveat_id="matched", subject="", gravity=1,
            sentence="Nobody was randomised: groups were matched on what was measured, and may differ in what was not.",
        )  # fmt: skip
