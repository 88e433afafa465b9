"""Caveats of take-up: what was compared is an offer, and how many in each arm acted on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.wording import percent, to_error
from whoworks.findings.caveats.arms import of_treatment, treatment_of
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.planned.takeup import is_full
from whoworks.findings.setting import Setting
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.panel.panel import Panel

Vector = NDArray[np.float64]

LITTLE_TAKEUP = 50.0  # percentage points that the offer moves take-up, below which many did not act on it
CROSSOVER = 0.10  # share of the control arm that took the programme up, from which the arms differ less than was meant
READINGS = {
    "little_takeup": "what was tested is an offer that many did not act on, or that others had anyway",
    "crossover": "the arms differ in what was offered more than in what was done",
    "partial_takeup": "the average speaks of the offer, and says less of what taking it up does",
}


def find_takeup_caveats(panel: Panel, settings: Sequence[Setting], findings: Findings) -> Iterator[Caveat]:
    """Say of each treatment, on the main outcome, how many of either arm took the programme up, where not all did."""
    main = next((setting for setting in settings if setting.is_main), None)
    for setting in settings:
        if main is None or setting.outcome != main.outcome or setting.scores.d is None:
            continue
        moved = findings.where(
            question="takeup", outcome=setting.outcome.column, wave=setting.outcome.wave,
            contrast=setting.scores.contrast,
        ).items  # fmt: skip
        yield from _partial(panel, setting, setting.scores.d, moved)


def _partial(panel: Panel, setting: Setting, d: Vector, moved: tuple[Finding, ...]) -> Iterator[Caveat]:
    known = ~np.isnan(d)
    arms = [arm & known for arm in (setting.treated, setting.control)]
    if not all(arm.any() for arm in arms) or any(map(is_full, moved)):
        return
    rates = [float(d[arm].mean()) for arm in arms]
    size = moved[0].estimate if moved else 100 * (rates[0] - rates[1])
    if rates == [1.0, 0.0] or np.isnan(size):
        return
    is_told = read_smallest_cell(panel.plan).may_share(setting, known, d == 1.0)
    rule = "little_takeup" if size < LITTLE_TAKEUP else "partial_takeup"
    if rule == "partial_takeup" and is_told and rates[1] >= CROSSOVER:
        rule = "crossover"
    if is_told:
        said = (
            f"{written(rates[0])} of students under {treatment_of(setting)} and {written(rates[1])} under "
            f"{setting.design.arm_labels[0]} took the programme up"
        )
    else:
        of_which = of_treatment(panel, setting.scores.contrast)
        by = "less than 1 percentage point" if abs(size) < 1 else f"{to_error(size, 10.0)} percentage points"
        said = f"The offer{of_which} moved take-up by {by}"
    yield Caveat(
        caveat_id=rule, subject="", gravity=2, sentence=f"{said}: {READINGS[rule]}.",
        about=tuple(finding.finding_id for finding in moved),
    )  # fmt: skip


def written(share: float) -> str:
    """Write a share in whole percent; one that is not all is not written as all."""
    return "over 99 %" if 0.995 <= share < 1 else percent(share, 0)
