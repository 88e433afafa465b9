"""CPU time of all findings beyond the forests, on a study of 20,000 students and 20 moderators.

``python -m benchmarks.findings class`` assigns classes within schools;
``student`` assigns students without schools, so that each student is a cluster;
``site`` assigns students within 100 schools. ``--profile FILE`` writes the
profile. CPU seconds, not wall time: the machine may be shared.
"""

from __future__ import annotations

import argparse
import cProfile
import time
import tomllib

import numpy as np

from whoworks.design.build import build_design
from whoworks.design.folds import assign_folds
from whoworks.findings.caveats.find import find_caveats
from whoworks.findings.find import find_all, open_settings
from whoworks.findings.planned.average import measure_precision
from whoworks.forests.left_out import predict_left_out
from whoworks.forests.protocol import Inputs
from whoworks.forests.ridge_engine import RidgeEngine
from whoworks.forests.table import read_features
from whoworks.panel.build import build_panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.scores.build import build_scores
from whoworks.simulate.pilot import make_pilot

LAYOUTS = {
    "class": {"assigned": "class", "blocks": "school"},
    "site": {"assigned": "student", "blocks": "school"},
    "student": {"assigned": "student", "blocks": "none"},
}
STUDENT, CLASS, SCHOOL = "student", "class", "school"


def make_study(layout, *, students):
    """Return a panel of a simulated pilot with thirteen moderators more, twenty in all."""
    n_classes, n_schools = students // 25, max(students // 200, 2)
    pilot = make_pilot("student-moderator", students=students, classes=n_classes, schools=n_schools, **LAYOUTS[layout])
    frame, rng = pilot.records, np.random.default_rng(1)
    plan = tomllib.loads(pilot.plan.to_toml())
    at = {STUDENT: np.arange(len(frame)), CLASS: frame.class_id.factorize()[0], SCHOOL: frame.school_id.factorize()[0]}
    kinds = [(STUDENT, 0)] * 3 + [(STUDENT, 2)] * 3 + [(STUDENT, 4)] * 2 + [(CLASS, 0)] * 2 + [(CLASS, 2), (CLASS, 3)]
    for number, (level, groups) in enumerate([*kinds, (SCHOOL, 0)]):
        code, name = at[level], f"extra{number}"
        drawn = rng.normal(size=code.max() + 1) if groups == 0 else rng.integers(groups, size=code.max() + 1)
        values = np.round(drawn[code], 2) if groups == 0 else np.array(list("abcd"), dtype=object)[drawn[code]]
        frame[name] = np.where(rng.random(len(frame)) < 0.02, None, values)
        if level != STUDENT:
            frame[name] = values
        plan["moderators"].append({"column": name, "level": level, "kind": "category" if groups else "number"})
    if layout == "student":
        plan["design"].pop("site", None)
    return build_panel(Plan.build(plan), read_records(Plan.build(plan), frame=frame))


def predict(panel, design, setting):
    """Predict effects by a ridge: the findings that rest on predictions need some, and the forest is not timed here."""
    scores, arm = setting.scores, design.arm[np.searchsorted(design.rows, setting.scores.rows)]
    names = [moderator.name for moderator in panel.plan.moderators]
    inputs = Inputs(
        features=read_features(panel.values[names].iloc[scores.rows]), y_residual=scores.y - scores.mu0,
        z_residual=scores.z - 0.5, weights=1 / scores.own, cluster=scores.cluster, block=scores.block, arm=arm,
        learn=setting.treated | setting.control,
    )  # fmt: skip
    assigned = design.assigned[np.searchsorted(design.rows, scores.rows)]
    folds = [
        assign_folds(
            cluster=scores.cluster, block=scores.block, arm=arm, assigned=assigned, rng=np.random.default_rng(each)
        )
        for each in range(20)
    ]  # fmt: skip
    return predict_left_out(
        RidgeEngine(), inputs, fold=scores.fold, forward_fold=np.array(folds), seed=np.random.SeedSequence(3)
    )


def main():
    """Time the findings of one layout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layout", choices=sorted(LAYOUTS))
    parser.add_argument("--students", type=int, default=20_000)
    parser.add_argument("--profile")
    given = parser.parse_args()
    panel = make_study(given.layout, students=given.students)
    design = build_design(panel)
    scores = [s for o in panel.plan.outcomes for s in build_scores(panel, design, outcome=o.name, seed=_seed(1))]
    settings = open_settings(panel, design, scores)
    predictions = {(scores[0].outcome, scores[0].contrast): predict(panel, design, settings[0])}
    print(f"{given.layout}: {len(scores[0].y):,} students, {len(np.unique(scores[0].cluster)):,} clusters", flush=True)
    profile, start = cProfile.Profile(), time.process_time()
    if given.profile:
        profile.enable()
    found = find_all(panel, settings, checks=(), predictions=predictions, seed=_seed(2))
    find_caveats(panel, settings, (), found)
    for setting in settings:
        measure_precision(setting)
    profile.disable()
    print(f"{len(found)} findings in {time.process_time() - start:.1f} s of CPU")
    if given.profile:
        profile.dump_stats(given.profile)


def _seed(number):
    return np.random.SeedSequence(number)


if __name__ == "__main__":
    main()
