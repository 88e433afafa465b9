"""The arms that a caveat is about: what they are called, and which comparison it speaks of where there are several."""

from __future__ import annotations

from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel


def treatment_of(setting: Setting) -> str:
    """Return the words of the treatment that is compared with control."""
    arm = setting.design.arm[setting.design.places(setting.scores.rows)]
    return setting.design.arm_labels[int(arm[setting.treated][0])]


def of_treatment(panel: Panel, contrast: str) -> str:
    """Return `` of small class`` where the study has several treatments, so that it is clear which is meant."""
    arms = panel.plan.arms
    named = [arms.label(code) for code in arms.treatments if contrast == f"{code} - {arms.control}"]
    return f" of {named[0]}" if named and len(arms.treatments) > 1 else ""
