"""How often a real trial, its arms drawn again, leads to a claim: Tennessee STAR with class types permuted in schools.

Permuted within schools, class types go with nothing, so every claim about who gained more is
false. Each draw takes the whole road from records to graded findings, the forest and all it predicts
included, so a draw takes some twenty seconds. Usage:

    python -m benchmarks.redrawn_star PLAN [--draws 200] [--first 0]

PLAN is the study plan of STAR's kindergarten. One line is printed per draw; at the end the share of
draws with a claim graded moderate or better, which docs/error_rates.md reports.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import whoworks as ww
from whoworks.plan.plan import Plan

CLAIMED = ("moderate", "high")


def redraw(records: pd.DataFrame, plan: Plan, rng: np.random.Generator) -> pd.DataFrame:
    """Permute the class types of the arms compared among each school's classes."""
    arm, carrier = plan.arms.column, plan.levels[plan.design.assigned]
    block = plan.levels[plan.design.blocks[0]]
    compared = records[records[arm].isin(plan.arms.codes)]
    classes = compared.drop_duplicates(carrier)[[carrier, block, arm]]
    drawn = classes.groupby(block, sort=False)[arm].transform(lambda kinds: rng.permutation(kinds.to_numpy()))
    of_class = dict(zip(classes[carrier], drawn, strict=True))
    changed = records.copy()
    changed.loc[compared.index, arm] = compared[carrier].map(of_class)
    return changed


def claims(plan: Path, records: Path) -> pd.DataFrame:
    """Return the graded findings of one draw."""
    frame = ww.Study.from_plan(plan, data=records).run().findings.frame
    return frame[frame["credibility"] != ""]


def main() -> None:
    """Draw, run, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    plan = Plan.load(given.plan)
    records = pd.read_csv(plan.base / str(plan.records[0].path), dtype=str, keep_default_na=False)
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn.csv"
        told = []
        for draw in range(given.first, given.first + given.draws):
            redraw(records, plan, np.random.default_rng([draw, 1985])).to_csv(drawn, index=False)
            found = claims(given.plan, drawn)
            claimed = found[found["credibility"].isin(CLAIMED)]
            best = float(found["p_adjusted"].min())
            told.append(bool(len(claimed)))
            print(draw, len(found), f"{best:.4f}", ";".join(claimed["finding_id"]), sep="\t", flush=True)
    share = float(np.mean(told))
    error = float(np.sqrt(share * (1 - share) / len(told)))
    print(f"draws with a claim: {sum(told)} of {len(told)}, {share:.3f} (Monte-Carlo error {error:.3f})")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
