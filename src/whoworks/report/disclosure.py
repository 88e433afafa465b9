"""Disclosure control: what rests on too few students or clusters leaves the evidence before anything is written.

Everything a report writes is composed from what `withhold` returns, so that no
sentence, table or figure can show what is not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from whoworks.checks.verdict import Check
from whoworks.findings.caveats import Caveat
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.panel.ledger import Entry, Ledger
from whoworks.plan.plan import Plan
from whoworks.report.evidence import Evidence

WITHHELD = -2
NUMBER = re.compile(r"(?<![\w.])[-\u2212]?\d[\d,]*(?:\.\d+)?(?![\w.]*\w)")
ESTIMATES = (
    "estimate", "std_error", "df_num", "df", "statistic", "p_value", "p_randomization", "p_adjusted",
    "conf_low", "conf_high", "effect_size", "effect_size_low", "effect_size_high", "mde",
)  # fmt: skip
COUNTS_OF_CLUSTERS = ("cluster_attrition", "clusters")  # their counts are of classes or schools, not of students
COUNTS = ("n_units", "n_clusters", "n_treated_clusters", "n_control_clusters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """One row of ``suppressed.csv``: where something was withheld, and why; never the number."""

    file: str
    row: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The smallest cell that is printed: students and clusters, in each arm."""

    min_cell: int
    min_clusters: int

    @property
    def sentence(self) -> str:
        """The rule in plain words."""
        return f"fewer than {self.min_cell} students or {self.min_clusters} clusters in an arm"

    def is_small(self, finding: Finding) -> bool:
        """Whether a finding's smallest cell of one arm is too small to print."""
        return finding.smallest_cell < self.min_cell or finding.smallest_cell_clusters < self.min_clusters

    def is_few(self, n_units: float) -> bool:
        """Whether a count of students is above zero and too small to print."""
        return 0 < n_units < self.min_cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Evidence that may be written, and the account of what is no longer in it."""

    evidence: Evidence
    withheld: tuple[Withholding, ...]
    rule: Rule


def withhold(evidence: Evidence) -> Released:
    """Return the evidence without its small cells."""
    rule = read_rule(evidence.plan)
    account: list[Withholding] = []
    findings = tuple(clear_finding(finding, rule, account) for finding in evidence.findings)
    hidden = {number for finding in evidence.findings if rule.is_small(finding) for number in numbers_of(finding)}
    small = {finding.moderator for finding in evidence.findings if rule.is_small(finding)}
    checks = clear_checks(evidence.checks, rule, account)
    released = replace(
        evidence,
        findings=Findings(items=findings),
        checks=checks,
        ledger=clear_ledger(evidence.ledger, rule, account),
        caveats=tuple(clear_caveat(caveat, hidden, small, rule, account) for caveat in tell_as(checks, evidence)),
    )
    return Released(evidence=released, withheld=tuple(account), rule=rule)


def read_rule(plan: Plan) -> Rule:
    """Return the plan's smallest cell."""
    return Rule(min_cell=plan.report.min_cell, min_clusters=plan.report.min_clusters)


def numbers_of(finding: Finding) -> tuple[float, ...]:
    """Return the numbers that withholding a finding takes away."""
    values = (float(getattr(finding, name)) for name in ESTIMATES)
    return tuple(value for value in values if math.isfinite(value))


def clear_finding(finding: Finding, rule: Rule, account: list[Withholding]) -> Finding:
    """Return a finding as it may be written: whole, or its identity alone."""
    if not rule.is_small(finding):
        return finding
    account.append(Withholding(file="findings.csv", row=finding.finding_id, column="all numbers", reason=rule.sentence))
    blank: dict[str, float] = dict.fromkeys(ESTIMATES, NAN)
    none: dict[str, int] = dict.fromkeys((*COUNTS, "smallest_cell", "smallest_cell_clusters"), 0)
    graded = "not assessable" if finding.credibility else ""
    said = {"credibility": graded, "caps": (), "notes": (), "robustness": None, "steadiness": None}
    return replace(finding, **blank, **none, **said, suppressed=True)  # type: ignore[arg-type]


def clear_checks(checks: Iterable[Check], rule: Rule, account: list[Withholding]) -> tuple[Check, ...]:
    """Return the checks with the small cells of their tables, numbers and sentences taken out."""
    return tuple(clear_check(check, rule, account) for check in checks)


def clear_check(check: Check, rule: Rule, account: list[Withholding]) -> Check:
    """Return one check as it may be written."""
    row = f"{check.check_id}:{check.subject}"
    if rule.is_few(check.n_units):
        account.append(Withholding(file="checks.csv", row=row, column="all numbers", reason=rule.sentence))
        sentence = f"Withheld: {rule.sentence}."
        nothing = pd.DataFrame(columns=check.table.columns)
        return replace(check, value=NAN, n_units=WITHHELD, n_clusters=WITHHELD, sentence=sentence, table=nothing)
    table, hidden = (check.table, set()) if check.check_id in COUNTS_OF_CLUSTERS else clear_table(check.table, rule)
    if not hidden:
        return check
    account.append(Withholding(file="report.pdf", row=row, column="table", reason=rule.sentence))
    sentence = check.sentence
    if mentions(sentence, hidden):
        sentence = f"The numbers behind this check rest on {rule.sentence} and are withheld."
        account.append(Withholding(file="checks.csv", row=row, column="sentence", reason=rule.sentence))
    value = check.value
    if any(math.isclose(value, number, rel_tol=1e-9) for number in hidden):
        value = NAN
        account.append(Withholding(file="checks.csv", row=row, column="value", reason=rule.sentence))
    return replace(check, value=value, sentence=sentence, table=table)


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


def clear_ledger(ledger: Ledger, rule: Rule, account: list[Withholding]) -> Ledger:
    """Return the ledger with small counts of students taken out."""
    return Ledger(entries=tuple(clear_entry(entry, rule, account) for entry in ledger.entries))


def clear_entry(entry: Entry, rule: Rule, account: list[Withholding]) -> Entry:
    """Return one count of the ledger as it may be written."""
    if not (rule.is_few(entry.n_rows) or rule.is_few(entry.n_units)):
        return entry
    row = ":".join((entry.step, entry.reason, entry.outcome, entry.arm))
    account.append(Withholding(file="ledger.csv", row=row, column="all counts", reason=rule.sentence))
    units = entry.n_units if entry.n_units < 0 else WITHHELD
    clusters = entry.n_clusters if entry.n_clusters < 0 else WITHHELD
    return replace(entry, n_rows=WITHHELD, n_units=units, n_clusters=clusters)


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
    kept = NUMBER.sub("[withheld]", caveat.sentence)
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
