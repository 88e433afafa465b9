"""Pilots opened as far as settings: panel, design, scores, all of one call, small and quick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from whoworks.design.build import build_design
from whoworks.design.design import Design
from whoworks.findings.find import open_settings
from whoworks.findings.finding import Findings
from whoworks.findings.setting import Setting
from whoworks.panel.build import build_panel
from whoworks.panel.ledger import Entry, Ledger
from whoworks.panel.panel import Panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.scores.build import build_scores
from whoworks.scores.scores import Scores
from whoworks.simulate.pilot import Pilot, make_pilot
from whoworks.simulate.world import World

FOUR = ("frl", "devices", "sex", "rit_fall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A study opened as far as its settings; the first is of the primary outcome and main contrast."""

    panel: Panel
    design: Design
    settings: tuple[Setting, ...]

    @property
    def main(self) -> Setting:
        return self.settings[0]

    @property
    def scores(self) -> Scores:
        return self.main.scores

    def moderator(self, column: str):
        return next(m for m in self.panel.plan.moderators if m.column == column)

    def without_prognosis(self) -> Opened:
        """Leave h out: what remains is R's plain regression."""
        bare = tuple(replace(s, scores=replace(s.scores, h=None)) for s in self.settings)
        return replace(self, settings=bare)


def open_study(plan: Plan, frame: pd.DataFrame, *, seed: int = 1) -> Opened:
    """Open a frame of records under a plan."""
    panel = build_panel(plan, read_records(plan, frame=frame))
    design = build_design(panel)
    sequence = np.random.SeedSequence(seed)
    scores = [s for o in plan.outcomes for s in build_scores(panel, design, outcome=o.name, seed=sequence)]
    return Opened(panel=panel, design=design, settings=open_settings(panel, design, scores))


def trim(pilot: Pilot, names: tuple[str, ...]) -> Pilot:
    """Keep some moderators and covariates: what a small pilot can hold, and a quick test needs."""
    covariates = tuple(c for c in pilot.plan.covariates.columns if c in names)
    changed = {
        "moderators": tuple(m for m in pilot.plan.moderators if m.column in names),
        "covariates": pilot.plan.covariates.model_copy(update={"columns": covariates}),
    }
    return replace(pilot, plan=pilot.plan.model_copy(update=changed))


def open_pilot(world: str | World, *, names: tuple[str, ...] = FOUR, seed: int = 1, **layout: Any) -> Opened:
    """Draw and open a pilot."""
    pilot = trim(make_pilot(world, seed=seed, **layout), names)
    return open_study(pilot.plan, pilot.records, seed=seed)


def unhurried(setting: Setting) -> Setting:
    """Return the setting without its slow p by re-drawing, where a test asks of something else."""

    class Unhurried(Setting):
        has_few_clusters = False

    return Unhurried(**{name: getattr(setting, name) for name in Setting.__dataclass_fields__})


@cache
def student_moderator() -> Opened:
    """Forty classes in ten schools as blocks; students with free lunch gain more."""
    return open_pilot(
        "student-moderator", names=(*FOUR, "setting", "teacher_years"), students=480, classes=40, schools=10
    )


def of_classes(opened: Opened, column: str) -> Opened:
    """Declare a trait to be the classes' own, so that its differences count the classes that carry the arm."""
    plan = opened.panel.plan
    moderators = tuple(m.model_copy(update={"level": "class"}) if m.column == column else m for m in plan.moderators)
    return replace(opened, panel=replace(opened.panel, plan=plan.model_copy(update={"moderators": moderators})))


@cache
def three_arms() -> Opened:
    """Forty classes in five schools, three arms: ten classes at least in each."""
    return open_pilot("three-arms", students=400, classes=40, schools=5)


def unlike_sizes(*, blocks: str = "pair") -> Opened:
    """Two in three students of every other class are gone from the records."""
    pilot = trim(make_pilot("no-effect", students=720, classes=24, schools=4, blocks=blocks, seed=1), ("frl",))
    records = pilot.records
    large = pd.factorize(records["class_id"])[0] % 2 == 0
    return open_study(pilot.plan, records[large | (np.arange(len(records)) % 3 == 0)].reset_index(drop=True))


def where(findings: Findings | tuple, **fields: object):
    """Return the one finding that has the fields."""
    found = list((findings if isinstance(findings, Findings) else Findings(items=tuple(findings))).where(**fields))
    assert len(found) == 1, [f.finding_id for f in found]
    return found[0]


def without_record(share: float, *, arm: tuple[int, ...] = (0, 1)) -> Opened:
    """Take the record of free lunch away from a share of the students of some arms; all other records are there."""
    opened = student_moderator()
    lunch = opened.panel.values["frl"].cat
    codes = np.maximum(lunch.codes.to_numpy(), 0).astype(int)
    inside = np.zeros(len(codes), dtype=bool)
    inside[opened.design.rows] = np.isin(opened.design.arm, arm)
    codes[inside & (np.random.default_rng(0).uniform(size=len(codes)) < share)] = -1
    frl = pd.Categorical.from_codes(codes, lunch.categories, ordered=True)
    values = opened.panel.values.assign(frl=frl, teacher_years=opened.panel.values["teacher_years"].fillna(10.0))
    return replace(opened, panel=replace(opened.panel, values=values))


def leaving(reason: str, n_rows: int) -> Opened:
    """Let this many of 100 rows received have left for a reason."""
    opened = student_moderator()
    received = Entry(step="received", reason="rows", n_rows=100)
    ledger = Ledger(entries=(received, Entry(step="excluded", reason=reason, n_rows=n_rows)))
    return replace(opened, panel=replace(opened.panel, ledger=ledger))
