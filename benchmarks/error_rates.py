"""How often findings err of which the truth table tells little: growth between waves, and what rests on predictions.

``python -m benchmarks.error_rates growth`` prints a line per number of classes, waves and true
growth: bias, error and coverage of the change, and how often p is at or below .05.
``python -m benchmarks.error_rates predicted`` prints a line per world, assignment and number
of clusters: how often p is at or below .05 for calibration, sorted groups, AUTOC and
the top third; ``--engine ridge`` predicts by the ridge everywhere, else the product's own choice
does. ``--replicates`` and ``--first`` choose the draws, whose seeds are their numbers;
``--clusters`` the rows. Monte-Carlo errors in brackets.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from whoworks.design.build import build_design
from whoworks.design.folds import draw_partitions
from whoworks.findings.find import open_settings
from whoworks.findings.finding import Finding
from whoworks.findings.planned.growth import CHANGE, find_growth
from whoworks.findings.searches.exploration import find_heterogeneity, find_sorted_groups
from whoworks.findings.searches.ranking import AREA, TOP_THIRD, find_ranking
from whoworks.findings.setting import Setting
from whoworks.forests.choice import choose_engine
from whoworks.forests.left_out import predict_left_out
from whoworks.forests.protocol import Inputs, Predictions
from whoworks.forests.ridge_engine import RidgeEngine
from whoworks.forests.table import read_features
from whoworks.panel.build import build_panel
from whoworks.panel.panel import Panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.scores.build import build_scores
from whoworks.simulate.pilot import Pilot, make_pilot

WAVES = ("winter", "spring", "summer")
PER_CLASS, ICC, BETWEEN_WAVES, VARYING, LEAVING = 25, 0.2, 0.75, 0.3, 0.08
GROWS = 0.2  # SD more of the outcome in each wave, in the cells with growth
ALPHA = 0.05
MODERATORS = ("frl", "devices", "sex", "rit_fall")
TREES = 1000
CELLS = (
    *(("class-varying", "class", clusters) for clusters in (8, 12, 20, 40)),
    *(("class-varying", "student", clusters) for clusters in (12, 20, 40)),
    ("student-moderator", "class", 40), ("student-moderator", "student", 40),
)  # fmt: skip


def draw_records(rng: np.random.Generator, *, classes: int, n_waves: int, grows: float) -> pd.DataFrame:
    """Draw a pilot of `classes` classes of 15 to 35 students, half of the classes offered the programme.

    At each wave, the one before the programme included, the score is
    ``sqrt(.75) s + sqrt(.25) o + z (.2 + grows w + .3 v)``: s the student's own and o the wave's, each
    with variance .2 between classes and .8 within; v of each class and wave. At
    every wave after the first with the programme 8 % of those who were left are measured no more.
    """
    size = np.round(np.linspace(0.6, 1.4, classes) * PER_CLASS).astype(int)
    room = np.repeat(np.arange(classes), rng.permutation(size))
    z = rng.permutation(np.arange(classes) % 2)[room]

    def part() -> np.ndarray:
        own = rng.standard_normal(len(room))
        return np.sqrt(ICC) * rng.standard_normal(classes)[room] + np.sqrt(1 - ICC) * own

    stable = np.sqrt(BETWEEN_WAVES) * part()
    frame = {"id": np.arange(len(room)), "room": room, "arm": np.where(z == 1, "new", "usual")}
    columns = {"fall": stable + np.sqrt(1 - BETWEEN_WAVES) * part()}
    there = np.ones(len(room), dtype=bool)
    for place, wave in enumerate(WAVES[:n_waves]):
        tau = 0.2 + grows * place + VARYING * rng.standard_normal(classes)[room]
        score = stable + np.sqrt(1 - BETWEEN_WAVES) * part() + tau * z
        there = there & ((rng.random(len(room)) >= LEAVING) | (place == 0))
        columns[wave] = np.where(there, score, np.nan)
    return pd.concat([pd.DataFrame(frame | {"term": wave, "score": values}) for wave, values in columns.items()])


def plan_waves(n_waves: int) -> Plan:
    """Return the plan of such a pilot."""
    terms = ("fall", *WAVES[:n_waves])
    return Plan.build(
        {
            "schema": 1,
            "study": {"name": "Waves", "question": "Does it grow?"},
            "records": [{"name": "long", "path": "long.csv"}],
            "waves": {"column": "term", "order": {wave: wave for wave in terms}, "before": ["fall"]},
            "levels": {"student": "id", "class": "room"},
            "arms": {"column": "arm", "control": "usual", "treatments": ["new"]},
            "design": {"kind": "randomised", "assigned": "class", "probability": {"usual": 0.5, "new": 0.5}},
            "outcomes": [
                {
                    "column": "score", "wave": wave, "label": "reading", "primary": wave == terms[1],
                    "baseline": [{"column": "score", "wave": "fall"}],
                }
                for wave in terms[1:]
            ],
        }
    )  # fmt: skip


def find_changes(plan: Plan, frame: pd.DataFrame, *, seed: int) -> list[Finding]:
    """Take records to the changes between waves, as a study does."""
    panel = build_panel(plan, read_records(plan, frame=frame.astype(object)))
    design = build_design(panel)
    seeds = np.random.SeedSequence(seed).spawn(len(plan.outcomes))
    scores = [
        each
        for outcome, own in zip(plan.outcomes, seeds, strict=True)
        for each in build_scores(panel, design, outcome=outcome.name, seed=own)
    ]
    return [f for f in find_growth(plan, open_settings(panel, design, scores)) if f.quantity == CHANGE]


def measure_growth(replicates: range, clusters: list[int]) -> Iterator[str]:
    """Yield a line per cell and change."""
    yield "classes\twaves\tgrows\tchange\treplicates\tbias\tSE / spread\tcovers\tp <= .05\tnot assessable"
    for classes, n_waves, grows in product((12, 20, 40), (2, 3), (0.0, GROWS)):
        if clusters and classes not in clusters:
            continue
        plan, rows = plan_waves(n_waves), []
        for number in replicates:
            rng = np.random.default_rng([number, classes, n_waves, int(grows > 0)])
            frame = draw_records(rng, classes=classes, n_waves=n_waves, grows=grows)
            rows += [
                (f.level, WAVES.index(f.wave) - WAVES.index(f.reference), f.estimate, f.std_error, f.conf_low,
                 f.conf_high, f.p_value) for f in find_changes(plan, frame, seed=number)
            ]  # fmt: skip
        told = pd.DataFrame(rows, columns=["level", "steps", "estimate", "error", "low", "high", "p"])
        for level, own in told.groupby("level", sort=False):
            yield f"{classes}\t{n_waves}\t{grows:g}\t{level}\t" + tell_change(own, truth=own["steps"] * grows)


def tell_change(own: pd.DataFrame, *, truth: pd.Series) -> str:
    """Return one change's error rates in words of the first line."""
    miss, n = own["estimate"] - truth, len(own)
    spread = miss.std(ddof=1)
    ratio = np.sqrt((own["error"] ** 2).mean()) / spread
    covers = ((own["low"] <= truth) & (truth <= own["high"])).mean()
    hits = (own["p"] <= ALPHA).mean()
    return (
        f"{n}\t{miss.mean():.4f} ({spread / np.sqrt(n):.4f})\t{ratio:.3f} ({ratio / np.sqrt(2 * n):.3f})\t"
        f"{share(covers, n)}\t{share(hits, n)}\t{own['p'].isna().mean():.3f}"
    )


def draw_pilot(world: str, assigned: str, clusters: int, *, seed: int) -> Pilot:
    """Draw a pilot of 25 students a cluster, of classes without blocks or of students drawn within schools."""
    students = PER_CLASS * clusters
    if assigned == "class":
        return make_pilot(world, students=students, classes=clusters, schools=clusters, blocks="none", seed=seed)
    return make_pilot(
        world, students=students, classes=2 * clusters, schools=clusters, assigned="student", blocks="school", seed=seed
    )


def predict(panel: Panel, setting: Setting, *, engine: str, seed: np.random.SeedSequence) -> Predictions:
    """Predict effects as a study does, from the planned moderators, sex and the fall score."""
    scores, design = setting.scores, setting.design
    place = np.searchsorted(design.rows, scores.rows)
    arm, assigned = design.arm[place], design.assigned[place]
    per_arm = min(setting.n_clusters(units) for units in (setting.treated, setting.control))
    chosen = RidgeEngine() if engine == "ridge" else choose_engine(engine, clusters_per_arm=per_arm, trees=TREES)
    assert chosen is not None
    inputs = Inputs(
        features=read_features(panel.values[list(MODERATORS)].iloc[scores.rows]),
        y_residual=np.round(scores.y - scores.mu0, 10), z_residual=scores.z - 0.5, weights=1 / scores.own,
        cluster=scores.cluster, block=scores.block, arm=arm, learn=setting.treated | setting.control,
    )  # fmt: skip
    for_folds, for_fits = seed.spawn(2)
    folds = draw_partitions(
        cluster=scores.cluster, block=scores.block, arm=arm, assigned=assigned,
        rngs=[np.random.default_rng(each) for each in for_folds.spawn(chosen.repeats)],
    )  # fmt: skip
    return predict_left_out(chosen, inputs, fold=scores.fold, forward_fold=folds, seed=for_fits)


def find_p(pilot: Pilot, *, engine: str, seed: int) -> dict[str, float]:
    """Return the p of each finding that rests on predicted effects; NaN where it is not assessable."""
    panel = build_panel(pilot.plan, read_records(pilot.plan, frame=pilot.records))
    design = build_design(panel)
    for_scores, for_predictions, for_ranking = np.random.SeedSequence(seed).spawn(3)
    scores = build_scores(panel, design, outcome=pilot.plan.outcomes[0].name, seed=for_scores)
    (setting,) = open_settings(panel, design, scores)
    predictions = predict(panel, setting, engine=engine, seed=for_predictions)
    ranking = {f.level: f.p_value for f in find_ranking(setting, predictions, seed=for_ranking)}
    return {
        "calibration": find_heterogeneity(setting, predictions).p_value,
        "sorted groups": find_sorted_groups(setting, predictions)[-1].p_value,
        "AUTOC": ranking[AREA], "top third": ranking[TOP_THIRD],
    }  # fmt: skip


def measure_predicted(replicates: range, clusters: list[int], *, engine: str) -> Iterator[str]:
    """Yield a line per cell."""
    yield "world\tassigned\tclusters\treplicates\tcalibration\tsorted groups\tAUTOC\ttop third\tnot assessable, each"
    for world, assigned, count in CELLS:
        if clusters and count not in clusters:
            continue
        told = pd.DataFrame(
            find_p(draw_pilot(world, assigned, count, seed=1000 * number + count), engine=engine, seed=number)
            for number in replicates
        )
        hits = "\t".join(share((told[name] <= ALPHA).mean(), len(told)) for name in told)
        lost = ", ".join(f"{value:.2f}" for value in told.isna().mean())
        yield f"{world}\t{assigned}\t{count}\t{len(told)}\t{hits}\t{lost}"


def share(value: float, n: int) -> str:
    """Return a share with its binomial Monte-Carlo error."""
    return f"{value:.3f} ({np.sqrt(value * (1 - value) / n):.3f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["growth", "predicted"])
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--clusters", type=int, nargs="*", default=[])
    parser.add_argument("--engine", choices=["whoworks", "ridge"], default="whoworks")
    given = parser.parse_args()
    replicates = range(given.first, given.first + given.replicates)
    if given.what == "growth":
        lines = measure_growth(replicates, given.clusters)
    else:
        lines = measure_predicted(replicates, given.clusters, engine=given.engine)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
