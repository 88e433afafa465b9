"""Study: from records to findings, the one place where scores meet forests, and the way in for a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from whoworks.checks.run import run_checks
from whoworks.checks.verdict import Check
from whoworks.design.build import build_design
from whoworks.design.design import Design
from whoworks.design.feasible import require_feasible
from whoworks.design.folds import draw_partitions
from whoworks.findings.caveats.find import find_caveats
from whoworks.findings.find import find_all, open_settings
from whoworks.findings.planned.average import measure_precision
from whoworks.findings.setting import Setting
from whoworks.forests.choice import choose_engine
from whoworks.forests.left_out import predict_left_out
from whoworks.forests.protocol import Inputs, Predictions
from whoworks.forests.table import list_renamed, read_features
from whoworks.forests.use import compare_with_noise
from whoworks.language import plural
from whoworks.panel.build import build_panel
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Panel
from whoworks.plan.arguments import plan_from_arguments
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.records.records import Records
from whoworks.run import Run
from whoworks.scores.analysed import count_analysed, leave_out_alone, require_outcome
from whoworks.scores.build import build_scores
from whoworks.scores.scores import Scores

Progress = Callable[[str, float], None]


def _silent(stage: str, share: float) -> None:
    """Tell nobody."""


class Study:
    """Records read, panel built, design held against them; nothing estimated yet.

    Parameters
    ----------
    frame : DataFrame
        One row per unit; anything Narwhals reads.
    outcome, arm, control, assigned, ... :
        As in `whoworks.plan.arguments.plan_from_arguments`. `treatments` are all
        other codes of `arm` unless named.

    Raises
    ------
    WhoworksError
        With one sentence, when plan, records or design cannot be meant.
    """

    def __init__(self, frame: Any, *, arm: str, control: str | int | float, **arguments: Any) -> None:
        plan = plan_from_arguments(frame, arm=arm, control=control, **arguments)
        self._open(plan, read_records(plan, frame=frame))

    @classmethod
    def from_plan(cls, plan: Plan | Path | str, *, data: Path | str | None = None, frame: Any = None) -> Study:
        """Open the study that a plan (or its file) describes; `data` or `frame` take the place of the first table."""
        study = cls.__new__(cls)
        plan = plan if isinstance(plan, Plan) else Plan.load(Path(plan))
        study._open(plan, read_records(plan, data=None if data is None else Path(data), frame=frame))
        return study

    def _open(self, plan: Plan, records: Records) -> None:
        self.plan = plan
        panel = build_panel(plan, records)
        self.design: Design = build_design(panel)
        self.ledger: Ledger = count_analysed(panel, self.design)
        self.panel: Panel = leave_out_alone(panel, self.design)
        self._seeds = np.random.SeedSequence(plan.analysis.seed)

    def checks(self) -> tuple[Check, ...]:
        """Look at the design without seeing an outcome beside an arm."""
        rng = np.random.default_rng(self._seed(0))
        return run_checks(self.panel.blind(), self.panel.pooled(), self.design, rng=rng)

    def require_feasible(self) -> None:
        """Raise `InfeasibleError` when the design, or what is left of an outcome, cannot carry the question."""
        require_feasible(self.design)
        for outcome in self.plan.outcomes:
            require_outcome(self.panel, self.design, outcome.name)

    def run(self, progress: Progress = _silent) -> Run:
        """Learn the prognosis, build the scores, predict effects and find.

        `progress` is told the stage and the share of it that is done.

        Raises
        ------
        InfeasibleError
            When the design cannot carry the question; `write_checks` then still can write.
        """
        clock, timings = time.perf_counter(), {}
        self.require_feasible()

        def lap(stage: str) -> None:
            nonlocal clock
            now = time.perf_counter()
            timings[stage], clock = now - clock, now

        progress("checks", 0.0)
        checks = self.checks()
        lap("checks")
        scores: list[Scores] = []
        for place, outcome in enumerate(self.plan.outcomes):
            progress("prognosis", place / len(self.plan.outcomes))
            scores += build_scores(self.panel, self.design, outcome=outcome.name, seed=self._seed(1, place))
        settings = open_settings(self.panel, self.design, scores)
        lap("prognosis")
        predictions = {}
        main = next(setting for setting in settings if setting.is_main)
        predicted = self._predict(main, lambda share: progress("predicted effects", share))
        if predicted is not None:
            predictions[main.scores.outcome, main.scores.contrast] = predicted
        lap("predicted effects")
        findings = find_all(
            self.panel, settings, checks=checks, predictions=predictions, seed=self._seed(3),
            progress=lambda share: progress("findings", share),
        )  # fmt: skip
        caveats = find_caveats(self.panel, settings, checks, findings)
        precision = tuple(measure_precision(setting) for setting in settings)
        lap("findings")
        return Run(
            plan=self.plan, panel=self.panel, design=self.design, ledger=self.ledger, checks=checks,
            settings=settings, predicted=predictions, findings=findings,
            caveats=caveats, precision=precision, timings=timings,
        )  # fmt: skip

    def write_checks(self, out: Path | str | None = None, *, stopped: str = "", command: str = "") -> Path:
        """Write ledger and checks of a study whose design cannot carry its question; `stopped` says why."""
        from whoworks.report.write import write_checks

        return write_checks(
            plan=self.plan, panel=self.panel, ledger=self.ledger, checks=self.checks(),
            stopped=stopped, command=command, out=out,
        )  # fmt: skip

    def _seed(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self._seeds.entropy, spawn_key=key)

    def _predict(self, setting: Setting, progress: Callable[[float], None]) -> Predictions | None:
        """Predict effects along the moderators and baselines, for the primary outcome and main contrast."""
        scores = setting.scores
        names = dict.fromkeys(m.name for m in (*self.plan.moderators, *setting.outcome.baseline))
        per_arm = setting.fewest_clusters(setting.everyone)
        analysis = self.plan.analysis
        engine = choose_engine(analysis.engine, clusters_per_arm=per_arm, trees=analysis.trees)
        if engine is None or not names or not scores.has_folds:
            return None
        features = read_features(self.panel.values[list(names)].iloc[scores.rows])
        renamed = list_renamed(features, scores.block)
        if len(renamed) == len(names):
            return None
        either = setting.either
        place = self.design.places(scores.rows)
        arm, assigned = self.design.arm[place], self.design.assigned[place]
        # weighted by 1 / the own arm's probability, either arm of the contrast has probability one half
        inputs = Inputs(
            features=features.without(renamed),
            y_residual=np.round(scores.y - scores.mu0, 10), z_residual=scores.z - 0.5,
            weights=1 / scores.own, cluster=scores.cluster, block=scores.block, arm=arm, learn=either,
        )  # fmt: skip
        for_folds, for_fits, for_use = self._seed(2).spawn(3)
        folds = draw_partitions(
            cluster=scores.cluster, block=scores.block, arm=arm, assigned=assigned,
            rngs=[np.random.default_rng(each) for each in for_folds.spawn(engine.repeats)],
        )  # fmt: skip
        predicted = predict_left_out(
            engine, inputs, fold=scores.fold, forward_fold=folds, seed=for_fits, progress=progress
        )  # fmt: skip
        chance = self.design.probability[place][:, [0, int(arm[setting.treated][0])]]
        use = compare_with_noise(
            engine, inputs, assigned=assigned, exchangeable=self.design.exchangeable[place], chance=chance, seed=for_use
        )
        return replace(predicted, importance=use, ignores=(*predicted.ignores, *self._tell_renamed(renamed)))

    def _tell_renamed(self, names: Sequence[str]) -> Iterator[str]:
        """Say which features predict nothing, since they are other names for the blocks."""
        word = self.design.block_level or "block"
        for name in names:
            label = self.panel.variable(name).label
            yield f"It leaves out {label}: no two {plural(word)} share a value of it, so that it only names them."
