"""Disclosure control: what rests on too few students or clusters leaves the evidence before anything is written.

Everything a report writes is composed from what `withhold` returns, so that no
sentence, table or figure can show what is not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from whoworks.checks.verdict import Check
from whoworks.design.levels import STUDENT
from whoworks.findings.caveats import Caveat
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.panel.ledger import ANALYSED, Ledger
from whoworks.panel.panel import Provenance
from whoworks.plan.plan import Plan
from whoworks.report.cells import WITHHELD, Rule, Withholding, read_rule
from whoworks.report.evidence import Evidence
from whoworks.report.stages import Stages, clear_ledger, find_stages

NUMBER = re.compile(r"(?<![\w.])[-\u2212]?\d[\d,]*(?:\.\d+)?(?![\w.]*\w)")
ESTIMATES = (
    "estimate", "std_error", "df_num", "df", "statistic", "p_value", "p_randomization", "p_adjusted",
    "conf_low", "conf_high", "effect_size", "effect_size_low", "effect_size_high", "mde",
)  # fmt: skip
WORD = "[withheld]"  # stands where a sentence told a number
COUNTS_OF_CLUSTERS = ("cluster_attrition", "clusters")  # their counts are of classes or schools, not of students
STUDENTS = re.compile(r"(\d[\d,]*) students?\b")
PROJECTED = "all moderators"  # counted without the students who lack any
PARTS = ("subgroup", "difference", "joint")  # findings that count a moderator's groups
COUNTS = ("n_units", "n_clusters", "n_treated_clusters", "n_control_clusters")


MEASURES = ("ceiling_floor", "distinct_values")  # checks of those analysed, as the balance of an outcome is
OF_STUDENTS = ("attrition", "group_attrition")  # their numbers give away how many students were assigned


Question = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Evidence that may be written, and the account of what is no longer in it."""

    evidence: Evidence
    withheld: tuple[Withholding, ...]
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What may be told of those assigned: how many students, how many clusters, whose outcome; and what may not be."""

    students: bool
    clusters: bool
    outcomes: tuple[str, ...]
    hidden: frozenset[int]


def withhold(evidence: Evidence) -> Released:
    """Return the evidence without its small cells."""
    rule = read_rule(evidence.plan)
    account: list[Withholding] = []
    unsure = find_uncounted(evidence, rule)
    findings = tuple(clear_finding(finding, rule, unsure, account) for finding in evidence.findings)
    hidden = {number for finding in evidence.findings if rule.is_small(finding) for number in numbers_of(finding)}
    small = {finding.moderator for finding in evidence.findings if rule.is_small(finding)}
    ledger, checks, provenance = withhold_flow(
        evidence.plan, evidence.ledger, evidence.checks, evidence.provenance, account
    )
    released = replace(
        evidence,
        findings=Findings(items=findings),
        checks=checks,
        ledger=ledger,
        provenance=provenance,
        caveats=tuple(clear_caveat(caveat, hidden, small, rule, account) for caveat in tell_as(checks, evidence)),
    )
    return Released(evidence=released, withheld=tuple(account), rule=rule)


def withhold_flow(
    plan: Plan,
    ledger: Ledger,
    checks: Sequence[Check],
    provenance: Sequence[Provenance],
    account: list[Withholding],
) -> tuple[Ledger, tuple[Check, ...], tuple[Provenance, ...]]:
    """Return ledger, checks and inputs without counts that are small or from which a small one follows."""
    rule = read_rule(plan)
    stages = find_stages(ledger, plan.arms.codes, rule)
    assigned = read_assigned(checks, ledger, stages, rule)
    names = {outcome.name for outcome in plan.outcomes}
    cleared = tuple(clear_check(check, assigned, names, rule, account) for check in checks)
    return clear_ledger(ledger, stages, rule, account), cleared, clear_inputs(provenance, stages, rule, account)


def read_assigned(checks: Sequence[Check], ledger: Ledger, stages: Stages, rule: Rule) -> Assigned:
    """Return what may be told of those assigned: clusters where none, or enough, have nobody who is analysed."""
    counted = next((check for check in checks if check.check_id == "clusters" and len(check.table)), None)
    held = {} if counted is None else dict(zip(counted.table["arm"], counted.table["n_clusters"], strict=True))
    least = rule.min_cell if counted is not None and counted.subject == STUDENT else rule.min_clusters
    gaps = [held.get(e.arm, 0) - e.n_clusters for e in ledger.entries if e.step == ANALYSED and e.n_clusters >= 0]
    tells_clusters = bool(held) and not any(0 < gap < least for gap in gaps)
    students = () if stages.assigned else (*stages.n_assigned, sum(stages.n_assigned))
    clusters = () if counted is None or tells_clusters else (*held.values(), counted.n_clusters)
    return Assigned(
        students=stages.assigned, clusters=tells_clusters, outcomes=stages.outcomes,
        hidden=frozenset(int(number) for number in (*students, *clusters)),
    )  # fmt: skip


def clear_inputs(
    provenance: Sequence[Provenance], stages: Stages, rule: Rule, account: list[Withholding]
) -> tuple[Provenance, ...]:
    """Return the inputs, without the rows of a table where these would give a small count away."""
    kept = []
    for place, table in enumerate(provenance):
        if stages.joined if place else stages.received:
            kept.append(table)
            continue
        account.append(Withholding(file="manifest.json", row=table.table, column="n_rows", reason=rule.sentence))
        kept.append(replace(table, n_rows=WITHHELD))
    return tuple(kept)


def numbers_of(finding: Finding) -> tuple[float, ...]:
    """Return the numbers that withholding a finding takes away."""
    values = (float(getattr(finding, name)) for name in ESTIMATES)
    return tuple(value for value in values if math.isfinite(value))


def find_uncounted(evidence: Evidence, rule: Rule) -> set[Question]:
    """Return the moderators of whose groups no students are counted: one group, or those without a record, are few.

    A moderator's groups and those without its record add up to the students of
    the average, so that they are counted in full or not at all. All moderators
    together leave out those who lack any: not counted beside one that is not.
    """
    rows = [finding for finding in evidence.findings if finding.weighting == "student"]
    whole = {variable.name for variable in evidence.variables if variable.level not in ("", STUDENT)}
    everyone = {question_of(f)[:-1]: f for f in rows if f.question == "average" and f.estimand == "itt"}
    parts = [f for f in rows if f.question in PARTS and question_of(f)[:-1] in everyone]
    unsure = {
        question_of(f)
        for f in parts
        if leaves_few(f, everyone[question_of(f)[:-1]], rule, by_cluster=f.moderator in whole)
    }
    for together in (f for f in rows if f.question == "projection" and question_of(f)[:-1] in everyone):
        asked = question_of(together)[:-1]
        beside = [f for f in parts if f.question in ("difference", "joint") and question_of(f)[:-1] == asked]
        if any(leaves_few(together, f, rule) or question_of(f) in unsure for f in (everyone[asked], *beside)):
            unsure.add((*asked, PROJECTED))
    return unsure


def leaves_few(part: Finding, whole: Finding, rule: Rule, *, by_cluster: bool = False) -> bool:
    """Whether a part of the students, or those that it leaves out, are few, or the latter those of few clusters."""
    rest = whole.n_units - part.n_units
    gone = (whole.n_treated_clusters - part.n_treated_clusters, whole.n_control_clusters - part.n_control_clusters)
    alone = by_cluster and any(0 < n < rule.min_clusters for n in gone)
    return rule.is_small(part) or rule.is_few(rest) or (rest > 0 and alone)


def question_of(finding: Finding) -> Question:
    """Return what a finding is counted among: outcome, wave, contrast, and moderator or all moderators together."""
    moderator = PROJECTED if finding.question == "projection" else finding.moderator
    return finding.outcome, finding.wave, finding.contrast, moderator


def clear_finding(finding: Finding, rule: Rule, unsure: Collection[Question], account: list[Withholding]) -> Finding:
    """Return a finding as it may be written: whole, without its count of students, or its identity alone."""
    if not rule.is_small(finding):
        notes = tuple(STUDENTS.sub(lambda found: say_few(found, rule), note) for note in finding.notes)
        kept = replace(finding, notes=notes)
        if question_of(finding) not in unsure or not finding.n_units:
            return kept
        lost = COUNTS if finding.cluster == STUDENT else COUNTS[:1]
        account.append(
            Withholding(file="findings.csv", row=finding.finding_id, column=" ".join(lost), reason=rule.sentence)
        )
        return replace(kept, **dict.fromkeys(lost, 0))  # type: ignore[arg-type]
    account.append(Withholding(file="findings.csv", row=finding.finding_id, column="all numbers", reason=rule.sentence))
    blank: dict[str, float] = dict.fromkeys(ESTIMATES, NAN)
    none: dict[str, int] = dict.fromkeys((*COUNTS, "smallest_cell", "smallest_cell_clusters"), 0)
    graded = "not assessable" if finding.credibility else ""
    said = {"credibility": graded, "caps": (), "notes": (), "robustness": None, "steadiness": None}
    return replace(finding, **blank, **none, **said, suppressed=True)  # type: ignore[arg-type]


def say_few(found: re.Match[str], rule: Rule) -> str:
    """Return a note's count of students; a small one is told as small."""
    n_units = as_count(found.group(1))
    return f"fewer than {rule.min_cell} students" if rule.is_few(n_units) else found.group()


def clear_check(
    check: Check, assigned: Assigned, outcomes: Collection[str], rule: Rule, account: list[Withholding]
) -> Check:
    """Return one check as it may be written."""
    row = f"{check.check_id}:{check.subject}"
    if rule.is_few(check.n_units):
        account.append(Withholding(file="checks.csv", row=row, column="all numbers", reason=rule.sentence))
        sentence = f"Withheld: {rule.sentence}."
        nothing = pd.DataFrame(columns=check.table.columns)
        return replace(check, value=NAN, n_units=WITHHELD, n_clusters=WITHHELD, sentence=sentence, table=nothing)
    kept, hidden = clear_numbers(check, assigned, rule)
    is_measure = check.check_id in MEASURES or (check.check_id == "balance" and check.subject in outcomes)
    told = (check.subject in assigned.outcomes,) * 2 if is_measure else (assigned.students, assigned.clusters)
    kept = replace(
        kept, n_units=kept.n_units if told[0] else WITHHELD, n_clusters=kept.n_clusters if told[1] else WITHHELD,
        sentence=kept.sentence if is_measure and all(told) else redact(kept.sentence, assigned.hidden),
    )  # fmt: skip
    if hidden:
        account.append(Withholding(file="report.pdf", row=row, column="table", reason=rule.sentence))
    for column in ("value", "n_units", "n_clusters", "sentence"):
        before, after = getattr(check, column), getattr(kept, column)
        if before != after and not (before != before and after != after):
            account.append(Withholding(file="checks.csv", row=row, column=column, reason=rule.sentence))
    return kept


def clear_numbers(check: Check, assigned: Assigned, rule: Rule) -> tuple[Check, bool]:
    """Return a check without what its own numbers may not tell, and whether its table lost any."""
    unsaid = f"The numbers behind this check would tell of {rule.sentence} and are withheld."
    if not may_compare(check, assigned, rule):
        return replace(check, value=NAN, sentence=unsaid, table=check.table.iloc[:0]), True
    table, hidden = (check.table, set()) if check.check_id in COUNTS_OF_CLUSTERS else clear_table(check.table, rule)
    value = NAN if check.check_id == "clusters" and not assigned.clusters else check.value
    if any(math.isclose(value, number, rel_tol=1e-9) for number in hidden):
        value = NAN
    if check.check_id == "group_attrition" and hidden:
        value = NAN  # worked out from the rows
    sentence = unsaid if mentions(check.sentence, hidden) else check.sentence
    return replace(check, value=value, sentence=sentence, table=table), bool(hidden)


def may_compare(check: Check, assigned: Assigned, rule: Rule) -> bool:
    """Whether a check of rates or counts may tell its numbers: none gives away who was assigned or how few clusters."""
    kind, table = check.check_id, check.table
    if kind in OF_STUDENTS and not (assigned.students and check.subject in assigned.outcomes):
        return False
    if kind == "cluster_attrition" and not assigned.clusters:
        return False
    if kind == "sample_ratio" and not (assigned.students if check.subject == STUDENT else assigned.clusters):
        return False
    counts: list[float] = []
    if kind == "cluster_attrition" and len(table):
        counts = [n for name in ("n_missing_treated", "n_missing_control") for n in table[name]]
    if kind == "interference" and len(table):
        mixed = table["arms_held"] > 1
        counts = [table["groups"][mixed].sum(), table["groups"][~mixed].sum()]
    return not any(0 < n < rule.min_clusters for n in counts)


def redact(sentence: str, hidden: Collection[int]) -> str:
    """Return a sentence in which none of the whole numbers stands."""
    return NUMBER.sub(lambda found: WORD if as_count(found.group()) in hidden else found.group(), sentence)


def as_count(text: str) -> int:
    """Return the whole number that a text writes; -1 where it writes another."""
    digits = text.replace(",", "")
    return int(digits) if digits.isdigit() else -1


def clear_table(table: pd.DataFrame, rule: Rule) -> tuple[pd.DataFrame, set[float]]:
    """Blank every number of a row that counts too few students; return the table and what was blanked.

    ``n_missing`` is the exception: nothing else in its row is computed from it, so it goes alone.
    """
    counts = [str(name) for name in table.columns if str(name).startswith("n_") and "cluster" not in str(name)]
    if not counts or table.empty:
        return table, set()
    few = table[counts].apply(lambda column: column.map(rule.is_few))
    numeric = [str(name) for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    mask = pd.DataFrame(False, index=table.index, columns=numeric)
    mask.loc[few.drop(columns=["n_missing"], errors="ignore").any(axis=1)] = True
    if "n_missing" in few:
        mask["n_missing"] |= few["n_missing"]
    values = table[numeric].astype("float64")
    hidden = {float(value) for value in values.to_numpy()[mask.to_numpy()] if math.isfinite(value)}
    if not hidden:
        return table, set()
    return table.assign(**{name: values[name].mask(mask[name]) for name in numeric}), hidden - {0.0}


def tell_as(checks: Iterable[Check], evidence: Evidence) -> Iterator[Caveat]:
    """Yield the caveats; one that repeats a check's sentence says what the check may still say."""
    said = {
        (check.check_id, check.subject, check.sentence): cleared.sentence
        for check, cleared in zip(evidence.checks, checks, strict=True)
    }
    for caveat in evidence.caveats:
        sentence = said.get((caveat.caveat_id, caveat.subject, caveat.sentence), caveat.sentence)
        yield replace(caveat, sentence=sentence)


def clear_caveat(
    caveat: Caveat, hidden: set[float], moderators: set[str], rule: Rule, account: list[Withholding]
) -> Caveat:
    """Return a caveat whose sentence tells none of the numbers withheld from the findings."""
    concerned = hidden and (caveat.subject in moderators or not caveat.subject)
    if not concerned or not mentions(caveat.sentence, {number for number in hidden if number != round(number)}):
        return caveat
    account.append(
        Withholding(file="findings.json", row=caveat.caveat_id, column="caveat's numbers", reason=rule.sentence)
    )
    kept = NUMBER.sub(WORD, caveat.sentence)
    return replace(caveat, sentence=kept)


def mentions(sentence: str, numbers: Iterable[float]) -> bool:
    """Whether a sentence tells one of the numbers, as it is, as a percentage, or rounded."""
    told = [(float(text), places) for text, places in map(read_number, NUMBER.findall(sentence))]
    for number in numbers:
        for value, places in told:
            if value in (round(abs(number), places), round(abs(number) * 100, places)) and value != 0:
                return True
    return False


def read_number(text: str) -> tuple[str, int]:
    """Return a number's digits without sign and separators, and how many decimals it shows."""
    digits = text.lstrip("-\u2212").replace(",", "")
    return digits, len(digits.partition(".")[2])
