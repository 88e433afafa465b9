"""Stages of the participant flow: which of its totals may be told, so that no small count follows from them.

In each arm the rows received, those left after each reason, those assigned and
those analysed are sets within one another. A stage is told for every arm or for
none, and only where it exceeds every stage told below it by nobody or by enough
students and clusters in every arm. What is told between two stages is their
difference, so that every count told, and every sum or difference of such
counts, adds up differences between stages told: none of them is small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, compress

from whoworks.findings.smallest_cell import SmallestCell
from whoworks.panel.ledger import ANALYSED, EXCLUDED, JOINED, RECEIVED, Entry, Ledger
from whoworks.report.cells import WITHHELD, Withholding

TOGETHER = "; "  # between the reasons of rows that are counted together


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What may be told of a ledger.

    codes : the arms compared
    reasons : why rows of these arms left before any outcome was looked at, in the ledger's order
    told : the stages told, of 0 (received) .. len(reasons) (assigned), ascending
    outcomes : the outcomes whose analysed are told, in every arm
    others : whether the rows of no compared arm are told; joined : whether the tables beside the spine are
    n_assigned : students assigned, by arm
    """

    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    told: tuple[int, ...]
    outcomes: tuple[str, ...]
    others: bool
    joined: bool
    n_assigned: tuple[int, ...]

    @property
    def assigned(self) -> bool:
        """Whether the students assigned are told."""
        return len(self.reasons) in self.told

    @property
    def received(self) -> bool:
        """Whether the rows received are told, by arm and in all."""
        return 0 in self.told and self.others

    def spoken(self, entry: Entry) -> str:
        """Return the reason under which an entry is counted, with those it is counted together with."""
        if entry.step != EXCLUDED or entry.outcome:
            return entry.reason
        return TOGETHER.join(self.reasons[slice(*self._around(entry))]) if self._is_between(entry) else entry.reason

    def tells(self, entry: Entry) -> bool:
        """Whether an entry's count, with those it is counted together with, may be told."""
        if entry.step == JOINED:
            return self.joined
        if entry.arm not in self.codes:
            return self.others
        if entry.step == RECEIVED:
            return 0 in self.told
        if not entry.outcome:
            return self._is_between(entry)
        return entry.outcome in self.outcomes and (entry.step == ANALYSED or self.assigned)

    def _is_between(self, entry: Entry) -> bool:
        """Whether an entry's reason counts rows of compared arms and lies between two stages told."""
        place = self.reasons.index(entry.reason) if entry.reason in self.reasons else -1
        return bool(self.told) and self.told[0] <= place < self.told[-1]

    def _around(self, entry: Entry) -> tuple[int, int]:
        """Return the stages told right above and right below an entry's reason."""
        place = self.reasons.index(entry.reason)
        return max(k for k in self.told if k <= place), min(k for k in self.told if k > place)


def find_stages(ledger: Ledger, codes: Sequence[str], rule: SmallestCell) -> Stages:
    """Choose what may be told: from those analysed, which are told wherever they can be, upward."""
    entries = ledger.entries
    gone = (e for e in entries if e.step == EXCLUDED and not e.outcome and e.arm in codes)
    reasons = tuple(dict.fromkeys(e.reason for e in gone))
    outcomes = tuple(dict.fromkeys(e.outcome for e in entries if e.outcome))
    ways = [_read_way(entries, arm, reasons, outcomes) for arm in codes]
    large = (all(rule.may_tell(*_count(way.analysed[place])) for way in ways) for place in range(len(outcomes)))
    chosen = Stages(
        codes=tuple(codes), reasons=reasons, told=_choose(ways, len(reasons), rule),
        outcomes=tuple(compress(outcomes, large)), others=False, joined=False,
        n_assigned=tuple(way.sizes[-1] for way in ways),
    )  # fmt: skip
    chosen = replace(chosen, others=_may_tell_others(chosen, entries, rule))
    beside = all(rule.may_tell(e.n_rows) for e in entries if e.step == JOINED)
    return replace(chosen, joined=beside and chosen.received and chosen.assigned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One arm's way: who left under each reason, who lacks and who has each outcome, and each stage's size."""

    left: tuple[list[Entry], ...]
    missing: tuple[list[Entry], ...]
    analysed: tuple[list[Entry], ...]
    sizes: tuple[int, ...]


def _read_way(entries: Sequence[Entry], arm: str, reasons: Sequence[str], outcomes: Sequence[str]) -> Way:
    left = tuple(_those(entries, EXCLUDED, arm, reason=reason) for reason in reasons)
    received = _count(_those(entries, RECEIVED, arm))[0]
    return Way(
        left=left,
        missing=tuple(_those(entries, EXCLUDED, arm, outcome=outcome) for outcome in outcomes),
        analysed=tuple(_those(entries, ANALYSED, arm, outcome=outcome) for outcome in outcomes),
        sizes=tuple(accumulate((-_count(each)[0] for each in left), initial=received)),
    )


def _choose(ways: Sequence[Way], n_reasons: int, rule: SmallestCell) -> tuple[int, ...]:
    """Return the stages told; where those assigned are not, a stage is held against the analysed of every outcome."""
    told: list[int] = []
    for place in reversed(range(n_reasons + 1)):
        end = told[0] if told else n_reasons
        steps = [
            [entry for each in (*way.left[place:end], below) for entry in each]
            for way in ways
            for below in ([[]] if told or not way.missing else way.missing)
        ]
        sizes = (way.sizes[place] for way in ways)
        if all(rule.may_tell(*_count(step)) for step in steps) and all(map(rule.may_tell, sizes)):
            told.insert(0, place)
    return tuple(told)


def _those(entries: Iterable[Entry], step: str, arm: str, *, outcome: str = "", reason: str = "") -> list[Entry]:
    same = (e for e in entries if (e.step, e.arm, e.outcome) == (step, arm, outcome))
    return [e for e in same if not reason or e.reason == reason]


def _count(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return rows or students, and how many clusters they lie in at least; -1 where clusters are not counted."""
    if any(entry.n_clusters < 0 for entry in entries):
        return sum(entry.n_rows for entry in entries), -1
    return sum(entry.n_rows for entry in entries), max((entry.n_clusters for entry in entries), default=-1)


def _may_tell_others(stages: Stages, entries: Iterable[Entry], rule: SmallestCell) -> bool:
    """Whether the rows of no compared arm may be told: all their counts, as they are told together, are enough."""
    strangers = [e for e in entries if e.arm not in stages.codes and e.step in (RECEIVED, EXCLUDED)]
    together: dict[tuple[str, str, str], int] = {}
    for entry in strangers:
        key = entry.step, stages.spoken(entry), entry.arm
        together[key] = together.get(key, 0) + entry.n_rows
    return all(rule.may_tell(n_rows) for n_rows in together.values())


def clear_ledger(ledger: Ledger, stages: Stages, rule: SmallestCell, account: list[Withholding]) -> Ledger:
    """Return the ledger as it may be written: counts that are told, alone or together, and the others without numbers.

    Where the students assigned are not told, each arm and outcome has an entry
    for those without the outcome, so that its absence does not tell that there
    are none.
    """
    together: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in _with_none_missing(ledger, stages):
        key = entry.step, stages.spoken(entry), entry.outcome, entry.arm
        together.setdefault(key, []).append(entry)
    return Ledger(entries=tuple(_write(key[1], each, stages, rule, account) for key, each in together.items()))


def _with_none_missing(ledger: Ledger, stages: Stages) -> Iterator[Entry]:
    missing = {(e.outcome, e.arm) for e in ledger.entries if e.step == EXCLUDED and e.outcome}
    reason = next((e.reason for e in ledger.entries if e.step == EXCLUDED and e.outcome), "")
    for entry in ledger.entries:
        unsaid = entry.step == ANALYSED and (entry.outcome, entry.arm) not in missing
        if unsaid and reason and not stages.assigned:
            yield replace(entry, step=EXCLUDED, reason=reason, n_rows=0, n_units=0, n_clusters=0)
        yield entry


def _write(reason: str, entries: list[Entry], stages: Stages, rule: SmallestCell, account: list[Withholding]) -> Entry:
    """Return entries that are counted together as one, with its number or without."""
    first = entries[0]
    row = ":".join((first.step, reason, first.outcome, first.arm))
    units, clusters = ([getattr(entry, name) for entry in entries] for name in ("n_units", "n_clusters"))
    if not stages.tells(first):
        account.append(Withholding(file="ledger.csv", row=row, column="all counts", reason=rule.sentence))
        return replace(
            first, n_rows=WITHHELD, n_units=-1 if first.n_units == -1 else WITHHELD,
            n_clusters=-1 if first.n_clusters == -1 else WITHHELD,
        )  # fmt: skip
    if reason != first.reason:
        account.append(Withholding(file="ledger.csv", row=row, column="each reason's own count", reason=rule.sentence))
    return replace(
        first, reason=reason, n_rows=sum(entry.n_rows for entry in entries),
        n_units=sum(units) if min(units) >= 0 else -1, n_clusters=clusters[0] if len(entries) == 1 else -1,
    )  # fmt: skip
