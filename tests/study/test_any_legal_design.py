"""Whatever the design and the records, as long as a plan may name them: a run ends in findings, or in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.study.designs import run_briefly
from whoworks.errors import WhoworksError
from whoworks.run import Run

SEEDS = range(30)


def draw_study(seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw a small trial with something odd about it, and the arguments that name its columns."""
    rng = np.random.default_rng(seed)
    frame, design = draw_layout(rng)
    n, rooms = len(frame), np.unique(frame["class_id"], return_inverse=True)[1]
    homes = np.unique(frame["school_id"], return_inverse=True)[1]
    frame["pre"] = rng.choice([1.0, 1e6]) * rng.normal(size=n).round(2)
    frame["frl"] = rng.choice(["Y", "N"], n, p=(0.9, 0.1) if rng.random() < 0.3 else (0.5, 0.5))
    frame["eth"] = rng.choice(list("ABCDEFGH")[: rng.integers(2, 9)], n)
    frame["years"] = np.round(rng.gamma(2, 3, rooms.max() + 1), int(rng.integers(0, 2)))[rooms]
    frame["kind"] = rng.permutation(np.resize(["old", "new", "other"][: rng.integers(2, 4)], rooms.max() + 1))[rooms]
    frame["setting"] = np.resize(["city", "town", "farm", "isle"][: rng.integers(2, 5)], homes.max() + 1)[homes]
    signal = 0.01 * frame["pre"] + 0.3 * (frame["arm"] == "T") + 0.4 * rng.normal(size=rooms.max() + 1)[rooms]
    frame["y"] = (signal + rng.normal(size=n)).round(int(rng.integers(0, 4)))
    frame["passed"] = (frame["y"] > np.quantile(frame["y"], rng.choice([0.05, 0.5, 0.98]))).astype(int)
    for column in ("pre", "frl", "eth", "years", "kind", "y"):
        spoil(rng, frame, column, rooms=rooms, homes=homes)
    is_named = design["assigned"] != "student", design.get("blocks") != ()
    return frame, design | draw_questions(rng, has_rooms=is_named[0], has_schools=is_named[1])


def draw_layout(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw who sits where, what carries the arm, and the arms: from pairs of students to schools without blocks."""
    kind = rng.choice(["pairs of students", "students in schools", "classes", "pairs of classes", "schools"])
    per_block = 2 if str(kind).startswith("pairs") else int(rng.integers(2, 9))
    blocks = int(rng.integers(2, 5) if per_block > 4 else rng.integers(4, 13))
    arms = rng.permutation(
        np.resize(list("CTUV")[: rng.integers(2, 5)] if rng.random() < 0.3 else list("CT"), per_block)
    )
    units = np.repeat(np.arange(blocks), per_block)
    arm = np.concatenate([rng.permutation(arms) for _ in range(blocks)])
    size = 1 if "students" in str(kind) else int(rng.integers(1, 7))
    who = np.repeat(np.arange(len(units)), size)
    frame = pd.DataFrame(
        {
            "sid": [f"s{i}" for i in range(len(who))], "class_id": [f"c{u}" for u in who],
            "school_id": [f"h{b}" for b in units[who]], "arm": arm[who],
        }
    )  # fmt: skip
    design: dict[str, Any] = {"assigned": "student" if "students" in str(kind) else "class_id"}
    if kind == "schools":
        frame["school_id"] = frame["class_id"].str.replace("c", "h")
        design |= {"blocks": ()}
    elif rng.random() < 0.3:
        design |= {"site": "school_id"}
    return frame, design


def spoil(rng: np.random.Generator, frame: pd.DataFrame, column: str, *, rooms: Any, homes: Any) -> None:
    """Leave a column as it is, or lose values at random, in a class, a school, an arm, or its spread."""
    lost = {
        "some": rng.random(len(frame)) < rng.choice([0.02, 0.2, 0.6]), "class": rooms == rng.integers(rooms.max() + 1),
        "school": homes == rng.integers(homes.max() + 1), "arm": (frame["arm"] == rng.choice(["T", "U"])).to_numpy(),
        "most": homes != rng.integers(homes.max() + 1),
    }  # fmt: skip
    how = rng.choice(["whole", "flat", *lost], p=(0.65, 0.05, 0.15, 0.05, 0.05, 0.025, 0.025))
    if how == "flat":
        frame[column] = frame[column].iloc[0]
    elif how != "whole":
        frame[column] = frame[column].mask(lost[str(how)])


def draw_questions(rng: np.random.Generator, *, has_rooms: bool, has_schools: bool) -> dict[str, Any]:
    """Draw outcomes and moderators; of classes and of schools only where the design names them."""
    own = "class" if has_rooms else "student"
    cut = {"cut": "median"} if rng.random() < 0.5 else {}
    pool = [
        {"column": "frl", "planned": True, "level": "student"},
        {"column": "eth", "planned": bool(rng.random() < 0.5), "level": "student"},
        {"column": "years", "kind": "number", "planned": True, "level": own, **cut},
        {"column": "kind", "planned": bool(rng.random() < 0.5), "level": own},
        {"column": "pre", "kind": "number"},
        *([{"column": "setting", "level": "school"}] if has_schools else []),
    ]  # fmt: skip
    chosen = rng.permutation(len(pool))[: rng.integers(1, 4)]
    outcomes = [
        "y", {"column": "passed", "kind": "binary"}, [{"column": "passed", "kind": "binary", "primary": True}, "y"],
    ]  # fmt: skip
    return {
        "moderators": [pool[place] for place in sorted(chosen)],
        "outcome": outcomes[rng.choice(3, p=(0.7, 0.15, 0.15))], "baseline": "pre" if rng.random() < 0.7 else (),
    }  # fmt: skip


def end_of(seed: int) -> Run | WhoworksError:
    """Run a drawn study; what is returned is its end."""
    frame, arguments = draw_study(seed)
    try:
        return run_briefly(frame, **arguments)
    except WhoworksError as refusal:
        return refusal


@pytest.fixture(scope="module")
def ends() -> dict[int, Run | WhoworksError]:
    return {seed: end_of(seed) for seed in SEEDS}


def test_a_run_ends_in_findings_or_in_a_refusal_that_says_why(ends):
    """Anything else that is raised, a warning too, fails here; most of the studies drawn are answered."""
    refused = [end for end in ends.values() if isinstance(end, WhoworksError)]
    assert all(str(refusal).endswith(".") for refusal in refused)
    assert len(refused) <= len(SEEDS) // 5


def test_numbers_of_findings_are_what_they_say_or_missing(ends):
    for end in ends.values():
        for f in end.findings if isinstance(end, Run) else ():
            assert not any(p < 0 or p > 1 for p in (f.p_value, f.p_adjusted, f.p_randomization)), f.finding_id
            assert not any((f.std_error < 0, f.df < 0, f.conf_low > f.conf_high)), f.finding_id
            assert not (np.isfinite(f.p_value) and np.isinf(f.statistic)), f.finding_id


def test_a_claim_without_a_p_is_not_assessable(ends):
    for end in ends.values():
        for f in end.findings if isinstance(end, Run) else ():
            if f.status == "confirmatory" and f.question in ("difference", "joint") and np.isnan(f.p_value):
                assert f.credibility in ("", "not assessable"), f.finding_id
