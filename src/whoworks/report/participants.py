"""Who took part: the ledger read as a flow from records received to students analysed, arm by arm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from whoworks.panel.ledger import Entry, Ledger
from whoworks.plan.kept import phrase_kept, say_kept
from whoworks.report.cells import WITHHELD
from whoworks.report.labels import Words
from whoworks.report.numbers import count
from whoworks.report.stages import TOGETHER

NOT_YET = -1  # a count that has no meaning yet: rows are counted, students are not
READABLE = {
    "not kept by ": "not among the records that the plan keeps ({})",
    "arm not in the plan: ": "in an arm that is not compared ({})",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One count on the way: what happened, to how many students (or rows) and clusters; below 0, why not told."""

    words: str
    n_units: int
    n_clusters: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFlow:
    """One arm's way: students assigned, those left out and why, those analysed for each outcome."""

    arm: str
    assigned: Step
    left: tuple[Step, ...]
    analysed: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The whole way: rows received, rows left out before arms are known, and each arm."""

    received: int
    before: tuple[Step, ...]
    arms: tuple[ArmFlow, ...]
    outcome: str


def read_flow(ledger: Ledger, words: Words, outcome: str) -> Flow:
    """Read the ledger as the flow of one outcome; `outcome` is its name in the plan."""
    codes = words.plan.arms.codes
    shared = [entry for entry in ledger.entries if entry.outcome in ("", outcome)]
    received = [entry.n_rows for entry in shared if entry.step == "received"]
    gone = [entry for entry in shared if entry.step == "excluded"]
    before = [entry for entry in gone if entry.n_units == NOT_YET or entry.arm not in codes]
    arms = tuple(read_arm_flow(shared, code, words, outcome) for code in codes)
    return Flow(received=add(received), before=merge(before, words), arms=arms, outcome=words.outcome(outcome))


def read_arm_flow(entries: Iterable[Entry], code: str, words: Words, outcome: str) -> ArmFlow:
    """Read one arm's way."""
    mine = [entry for entry in entries if entry.arm == code]
    gone = [entry for entry in mine if entry.step == "excluded" and entry.n_units != NOT_YET]
    kept = [entry for entry in mine if entry.step == "analysed" and entry.outcome == outcome]
    analysed = tuple(
        Step(words=words.outcome(outcome), n_units=units_of(entry), n_clusters=entry.n_clusters) for entry in kept
    )
    total = add([units_of(entry) for entry in (*gone, *kept)])
    assigned = Step(words="assigned", n_units=total if kept else NOT_YET)
    return ArmFlow(arm=words.arm(code), assigned=assigned, left=merge(gone, words), analysed=analysed)


def add(counts: Iterable[int]) -> int:
    """Return the sum of counts; one that holds a withheld count would give it away."""
    known = list(counts)
    return WITHHELD if min(known, default=0) < 0 else sum(known)


def merge(entries: Iterable[Entry], words: Words) -> tuple[Step, ...]:
    """Return one step per reason, in the ledger's order, with the arms of a reason added up."""
    steps: dict[str, Step] = {}
    for entry in entries:
        reason = say_reason(entry, words)
        units, clusters = units_of(entry), entry.n_clusters
        before = steps.get(reason)
        if before is not None:
            units = add([units, before.n_units])
            clusters = -1
        steps[reason] = Step(words=reason, n_units=units, n_clusters=clusters)
    return tuple(steps.values())


def say_reason(entry: Entry, words: Words) -> str:
    """Return an exclusion's reason, or the reasons counted together, in a reader's words."""
    said = []
    plan = words.plan
    conditions = [(table, condition) for table in plan.records for condition in table.conditions]
    kept = {phrase_kept(plan, *pair): say_kept(plan, *pair) for pair in conditions}
    for reason in entry.reason.split(TOGETHER):
        for outcome in words.plan.outcomes:
            for name in (outcome.name, outcome.column):
                reason = reason.replace(f"'{name}'", words.short_outcome(outcome.name))
        for start, readable in READABLE.items():
            if reason.startswith(start):
                what = reason.removeprefix(start)
                reason = readable.format(kept.get(what, what))
        said.append(reason)
    return " or ".join(said)


def units_of(entry: Entry) -> int:
    """Return a count of students, or of rows where students are not yet known."""
    return entry.n_units if entry.n_units != NOT_YET else entry.n_rows


def say_units(step: Step, noun: str = "students") -> str:
    """Write a count of students, or why it is not there."""
    if step.n_units == WITHHELD:
        return "not shown"
    return "not counted" if step.n_units < 0 else f"{count(step.n_units)} {noun}"


def say_step(step: Step, words: Words, noun: str = "students") -> str:
    """Write a step's count and clusters: ``1,762 students in 127 classes``."""
    said = say_units(step, noun)
    if step.n_clusters < 0 or words.cluster() == "student":
        return said
    return f"{said} in {words.clusters(step.n_clusters)}"
