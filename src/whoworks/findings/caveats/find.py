"""Caveats: derived from checks, design and findings by rules, never typed. One rule, one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from whoworks.checks.verdict import Check, Verdict
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.caveats.design import find_design_caveats
from whoworks.findings.caveats.findings import find_finding_caveats
from whoworks.findings.caveats.measures import find_measure_caveats
from whoworks.findings.caveats.takeup import find_takeup_caveats
from whoworks.findings.finding import Findings
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel

FROM_CHECKS = {
    "attrition": 1,
    "cluster_attrition": 1,
    "group_attrition": 1,
    "balance": 1,
    "one_arm": 1,
    "sample_ratio": 1,
    "clusters": 1,
    "cluster_sizes": 2,
    "overlap": 2,
    "interference": 2,
    "ceiling_floor": 2,
    "distinct_values": 2,
    "far_values": 1,
}  # gravity of a failed check; a warning weighs one less
# Of one gravity these come first: who was compared and how few, before what was found.
FIRST = ("matched", "attrition", "cluster_attrition", "sample_ratio", "one_arm", "balance", "clusters", "few_clusters")


def find_caveats(
    panel: Panel, settings: Sequence[Setting], checks: Sequence[Check], findings: Findings
) -> tuple[Caveat, ...]:
    """Apply every rule, and order the caveats by gravity, then by rule, the main comparison's first.

    What a rule says twice in the same words is said once.
    """
    found = [
        *_from_checks(checks),
        *find_finding_caveats(panel, settings, findings),
        *find_design_caveats(panel, settings, findings),
        *find_takeup_caveats(panel, settings, findings),
        *find_measure_caveats(panel, settings),
    ]
    unique: dict[tuple[str, str, str], Caveat] = {}
    for caveat in found:
        unique.setdefault((caveat.caveat_id, caveat.subject, caveat.sentence), caveat)
    return tuple(sorted(unique.values(), key=_place))


def _place(caveat: Caveat) -> tuple[int, int]:
    """Return where a caveat stands among the others."""
    rule = caveat.caveat_id
    return caveat.gravity, FIRST.index(rule) if rule in FIRST else len(FIRST)


def _from_checks(checks: Sequence[Check]) -> Iterator[Caveat]:
    for check in checks:
        gravity = FROM_CHECKS[check.check_id]
        if check.verdict is Verdict.FAIL or check.verdict is Verdict.ERROR:
            yield Caveat(caveat_id=check.check_id, subject=check.subject, gravity=gravity, sentence=check.sentence)
        elif check.verdict is Verdict.WARN and check.check_id != "clusters":
            yield Caveat(
                caveat_id=check.check_id, subject=check.subject, gravity=min(gravity + 1, 3), sentence=check.sentence
            )  # fmt: skip
