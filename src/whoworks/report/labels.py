"""The plan's words for its codes: where a label exists, no code is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from whoworks.checks.balance import SATISFIED, WITH_ADJUSTMENT, find_widest
from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import written_size
from whoworks.findings.finding import Finding
from whoworks.language import plural
from whoworks.panel.panel import Variable
from whoworks.plan.moderators import Moderator
from whoworks.plan.outcomes import Outcome
from whoworks.plan.plan import Plan
from whoworks.report.evidence import Evidence

STUDENT = "student"

CHECK_WORDS = {
    "attrition": "Outcomes missing",
    "cluster_attrition": "Whole clusters missing",
    "group_attrition": "Outcomes missing by group",
    "balance": "Balance before assignment",
    "one_arm": "Found in one arm only",
    "clusters": "Number of clusters",
    "cluster_sizes": "Sizes of clusters",
    "overlap": "Chance of each arm",
    "sample_ratio": "Shares of the arms",
    "interference": "Arms side by side",
    "ceiling_floor": "Ceiling and floor of the outcome",
    "distinct_values": "Values of the outcome",
    "far_values": "Values far from all others",
}

CONCERNS = {
    "attrition": "more outcomes are missing than is safe",
    "cluster_attrition": "more {assigned} have no outcome at all than is safe",
    "group_attrition": "in some groups the arms lost outcomes unequally",
    "balance": "the arms were not alike before assignment",
    "one_arm": "something said to be measured before assignment is found in one arm only",
    "clusters": "few {clusters} stand behind the ranges",
    "cluster_sizes": "some {clusters} are far larger than others, or hold a single student",
    "overlap": "some had little chance of one of the arms",
    "sample_ratio": "the arms are not as large as the plan's chances make them",
    "interference": "different arms shared the same {places}",
    "ceiling_floor": "many scores are at the top or the bottom of the scale",
    "distinct_values": "the outcome takes few values",
    "far_values": "some values look like codes for what was not measured",
}

DOMINATED = "in an arm one {cluster} is far larger than the others"
SINGLE = "at least one {cluster} holds a single student"
DIFFERED = "before assignment the arms differed in "
MOST_NAMED = 60  # letters of a trait named among concerns

STATUS_WORDS = {"confirmatory": "planned", "exploratory": "exploratory", "descriptive": "description"}


def outcome_of(finding: Finding) -> str:
    """Return a finding's outcome under the name the plan knows it by: its column, and its wave where it has one."""
    return f"{finding.outcome}@{finding.wave}" if finding.wave else finding.outcome


def capital(text: str) -> str:
    """Return a text with its first letter large; a column's code ("rd_pre") stays as it is."""
    first = text.split(" ", 1)[0].rstrip(",:;")
    is_code = any(not (letter.isalpha() or letter in "-'\u2019\u201c(") for letter in first)
    return text if is_code else text[:1].upper() + text[1:]


def shorten(text: str, most: int) -> str:
    """Cut a text to `most` characters at a word, with an ellipsis where something was left out."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    if " " in cut[most // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:(") + "\u2026"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Looks up what to call an outcome, a moderator, a level, an arm and a cluster.

    `errors` holds the standard error of each outcome's average, which sets its decimals.
    """

    plan: Plan
    variables: tuple[Variable, ...]
    cluster_level: str
    errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def matched(self) -> bool:
        """Whether nothing was randomised, so that no causal verb may be used."""
        return self.plan.design.kind == "matched"

    @property
    def effect(self) -> str:
        """What a difference between arms is called: an effect, or, unrandomised, a gap."""
        return "gap" if self.matched else "effect"

    @property
    def main_effect(self) -> str:
        """What page one calls the effect: that of the first treatment, where the plan has several."""
        if len(self.plan.arms.treatments) < 2:
            return self.effect
        first, control = self.arm(self.plan.arms.treatments[0]), self.arm(self.plan.arms.control)
        return f"gap between {first} and {control}" if self.matched else f"effect of {first}"

    @property
    def site(self) -> str:
        """What a place is called that effects may differ between; students where the plan has none."""
        return self.plan.place_level or STUDENT

    @property
    def places(self) -> str:
        """What places like those of the study are called, in the plural."""
        return plural(self.plan.place_level) if self.plan.place_level else "places"

    def find_outcome(self, name: str) -> Outcome:
        """Return the plan's outcome of this name; KeyError when there is none."""
        named = {outcome.column: outcome for outcome in reversed(self.plan.outcomes)}
        return (named | {outcome.name: outcome for outcome in self.plan.outcomes})[name]

    def outcome(self, name: str) -> str:
        """Return an outcome's words, with its wave where the label alone is shared."""
        outcome = self.find_outcome(name)
        shared = [other for other in self.plan.outcomes if other.label == outcome.label]
        return f"{outcome.label}, {outcome.wave}" if len(shared) > 1 and outcome.wave else outcome.label

    def short_outcome(self, name: str) -> str:
        """Return an outcome's words without what stands in brackets, where that still tells it apart."""
        full = self.outcome(name)
        brief = full.split(" (")[0].strip()
        others = {self.outcome(other.name).split(" (")[0].strip() for other in self.plan.outcomes if other.name != name}
        return brief if brief and brief not in others else full

    def find_moderator(self, name: str) -> Moderator | None:
        """Return the plan's moderator of this name, or None for what no plan declares."""
        return next((m for m in self.plan.moderators if name in (m.name, m.column)), None)

    def moderator(self, name: str) -> str:
        """Return a moderator's words."""
        found = self.find_moderator(name)
        if found is None:
            return name
        shared = [other for other in self.plan.moderators if other.label == found.label]
        return f"{found.label}, {found.wave}" if len(shared) > 1 and found.wave else found.label

    def level(self, moderator: str, code: str) -> str:
        """Return a group's words."""
        found = self.find_moderator(moderator)
        if found is not None and found.values.get(code):
            return found.values[code]
        for variable in self.variables:
            if variable.name == moderator and code in variable.levels[: len(variable.level_labels)]:
                return variable.level_labels[variable.levels.index(code)] or code
        return code

    def variable(self, name: str) -> str:
        """Return the words of any variable: outcome, moderator or covariate."""
        if any(name in (outcome.name, outcome.column) for outcome in self.plan.outcomes):
            return self.outcome(name)
        if self.find_moderator(name) is not None:
            return self.moderator(name)
        return next((v.label for v in self.variables if v.name == name and v.label), name)

    def trait(self, name: str, code: str) -> str:
        """Return a variable's words with one of its groups; once alone where the two are the same."""
        named = self.variable(name)
        group = self.level(name, code) if code else named
        return named if group == named else f"{named} \u201c{group}\u201d"

    def arm(self, code: str) -> str:
        """Return an arm's words."""
        return self.plan.arms.label(code)

    def arms_of(self, contrast: str) -> tuple[str, str]:
        """Return the words of a contrast's treatment and of what it is held against."""
        for treatment in self.plan.arms.treatments:
            for other in self.plan.arms.codes:
                if contrast == f"{treatment} - {other}":
                    return self.arm(treatment), self.arm(other)
        return contrast, self.arm(self.plan.arms.control)

    def contrast(self, contrast: str) -> str:
        """Return a contrast in words: ``small class rather than regular class``."""
        treatment, control = self.arms_of(contrast)
        return f"{treatment} rather than {control}"

    def cluster(self, level: str = "") -> str:
        """Return what inference counts, in the singular."""
        return level or self.cluster_level or STUDENT

    def too_few(self, level: str = "") -> str:
        """Say that there are too few students, or of what inference counts."""
        noun = self.cluster(level)
        return "too few students" if noun == STUDENT else f"too few students or {plural(noun)}"

    def clusters(self, number: int, level: str = "") -> str:
        """Return a count of clusters: ``226 classes``."""
        noun = self.cluster(level)
        return f"{number:,d} {noun if number == 1 else plural(noun)}"

    def check(self, check_id: str) -> str:
        """Return a check's name in plain words."""
        return CHECK_WORDS.get(check_id, capital(check_id.replace("_", " ").replace("-", " ")))

    def concern(self, check: Check) -> str:
        """Say what a check found that did not pass, as part of a sentence."""
        crashed = check.verdict is Verdict.ERROR
        if crashed or check.check_id not in CONCERNS:
            return f"\u201c{self.check(check.check_id)}\u201d {'could not be run' if crashed else 'did not pass'}"
        nouns = {"clusters": self.cluster(), "assigned": self.plan.design.assigned, "places": check.subject}
        always = CONCERNS[check.check_id].format(**{name: plural(noun) for name, noun in nouns.items()})
        return self.found_in(check) or always

    def found_in(self, check: Check) -> str:
        """Say what the numbers of a check show that only warns; "" where that is what it always says."""
        if check.check_id == "cluster_sizes" and {"is_dominated", "has_single"} <= set(check.table):
            named = (("is_dominated", DOMINATED), ("has_single", SINGLE))
            told = [said.format(cluster=self.cluster()) for name, said in named if (check.table[name] == 1).any()]
            return " and ".join(told)
        if check.check_id != "balance" or check.verdict is not Verdict.WARN:
            return ""
        if check.subject == JOINT:
            return "taken together, the arms differed before assignment by more than drawing them usually leaves"
        row = find_widest(check.table) if math.isfinite(check.value) and "standardised" in check.table else -1
        if row < 0:
            return "before assignment the arms were not wholly alike"
        seen = check.table.iloc[row]
        trait = shorten(self.trait(str(seen["variable"]), str(seen["level"])), MOST_NAMED)
        size = written_size(check.value, (SATISFIED, WITH_ADJUSTMENT))
        return f"{DIFFERED}{trait} (by {size} SD)"

    def is_binary(self, outcome: str) -> bool:
        """Whether an outcome is yes or no, so that effects are percentage points."""
        return self.find_outcome(outcome).kind == "binary"


def read_words(evidence: Evidence) -> Words:
    """Return the words of one run."""
    averages = [f for f in evidence.findings if f.question == "average" and f.estimand == "itt"]
    errors = {outcome_of(f): f.std_error for f in reversed(averages) if math.isfinite(f.std_error)}
    return Words(
        plan=evidence.plan,
        variables=evidence.variables,
        cluster_level=evidence.design.cluster_level,
        errors=errors,
    )


def check_name(check: Check, words: Words) -> str:
    """Name a check, with the outcome or moderator it looked at."""
    name = words.check(check.check_id)
    known = {outcome.name for outcome in words.plan.outcomes} | {outcome.column for outcome in words.plan.outcomes}
    if check.subject in known:
        return f"{name}: {words.short_outcome(check.subject)}"
    if words.find_moderator(check.subject) is not None:
        return f"{name}: {words.moderator(check.subject)}"
    plain = check.subject and check.subject not in words.plan.levels
    return f"{name}: {check.subject}" if plain else name
