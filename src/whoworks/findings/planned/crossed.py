"""For whom, where: whether a planned difference between students is the same in every planned context.

A difference between students may be large in one kind of classroom and absent
in another. Students within one classroom tell the difference; only classrooms
tell whether it differs, so the test has the classrooms' degrees of freedom,
which CR2 with Satterthwaite's makes visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.groups import Groups, group_categories, group_numbers
from whoworks.findings.holder import count_by
from whoworks.findings.regression import EffectFit, fit_effects
from whoworks.findings.setting import NOT_DETERMINED, UNTESTED, Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator
from whoworks.plan.plan import Plan

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

QUESTION = "for-whom-where"
CELL = "average effect in the group, in the context"
DIFFERENCE = "difference between groups' effects, in the context"
SAME = "the difference between groups' effects is the same in every context"
THIN = "not assessable: fewer than three clusters in an arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Two groups of students, crossed with contexts.

    student, context : the moderators' names
    who, where : their groups over the analysed units
    kept : the contexts in which both groups have three clusters in each arm
    """

    student: str
    context: str
    who: Groups
    where: Groups
    kept: tuple[int, ...]

    @property
    def name(self) -> str:
        """What `moderator` says of a finding."""
        return cross_name(self.student, self.context)

    def cell(self, group: int, context: int) -> Mask:
        """Return the units of one group in one context, (n,)."""
        return self.who.member(group) & self.where.member(context)

    @property
    def keep(self) -> Mask:
        """The units of the contexts kept, (n,)."""
        return np.asarray((self.who.code >= 0) & np.isin(self.where.code, self.kept))

    @property
    def basis(self) -> Vector:
        """1, indicators of the contexts kept but the first, and the second group's indicator times these, (n, 2 m)."""
        contexts = self.where.indicators(self.kept)
        return np.hstack([contexts, self.who.member(1)[:, None] * contexts])


def find_crossed(panel: Panel, setting: Setting) -> tuple[Finding, ...]:
    """Cross every planned moderator of students with every planned one of their contexts.

    Students: two groups. Contexts: groups, or a number that the plan cuts. For
    each pair the effect in each cell, the difference between the groups in each
    context, and a test that these are the same; the test is exploratory, and one
    more look among all, and counts what holds the context.
    """
    found: list[Finding] = []
    for student, context in pairs(panel.plan):
        counted = count_by(panel, setting, context)
        crossing, compared = (open_crossing(panel, each, student, context) for each in (setting, counted))
        if crossing is not None and compared is not None:
            found += [*_find_cells(setting, crossing), _same(counted, compared)]
    return tuple(found)


def pairs(plan: Plan) -> tuple[tuple[Moderator, Moderator], ...]:
    """Return the planned moderators of students, each with each planned moderator of contexts."""
    planned = [moderator for moderator in plan.moderators if moderator.planned]
    students = [m for m in planned if m.level in ("", STUDENT) and m.kind == "category"]
    contexts = [m for m in planned if m.level not in ("", STUDENT) and (m.kind == "category" or m.cut)]
    return tuple(product(students, contexts))


def cross_name(student: str, context: str) -> str:
    """Name a pair of moderators."""
    return f"{student} x {context}"


def cell_name(group: str, context: str) -> str:
    """Name a cell, or with two groups joined by " - " a difference in a context."""
    return f"{group}, {context}"


def open_crossing(panel: Panel, setting: Setting, student: Moderator, context: Moderator) -> Crossing | None:
    """Return the two moderators' groups, crossed; None where the student moderator has not two groups."""
    who = group_categories(panel, setting.scores, student)
    if len(who.levels) != 2:
        return None
    cut = group_categories if context.kind == "category" else group_numbers
    where = cut(panel, setting.scores, context)
    kept = tuple(
        place for place in range(len(where.levels))
        if all(setting.is_assessable(who.member(group) & where.member(place)) for group in (0, 1))
    )  # fmt: skip
    return Crossing(student=student.name, context=context.name, who=who, where=where, kept=kept)


def _find_cells(setting: Setting, crossing: Crossing) -> list[Finding]:
    fit = _fit(setting, crossing)
    places = range(len(crossing.where.levels))
    cells = [_cell(setting, crossing, fit, group, place) for place in places for group in (0, 1)]
    return [*cells, *(_difference(setting, crossing, fit, place) for place in places)]


def _fit(setting: Setting, crossing: Crossing) -> EffectFit | None:
    return fit_effects(setting.scores, basis=crossing.basis, keep=crossing.keep) if crossing.kept else None


def _row(crossing: Crossing, group: int, place: int) -> Vector:
    """Return the contrast that is one cell's effect."""
    n = len(crossing.kept)
    row = np.zeros(2 * n)
    at = crossing.kept.index(place)
    row[0] = row[at] = 1.0
    row[n] = row[n + at] = float(group)
    return row


def _cell(setting: Setting, crossing: Crossing, fit: EffectFit | None, group: int, place: int) -> Finding:
    fields: dict[str, object] = {"notes": (THIN,)}
    if fit is not None and place in crossing.kept:
        fields = setting.inference(fit.effects(_row(crossing, group, place))) | UNTESTED
    return setting.finding(
        question=QUESTION, quantity=CELL, moderator=crossing.name, status="descriptive",
        level=cell_name(crossing.who.levels[group], crossing.where.levels[place]),
        **fields, **setting.counts(crossing.cell(group, place)),
    )  # fmt: skip


def _difference(setting: Setting, crossing: Crossing, fit: EffectFit | None, place: int) -> Finding:
    fields: dict[str, object] = {"notes": (THIN,)}
    if fit is not None and place in crossing.kept:
        row = _row(crossing, 1, place) - _row(crossing, 0, place)
        fields = setting.inference(fit.effects(row), is_difference=True) | UNTESTED
    first, second = crossing.who.levels
    return setting.finding(
        question=QUESTION, quantity=DIFFERENCE, moderator=crossing.name, reference=first, status="descriptive",
        level=cell_name(f"{second} - {first}", crossing.where.levels[place]),
        **fields, **setting.counts(crossing.cell(0, place), crossing.cell(1, place)),
    )  # fmt: skip


def _same(setting: Setting, crossing: Crossing) -> Finding:
    """Test that the groups differ equally in every context: t for two contexts, HTZ for more."""
    fit = _fit(setting, crossing)
    fields: dict[str, object] = {"notes": ("not assessable: fewer than two contexts can be compared",), "unit": ""}
    n = len(crossing.kept)
    if fit is not None and n > 1 and not fit.is_determined:
        fields["notes"] = (NOT_DETERMINED,)
    elif fit is not None and n == 2:
        fields = setting.inference(fit.effects([0.0, 0.0, 0.0, 1.0]), is_difference=True)
    elif fit is not None and n > 2:
        fields = setting.joint(fit.joint(np.eye(2 * n)[n + 1 :]))
    places = crossing.kept or tuple(range(len(crossing.where.levels)))
    return setting.finding(
        question=QUESTION, quantity=SAME, moderator=crossing.name, status="exploratory", **fields,
        **setting.counts(*(crossing.cell(group, place) for place in places for group in (0, 1))),
    )  # fmt: skip
