"""A student's own place and the class's: two contrasts that a moderator of students mixes when classes carry the arm.

The effect may differ between students of one class, and between classes with
more and fewer such students. The plain difference is a mixture of the two, with
weights that no reader chose. Beside it stand both, and a test that they agree
(Raudenbush & Bryk 2002, Hierarchical Linear Models, pp. 135-141; Enders &
Tofighi 2007, Psychological Methods 12).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Design
from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.groups import own_level_spread
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import NOT_DETERMINED, TOO_FEW_DF, UNTESTED, Setting
from whoworks.inference.cluster_robust import Estimates
from whoworks.language import plural
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

NO_SPREAD = 1e-9  # of a moderator's SD: below, it does not vary within classes, or not between them
FEW_DF_AT_ALL = "not assessable: fewer than 4 degrees of freedom"
WITHIN, BETWEEN, AGREE = "within", "between", "within - between"


def find_contrasts(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[Finding, ...]:
    """Split a student-level moderator into its contrasts within and between what carries the arm.

    For numbers (per SD, as the plain slope) and categories of two groups, where
    classes or schools carry the arm; of others, nothing. Descriptive: the claim
    stays the plain difference, and neither contrast carries a p of its own. The
    level is "within class", "between classes", or "within - between".
    """
    carrier = setting.design.assigned_level
    if carrier == STUDENT or moderator.level not in ("", STUDENT):
        return ()
    place = plain_place(panel, setting, moderator)
    if place is None:
        return ()
    rows = setting.design.places(setting.scores.rows)
    own, mean = (np.nan_to_num(part[rows]) for part in split_place(place, setting.design))
    keep = ~np.isnan(place[rows])
    if not setting.is_assessable(keep) or min(np.ptp(own[keep]), np.ptp(mean[keep])) < NO_SPREAD:
        return ()
    fit = fit_effects(setting.scores, basis=np.column_stack([np.ones(len(keep)), own, mean]), keep=keep)
    estimates = fit.effects([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    is_number = moderator.kind == "number"
    counts = setting.counts(keep) if is_number else setting.counts(place[rows] == 0, place[rows] == 1)
    shared = counts | {
        "moderator": moderator.name, "status": "descriptive",
        "reference": "" if is_number else panel.variable(moderator.name).levels[0],
    } | ({"unit": "per SD"} if is_number else {})  # fmt: skip
    levels = (f"{WITHIN} {carrier}", f"{BETWEEN} {plural(carrier)}", AGREE)
    return tuple(
        setting.finding(
            question="difference", quantity=_quantity(level, carrier), level=level,
            **(_fields(setting, estimates, index, has_test=level == AGREE) | shared),
        )
        for index, level in enumerate(levels)
    )  # fmt: skip


def _fields(setting: Setting, estimates: Estimates, index: int, *, has_test: bool) -> dict[str, object]:
    """Return what one contrast fills; under 4 degrees of freedom only why: such a slope may be anything."""
    if estimates.df[index] < TOO_FEW_DF:
        return {"notes": (FEW_DF_AT_ALL,)}
    fields = setting.inference(estimates, index, is_difference=True)
    if has_test:
        return fields
    is_told = bool(np.isfinite(estimates.estimate[index]))
    return fields | UNTESTED | {"notes": () if is_told else (NOT_DETERMINED,)}


def is_split(finding: Finding) -> bool:
    """Tell whether a finding is one of the contrasts within and between clusters, or their difference."""
    return finding.question == "difference" and finding.level.startswith((f"{WITHIN} ", f"{BETWEEN} ")) and (
        finding.status == "descriptive"
    )  # fmt: skip


def plain_place(panel: Panel, setting: Setting, moderator: Moderator) -> Vector | None:
    """Return each kept unit's place on the moderator, NaN where missing: in SD, or 0 and 1 for two groups.

    For the units of the design, analysed or not: whose outcome was lost is still
    part of the class. None for three groups or more, and for a number that does not vary.
    """
    rows = setting.design.rows
    if moderator.kind == "number":
        values = panel.values[moderator.name].to_numpy(dtype=np.float64)[rows]
        spread = own_level_spread(panel, moderator)
        return values / spread if spread > 0 else None
    if len(panel.variable(moderator.name).levels) != 2:
        return None
    code = panel.values[moderator.name].iloc[rows].cat.codes.to_numpy().astype(np.float64)
    return np.where(code < 0, np.nan, code)


def split_place(place: Vector, design: Design) -> tuple[Vector, Vector]:
    """Split into the deviation from the mean of what carries the arm, and that mean less the mean over units.

    ``place = own + mean + overall``; units without a place have neither part.
    """
    known = ~np.isnan(place)
    code = np.unique(design.assigned, return_inverse=True)[1]
    size = np.bincount(code[known], minlength=int(code.max()) + 1)
    total = np.bincount(code[known], place[known], minlength=len(size))
    mean = (total / np.maximum(size, 1))[code]
    overall = float(place[known].mean()) if known.any() else 0.0
    return np.where(known, place - mean, np.nan), np.where(known, mean - overall, np.nan)


def _quantity(level: str, carrier: str) -> str:
    if level == AGREE:
        return f"difference within a {carrier} minus difference between {plural(carrier)}"
    where = f"between students of one {carrier}" if level.startswith(WITHIN) else f"between {plural(carrier)}"
    return f"difference in the effect {where}"
