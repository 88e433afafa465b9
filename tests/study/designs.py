"""Small studies, made by hand to be awkward and legal, and run with brief settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from whoworks.plan.arguments import plan_from_arguments
from whoworks.run import Run
from whoworks.study import Study

LUNCH = {"column": "frl", "planned": True, "level": "student"}
YEARS = {"column": "years", "kind": "number", "planned": True, "level": "class"}


def make_classes(*, schools: int = 6, per_school: int = 4, size: int = 4, seed: int = 0) -> pd.DataFrame:
    """Classes drawn within schools, half of them treated: one row per student."""
    rng = np.random.default_rng(seed)
    classes = schools * per_school
    room = np.repeat(np.arange(classes), size)
    half = ["T"] * (per_school // 2) + ["C"] * (per_school - per_school // 2)
    arm = np.concatenate([rng.permutation(half) for _ in range(schools)])
    n = len(room)
    pre = rng.normal(size=n).round(3)
    frame = pd.DataFrame(
        {
            "sid": [f"s{i}" for i in range(n)], "class_id": [f"c{k}" for k in room],
            "school_id": [f"h{k}" for k in room // per_school], "arm": arm[room], "pre": pre,
            "frl": rng.choice(["Y", "N"], n), "eth": rng.choice(["A", "B", "C"], n),
            "years": np.round(rng.gamma(3, 3, classes), 1)[room],
        }
    )  # fmt: skip
    noise = 0.4 * rng.normal(size=classes)[room] + rng.normal(size=n)
    return frame.assign(y=(0.6 * pre + 0.3 * (frame["arm"] == "T") + noise).round(3))


def make_pairs(*, pairs: int = 24, seed: int = 0) -> pd.DataFrame:
    """Students drawn within matched pairs."""
    rng = np.random.default_rng(seed)
    pair = np.repeat(np.arange(pairs), 2)
    arm = np.concatenate([rng.permutation(["T", "C"]) for _ in range(pairs)])
    pre = rng.normal(size=2 * pairs).round(3)
    frame = pd.DataFrame(
        {
            "sid": [f"s{i}" for i in range(2 * pairs)], "school_id": [f"p{k}" for k in pair], "arm": arm,
            "pre": pre, "frl": rng.choice(["Y", "N"], 2 * pairs),
        }
    )  # fmt: skip
    return frame.assign(y=(pre + rng.normal(size=2 * pairs)).round(3))


def run_briefly(frame: pd.DataFrame, **arguments: Any) -> Run:
    """Run a study of classes within schools, unless the arguments say otherwise, with few trees and one refit."""
    given = {
        "arm": "arm", "control": "C", "student": "sid", "assigned": "class_id", "blocks": "school_id",
        "outcome": "y", "baseline": "pre", "moderators": [LUNCH, YEARS, "eth"],
    }  # fmt: skip
    plan = plan_from_arguments(frame, **{**given, **arguments})
    brief = plan.analysis.model_copy(update={"trees": 50, "refits": 1})
    return Study.from_plan(plan.model_copy(update={"analysis": brief}), frame=frame).run()
