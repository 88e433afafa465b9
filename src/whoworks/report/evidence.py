"""Everything a report is written from: frozen, complete, and free of any unit's own values."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import pandas as pd

from whoworks.checks.verdict import Check
from whoworks.design.design import Design
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Findings
from whoworks.findings.precision import Precision
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Provenance, Variable
from whoworks.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The results of one run.

    `caveats` come ordered by gravity. `engine` names what predicted effects,
    `ignores` what it leaves out of account, `importance` ranks the moderators in
    its predictions, beside what noise would do (columns moderator, share,
    noise_median, noise_high); all three are empty when no predictions were made,
    and `no_predictions` then says why. `command` is what
    was typed; `timings` (seconds per stage) and `peak_memory_mb` go into the
    manifest and nowhere else.
    """

    plan: Plan
    provenance: tuple[Provenance, ...]
    variables: tuple[Variable, ...]
    design: Design
    ledger: Ledger
    checks: tuple[Check, ...]
    findings: Findings
    precision: tuple[Precision, ...]
    caveats: tuple[Caveat, ...]
    engine: str
    ignores: tuple[str, ...]
    importance: pd.DataFrame
    no_predictions: str
    command: str
    timings: dict[str, float]
    peak_memory_mb: float


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB; NaN where the system does not tell."""
    try:
        import resource
    except ModuleNotFoundError:  # not a POSIX system
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
