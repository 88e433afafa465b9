"""Disclosure control: what rests on too few students or clusters leaves the evidence before anything is written.

Everything a report writes is composed from what `withhold` returns, so that no
sentence, table or figure can show what is not there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.design.levels import STUDENT
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.findings.sites.profile import PROFILE
from whoworks.findings.smallest_cell import SmallestCell, read_smallest_cell
from whoworks.language import plural
from whoworks.panel.ledger import ANALYSED, Ledger
from whoworks.panel.panel import Provenance
from whoworks.plan.plan import Plan
from whoworks.report.cells import WITHHELD, Withholding
from whoworks.report.coarse import coarsen, find_coarse, read_means
from whoworks.report.complements import COUNTS, counted_by, find_uncounted, find_withheld_groups, is_withheld
from whoworks.report.evidence import Evidence
from whoworks.report.labels import check_name, read_words
from whoworks.report.stages import Stages, clear_ledger, find_stages

ESTIMATES = (
    "estimate", "std_error", "df_num", "df", "statistic", "p_value", "p_randomization", "p_adjusted",
    "conf_low", "conf_high", "effect_size", "effect_size_low", "effect_size_high", "mde",
)  # fmt: skip
COUNTS_OF_CLUSTERS = ("cluster_attrition", "clusters")  # their counts are of classes or schools, not of students
WIDEST = {"balance": "standardised", "ceiling_floor": "share"}  # the column whose largest entry is the check's value
GUARDED = ("cluster_sizes", "ceiling_floor")  # their sentences tell no small count
STUDENTS = re.compile(r"(\d[\d,]*) students?\b")
LEFT_OUT = re.compile(r"^\d[\d,]* students?\b")  # so begins a note that a total turns into a count
MEASURES = ("ceiling_floor", "distinct_values")  # checks of those analysed, as the balance of an outcome is
WHOLE = "Withheld: {rule}."
UNSAID = "The numbers behind {what} would tell of {rule} and are withheld."
OF_STUDENTS = ("attrition", "group_attrition")  # their numbers give away how many students were assigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Evidence that may be written, and the account of what is no longer in it."""

    evidence: Evidence
    withheld: tuple[Withholding, ...]
    rule: SmallestCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What may be told of those assigned: how many students, how many clusters, whose outcome; and what may not be."""

    students: bool
    clusters: bool
    outcomes: tuple[str, ...]
    hidden: tuple[tuple[str, frozenset[int]], ...]  # what is counted, and the counts that are not told


def withhold(evidence: Evidence) -> Released:
    """Return the evidence without its small cells."""
    rule = read_smallest_cell(evidence.plan)
    account: list[Withholding] = []
    groups, uncounted = find_withheld_groups(evidence, rule), find_uncounted(evidence, rule)
    gone = frozenset(f.finding_id for f in evidence.findings if is_withheld(f, groups, rule))
    means, coarse = read_means(evidence.findings), find_coarse(evidence.findings, uncounted)
    findings = tuple(
        blank_finding(finding, rule, account) if finding.finding_id in gone
        else clear_finding(
            coarsen(finding, means) if counted_by(finding) in coarse else finding,
            rule, uncounted.get(counted_by(finding), ()), account,
        )
        for finding in evidence.findings
    )  # fmt: skip
    ledger, checks, provenance = withhold_flow(
        evidence.plan, evidence.ledger, evidence.checks, evidence.provenance, account
    )
    released = replace(
        evidence,
        findings=Findings(items=findings),
        checks=checks,
        ledger=ledger,
        provenance=provenance,
        caveats=tuple(clear_caveats(tell_as(checks, evidence), gone, rule, account)),
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
    rule = read_smallest_cell(plan)
    stages = find_stages(ledger, plan.arms.codes, rule)
    assigned = read_assigned(checks, ledger, stages, rule)
    names = {outcome.name for outcome in plan.outcomes}
    cleared = tuple(clear_check(check, assigned, names, rule, account) for check in checks)
    return clear_ledger(ledger, stages, rule, account), cleared, clear_inputs(provenance, stages, rule, account)


def read_assigned(checks: Sequence[Check], ledger: Ledger, stages: Stages, rule: SmallestCell) -> Assigned:
    """Return what may be told of those assigned: clusters where none, or enough, have nobody who is analysed."""
    counted = next((check for check in checks if check.check_id == "clusters" and len(check.table)), None)
    held = {} if counted is None else dict(zip(counted.table["arm"], counted.table["n_clusters"], strict=True))
    gaps = [held.get(e.arm, 0) - e.n_clusters for e in ledger.entries if e.step == ANALYSED and e.n_clusters >= 0]
    tells_clusters = bool(held) and not any(0 < gap < rule.min_clusters for gap in gaps)
    if counted is not None and counted.subject == STUDENT:
        tells_clusters = stages.assigned
    students = () if stages.assigned else (*stages.n_assigned, sum(stages.n_assigned))
    clusters = () if counted is None or tells_clusters else (*held.values(), counted.n_clusters)
    level = STUDENT if counted is None else counted.subject
    return Assigned(
        students=stages.assigned, clusters=tells_clusters, outcomes=stages.outcomes,
        hidden=((STUDENT, frozenset(map(int, students))), (level, frozenset(map(int, clusters)))),
    )  # fmt: skip


def clear_inputs(
    provenance: Sequence[Provenance], stages: Stages, rule: SmallestCell, account: list[Withholding]
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


def clear_finding(finding: Finding, rule: SmallestCell, lost: Sequence[str], account: list[Withholding]) -> Finding:
    """Return a finding that may be told, without the counts that are lost and without small ones in its notes."""
    notes = tuple(STUDENTS.sub(lambda found: say_few(found, rule), note) for note in finding.notes)
    if not lost or not finding.n_units:
        return replace(finding, notes=notes)
    has_df = finding.question == PROFILE and "n_clusters" in lost and finding.df == finding.df  # sites, less one
    columns = " ".join((*lost, "df") if has_df else lost)
    account.append(Withholding(file="findings.csv", row=finding.finding_id, column=columns, reason=rule.sentence))
    notes = tuple(LEFT_OUT.sub("some students", note) for note in notes)
    df = NAN if has_df else finding.df
    return replace(finding, notes=notes, df=df, **dict.fromkeys(lost, 0))  # type: ignore[arg-type]


def blank_finding(finding: Finding, rule: SmallestCell, account: list[Withholding]) -> Finding:
    """Return a finding that may not be told: its identity alone."""
    account.append(Withholding(file="findings.csv", row=finding.finding_id, column="all numbers", reason=rule.sentence))
    blank: dict[str, float] = dict.fromkeys(ESTIMATES, NAN)
    none: dict[str, int] = dict.fromkeys((*COUNTS, "smallest_cell", "smallest_cell_clusters"), 0)
    graded = "not assessable" if finding.credibility else ""
    said = {"credibility": graded, "caps": (), "notes": (), "robustness": None, "steadiness": None}
    return replace(finding, **blank, **none, **said, suppressed=True)  # type: ignore[arg-type]


def say_few(found: re.Match[str], rule: SmallestCell) -> str:
    """Return a note's count of students; a small one is told as small."""
    n_units = as_count(found.group(1))
    return f"fewer than {rule.min_cell} students" if rule.is_few(n_units) else found.group()


def clear_check(
    check: Check, assigned: Assigned, outcomes: Collection[str], rule: SmallestCell, account: list[Withholding]
) -> Check:
    """Return one check as it may be written."""
    row = f"{check.check_id}:{check.subject}"
    if rule.is_few(check.n_units):
        account.append(Withholding(file="checks.csv", row=row, column="all numbers", reason=rule.sentence))
        sentence = WHOLE.format(rule=rule.sentence)
        nothing = pd.DataFrame(columns=check.table.columns)
        return replace(check, value=NAN, n_units=WITHHELD, n_clusters=WITHHELD, sentence=sentence, table=nothing)
    kept, hidden = clear_numbers(check, assigned, rule)
    is_measure = check.check_id in MEASURES or (check.check_id == "balance" and check.subject in outcomes)
    told = (check.subject in assigned.outcomes,) * 2 if is_measure else (assigned.students, assigned.clusters)
    kept = replace(
        kept, n_units=kept.n_units if told[0] else WITHHELD, n_clusters=kept.n_clusters if told[1] else WITHHELD,
        sentence=kept.sentence if is_measure and all(told) else redact(kept.sentence, assigned),
    )  # fmt: skip
    if hidden:
        account.append(Withholding(file="report.pdf", row=row, column="table", reason=rule.sentence))
    for column in ("value", "n_units", "n_clusters", "sentence"):
        before, after = getattr(check, column), getattr(kept, column)
        if before != after and not (before != before and after != after):
            account.append(Withholding(file="checks.csv", row=row, column=column, reason=rule.sentence))
    return kept


def clear_numbers(check: Check, assigned: Assigned, rule: SmallestCell) -> tuple[Check, bool]:
    """Return a check without what its own numbers may not tell, and whether its table lost any."""
    unsaid = UNSAID.format(what="this check", rule=rule.sentence)
    if not may_compare(check, assigned, rule):
        return replace(check, value=NAN, sentence=unsaid, table=check.table.iloc[:0]), True
    if check.check_id in COUNTS_OF_CLUSTERS:
        return replace(check, value=check.value if assigned.clusters else NAN), False
    table, lost = clear_table(check.table, rule)
    if not lost.any():
        return replace(check, table=table), table is not check.table
    is_told = not is_spoken_of(check, lost)
    tells_none = check.check_id in GUARDED or (
        check.check_id == "group_attrition" and check.verdict is not Verdict.WARN
    )
    cleared = replace(
        check, table=table, value=check.value if is_told else NAN,
        sentence=check.sentence if is_told or tells_none else unsaid,
    )  # fmt: skip
    return cleared, True


def is_spoken_of(check: Check, lost: pd.Series) -> bool:
    """Whether a check's value tells of a row that is blanked: of its widest, of any, or, counting arms, of none."""
    if check.check_id == "cluster_sizes":
        return False
    if check.check_id not in WIDEST:
        return True
    sizes = check.table[WIDEST[check.check_id]].abs()
    return bool((lost & (sizes == sizes.max())).any())


def may_compare(check: Check, assigned: Assigned, rule: SmallestCell) -> bool:
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


def redact(sentence: str, assigned: Assigned) -> str:
    """Return a sentence in which none of those assigned are counted; other numbers stay, whatever their digits.

    ``There are 48 classes under ...`` becomes ``There are some classes under ...``,
    ``of 48 classes`` becomes ``of the classes``; that a count was struck is said.
    """
    struck: dict[str, None] = {}
    for level, hidden in assigned.hidden:
        nouns = "|".join(map(re.escape, (level, plural(level), "with students of")))
        for found in reversed(list(re.finditer(rf"(?<![\w.,])\d[\d,]*(?= (?:{nouns})\b)", sentence))):
            if as_count(found.group()) in hidden:
                before = sentence[: found.start()]
                word = "the" if before.endswith(("of ", "Among ", "All ")) else "some"
                sentence = before + word + sentence[found.end() :]
                struck[plural(level)] = None
    unsaid = (
        f"How many {nouns} were drawn is withheld; those analysed are counted beside each estimate." for nouns in struck
    )
    return " ".join((sentence, *unsaid))


def as_count(text: str) -> int:
    """Return the whole number that a text writes."""
    return int(text.replace(",", ""))


def clear_table(table: pd.DataFrame, rule: SmallestCell) -> tuple[pd.DataFrame, pd.Series]:
    """Blank every number of a row that counts too few students; return the table and which rows were blanked.

    ``n_missing`` is the exception: nothing else in its row is computed from it, so it goes alone.
    """
    counts = [str(name) for name in table.columns if str(name).startswith("n_") and "cluster" not in str(name)]
    few = table[counts].apply(lambda column: column.map(rule.is_few)).astype(bool)
    lost = few.drop(columns=["n_missing"], errors="ignore").any(axis=1)
    if not few.to_numpy().any():
        return table, lost
    numeric = [str(name) for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    cleared = table.assign(**{name: table[name].astype("float64").mask(lost) for name in numeric})
    if "n_missing" in few:
        cleared["n_missing"] = cleared["n_missing"].mask(few["n_missing"])
    return cleared, lost


def tell_as(checks: Iterable[Check], evidence: Evidence) -> Iterator[Caveat]:
    """Yield the caveats; one that repeats a check's sentence says what the check may still say."""
    said = {
        (check.check_id, check.subject, check.sentence): cleared.sentence
        for check, cleared in zip(evidence.checks, checks, strict=True)
    }
    rule, words = read_smallest_cell(evidence.plan).sentence, read_words(evidence)
    unnamed = (WHOLE.format(rule=rule), UNSAID.format(what="this check", rule=rule))
    names = {(check.check_id, check.subject): check_name(check, words) for check in checks}
    for caveat in evidence.caveats:
        key = (caveat.caveat_id, caveat.subject)
        sentence = said.get((*key, caveat.sentence), caveat.sentence)
        if key in names and sentence in unnamed:
            sentence = UNSAID.format(what=f"the check \u201c{names[key]}\u201d, which did not pass,", rule=rule)
        yield replace(caveat, sentence=sentence)


def clear_caveats(
    caveats: Iterable[Caveat], gone: frozenset[str], rule: SmallestCell, account: list[Withholding]
) -> Iterator[Caveat]:
    """Yield the caveats that speak of no finding that is withheld."""
    for caveat in caveats:
        if gone.isdisjoint(caveat.about):
            yield caveat
        else:
            account.append(
                Withholding(file="findings.json", row=caveat.caveat_id, column="caveat", reason=rule.sentence)
            )
